import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookHTTP
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import Market

/// What a client wants of Tollbook itself, and what it is told when the exchange is of no help.
@Suite struct MarketOptionTests {
  private let ticker = "api/v3/ticker/24hr?symbol=BTCUSDT"

  @Test func `closed candles are never too old, however fresh an answer has to be`() async throws {
    try await MarketStand.serving { stand, caller in
      let end = stand.time.now.milliseconds - 10 * 3_600_000
      let past = "klines?symbol=BTCUSDT&interval=1h&limit=200&endTime=\(end)"
      let first = try await caller.get("/binance/api/v3/\(past)")
      #expect(first.status == 200, "\(first.text)")
      stand.time.advance(byMilliseconds: 120_000)
      let again = try await caller.get("/binance/~fresh=1s/api/v3/\(past)")
      #expect(again.body == first.body)
      #expect(again.headers[.charge] == "0")
      #expect(stand.calls(.klines) == 1)
      // With the newest candle only what is behind the last closed one is asked for.
      _ = try await caller.get("/binance/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=200")
      stand.time.advance(byMilliseconds: 2_000)
      let before = stand.calls(.klines)
      let newest = try await caller.get(
        "/binance/~fresh=1s/api/v3/klines?symbol=BTCUSDT&interval=1h&limit=200")
      #expect(newest.json?.array?.count == 200)
      #expect(newest.headers[.charge] == "2")
      #expect(stand.calls(.klines) == before + 1)
      let query = stand.simulator.books.calls.last?.query ?? ""
      #expect(query.contains("limit=1000&"), "without an end: \(query)")
    }
  }

  @Test func `what is past its time is told to such a client only if it allows that`() async throws
  {
    try await MarketStand.serving { stand, caller in
      let first = try await caller.get("/binance/\(ticker)")
      #expect(first.status == 200, "\(first.text)")
      stand.time.advance(byMilliseconds: 3_000)
      stand.simulator.faults = BinanceFaults([BinanceFault(.http418, next: 1)])
      let banned = try await caller.get("/binance/\(ticker)")
      #expect(banned.status == 418, "\(banned.text)")
      let stale = try await caller.get("/binance/~stale=allow/\(ticker)")
      #expect(stale.status == 200, "\(stale.text)")
      #expect(stale.body == first.body)
      #expect(stale.headers[.cacheStatus]?.contains("stale") == true)
    }
  }

