import Foundation
import JSONText
import Testing
import TollbookTestSupport

/// An old service and Tollbook side by side behind a real nginx, with the configuration that `tools/nginx` offers.
///
/// Each client comes from an address of its own, 127.0.0.1 and on: all of them are this machine's.
@Suite(
  .enabled(if: Nginx.isInstalled, "nginx is not installed: /usr/sbin/nginx is missing"),
  .timeLimit(.minutes(5)))
struct BesideTests {
  private static let clients = 1...60

  @Test func `C20–C22: a share of the clients rises to all and goes back, and both books agree`()
    async throws
  {
    let folder = try TemporaryFolder()
    let binance = try await Serving(["simulate", "binance", "--port", "0"], in: folder)
    let old = try await OldService(exchange: binance.url, in: folder)
    let serving = try await Serving(
      [
        "serve", "--simulate", "--port", "0", "--data-dir", "data", "--binance-simulator",
        binance.url,
      ], in: folder)
    let day = Self.today
    let nginx = try await Nginx(old: old.port, tollbook: serving.port, in: folder)

    // 20 %: who comes to Tollbook pays for the candles once, all of them together.
    try await ask(nginx)
    let fifth = try await nginx.requests()
    let few = clients(of: "tollbook", in: fifth)
    #expect((5...20).contains(few.count), "\(few.count) of 60")
    #expect(Set(clients(of: "old", in: fifth)).isDisjoint(with: few))
    #expect(fifth.count { $0.service == "tollbook" && $0.path == "/cvd" && $0.charge > 0 } == 1)

    // 50 %, then all; who has come to Tollbook stays there. The share rises while they ask, and nobody notices.
    try await nginx.set("  20% tollbook;", to: "  50% tollbook;")
    try await ask(nginx) { try await nginx.reload() }
    let before = try await nginx.requests().count
    try await ask(nginx)
    let half = clients(of: "tollbook", in: try await nginx.requests().dropFirst(before))
    #expect((15...45).contains(half.count), "\(half.count) of 60")
    #expect(half.isSuperset(of: few))
    try await nginx.set("  50% tollbook;", to: "  100% tollbook;")
    try await nginx.reload()
    let beforeAll = try await nginx.requests().count
    try await ask(nginx)
    #expect(
      clients(of: "tollbook", in: try await nginx.requests().dropFirst(beforeAll)).count == 60)
    #expect(clients(of: "old", in: try await nginx.requests().dropFirst(beforeAll)).isEmpty)

    // Back, by leaving out one line.
    try await nginx.set("  100% tollbook;\n", to: "")
    try await nginx.reload()
    let beforeBack = try await nginx.requests().count
    try await ask(nginx)
    let back = try await nginx.requests().dropFirst(beforeBack)
    #expect(clients(of: "old", in: back).count == 60)
    #expect(clients(of: "tollbook", in: back).isEmpty)
    #expect(try await nginx.get("/health")["service"]?.string == "market-data")

