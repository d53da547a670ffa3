import Foundation
import JSONText
import Testing
import TollbookSimulators
import TollbookTestSupport

@Suite struct JobKillTests {
  @Test func `a job goes on after kill -9 with what is left of its limit, and can be cancelled`()
    async throws
  {
    let folder = try TemporaryFolder()
    let keepa = try await Serving(
      ["simulate", "keepa", "--port", "0", "--balance", "150", "--rate", "20"], in: folder)
    let serve = [
      "serve", "--simulate", "--port", "0", "--data-dir", "data", "--simulator", keepa.url,
    ]
    let first = try await Serving(serve, in: folder)
    let asins = (0..<400).map { "\"B\(100_000_000 + $0)\"" }.joined(separator: ",")
    let taken = try await first.post("/cache/warm", "{\"asins\":[\(asins)],\"limit_units\":300}")
    let path = "/jobs/\(try #require(taken["id"]?.string))"
    while try await first.get(path)["progress"]?["done"]?.int64 ?? 0 < 100 {}
    #expect(await first.end(SIGKILL).status == SIGKILL)

    let second = try await Serving(serve, in: folder)
    let job = try await second.get(path)
    #expect(job["state"]?.string == "running" || job["state"]?.string == "queued")
    #expect(job["progress"]?["done"]?.int64 ?? 0 >= 100)
    #expect(job["costs"]?[0]?["amount"]?.int64 ?? 0 >= 100)
    // It goes on: what was left of the balance is bought too, and then it waits.
    while try await second.get(path)["costs"]?[0]?["amount"]?.int64 ?? 0 < 150 {}
    let ledger = try await second.get("/ledger")["meters"]?[0]
    let waiting = try await second.get(path)
    #expect(waiting["state"]?.string == "running")
    #expect(waiting["costs"]?[0]?["amount"]?.int64 ?? 0 >= ledger?["settled"]?.int64 ?? .max)
    #expect(try await second.delete(path)["state"]?.string == "cancelled")
    #expect(await second.end().status == 0)

    let events = try await Binary.run(
      ["events", "--data-dir", "data", "--type", "JobStarted"], in: folder)
    #expect(events.lines.count { $0.contains("begun") } == 2)
    let verified = try await Binary.run(["verify", "--data-dir", "data"], in: folder)
    #expect(verified.status == 0)
    _ = await keepa.end()
  }

  @Test func `a long list goes on after kill -9, and its results are those of before and after`()
    async throws
  {
    let folder = try TemporaryFolder()
    let keepa = try await Serving(
      ["simulate", "keepa", "--port", "0", "--balance", "150", "--rate", "20"], in: folder)
    let serve = [
      "serve", "--simulate", "--port", "0", "--data-dir", "data", "--simulator", keepa.url,
    ]
    let first = try await Serving(serve, in: folder)
    let asins = (0..<400).map { "\"B\(100_000_000 + $0)\"" }.joined(separator: ",")
    let taken = try await first.post(
      "/keepa/batch-analyze", "{\"asinList\":[\(asins)]}", headers: ["Prefer": "respond-async"])
    let id = try #require(taken["job"]?.string)
    #expect(taken["would_buy"]?.int64 == 400)
    while try await first.get("/jobs/\(id)")["progress"]?["done"]?.int64 ?? 0 < 100 {}
    #expect(await first.end(SIGKILL).status == SIGKILL)

    let second = try await Serving(serve, in: folder)
    // A job costs what is reserved for it too: that is there before the answer.
    var statuses: [String?] = []
    repeat {
      let page = try await second.get("/keepa/batch-analyze/\(id)?limit=400")
      statuses = page["results"]?.array?.map { $0["status"]?.string } ?? []
      try #require(statuses.count == 400)
    } while statuses.prefix(150).contains { $0 != "found" }
    #expect(statuses.last == "waiting")
    #expect(try await second.get("/jobs/\(id)")["progress"]?["expected_end_at"]?.string != nil)
    #expect(try await second.delete("/jobs/\(id)")["state"]?.string == "cancelled")
    #expect(await second.end().status == 0)
    let verified = try await Binary.run(["verify", "--data-dir", "data"], in: folder)
    #expect(verified.status == 0)
    _ = await keepa.end()
  }

