import JSONText
import Testing
import TollbookArchive
import TollbookEvents
import TollbookForecast
import TollbookGateway
import TollbookLog
import TollbookTestSupport

@testable import Market
@testable import TollbookHTTP

private let second: Int64 = 1_000
private let minute: Int64 = 60_000

/// A window of the exchange's answers that is tried.
struct MarketWindow: Sendable, CustomStringConvertible {
  var kind: String
  /// What is asked for: each a request.
  var paths: [String]
  /// The endpoints that it is bought from.
  var endpoints: [BinanceEndpoint]
  var set: @Sendable (inout BinanceFreshness, Int64) -> Void
  /// Whether each call brings one thing alone: then nothing is left open.
  var isExact = true

  var description: String { kind }

  static let all: [MarketWindow] = [
    MarketWindow(
      kind: "binance.depth",
      paths: ["depth?symbol=BTCUSDT", "depth?symbol=ETHUSDT&limit=500"].map(dropIn),
      endpoints: [.depth], set: { $0.depth = $1 }),
    MarketWindow(
      kind: "binance.trades",
      paths: ["trades?symbol=BTCUSDT", "trades?symbol=ETHUSDT"].map(dropIn),
      endpoints: [.trades], set: { $0.trades = $1 }),
    MarketWindow(
      kind: "binance.aggTrades",
      paths: ["aggTrades?symbol=BTCUSDT", "aggTrades?symbol=ETHUSDT&limit=10"].map(dropIn),
      endpoints: [.aggTrades], set: { $0.aggregateTrades = $1 }),
    MarketWindow(
      kind: "binance.ticker",
      paths: [
        "/price?symbol=BTCUSDT&wait_seconds=0", "/price?symbol=ETHUSDT&wait_seconds=0",
        dropIn("ticker/24hr?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D"),
        dropIn("avgPrice?symbol=BTCUSDT"), dropIn("ticker/price?symbol=BTCUSDT"),
      ], endpoints: [.ticker24Hours, .avgPrice, .tickerPrice], set: { $0.ticker = $1 },
      isExact: false),
    MarketWindow(
      kind: "binance.tradingDay",
      paths: [
        dropIn("ticker/tradingDay?symbol=BTCUSDT"),
        dropIn("ticker/tradingDay?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D"),
      ], endpoints: [.tradingDay], set: { $0.tradingDay = $1 }, isExact: false),
    MarketWindow(
      kind: "binance.book",
      paths: [
        dropIn("ticker/bookTicker?symbol=BTCUSDT"), dropIn("ticker/bookTicker?symbol=ETHUSDT"),
        dropIn("ticker/bookTicker?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D"),
      ], endpoints: [.bookTicker], set: { $0.book = $1 }, isExact: false),
    MarketWindow(
      kind: "binance.klines",
      paths: [
        dropIn("klines?symbol=BTCUSDT&interval=1m&limit=50"),
        dropIn("klines?symbol=BTCUSDT&interval=1h&limit=20"),
        "/comprehensive_analysis?symbol=BTCUSDT&timeframe=1m&limit=60&include_open=true"
          + "&wait_seconds=0",
        "/volume_spike?symbol=BTCUSDT&timeframe=1m&wait_seconds=0",
      ], endpoints: [.klines], set: { $0.openCandle = $1 }, isExact: false),
  ]

  private static func dropIn(_ target: String) -> String { "/binance/api/v3/\(target)" }

  /// What the exchange counted for it.
  func weight(_ run: MarketRun) -> Int64 {
    endpoints.reduce(0) { $0 + (run.weights[$1.name] ?? 0) }
  }
}

