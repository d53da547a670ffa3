import HTTPTypes
import HummingbirdTesting
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import Market

@Suite struct MarketCallTests {
  private let bitcoin = #"{"symbol":"BTC/USDT"}"#

  @Test func `a price is bought once and answered from the cache while it is fresh`() async throws {
    try await MarketStand.serving { stand, caller in
      let first = try await caller.post("/price", bitcoin)
      #expect(first.status == 200, "\(first.text)")
      #expect(first.json?["symbol"]?.string == "BTC/USDT")
      #expect(first.json?["source"]?.string == "binance")
      #expect(first.json?["weight_used"]?.int == 22)
      let again = try await caller.post("/price", #"{"symbol":"btc-usdt"}"#)
      #expect(again.json?["source"]?.string == "cache")
      #expect(again.json?["cache_hit"]?.bool == true)
      #expect(again.json?["weight_used"]?.int == 0)
      #expect(again.data?["last"]?.string == first.data?["last"]?.string)
      #expect(stand.calls(.ticker24Hours) == 1)
      stand.time.advance(byMilliseconds: 2_001)
      let later = try await caller.get("/price?symbol=BTCUSDT")
      #expect(later.json?["weight_used"]?.int == 2)
      #expect(stand.calls(.ticker24Hours) == 2)
      #expect(stand.calls(.exchangeInfo) == 1)
    }
  }

  @Test func `the ledger counts what the exchange counts`() async throws {
    try await MarketStand.serving { stand, caller in
      for path in ["/price", "/comprehensive_analysis", "/volume_spike", "/cvd"] {
        let answer = try await caller.post(path, bitcoin)
        #expect(answer.status == 200, "\(path): \(answer.text)")
      }
      #expect(try stand.sum(.settled) == Int64(stand.simulator.books.sum.weight))
      let keys = try await caller.get("/events?type=CredentialAdded")
      #expect(keys.json?["events"]?.array?.count == 0, "it takes no key: \(keys.text)")
      #expect(try stand.sum(.unexplained) == 0)
      #expect(try stand.sum(.inDoubt) == 0)
    }
  }

  @Test func `closed candles are bought once, and one call brings what has closed since`()
    async throws
  {
    try await MarketStand.serving { stand, caller in
      let question = #"{"symbol":"BTCUSDT","timeframe":"15m"}"#
      let first = try await caller.post("/volume_spike", question)
      #expect(first.status == 200, "\(first.text)")
      #expect(stand.calls(.klines) == 1)
      _ = try await caller.post("/volume_spike", question)
      #expect(stand.calls(.klines) == 1)
      _ = try await caller.post("/cvd", #"{"symbol":"BTCUSDT","timeframe":"15m","limit":100}"#)
      #expect(stand.calls(.klines) == 1, "a shorter window is there")
      stand.time.advance(byMilliseconds: 15 * 60_000)
      let later = try await caller.post("/volume_spike", question)
      #expect(stand.calls(.klines) == 2)
      #expect(later.json?["weight_used"]?.int == 3, "klines, and the clock")
      #expect(later.json?["source"]?.string == "mixed")
    }
  }

  @Test func `an analysis is the same until a candle closes, and then one of a newer window`()
    async throws
  {
    try await MarketStand.serving { stand, caller in
      let question = #"{"symbol":"BTCUSDT","timeframe":"15m","limit":300}"#
      let first = try await caller.post("/comprehensive_analysis", question)
      let again = try await caller.post("/comprehensive_analysis", question)
      let shorter = try await caller.post(
        "/comprehensive_analysis", #"{"symbol":"BTCUSDT","timeframe":"15m","limit":250}"#)
      stand.time.advance(byMilliseconds: 15 * 60_000)
      let later = try await caller.post("/comprehensive_analysis", question)
      func average(_ reply: MarketReply) -> Double? {
        reply.data?["indicators"]?["ema"]?["200"]?.double
      }
      let known = try #require(average(first), "\(first.text)")
      #expect(average(again) == known)
      for other in [shorter, later] { #expect(average(other).map { $0 != known } == true) }
      let last = first.data?["candles"]?["last"]?.int64 ?? 0
      #expect(later.data?["candles"]?["last"]?.int64 == last + 15 * 60_000)
    }
  }

  @Test func `the candle that is open is asked for again when it is no longer fresh`() async throws
  {
    try await MarketStand.serving { stand, caller in
      let question = #"{"symbol":"BTCUSDT","timeframe":"1h","include_open":true}"#
      let first = try await caller.post("/comprehensive_analysis", question)
      #expect(first.data?["candles"]?["includes_open"]?.bool == true, "\(first.text)")
      #expect(first.data?["candles"]?["count"]?.int == 501)
      // A sixtieth of an hour.
      stand.time.advance(byMilliseconds: 59_000)
      _ = try await caller.post("/comprehensive_analysis", question)
      #expect(stand.calls(.klines) == 1)
      stand.time.advance(byMilliseconds: 1_001)
      _ = try await caller.post("/comprehensive_analysis", question)
      #expect(stand.calls(.klines) == 2)
    }
  }

  @Test func `deltas from trades are those from candles`() async throws {
    try await MarketStand.serving { stand, caller in
      let candles = try await caller.post(
        "/cvd", #"{"symbol":"ETHUSDT","timeframe":"5m","limit":40}"#)
      let trades = try await caller.post(
        "/cvd", #"{"symbol":"ETHUSDT","timeframe":"5m","limit":40,"source":"trades"}"#)
      #expect(trades.status == 200, "\(trades.text)")
      let (some, same) = (candles.data?["points"]?.array, trades.data?["points"]?.array)
      #expect(some?.count == 40)
      #expect(same?.count == 40)
      for (left, right) in zip(some.map(Array.init) ?? [], same.map(Array.init) ?? []) {
        #expect(left["time"]?.int64 == right["time"]?.int64)
        let (one, two) = (left["delta"]?.double ?? .nan, right["delta"]?.double ?? .infinity)
        #expect(abs(one - two) < 1e-6, "\(one) \(two)")
      }
    }
  }

  @Test func `what is asked badly is refused by name, and nothing is bought`() async throws {
    try await MarketStand.serving { stand, caller in
      let long = String(repeating: "A", count: 10_000)
      let cases: [(String, String, Int, String)] = [
        ("/price", #"{}"#, 400, "symbol"),
        ("/price", #"{"symbol":""}"#, 400, "symbol"),
        ("/price", #"{"symbol":7}"#, 400, "symbol"),
        ("/price", #"{"symbol":"\#(long)"}"#, 400, "symbol"),
        ("/price", #"{"symbol":"BTCUSDT","symbols":["ETHUSDT"]}"#, 400, "symbols"),
        ("/cvd", #"{"symbol":"BTCUSDT","timeframe":"7m"}"#, 400, "timeframe"),
        ("/cvd", #"{"symbol":"BTCUSDT","limit":0}"#, 400, "limit"),
        ("/cvd", #"{"symbol":"BTCUSDT","limit":-1}"#, 400, "limit"),
        ("/cvd", #"{"symbol":"BTCUSDT","limit":1000000000}"#, 400, "limit"),
        ("/cvd", #"{"symbol":"BTCUSDT","limit":1.5}"#, 400, "limit"),
        ("/volume_spike", #"{"symbol":"BTCUSDT","window":1}"#, 400, "window"),
        ("/volume_spike", #"{"symbol":"BTCUSDT","threshold":"NaN"}"#, 400, "threshold"),
        ("/volume_spike", #"{"symbol":"BTCUSDT","threshold":0}"#, 400, "threshold"),
        ("/volume_spike", #"{"symbol":"BTCUSDT","threshold":1e999}"#, 400, "threshold"),
        (
          "/comprehensive_analysis", #"{"symbol":"BTCUSDT","include_open":1}"#, 400, "include_open"
        ),
      ]
      for (path, body, status, field) in cases {
        let answer = try await caller.post(path, body)
        #expect(answer.status == status, "\(path) \(body.prefix(80)): \(answer.text)")
        #expect(
          answer.json?["field"]?.string == field, "\(path) \(body.prefix(80)): \(answer.text)")
      }
      let odd = try await caller.get("/volume_spike?symbol=BTCUSDT&threshold=NaN")
      #expect(odd.status == 400 && odd.json?["field"]?.string == "threshold", "\(odd.text)")
      #expect(stand.simulator.books.sum.calls == 0)
    }
  }

  @Test func `an unknown symbol is named, and asked for no more than every ten minutes`()
    async throws
  {
    try await MarketStand.serving { stand, caller in
      for _ in 0..<3 {
        let answer = try await caller.post("/price", #"{"symbol":"NOPE/USDT"}"#)
        #expect(answer.status == 404)
        #expect(answer.text.contains("NOPE/USDT"))
      }
      #expect(stand.calls(.exchangeInfo) == 1)
      stand.time.advance(byMilliseconds: 600_001)
      _ = try await caller.post("/price", #"{"symbol":"NOPE/USDT"}"#)
      #expect(stand.calls(.exchangeInfo) == 2)
      #expect(stand.calls(.ticker24Hours) == 0)
    }
  }

  @Test func `a look with HEAD pays for nothing`() async throws {
    try await MarketStand.serving { stand, caller in
      let answer = try await caller.client.executeRequest(
        uri: "/price?symbol=BTCUSDT", method: .head, headers: [:], body: nil)
      #expect(answer.status.code == 405)
      #expect(stand.simulator.books.sum.calls == 0)
    }
  }
}