  @Test func `a search goes on after kill -9, and is not paid for again`() async throws {
    let folder = try TemporaryFolder()
    let keepa = try await Serving(
      ["simulate", "keepa", "--port", "0", "--balance", "15", "--rate", "1"], in: folder)
    let serve = [
      "serve", "--simulate", "--port", "0", "--data-dir", "data", "--simulator", keepa.url,
    ]
    let first = try await Serving(serve, in: folder)
    let taken = try await first.post(
      "/cache/warm", #"{"discovery":{"bsr_max":50000,"limit":30},"limit_units":100}"#)
    let path = "/jobs/\(try #require(taken["id"]?.string))"
    // The search costs 11, and four products are there after that.
    while try await first.get(path)["costs"]?[0]?["amount"]?.int64 ?? 0 < 15 {}
    #expect(await first.end(SIGKILL).status == SIGKILL)

    let second = try await Serving(serve, in: folder)
    // Nobody buys the list once more, and it is told what is left of it.
    while try await second.get(path)["progress"]?["units_expected"]?.int64 == nil {}
    let job = try await second.get(path)
    #expect(job["state"]?.string == "running")
    #expect(job["progress"]?["units_expected"]?.int64 ?? 0 <= 26)
    #expect(job["costs"]?[0]?["amount"]?.int64 ?? 0 <= 20)
    #expect(try await second.delete(path)["state"]?.string == "cancelled")
    #expect(await second.end().status == 0)
    _ = await keepa.end()
  }

  @Test func `documents are read on after kill -9, each once, and what was read stays`()
    async throws
  {
    let folder = try TemporaryFolder()
    // Each call takes its time, so that one of them is under way when the service is killed.
    let gemini = try await Serving(
      ["simulate", "gemini", "--port", "0", "--latency-ms", "300"], in: folder)
    let serve = [
      "serve", "--simulate", "--port", "0", "--data-dir", "data", "--gemini-simulator",
      gemini.url,
    ]
    let first = try await Serving(serve, in: folder)
    let invoices = (1...5).map { DrawnInvoice(number: $0, seed: 1) }
    let taken = try await first.post(
      "/extract", fields: [("companyID", "default"), ("username", "ann")],
      files: invoices.map { ("\($0.invoiceNumber).pdf", InvoiceDrawing.pdf($0)) },
      headers: ["Prefer": "respond-async"])
    let path = "/jobs/\(try #require(taken["id"]?.string))"
    while try await first.get(path)["progress"]?["done"]?.int64 ?? 0 < 2 {}
    #expect(await first.end(SIGKILL).status == SIGKILL)

    let second = try await Serving(serve, in: folder)
    let open = try await second.get(path)
    #expect(open["progress"]?["done"]?.int64 ?? 0 >= 2)
    #expect(open["results"]?[0]?["fields"]?["invoice_number"]?.string == invoices[0].invoiceNumber)
    var job = open
    while job["state"]?.string == "running" || job["state"]?.string == "queued" {
      job = try await second.get(path)
    }
    #expect(job["state"]?.string == "done", "\(String(decoding: job.bytes, as: UTF8.self))")
    #expect(job["failed"]?.int64 == 0)
    let numbers = job["results"]?.array?.map { $0["fields"]?["invoice_number"]?.string } ?? []
    #expect(numbers == invoices.map(\.invoiceNumber))
    // The one that was under way may have been paid for twice; the ones before were not.
    let requests = try #require(try await gemini.get("/_simulator/books")["requests"]?.int64)
    #expect((5...6).contains(requests), "\(requests) calls")
    // What was sent in is gone.
    let kept = try await second.get("/cache/entries?kind=gemini.document")
    #expect(kept["entries"]?.array?.map { _ in 1 } == [])
    #expect(await second.end().status == 0)
    let events = try await Binary.run(
      ["events", "--data-dir", "data", "--type", "JobStarted"], in: folder)
    #expect(events.lines.count { $0.contains("begun") } == 2)
    let verified = try await Binary.run(["verify", "--data-dir", "data"], in: folder)
    #expect(verified.status == 0)
    _ = await gemini.end()
  }
}