    try await checkBooks(
      try await nginx.requests(), old: old, binance: binance, serving: serving, since: day,
      in: folder)
    await nginx.end()
    await old.end()
    _ = await binance.end()
  }

  @Test func `a foreign Host is turned away through nginx too, and buys nothing`() async throws {
    let folder = try TemporaryFolder()
    let old = try await OldService(exchange: "http://127.0.0.1:9", in: folder)
    let serving = try await Serving(["serve", "--simulate", "--port", "0"], in: folder)
    let nginx = try await Nginx(old: old.port, tollbook: serving.port, in: folder)
    try await nginx.set("  20% tollbook;", to: "  100% tollbook;")
    try await nginx.reload()
    let refused = try await nginx.post("/price", host: "evil.example")
    #expect(refused["type"]?.string == "/problems/foreign-host")
    let ledger = try await serving.get("/ledger")
    let meters = Array(try #require(ledger["meters"]?.array))
    #expect(meters.allSatisfy { $0["settled"]?.int64 == 0 })
    #expect(try await nginx.post("/price", host: "localhost")["success"]?.bool == true)
    await nginx.end()
    await old.end()
    _ = await serving.end()
  }

  /// Each client asks for a price and for candles; every answer is a good one.
  ///
  /// - Parameter meanwhile: what is done after the first answers.
  private func ask(
    _ nginx: Nginx, meanwhile: () async throws -> Void = {}
  ) async throws {
    let asked = try await nginx.asking(Self.clients)
    _ = await asked.output.until { $0.count >= 4 }
    try await meanwhile()
    let statuses = await asked.output.all().split(separator: "\n")
    asked.process.waitUntilExit()
    #expect(statuses.count == 2 * Self.clients.count)
    #expect(statuses.allSatisfy { $0 == "200" })
  }

  private func clients(
    of service: String, in requests: some Sequence<Nginx.Request>
  ) -> Set<String> {
    Set(requests.filter { $0.service == service && $0.path == "/cvd" }.map(\.client))
  }

  /// The day by the clock of the machine, which is the simulator's: as candles of a day close, one more is bought.
  private static var today: Int { Int(Date.now.timeIntervalSince1970) / 86_400 }

  /// What nginx sent to Tollbook is what Tollbook counted, read and charged, and what the exchange was asked is what the two
  /// services asked it.
  private func checkBooks(
    _ requests: [Nginx.Request], old: OldService, binance: Serving, serving: Serving,
    since day: Int, in folder: TemporaryFolder
  ) async throws {
    let ours = requests.filter { $0.service == "tollbook" }
    let prices = ours.count { $0.path == "/price" }
    let metrics = try await Companion.said(
      by: "curl", ["-s", "--max-time", "60", "\(serving.url)/metrics"], in: folder.path)
    for path in ["/price", "/cvd"] {
      let counted = "tollbook_requests_total{route=\"\(path)\",method=\"POST\",status=\"200\"} "
      let line = metrics.split(separator: "\n").first { $0.hasPrefix(counted) }
      #expect(line.map { $0.dropFirst(counted.count) } == "\(ours.count { $0.path == path })")
    }
    let books = try await binance.get("/_simulator/books")["by_endpoint"]
    let mostCalls = Self.today == day ? 1 : 2
    _ = await serving.end()

    let printed = try await Binary.run(
      ["audit", "--by", "kind", "--format", "json", "--data-dir", "data"], in: folder)
    let audit = try JSONDocument(Array(printed.output.utf8)).root
    let total = audit["total"]?["amounts"]?.array?.first { $0["unit"]?.string == "weight" }
    #expect(total?["certain"]?.int64 == ours.reduce(0) { $0 + $1.charge })
    let groups = Array(try #require(audit["groups"]?.array))
    func group(_ kind: String) -> JSONValue? { groups.first { $0["group"]?.string == kind } }
    let reads = try #require(group("binance.ticker")?["reads"]?.members)
    #expect(reads.reduce(0) { $0 + ($1.value.int64 ?? 0) } == Int64(prices))
    // Closed candles never change: however many ask, and whatever the share was, one call.
    let bought = try #require(group("binance.klines")?["calls"]?.int64)
    #expect((1...Int64(mostCalls)).contains(bought))
    let askedOld = requests.filter { $0.service == "old" }
    #expect(
      books?["klines"]?["calls"]?.int64 == bought + Int64(askedOld.count { $0.path == "/cvd" }))
    let tickers = try #require(group("binance.ticker")?["calls"]?.int64)
    #expect(
      books?["ticker/24hr"]?["calls"]?.int64
        == tickers + Int64(askedOld.count { $0.path == "/price" }))
    // Going back leaves the log whole.
    let verified = try await Binary.run(["verify", "--data-dir", "data"], in: folder)
    #expect(verified.status == 0, "\(verified.output)\(verified.errors)")
  }
}
