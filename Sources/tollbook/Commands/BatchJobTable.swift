import JSONText
import TollbookAudit
import TollbookEvents

/// The table of a long list, which a job of a running Tollbook buys.
struct BatchJobTable {
  /// Lines of one answer.
  private static let page = 1_000
  /// Between two looks, in milliseconds.
  private static let pause: Int64 = 2_000

  let client: ServiceClient
  let job: String

  init(client: ServiceClient, job: String) {
    self.client = client
    self.job = job
  }

  /// Has a list taken on as a job, and says so.
  init(
    _ client: ServiceClient, _ list: KeepaListFlags, _ asins: [String], maxTokens: Int64?
  ) async throws {
    let bytes = try await client.post(
      "/keepa/batch-analyze", headers: [("Prefer", "respond-async")]
    ) { json in
      list.write(asins, to: &json)
      json.fieldIfPresent("max_tokens", maxTokens)
    }
    let taken = try JSONDocument(bytes).root
    guard let job = taken["job"]?.string else {
      throw Refused("\(client.base) took no job on; it may be an older Tollbook.")
    }
    self.init(client: client, job: job)
    let cached = (taken["cached"]?.int64 ?? 0).grouped
    let units = Amount(taken["units_expected"]?.int64 ?? 0, Amount.firstUnit).text
    let end = taken["expected_end_at"]?.string.map { ", until about \($0)" } ?? ""
    Console.note(
      "Job \(job): \(cached) are cached, the others cost about \(units)\(end). It goes on if"
        + " this command ends; --job \(job) waits for it again.")
  }

  /// Waits until the job has ended, then prints its table.
  func print() async throws {
    while try await isOpen() { try await Task.sleep(for: .milliseconds(Self.pause)) }
    var after = 0
    var count = 0
    repeat {
      let text = String(
        decoding: try await client.get(
          "/keepa/batch-analyze/\(job)?after=\(after)&limit=\(Self.page)",
          headers: [("Accept", "text/csv")]), as: UTF8.self)
      let lines = text.split(separator: "\r\n")
      for line in after == 0 ? lines[...] : lines.dropFirst() { Console.put("\(line)\r\n") }
      Console.flush()
      count = max(0, lines.count - 1)
      after += count
    } while count == Self.page
  }

  /// Says how far it is.
  private func isOpen() async throws -> Bool {
    let shown = try JSONDocument(try await client.get("/jobs/\(job)")).root
    let done = (shown["progress"]?["done"]?.int64 ?? 0).grouped
    let total = (shown["progress"]?["total"]?.int64 ?? 0).grouped
    let end = shown["progress"]?["expected_end_at"]?.string.map { ", until about \($0)" } ?? ""
    let state = shown["state"]?.string
    if state == "queued" || state == "running" {
      Console.progress("\(done) of \(total) products\(end)")
      return true
    }
    Console.endProgress()
    switch state {
    case "done":
      if let detail = shown["detail"]?.string { Console.note("\(detail.inOneLine()).") }
      return false
    default:
      let detail = shown["detail"]?.string.map { ": \($0.inOneLine())" } ?? ""
      Console.note(
        "The job has ended early (\((state ?? "unknown").inOneLine()))\(detail). What it has bought"
          + " is in the table.")
      return false
    }
  }
}
