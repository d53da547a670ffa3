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
    var asked = 0
    for start in stride(from: 0, to: all.count, by: 1_000) {
      let part = all[start..<min(start + 1_000, all.count)]
      let bytes = try await client.post(
        "/keepa/batch-analyze", headers: [("Tollbook-Dry-Run", "1")]
      ) { json in list.write(part, to: &json) }
      let stats = try JSONDocument(bytes).root["stats"]
      asked += stats?["requested"]?.int ?? 0
      sums.cached += stats?["cached"]?.int64 ?? 0
      sums.bought += stats?["would_buy"]?.int64 ?? 0
      sums.refused += stats?["refused"]?.int64 ?? 0
      sums.expected += stats?["costs"]?[0]?["expected"]?.int64 ?? 0
      sums.bound += stats?["costs"]?[0]?["at_most"]?.int64 ?? 0
    }
    Console.say(
      "\(sums.cached.grouped) cached, \(sums.bought.grouped) would be bought for"
        + " \(Int(sums.expected).of("token")), \(sums.bound.grouped) at most.")
    if asked < all.count {
      let left = all.count - asked
      Console.say("\(left.grouped) \(left == 1 ? "is" : "are") no ASIN, or named before.")
    }
    if sums.refused > 0 {
      Console.say("\(sums.refused.grouped) more do not fit what is left of the tokens now.")
    }
  }
}
