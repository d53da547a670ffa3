import ArgumentParser
import Foundation
import JSONText
import TollbookEvents

/// `tollbook keepa batch`
struct KeepaBatchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "batch",
    abstract: "Get a list of products as a table, buying as tokens arrive.",
    discussion: """
      Reads an ASIN from the beginning of each line and prints a line of CSV for each, in \
      the same order. What is cached costs nothing. Out of tokens it waits for refills, \
      for hours if need be; what it has bought is cached, so that a run that was \
      interrupted can be begun again at no further cost.

      More than 1,000 lines become a job of the Tollbook, up to 100,000. It goes on when \
      this command is interrupted; --job waits for it again and prints its table.

      Examples:
        tollbook keepa batch asins.csv > products.csv
        tollbook keepa batch --job 912 > products.csv
      """)

  /// Products of one request.
  private static let portion = 100
  /// The longest list that is asked for request by request; a longer one becomes a job.
  private static let mostAtOnce = 1_000

  @OptionGroup var list: KeepaListFlags
  @Option(help: ArgumentHelp("The most tokens to spend; then it ends.", valueName: "tokens"))
  var maxTokens: Int64?
  @Option(
    help: ArgumentHelp("Wait for a job that was begun before.", valueName: "number"))
  var job: String?
  @Argument(help: ArgumentHelp("The file; - reads standard input.", valueName: "file")) var file:
    String?

  func validate() throws {
    guard (file == nil) != (job == nil) else {
      throw ValidationError("Name a file, or a job with --job.")
    }
    if let job, UInt64(job) == nil {
      throw ValidationError("A job has a number, such as --job 912.")
    }
  }

  func run() async throws {
    let client = try ServiceClient(list.url)
    if let job { return try await BatchJobTable(client: client, job: job).print() }
    let all = try KeepaListFlags.read(file ?? "-")
    if all.count > Self.mostAtOnce {
      let table = try await BatchJobTable(client, list, all, maxTokens: maxTokens)
      return try await table.print()
    }
    var left = maxTokens
    for start in stride(from: 0, to: all.count, by: Self.portion) {
      let part = Array(all[start..<min(start + Self.portion, all.count)])
      var lines: [Int: Substring] = [:]
      while lines.count < part.count {
        let places = part.indices.filter { lines[$0] == nil }
        let bytes = try await client.post(
          "/keepa/batch-analyze", headers: [("Accept", "text/csv")]
        ) { json in
          list.write(places.map { part[$0] }, to: &json)
          json.field("wait_seconds", 60)
          json.fieldIfPresent("max_tokens", left)
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let rows = text.split(separator: "\r\n")
        guard rows.count == places.count + 1 else {
          throw Refused(
            "\(client.base) answered \(rows.count - 1) lines for \(places.count) products."
          )
        }
        if start == 0, lines.isEmpty { Console.put("\(rows[0])\r\n") }
        var spent: Int64 = 0
        for (place, row) in zip(places, rows.dropFirst()) {
          // The last four hold no comma: what may have been spent and what was, the error, and when to try again.
          let cells = row.split(separator: ",", omittingEmptySubsequences: false).suffix(4)
          spent += cells.prefix(2).reduce(0) { $0 + (Int64($1) ?? 0) }
          let error = cells.dropFirst(2).first ?? ""
          let isToWaitFor = error == "insufficient_tokens" || error == "deadline_exceeded"
          if !isToWaitFor || left == 0 { lines[place] = row }
        }
        left = left.map { max(0, $0 - spent) }
        Console.progress("\((start + lines.count).grouped) of \(all.count.grouped) products")
      }
      for place in part.indices { Console.put("\(lines[place] ?? "")\r\n") }
      Console.flush()
    }
    Console.endProgress()
  }
}
