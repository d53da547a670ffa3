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

@Suite struct ExchangeLimitTests {
  private let now = #"{"symbol":"BTCUSDT","wait_seconds":0}"#

  @Test func `what others at the address use counts at once`() async throws {
    try await MarketStand.serving { stand, caller in
      // Evenly: a third of the minute has passed.
      stand.simulator.conditions.foreignWeight = 3_000
      _ = try await caller.post("/price", now)
      #expect(try stand.sum(.unexplained) == 1_000)
      #expect(try stand.sum(.settled) == 22)
    }
  }

  @Test func `no minute goes over the limit while somebody else spends a third of it`() async throws
  {
    try await MarketStand.serving({
      $0.simulator.weightLimit = 90
      $0.simulator.conditions.foreignWeight = 30
    }) { stand, caller in
      _ = try await caller.get("/binance/api/v3/exchangeInfo")
      for round in 0..<120 {
        stand.time.advance(byMilliseconds: 2_100)
        let symbol = stand.simulator.symbols[round % 10].name
        let frame = round % 2 == 0 ? "1m" : "1h"
        let deltas = #""timeframe":"\#(frame)","source":"trades","limit":1"#
        for question in [
          #"{"symbol":"\#(symbol)","wait_seconds":0}"#,
          #"{"symbol":"\#(symbol)","wait_seconds":0,\#(deltas)}"#,
        ] {
          let path = question.contains("source") ? "/cvd" : "/price"
          _ = try await caller.post(path, question)
        }
      }
      let books = stand.simulator.books
      #expect(books.sum.refused == 0 && books.sum.banned == 0)
      #expect(books.minutes.count > 3)
      #expect(books.minutes.allSatisfy { $0.sum.weight <= 90 }, "\(books.minutes)")
      #expect(books.minutes.dropFirst().dropLast().contains { $0.sum.weight > 40 })
    }
  }

