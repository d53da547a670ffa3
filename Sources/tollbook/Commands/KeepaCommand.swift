import ArgumentParser
import Foundation
import JSONText
import Keepa
import TollbookEvents

/// `tollbook keepa`
struct KeepaCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "keepa",
    abstract: "Ask a running Tollbook for Keepa's products: what they would cost, or a whole list.",
    subcommands: [KeepaCostCommand.self, KeepaBatchCommand.self])
}

/// Which products are meant, and of which Tollbook they are asked.
struct KeepaListFlags: ParsableArguments {
  @Option(help: ArgumentHelp("Where Tollbook is.", valueName: "address"))
  var url = "http://127.0.0.1:8000"

  @Option(
    help: ArgumentHelp("The marketplace by Keepa's number: 1 is amazon.com.", valueName: "number"))
  var domain = 1

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Paid parts: rating, buybox, offers.", valueName: "part"))
  var include: [String] = []

  /// Those of a file: the first cell of each line. A first line that is no ASIN is a heading.
  static func asins(in text: String) -> [String] {
    let cells = text.split(whereSeparator: \.isNewline).map { line in
      line.prefix { $0 != "," && $0 != ";" && $0 != "\t" }
        .trimmingCharacters(in: CharacterSet(charactersIn: " \"\u{FEFF}"))
    }.filter { !$0.isEmpty }
    guard let first = cells.first, KeepaASIN(first) == nil else { return cells }
    return Array(cells.dropFirst())
  }

  /// - Parameter file: `-` for standard input.
  static func read(_ file: String) throws -> [String] {
    let data =
      file == "-"
      ? FileHandle.standardInput.readDataToEndOfFile()
      : try Data(contentsOf: URL(fileURLWithPath: file))
    let asins = asins(in: String(decoding: data, as: UTF8.self))
    guard !asins.isEmpty else {
      throw Refused("\(file) names no ASIN in the first cell of a line.")
    }
    return asins
  }

  func write(_ asins: some Sequence<String>, to json: inout JSONWriter) {
    json.array("asinList", asins)
    json.field("domain", domain)
    if !include.isEmpty { json.array("include", include) }
  }
}

/// `tollbook keepa cost`
struct KeepaCostCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cost",
    abstract: "Say what products would cost and what of them is cached. Buys nothing.",
    discussion: """
      Examples:
        tollbook keepa cost B09T2ZLMHB B0BSHF7WHW
        tollbook keepa cost --file asins.csv --include offers
      """)

  @OptionGroup var list: KeepaListFlags
  @Option(
    help: ArgumentHelp(
      "A file with an ASIN at the beginning of each line; - reads standard input.",
      valueName: "file"))
  var file: String?
  @Argument(help: ArgumentHelp("The products.", valueName: "asin")) var asins: [String] = []

  func validate() throws {
    if file == nil && asins.isEmpty { throw ValidationError("Name ASINs, or a file with --file.") }
  }

  func run() async throws {
    let all = try asins + (file.map(KeepaListFlags.read) ?? [])
    let client = try ServiceClient(list.url)
    var sums = (
      cached: Int64(0), bought: Int64(0), refused: Int64(0), expected: Int64(0), bound: Int64(0)
    )
    for start in stride(from: 0, to: all.count, by: 1_000) {
      let part = all[start..<min(start + 1_000, all.count)]
      let bytes = try await client.post(
        "/keepa/batch-analyze", headers: [("Tollbook-Dry-Run", "1")]
      ) { json in list.write(part, to: &json) }
      let stats = try JSONDocument(bytes).root["stats"]
      sums.cached += stats?["cached"]?.int64 ?? 0
      sums.bought += stats?["would_buy"]?.int64 ?? 0
      sums.refused += stats?["refused"]?.int64 ?? 0
      sums.expected += stats?["costs"]?[0]?["expected"]?.int64 ?? 0
      sums.bound += stats?["costs"]?[0]?["at_most"]?.int64 ?? 0
    }
    Console.say(
      "\(sums.cached.grouped) cached, \(sums.bought.grouped) would be bought for"
        + " \(sums.expected.grouped) tokens, \(sums.bound.grouped) at most.")
    if sums.refused > 0 {
      Console.say("\(sums.refused.grouped) more do not fit what is left of the tokens now.")
    }
  }
}

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

      Example:
        tollbook keepa batch asins.csv > products.csv
      """)

  /// Products of one request.
  private static let portion = 100

  @OptionGroup var list: KeepaListFlags
  @Option(help: ArgumentHelp("The most tokens to spend; then it ends.", valueName: "tokens"))
  var maxTokens: Int64?
  @Argument(help: ArgumentHelp("The file; - reads standard input.", valueName: "file")) var file:
    String

  func run() async throws {
    let all = try KeepaListFlags.read(file)
    let client = try ServiceClient(list.url)
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
