import AsyncHTTPClient
import Foundation
import JSONText
import NIOCore
import NIOHTTP1
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// The story that `tollbook demo` tells, over HTTP as an app would see it.
struct DemoStory {
  let running: Server.Running
  /// The folder in which its data stays, if it does.
  let kept: String?
  private static let asins = ["B09T2ZLMHB", "B0BSHF7WHW", "B07FZ8S74R"]

  func tell() async throws {
    Console.say(Console.strong("Tollbook: data you paid for once, and the books to prove it"))
    Console.say("A gateway is running at \(running.url) with a simulated Keepa behind it.")
    try await emptyCache()
    try await buy("Three products bought", "An app asks for three products. None is known.")
    try await buy("The same again, for nothing", "The app asks again, a moment later.")
    await running.gateway.writeTallies()
    try await ledger()
    try events()
    whereToLook()
  }

  // MARK: Chapters

  private func emptyCache() async throws {
    chapter(1, "An empty cache")
    let health = try await get("/health").root
    let entries = health["cache_stats"]?["entries"]?.int64 ?? 0
    say("GET /health", "\(health["status"]?.string ?? "?"), \(entries.grouped) entries")
  }

  private func buy(_ title: String, _ sentence: String) async throws {
    chapter(title.hasPrefix("Three") ? 2 : 3, title)
    Console.say("  \(sentence)")
    let list = Self.asins.map { "\"\($0)\"" }.joined(separator: ",")
    let body = "{\"asinList\":[\(list)]}"
    let start = ContinuousClock.now
    let answer = try await post("/keepa/batch-analyze", body).root
    let duration = start.duration(to: .now)
    Console.say("  POST /keepa/batch-analyze \(Console.faint(body))")
    var table = TextTable([.left, .left, .right, .right, .left])
    for result in answer["results"]?.array.map(Array.init) ?? [] {
      let price = result["new"]?["current"]?.int64 ?? result["amazon"]?["current"]?.int64
      table.add([
        result["asin"]?.string ?? "", "from \(result["source"]?.string ?? "?")",
        Self.tokens(result["tokens"]?.int64 ?? 0), price.map(Self.dollars) ?? "",
        Self.shortened(result["title"]?.string ?? ""),
      ])
    }
    for line in table.lines(indent: 4) { Console.say(line) }
    let stats = answer["stats"]
    let figures = ["cache_hits", "api_fetches", "tokens_used", "tokens_remaining"].map {
      "\($0) \(stats?[$0]?.int64.map(\.grouped) ?? "?")"
    }
    let time = Console.faint("in \(duration.inMilliseconds)")
    Console.say("  \(Console.good(figures.joined(separator: ", "))) \(time)")
  }

  private func ledger() async throws {
    chapter(4, "The ledger")
    let meter = try await get("/ledger").root["meters"]?[0]
    let terms = ["granted", "settled", "reserved", "in_doubt", "unprovable", "unexplained", "free"]
    var table = TextTable(Array(repeating: .right, count: 2 * terms.count - 1))
    let amounts = terms.map { meter?[$0]?.int64.map(\.grouped) ?? "?" }
    func row(_ cells: [String]) -> [String] {
      cells.enumerated().flatMap { index, cell in
        index == 0 ? [cell] : [index == 1 ? "=" : "+", cell]
      }
    }
    table.add(row(terms.map { $0.replacing("_", with: " ") }))
    table.add(row(amounts))
    for line in table.lines(indent: 2) { Console.say(line) }
    let residual = meter?["residual"]?.int64
    Console.say(
      "  Each term is counted by itself from the events; what is left over is"
        + " \(residual.map(\.grouped) ?? "?").")
  }

  private func events() throws {
    chapter(5, "The events behind it")
    let log = running.log
    var lines = TextTable([.right, .left, .left])
    try log.read { (transaction) throws(LogError) in
      try log.reader.scan(after: 0, in: transaction) { (event) throws(LogError) in
        lines.add(["\(event.position)", event.event.kind.name, event.sentence])
        return .next
      }
    }
    for line in lines.lines(indent: 2) { Console.say(line) }
    Console.say(
      "  Cache, ledger and metrics are built from these lines; a Merkle tree seals them:"
        + " root \(log.root.hexadecimal.prefix(8))…")
  }

  private func whereToLook() {
    chapter(6, "Where to look next")
    var table = TextTable([.left, .left])
    // The name by which people called it: tools/run passes its own on.
    let called = CommandLine.arguments.first ?? ""
    let tollbook = called.hasSuffix("tools/run") ? called : "tollbook"
    if let kept {
      let place = "--data-dir \(kept)"
      for (command, meaning) in [
        ("\(tollbook) audit \(place)", "where did the tokens go?"),
        ("\(tollbook) replay \(place) --until 4", "how did the books stand then?"),
        ("\(tollbook) snapshot take --bodies \(place)", "a file to restore everything from"),
        ("\(tollbook) verify \(place)", "is every byte as it was written?"),
      ] { table.add([command, meaning]) }
    }
    for (command, meaning) in [
      ("\(tollbook) serve --simulate", "a Tollbook to play with, at http://127.0.0.1:8000"),
      ("curl http://127.0.0.1:8000/ledger", "its books; also /events, /metrics, /cache/stats"),
      ("\(tollbook) events --simulate", "the log on the terminal, while it runs or not"),
      ("\(tollbook) verify --simulate", "is every byte of it as it was written?"),
      ("\(tollbook) --help", "everything else"),
    ] { table.add([command, meaning]) }
    for line in table.lines(indent: 2) { Console.say(line) }
  }

  // MARK: Words

  private func chapter(_ number: Int, _ title: String) {
    Console.say()
    Console.say(Console.strong("\(number)  \(title)"))
  }

  private func say(_ call: String, _ answer: String) {
    Console.say("  \(call)  →  \(Console.good(answer))")
  }

  private static func tokens(_ count: Int64) -> String {
    count == 0 ? "free" : Amount(count, Amount.firstUnit).inWords
  }

  private static func shortened(_ title: String) -> String {
    guard title.count > 44 else { return title }
    let words = title.prefix(44).split(separator: " ").dropLast()
    return words.joined(separator: " ") + " …"
  }

  private static func dollars(_ cents: Int64) -> String {
    let rest = cents % 100
    return "$\((cents / 100).grouped).\(rest < 10 ? "0" : "")\(rest)"
  }

  // MARK: HTTP

  private func get(_ path: String) async throws -> JSONDocument {
    try await send(HTTPClientRequest(url: running.url + path))
  }

  private func post(_ path: String, _ body: String) async throws -> JSONDocument {
    var request = HTTPClientRequest(url: running.url + path)
    request.method = .POST
    request.headers.add(name: "Content-Type", value: "application/json")
    request.body = .bytes(ByteBuffer(string: body))
    return try await send(request)
  }

  private func send(_ request: HTTPClientRequest) async throws -> JSONDocument {
    let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
    let body = try await response.body.collect(upTo: 16 << 20)
    guard response.status == .ok else {
      throw Refused("\(request.url) answered with status \(response.status.code).")
    }
    return try JSONDocument(Array(body.readableBytesView))
  }
}

extension Duration {
  /// Such as `2.4 ms`.
  fileprivate var inMilliseconds: String {
    let tenths = (seconds * 10_000).rounded() / 10
    return "\(tenths) ms"
  }
}