  @Test func `a refusal keeps all calls back until the exchange's instant`() async throws {
    try await MarketStand.serving { stand, caller in
      _ = try await caller.get("/binance/api/v3/exchangeInfo")
      stand.simulator.faults = BinanceFaults([BinanceFault(.http429, next: 1)])
      let refused = try await caller.post("/price", now)
      #expect(refused.status == 503, "\(refused.text)")
      #expect(refused.json?["retry_at"]?.string != nil, "\(refused.text)")
      let calls = stand.simulator.books.sum.calls
      _ = try await caller.post("/price", #"{"symbol":"ETHUSDT","wait_seconds":0}"#)
      let other = try await caller.get("/binance/api/v3/depth?symbol=BTCUSDT")
      #expect(other.status == 429)
      #expect(other.headers[.retryAfter] != nil)
      #expect(stand.simulator.books.sum.calls == calls)
      stand.time.advance(byMilliseconds: 41_000)
      let later = try await caller.post("/price", now)
      #expect(later.status == 200, "\(later.text)")
    }
  }

  @Test func `in a ban what is there answers stale, nothing is sent, and the end is named`()
    async throws
  {
    try await MarketStand.serving { stand, caller in
      let first = try await caller.post("/price", now)
      stand.time.advance(byMilliseconds: 3_000)
      stand.simulator.faults = BinanceFaults([BinanceFault(.http418, next: 1)])
      let stale = try await caller.post("/price", now)
      #expect(stale.status == 200, "\(stale.text)")
      #expect(stale.json?["source"]?.string == "stale")
      #expect(stale.data?["last"]?.string == first.data?["last"]?.string)
      let calls = stand.simulator.books.sum.calls
      let absent = try await caller.post("/price", #"{"symbol":"ETHUSDT","wait_seconds":0}"#)
      #expect(absent.status == 503, "\(absent.text)")
      #expect(absent.json?["retry_at"]?.string != nil)
      let dropIn = try await caller.get("/binance/api/v3/ticker/24hr?symbol=ETHUSDT")
      #expect(dropIn.status == 418, "\(dropIn.text)")
      #expect(dropIn.json?["code"]?.int == -1_003)
      #expect(dropIn.headers[.retryAfter].flatMap(Int.init) ?? 0 > 100)
      let health = try await caller.get("/health")
      let reason = health.json?["reasons"]?.array?.first
      #expect(reason?["reason"]?.string == "binance_limited", "\(health.text)")
      #expect(reason?["detail"]?.string?.contains("until 20") == true, "\(health.text)")
      #expect(stand.simulator.books.sum.calls == calls)
      stand.time.advance(byMilliseconds: 121_000)
      let later = try await caller.post("/price", now)
      #expect(later.json?["source"]?.string == "binance", "\(later.text)")
    }
  }

  @Test func `a ban holds over a restart`() async throws {
    var options = MarketStand.Options()
    options.gateway.retries.attempts = 1
    let time = ManualTime(.testStart.advanced(byMilliseconds: 20_000))
    options.simulator.now = { time.now.milliseconds }
    options.simulator.symbols = 12
    let simulator = BinanceSimulator(options.simulator)
    let (given, now) = (options, now)
    try await simulator.serving { base in
      let folder = try TemporaryFolder()
      try await MarketStand.serving(given, time, simulator, base, folder) { _, caller in
        _ = try await caller.get("/binance/api/v3/exchangeInfo")
        simulator.faults = BinanceFaults([BinanceFault(.http418, next: 1)])
        let refused = try await caller.post("/price", now)
        #expect(refused.status == 503)
      }
      let calls = simulator.books.sum.calls
      try await MarketStand.serving(given, time, simulator, base, folder) { _, caller in
        let refused = try await caller.post("/price", now)
        #expect(refused.status == 503)
        #expect(simulator.books.sum.calls == calls)
      }
    }
  }

  @Test(arguments: [
    BinanceFault.Kind.candleInverted, .timesUnordered, .numberInfinite, .negativeVolume, .cutBody,
    .http451, .http403, .http500, .http503,
  ])
  func `an answer that cannot be true is refused, booked, and never kept`(
    kind: BinanceFault.Kind
  ) async throws {
    try await MarketStand.serving { stand, caller in
      _ = try await caller.post("/price", now)
      _ = try await caller.get("/binance/api/v3/klines?symbol=BTCUSDT&interval=1d&limit=1")
      stand.simulator.faults = BinanceFaults([BinanceFault(kind, next: 1, of: .klines)])
      let bad = try await caller.get("/binance/api/v3/klines?symbol=BTCUSDT&interval=1h")
      #expect(bad.status != 200, "\(kind): \(bad.text.prefix(200))")
      #expect(bad.json?["msg"]?.string?.isEmpty == false, "\(kind): \(bad.text)")
      let good = try await caller.get("/binance/api/v3/klines?symbol=BTCUSDT&interval=1h")
      #expect(good.status == 200, "\(kind): \(good.text.prefix(200))")
      #expect(good.json?.array?.count == 500)
      // What a firewall turned away is booked by its price, until the exchange tells otherwise.
      let settled = try stand.sum(.settled) + stand.sum(.unexplained)
      let doubt = try stand.sum(.inDoubt) + stand.sum(.unprovable)
      let weight = Int64(stand.simulator.books.sum.weight)
      #expect(
        settled <= weight && weight <= settled + doubt, "\(kind): \(settled) \(doubt) \(weight)")
    }
  }

  @Test(arguments: [BinanceFault.Kind.weightMissing, .weightWord])
  func `without a word on the weight the price list holds`(kind: BinanceFault.Kind) async throws {
    try await MarketStand.serving { stand, caller in
      stand.simulator.faults = BinanceFaults([BinanceFault(kind, next: 2)])
      let answer = try await caller.post("/price", now)
      #expect(answer.status == 200)
      #expect(try stand.sum(.settled) == 22)
      #expect(try stand.sum(.unexplained) == 0)
    }
  }

  @Test func `a clock an hour off closes no candle until it is told twice, and health says so`()
    async throws
  {
    try await MarketStand.serving { stand, caller in
      func concern() async throws -> String? {
        try await caller.get("/health").json?["reasons"]?.array?
          .first { $0["reason"]?.string == "binance_clock_apart" }?["detail"]?.string
      }
      stand.simulator.conditions.clockOffset = 3_600_000
      #expect(try await concern() == nil)
      _ = try await caller.post("/volume_spike", now)
      #expect(!stand.state.isTrusted)
      #expect(try await caller.get("/health").json?["status"]?.string == "degraded")
      let first = try #require(try await concern())
      #expect(first.contains("3600 s ahead of this machine's; until it says so twice"))
      let before = stand.calls(.klines)
      _ = try await caller.post("/volume_spike", now)
      #expect(stand.calls(.klines) > before, "nothing was kept")
      stand.time.advance(byMilliseconds: 600_001)
      _ = try await caller.post("/volume_spike", now)
      #expect(stand.state.isTrusted)
      let kept = stand.calls(.klines)
      _ = try await caller.post("/volume_spike", now)
      #expect(stand.calls(.klines) == kept)
      #expect(try #require(try await concern()).contains("it has said so twice"))
      stand.simulator.conditions.clockOffset = 60_000
      stand.time.advance(byMilliseconds: 600_001)
      _ = try await caller.post("/volume_spike", now)
      #expect(try await concern() == nil, "a minute is no more than a minute")
    }
  }
}