  @Test func `options in the path may be percent-encoded, and the tilde too`() async throws {
    try await MarketStand.serving { stand, caller in
      _ = try await caller.get("/binance/\(ticker)")
      stand.time.advance(byMilliseconds: 1_500)
      for options in ["%7Efresh=1s", "%7efresh%3D1s"] {
        let answer = try await caller.get("/binance/\(options)/\(ticker)")
        #expect(answer.status == 200, "\(answer.text)")
        #expect(
          answer.headers[.charge] == "2", "\(options): fresh by the window, not by the option")
        stand.time.advance(byMilliseconds: 1_500)
      }
      let nothing = try await caller.get("/binance/%21fresh=1s/\(ticker)")
      #expect(nothing.status == 404)
    }
  }

  @Test func `the most that a request may cost holds for all of its calls together`() async throws {
    try await MarketStand.serving { stand, caller in
      let refused = try await caller.post(
        "/price", #"{"symbol":"BTCUSDT"}"#, [HTTPField.Name("Tollbook-Max-Tokens")!: "21"])
      #expect(refused.status == 429, "\(refused.text)")
      #expect(stand.simulator.books.sum.weight == 20)
      let enough = try await caller.post(
        "/price", #"{"symbol":"BTCUSDT"}"#, [HTTPField.Name("Tollbook-Max-Tokens")!: "2"])
      #expect(enough.status == 200, "\(enough.text)")
    }
  }

  private static let dryRun: HTTPFields = [HTTPField.Name("Tollbook-Dry-Run")!: "1"]

  /// What a dry run tells of weight: how many calls, and what they reserve.
  private func estimate(_ reply: MarketReply) -> [Int64?] {
    let stats = reply.json?["stats"]
    let costs = stats?["costs"]?.array.map { Array($0) } ?? []
    return [stats?["cached"]?.int64, stats?["would_buy"]?.int64, stats?["calls"]?.int64]
      + costs.map { $0["unit"]?.string == "weight" ? $0["at_most"]?.int64 : nil }
  }

  @Test(
    arguments: [
      "/price?symbol=BTCUSDT", "/comprehensive_analysis?symbol=btc-usdt&limit=100",
      "/volume_spike?symbol=BTC/USDT", "/cvd?symbol=BTCUSDT&timeframe=3d",
      "/binance/api/v3/ticker/24hr?symbol=BTCUSDT",
      "/binance/api/v3/ticker/24hr?symbols=%5B%22ETHUSDT%22,%22BTCUSDT%22%5D",
      "/binance/~fresh=1s/api/v3/klines?symbol=BTCUSDT&interval=1h",
      "/binance/api/v3/klines?symbol=BTCUSDT&interval=1h&startTime=1780000000000&limit=9",
      "/binance/api/v3/exchangeInfo?symbol=BTCUSDT", "/binance/api/v3/time",
      "/binance/api/v3/depth?symbol=BTCUSDT&symbolStatus=TRADING",
    ])
  func `a dry run tells what would be bought, buys nothing, and is right`(
    path: String
  ) async throws {
    try await MarketStand.serving { stand, caller in
      let head = stand.log.head
      let before = try await caller.get(path, Self.dryRun)
      #expect(before.status == 200, "\(before.text)")
      #expect(before.json?["dry_run"]?.bool == true)
      #expect(before.headers[.charge] == "0")
      #expect(stand.simulator.books.sum.calls == 0)
      #expect(stand.log.head == head, "nothing is written")
      _ = try await caller.get(path)
      let books = stand.simulator.books.sum
      let told = estimate(before)
      #expect(told[0] == 0)
      #expect(told.last == Int64(books.weight), "\(before.text)")
      // A key of the cache that is sought and a call that brings it are not the same.
      #expect(told[2] == Int64(books.calls), "\(before.text)")
    }
  }

  @Test func `a dry run of what is there costs nothing, and of what is not known buys nothing`()
    async throws
  {
    try await MarketStand.serving { stand, caller in
      let candles = "/volume_spike?symbol=BTCUSDT&timeframe=1h"
      _ = try await caller.get(candles)
      let spent = stand.simulator.books.sum.calls
      let known = estimate(try await caller.get(candles, Self.dryRun))
      #expect(known.count == 3, "no costs")
      #expect((known[0] ?? 0) >= 5 && known[1] == 0 && known[2] == 0)
      let price = estimate(try await caller.get("/price?symbol=BTCUSDT", Self.dryRun))
      #expect(price == [0, 1, 1, 2])
      let unknown = try await caller.get("/price?symbol=NOPE", Self.dryRun)
      #expect(unknown.status == 404, "\(unknown.text)")
      let refused = try await caller.get("/binance/api/v3/depth?symbol=NOPE", Self.dryRun)
      #expect(refused.json?["code"]?.int == -1_121)
      let trades = try await caller.get("/cvd?symbol=BTCUSDT&source=trades", Self.dryRun)
      #expect(trades.status == 400, "how many calls trades take nobody knows")
      let wrong = try await caller.get(
        "/binance/api/v3/depth?symbol=BTCUSDT", [HTTPField.Name("Tollbook-Dry-Run")!: "yes"])
      #expect(wrong.status == 400)
      #expect(stand.simulator.books.sum.calls == spent)
    }
  }

  @Test func `a dry run of warming asks for no list of markets`() async throws {
    try await MarketStand.serving { stand, caller in
      let order = #"{"symbols":["BTC/USDT","ETH/USDT"]}"#
      let before = try await caller.post("/cache/warm", order, Self.dryRun)
      #expect(
        estimate(before) == [0, 13, 3, 24], "the list, and 500 candles of each: \(before.text)")
      #expect(stand.simulator.books.sum.calls == 0)
    }
  }

  @Test func `a market of a list that nobody knows is named by its place in the list`()
    async throws
  {
    try await MarketStand.serving { stand, caller in
      let answer = try await caller.post("/cache/warm", #"{"symbols":["BTC/USDT","NOPE"]}"#)
      #expect(answer.status == 404, "\(answer.text)")
      #expect(answer.json?["field"]?.string == "symbols[1]")
    }
  }

  @Test func `trouble of the exchange is told by a code that clients take for passing`()
    async throws
  {
    try await MarketStand.serving { stand, caller in
      _ = try await caller.get("/binance/api/v3/exchangeInfo")
      stand.simulator.faults = BinanceFaults([BinanceFault(.http500, next: 1)])
      let answer = try await caller.get("/binance/\(ticker)")
      #expect(answer.status == 503)
      #expect(answer.json?["code"]?.int == -1_001, "\(answer.text)")
    }
  }

  @Test func `a refusal of the exchange's has its own code and words`() async throws {
    try await MarketStand.serving { stand, caller in
      for target in [
        "depth?symbol=BTCUSDT&symbolStatus=BREAK", "klines?symbol=BTCUSDT&interval=1h&bogus=1",
        "aggTrades?symbol=BTCUSDT&fromId=5&startTime=1",
      ] {
        let answer = try await caller.get("/binance/api/v3/\(target)")
        let parts = target.split(separator: "?").map(String.init)
        let direct = await stand.simulator.answer(
          path: "/api/v3/\(parts[0])", query: parts[1], address: "192.0.2.1")
        #expect(answer.status == 400)
        #expect(answer.body == direct.body, "\(target): \(answer.text)")
      }
    }
  }

  @Test func `a call that is turned away weighs nothing`() async throws {
    try await MarketStand.serving { stand, caller in
      _ = try await caller.get("/binance/api/v3/exchangeInfo")
      for kind in [BinanceFault.Kind.http403, .http451, .http418] {
        stand.simulator.faults = BinanceFaults([BinanceFault(kind, next: 1)])
        let answer = try await caller.get("/binance/\(ticker)")
        #expect(answer.status != 200, "\(kind)")
        #expect(answer.headers[.charge] == "0", "\(kind)")
      }
      #expect(try stand.sum(.settled) == Int64(stand.simulator.books.sum.weight))
      #expect(try stand.sum(.unexplained) == 0)
    }
  }

  @Test func `who asks for a market has not asked for all markets`() async throws {
    try await MarketStand.serving { _, caller in
      for _ in 0..<3 { _ = try await caller.get("/binance/\(ticker)") }
      let stats = try await caller.get("/cache/stats").json?["data"]?["cache_stats"]
      #expect(stats?["misses"]?.int == 2, "all markets once, and the ticker")
      #expect(stats?["hits"]?.int == 2, "the ticker")
    }
  }

  @Test func `more trades than are read are not paid for`() async throws {
    try await MarketStand.serving { stand, caller in
      let answer = try await caller.post(
        "/cvd", #"{"symbol":"BTCUSDT","timeframe":"1d","limit":60,"source":"trades"}"#)
      #expect(answer.status == 400, "\(answer.text)")
      #expect(answer.json?["field"]?.string == "limit")
      #expect(stand.calls(.aggTrades) == 2)
    }
  }
}