/// Law 8 for what the exchange sells: what-if is a prediction.
@Suite(.timeLimit(.minutes(10))) struct MarketWhatIfTests {
  /// A demand of some minutes that passes the turns of minutes and of candles.
  private static func demand(_ window: MarketWindow, seed: UInt64) -> [MarketAsk] {
    var random = SeededGenerator(seed: seed)
    var at: Int64 = 0
    return (0..<60).map { _ in
      at += random.chance(70) ? random.int64(1_500...4_000) : random.int64(4_000...40_000)
      return MarketAsk(at: at, path: random.pick(window.paths))
    }
  }

  @Test(arguments: MarketWindow.all, [1, 2, 3] as [UInt64])
  func `the weight of another window lies in what was predicted, that in force is exact`(
    window: MarketWindow, seed: UInt64
  ) async throws {
    var random = SeededGenerator(seed: seed &+ 1_000)
    let choices: [Int64] = [second, 2 * second, 5 * second, 20 * second, 50 * second]
    let inForce = random.pick(choices)
    let other = random.pick(choices.filter { $0 != inForce })
    let demand = Self.demand(window, seed: seed)
    func live(_ fresh: Int64, trying: [Int64]) async throws -> MarketRun {
      var freshness = BinanceFreshness()
      window.set(&freshness, fresh)
      return try await MarketRun.lived(demand, freshness, kind: window.kind, fresh: trying)
    }
    let run = try await live(inForce, trying: [inForce, other])
    #expect(run.answers.allSatisfy { $0 == 200 }, "seed \(seed): \(run.answers)")
    #expect(run.report.played.unit == "weight")
    #expect(run.recorded.cost == Bounds(window.weight(run)), "seed \(seed)")
    #expect(run.recorded.requests > 0 && run.recorded.cost.low > 0)

    // A predicted by A.
    let itself = run.report.played.outcomes[0]
    for (name, told, truth) in figures(itself, run.recorded) {
      #expect(told == truth, "seed \(seed), \(inForce) ms: \(name)")
    }

    // B predicted from A, and lived.
    let lived = try await live(other, trying: [])
    #expect(lived.recorded.cost == Bounds(window.weight(lived)), "seed \(seed)")
    let told = run.report.played.outcomes[1]
    for (name, told, truth) in figures(told, lived.recorded) {
      #expect(
        told.low <= truth.low && truth.high <= told.high,
        "seed \(seed), \(inForce) to \(other) ms: \(name) \(told), in truth \(truth.low)")
    }
    #expect(told.requests == lived.recorded.requests)
    if window.isExact { #expect(told.cost.isExact, "seed \(seed): \(told.cost)") }
    #expect(told.cost.width <= max(4, lived.recorded.cost.low / 2), "seed \(seed): \(told.cost)")
  }

  private func figures(
    _ one: WhatIfOutcome, _ two: WhatIfOutcome
  ) -> [(String, Bounds, Bounds)] {
    [
      ("weight", one.cost, two.cost), ("calls", one.calls, two.calls),
      ("bought", one.bought, two.bought), ("hits", one.hits, two.hits),
      ("stale", one.stale, two.stale), ("unanswered", one.unanswered, two.unanswered),
    ]
  }

  @Test func `what is asked for in one call costs once`() async throws {
    let both = "/binance/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D"
    let one = "/price?symbol=BTCUSDT&wait_seconds=0"
    let demand = [
      MarketAsk(at: 0, path: one), MarketAsk(at: 6 * second, path: both),
      MarketAsk(at: 20 * second, path: both),
    ]
    var freshness = BinanceFreshness()
    freshness.ticker = 10 * second
    let run = try await MarketRun.lived(
      demand, freshness, kind: "binance.ticker", fresh: [10 * second, second, minute])
    // Of the second request one symbol was there.
    #expect(run.recorded.cost == Bounds(6))
    #expect(run.recorded.calls == Bounds(3))
    let outcomes = run.report.played.outcomes
    #expect(outcomes[0].cost == Bounds(6))
    // Both of the second request are bought, together or one by one.
    #expect(outcomes[1].cost == Bounds(low: 6, high: 8))
    #expect(outcomes[2].cost == Bounds(4))
  }

  @Test func `candles that are closed cost the same with any window`() async throws {
    let closed = "/volume_spike?symbol=BTCUSDT&timeframe=1m&wait_seconds=0"
    let open = "/binance/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=50"
    let demand = (0..<12).map { step in
      MarketAsk(at: 10 * second * Int64(step), path: step.isMultiple(of: 2) ? open : closed)
    }
    let run = try await MarketRun.lived(
      demand, BinanceFreshness(), kind: "binance.klines", fresh: [second, minute])
    // Those that are not closed are asked for every twenty seconds, and no older than their minute.
    #expect(run.recorded.requests == 6)
    #expect(run.report.played.outcomes[0].cost == run.recorded.cost)
    let patient = run.report.played.outcomes[1]
    #expect(patient.cost.high < run.recorded.cost.low)
    #expect(patient.cost.low >= 4, "what closes is bought in each of the minutes")
    #expect(run.report.notes.contains { $0.contains("these windows say nothing of") })
  }

  @Test func `where the limit may end no figure claims to be exact`() async throws {
    let demand = (0..<12).map {
      MarketAsk(at: 3 * second * Int64($0), path: "/price?symbol=BTCUSDT&wait_seconds=0")
    }
    func live(_ fresh: Int64, trying: [Int64]) async throws -> MarketRun {
      var freshness = BinanceFreshness()
      freshness.ticker = fresh
      return try await MarketRun.lived(
        demand, freshness, kind: "binance.ticker", fresh: trying, weightLimit: 30)
    }
    let run = try await live(20 * second, trying: [20 * second, second])
    #expect(run.report.played.outcomes[0].cost == run.recorded.cost)
    let told = run.report.played.outcomes[1]
    #expect(!told.cost.isExact)
    let truth = try await live(second, trying: [])
    #expect(truth.recorded.cost.low < 24, "the limit lets fewer through than were asked for")
    #expect(told.cost.contains(truth.recorded.cost.low), "\(told.cost)")
    #expect(told.refused.high >= truth.recorded.refused.low)
  }

  @Test func `a call that is booked with its answer tells when it was asked for`() async throws {
    try await MarketStand.serving {
      $0.answerTime = 200
    } _: { stand, caller in
      let path = "/binance/api/v3/depth?symbol=BTCUSDT"
      _ = try await caller.get(path)
      stand.time.advance(byMilliseconds: 10 * second)
      let asked = stand.time.now.milliseconds
      _ = try await caller.get(path)
      #expect(stand.time.now.milliseconds == asked + 200)
      var last: (asked: Int64?, booked: Int64)?
      try LogSource(stand.log).scan(after: 0, kinds: [.fetchStarted]) {
        (recorded) throws(LogError) in
        guard case .fetchStarted(let event) = recorded.event else { return .next }
        last = (event.demands.first?.askedMs, recorded.time.milliseconds)
        return .next
      }
      #expect(last?.asked == asked)
      #expect(last?.booked == asked + 200)
    }
  }

  // MARK: Recommendations

  @Test func `a window that spares weight is recommended, others are not`() async throws {
    try await MarketStand.serving { stand, caller in
      for _ in 0..<20 {
        stand.time.advance(byMilliseconds: 1_500)
        await stand.gateway.writeTallies()
        _ = try await caller.get("/binance/api/v3/depth?symbol=BTCUSDT")
      }
      // Asked for so rarely that no window that is tried spares anything.
      for _ in 0..<3 {
        stand.time.advance(byMilliseconds: 10 * minute)
        _ = try await caller.get("/price?symbol=BTCUSDT&wait_seconds=0")
      }
      await stand.gateway.writeTallies()
      guard case .done = await stand.application.service.advise() else {
        Issue.record("the look failed")
        return
      }
      let data = try await caller.get("/cache/recommendations").data
      let found = try #require(data?["recommendations"]?.array.map(Array.init))
      #expect(Set(found.map { $0["kind"]?.string }) == ["binance.depth"])
      let double = try #require(found.first { $0["change"]?.string == "binance.depth.fresh=2s" })
      // Every other of twenty calls, which weigh 5.
      #expect(double["would_have_saved"]?.int == 50)
      #expect(double["unit"]?.string == "weight")
      #expect(double["severity"]?.string == "high")
      #expect(double["what_if"]?["in_force"]?["cost"]?["low"]?.int == 100)
      #expect(double["what_if"]?["tried"]?["cost"]?["high"]?.int == 50)
      let skipped = try #require(data?["skipped"]?.array.map(Array.init))
      let markets = skipped.first { $0["kind"]?.string == "binance.exchangeInfo" }
      #expect(markets?["reason"]?.string?.contains("remembered beside the cache") == true)
      #expect(!skipped.contains { $0["kind"]?.string == "binance.ticker" })
    }
  }

  @Test func `nothing that was asked for once is recommended`() async throws {
    try await MarketStand.serving { stand, caller in
      for path in ["depth?symbol=BTCUSDT", "klines?symbol=BTCUSDT&interval=1h&limit=20"] {
        _ = try await caller.get("/binance/api/v3/\(path)")
      }
      await stand.gateway.writeTallies()
      _ = await stand.application.service.advise()
      let data = try await caller.get("/cache/recommendations").data
      #expect(data?["recommendations"]?.array.map(Array.init)?.isEmpty == true)
      let skipped = data?["skipped"]?.array.map(Array.init) ?? []
      #expect(
        skipped.first { $0["kind"]?.string == "binance.trades" }?["reason"]?.string
          == "nothing was asked for")
    }
  }
}
