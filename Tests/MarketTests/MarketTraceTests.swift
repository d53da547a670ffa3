import Market
import MarketTestSupport
import Testing
import TollbookGateway
import TollbookSimulators
import TollbookTestSupport

/// What a demand like that of bots costs, beside what a cache without fault would pay for it.
@Suite(.timeLimit(.minutes(5)))
struct MarketTraceTests {
  /// Some minutes of it, of few markets.
  private static func shape(_ seconds: Int64) -> MarketTrace.Shape {
    var shape = MarketTrace.Shape()
    shape.markets = 6
    shape.rate = 8
    shape.milliseconds = seconds * 1_000
    shape.timeframes = [.minute, .fiveMinutes]
    shape.candles = 100
    shape.mix = [
      (25, .price), (10, .analysis), (30, .spikes), (20, .deltas), (5, .candles), (5, .depth),
      (5, .book),
    ]
    return shape
  }

  private static func played(
    _ shape: MarketTrace.Shape, _ settings: MarketWorld.Settings = MarketWorld.Settings(),
    _ look: (MarketWorld, IdealMarket) throws -> Void
  ) async throws {
    let world = try await MarketWorld(shape, settings)
    let ideal = try await world.live()
    try look(world, ideal)
    await world.close()
  }

  @Test(arguments: [1, 2] as [UInt64])
  func `what a demand weighs and what answers it is what an ideal cache would do`(seed: UInt64)
    async throws
  {
    var shape = Self.shape(150)
    shape.seed = seed
    var settings = MarketWorld.Settings()
    settings.foreignWeight = settings.weightLimit / 3
    try await Self.played(shape, settings) { world, ideal in
      let outcome = world.outcome
      #expect(outcome.requests == shape.requests && ideal.requests == shape.requests)
      #expect(outcome.failed == 0 && outcome.stale == 0, "\(outcome.firstFailure ?? "")")
      let told = "seed \(seed): \(outcome), weight \(world.weight), ideal \(ideal.weight)"
      // No cache does better than an ideal one: else the ideal one is none.
      #expect(ideal.weight <= world.weight && world.weight * 100 <= ideal.weight * 105, "\(told)")
      #expect(
        outcome.hits <= ideal.hits && outcome.hits * 100 >= ideal.hits * 99,
        "\(told), its hits \(ideal.hits)")
      // Neither answers everything, nor nothing.
      #expect(ideal.hits * 4 > ideal.requests && ideal.hits * 20 < ideal.requests * 19, "\(told)")
      let books = world.simulator.books.sum
      #expect(books.refused == 0 && books.banned == 0)
      #expect(outcome.greatestMinute <= settings.weightLimit)
    }
  }

  @Test
  func `a demand that is too much fills its minutes beside a second client, and ends in no ban`()
    async throws
  {
    var shape = Self.shape(150)
    shape.mix = [(60, .price), (20, .spikes), (20, .deltas)]
    var settings = MarketWorld.Settings()
    settings.weightLimit = 150
    settings.foreignWeight = 50
    try await Self.played(shape, settings) { world, ideal in
      let (outcome, books) = (world.outcome, world.simulator.books)
      #expect(books.minutes.count == 3)
      // What the other one has used since the last answer nobody told: a call may come too late, and none comes after it.
      #expect(books.sum.refused <= 3 && books.sum.banned == 0, "\(books.sum)")
      #expect(outcome.greatestMinute > 130 && outcome.greatestMinute <= 150, "\(outcome)")
      #expect(world.weight < ideal.weight, "it would have taken more than there was")
      #expect(outcome.stale > 50, "\(outcome)")
    }
  }

  @Test func `refreshing ahead answers more from the cache, and most of it is read`()
    async throws
  {
    let shape = Self.shape(120)
    var settings = MarketWorld.Settings()
    let off = try await MarketWorld(shape, settings)
    _ = try await off.live()
    settings.aheadWeight = 120
    let on = try await MarketWorld(shape, settings)
    _ = try await on.live()
    let reads = on.gateway.aheadReads.counts(at: on.time.now)
    #expect(on.outcome.hits > off.outcome.hits, "\(on.outcome) \(off.outcome)")
    #expect(reads.bought > 0 && reads.used * 2 > reads.bought, "\(reads)")
    await off.close()
    await on.close()
  }

  @Test func `a demand is the same whenever it is made, and another with another seed`() {
    func targets(_ seed: UInt64) -> [String] {
      var shape = Self.shape(20)
      shape.seed = seed
      var trace = MarketTrace(shape)
      var targets: [String] = []
      while let request = trace.next() {
        targets.append("\(request.at) \(request.target("M\(request.market)", candles: 120))")
      }
      return targets
    }
    let first = targets(1)
    #expect(first.count == 160)
    #expect(first.joined() == targets(1).joined())
    #expect(first.joined() != targets(2).joined())
    // The first market is asked for most, and the last of six least.
    func count(_ market: Int) -> Int { first.count { $0.contains("symbol=M\(market)") } }
    #expect(count(0) > 2 * count(5))
  }

  @Test func `an ideal cache buys once what is fresh, closed candles once for ever`() throws {
    var ideal = IdealMarket(
      start: 1_795_248_020_000, candlesOfAnalysis: 120,
      weights: try BinanceWeights(json: BinanceWeights.builtInJSON))
    func ask(_ call: MarketTrace.Call, _ at: Int64) -> Bool {
      ideal.ask(MarketTrace.Request(at: at, call: call, market: 0, timeframe: .minute))
    }
    // The list of markets weighs 20, a ticker 2.
    #expect(!ask(.price, 0) && ideal.weight == 22)
    #expect(ask(.price, 1_999) && ideal.weight == 22)
    #expect(!ask(.price, 2_000) && ideal.weight == 24)
    // The minute closes 40 s after the start, and two seconds later that is certain.
    #expect(!ask(.spikes, 3_000) && ask(.spikes, 41_999) && ideal.weight == 26)
    #expect(!ask(.spikes, 42_000) && ask(.deltas, 42_000) && ideal.weight == 28)
    #expect(ask(.candles, 42_999) && !ask(.candles, 43_000) && ideal.weight == 30)
    // An analysis takes more candles than the others, which came with them; its ticker is not fresh.
    #expect(!ask(.analysis, 44_000) && ideal.weight == 32)
    #expect(ask(.analysis, 45_999) && ideal.weight == 32)
    #expect(!ask(.depth, 46_000) && ask(.depth, 46_999) && !ask(.depth, 47_000))
    #expect(ideal.weight == 42)
    #expect(!ask(.book, 47_000) && ideal.weight == 44 && ideal.hits == 6)
  }
}
