import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookHTTP
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

  @Test(arguments: [
    "/price?symbol=BTCUSDT", "/comprehensive_analysis?symbol=BTCUSDT",
    "/volume_spike?symbol=BTCUSDT", "/cvd?symbol=BTCUSDT",
    "/binance/api/v3/ticker/24hr?symbol=BTCUSDT", "/binance/api/v3/time",
  ])
  func `a dry run buys nothing`(path: String) async throws {
    try await MarketStand.serving { stand, caller in
      let answer = try await caller.get(path, [HTTPField.Name("Tollbook-Dry-Run")!: "1"])
      #expect(answer.status == 400, "\(answer.text)")
      #expect(answer.text.contains("Tollbook-Dry-Run"))
      #expect(stand.simulator.books.sum.calls == 0)
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
