import Keepa
import Testing
import TollbookArchive
import TollbookEvents
import TollbookForecast
import TollbookGateway
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams

private let minute: Int64 = 60_000
private let hour: Int64 = 3_600_000
private let day: Int64 = 86_400_000
private let one = "B000000001"
private let two = "B000000002"

@Suite struct WhatIfTests {
  /// One product, asked for at those times.
  private func world(
    _ policy: FreshnessPolicy, _ times: [Int64], rate: Int = 20, balance: Int? = nil,
    _ change: (inout WhatIfDemand) -> Void = { _ in }
  ) async throws -> WhatIfWorld {
    let world = try await WhatIfWorld(policy, rate: rate, balance: balance)
    try await world.live(
      times.map { at in
        var demand = WhatIfDemand(at: at, asins: [one])
        change(&demand)
        return demand
      })
    return world
  }

  @Test func `a longer window needs fewer purchases, a shorter one more, exactly`() async throws {
    let world = try await world(.windows(fresh: day), (0..<10).map { $0 * 12 * hour + minute })
    let recorded = try await world.recorded()
    #expect(recorded.cost == Bounds(4))
    #expect(recorded.hits == Bounds(6))
    #expect(recorded.requests == 10)
    #expect(recorded.calls == Bounds(4))

    let long = try await world.predict(.windows(fresh: 10 * day))
    #expect(long.cost == Bounds(1))
    #expect(long.calls == Bounds(1))
    #expect(long.hits == Bounds(9))
    let short = try await world.predict(.windows(fresh: hour))
    #expect(short.cost == Bounds(10))
    #expect(short.hits == Bounds(0))
    #expect(short.calls == Bounds(10))
  }

  @Test func `the age of what is served grows with the window`() async throws {
    let world = try await world(.windows(fresh: day), (0..<10).map { $0 * 12 * hour + minute })
    let long = try await world.predict(.windows(fresh: 10 * day))
    let median = try #require(long.medianAge)
    let high = try #require(long.highAge)
    #expect(median.contains(2 * 86_400 - 1) || median.contains(2 * 86_400))
    #expect(high.low > 4 * 86_400 && high.high < 5 * 86_400)
    #expect(median.width <= median.low / 100)
  }

  @Test func `with grace all but the first read are answered at once, and bought behind`()
    async throws
  {
    let world = try await world(.windows(fresh: day), (0..<6).map { $0 * 36 * hour + minute })
    #expect(try await world.recorded().hits == Bounds(0))
    let graceful = try await world.predict(.windows(fresh: day, grace: day))
    #expect(graceful.cost == Bounds(6))
    #expect(graceful.hits == Bounds(5))
  }

  @Test func `what a reader demanded holds under every policy`() async throws {
    let world = try await world(
      .windows(fresh: day), (0..<6).map { $0 * 2 * hour + minute }
    ) { $0.maximumAge = hour }
    #expect(try await world.recorded().cost == Bounds(6))
    #expect(try await world.predict(.windows(fresh: 30 * day)).cost == Bounds(6))
  }

  @Test func `an absent product is asked for again after its own window`() async throws {
    let world = try await WhatIfWorld(.windows(fresh: 7 * day, absent: hour))
    try await world.live(
      (0..<8).map { WhatIfDemand(at: $0 * 2 * hour + minute, asins: ["X000000001"]) })
    #expect(try await world.recorded().cost == Bounds(8))
    let patient = try await world.predict(.windows(fresh: hour, absent: 10 * day))
    #expect(patient.cost == Bounds(1))
  }

  @Test func `a richer entry serves poorer readers, and a poorer one costs less`() async throws {
    let world = try await WhatIfWorld(.windows(fresh: 7 * day))
    try await world.live([
      WhatIfDemand(at: minute, asins: [one], contentSet: .buyBox),
      WhatIfDemand(at: 2 * day, asins: [one]),
      WhatIfDemand(at: 4 * day, asins: [one]),
    ])
    #expect(try await world.recorded().cost == Bounds(3))
    // The second reader wanted the plain product, though an entry with the buy box answered.
    #expect(try await world.predict(.windows(fresh: day)).cost == Bounds(5))
  }

  @Test func `a price that the record does not hold is bounded by the price list`() async throws {
    let world = try await world(
      .windows(fresh: 7 * day), [minute, day, 2 * day]
    ) { $0.contentSet = .offers }
    let recorded = try await world.recorded()
    let more = try await world.predict(.windows(fresh: hour))
    #expect(
      more.cost
        == Bounds(
          low: recorded.cost.low + 2 * KeepaPriceList.least(.offers, isPresent: true),
          high: recorded.cost.low + 2 * KeepaPriceList.bound(.offers)))
    #expect(more.bought == Bounds(3))
  }

  @Test func `what was refused is bought where an earlier purchase is spared`() async throws {
    // Two tokens, and the next one comes after a minute.
    let world = try await WhatIfWorld(.windows(fresh: 1, errorGrace: 0), rate: 1, balance: 2)
    try await world.live([
      WhatIfDemand(at: 1_000, asins: [one]), WhatIfDemand(at: 5_000, asins: [one]),
      WhatIfDemand(at: 9_000, asins: [two]),
    ])
    let recorded = try await world.recorded()
    #expect(recorded.cost == Bounds(2))
    #expect(recorded.refused == Bounds(1))
    #expect(recorded.unanswered == Bounds(1))
    let same = try await world.predict(.windows(fresh: 1, errorGrace: 0))
    #expect(same.refused == Bounds(1))
    #expect(same.unanswered == Bounds(1))
    let sparing = try await world.predict(.windows(fresh: day))
    #expect(sparing.cost == Bounds(2))
    #expect(sparing.hits == Bounds(1))
    #expect(sparing.refused == Bounds(0))
  }

  @Test func `a policy that spends more is refused where the balance ends`() async throws {
    let world = try await world(
      .windows(fresh: day), (0..<10).map { $0 * 4_000 + minute }, rate: 1, balance: 3)
    #expect(try await world.recorded().cost == Bounds(1))
    let greedy = try await world.predict(.windows(fresh: 1, errorGrace: day))
    #expect(greedy.refused.low > 0)
    #expect(greedy.refused.isExact)
    #expect(greedy.stale == greedy.refused)
    #expect(greedy.cost.high <= 5)
    let truth = try await self.world(
      .windows(fresh: 1, errorGrace: day), (0..<10).map { $0 * 4_000 + minute }, rate: 1,
      balance: 3)
    #expect(greedy.cost.contains(truth.charged))
  }

  @Test func `a recorded call is not made where other purchases have used up the balance`()
    async throws
  {
    // The last one comes after a refill, which both have.
    let demand = [
      (1, one), (5, one), (9, one), (13, two), (17, "B000000003"), (80, "B000000004"),
    ].map { WhatIfDemand(at: $0.0 * 1_000, asins: [$0.1]) }
    let frugal = try await WhatIfWorld(.windows(fresh: day), rate: 1, balance: 3)
    try await frugal.live(demand)
    let recorded = try await frugal.recorded()
    #expect(recorded.calls == Bounds(4))
    #expect(recorded.refused == Bounds(0))

    let greedy = try await frugal.predict(.windows(fresh: 1))
    let truth = try await WhatIfWorld(.windows(fresh: 1), rate: 1, balance: 3)
    try await truth.live(demand)
    let lived = try await truth.recorded()
    #expect(lived.calls == Bounds(4))
    #expect(lived.refused == Bounds(2))
    #expect(greedy.calls == lived.calls)
    #expect(greedy.cost == lived.cost)
    #expect(greedy.refused == lived.refused)
  }

  @Test func `looks into the cache never buy`() async throws {
    let world = try await WhatIfWorld(.windows(fresh: day))
    try await world.live([
      WhatIfDemand(at: minute, asins: [one], isPeek: true),
      WhatIfDemand(at: 2 * minute, asins: [one]),
      WhatIfDemand(at: 2 * hour, asins: [one], isPeek: true),
    ])
    let recorded = try await world.recorded()
    #expect(recorded.requests == 3)
    #expect(recorded.unanswered == Bounds(1))
    #expect(recorded.hits == Bounds(1))
    let short = try await world.predict(.windows(fresh: hour))
    #expect(short.cost == Bounds(1))
    #expect(short.hits == Bounds(0))
    #expect(short.stale == Bounds(1))
    #expect(short.unanswered == Bounds(1))
  }

  @Test func `with the cache off a policy shows what a cache would have spared`() async throws {
    let world = try await WhatIfWorld(.windows(fresh: day)) { $0.isCacheOn = false }
    try await world.live((0..<5).map { WhatIfDemand(at: $0 * hour + minute, asins: [one]) })
    #expect(try await world.recorded().cost == Bounds(5))
    let report = try await world.report([
      WhatIfPolicy(name: "a day", products: .windows(fresh: day))
    ])
    #expect(report.played.outcomes[0].cost == Bounds(1))
    #expect(report.notes.contains { $0.contains("the cache was off") })
  }

  @Test func `reads within one interval are known by their first and last`() async throws {
    let world = try await WhatIfWorld(.windows(fresh: day))
    var demand = [WhatIfDemand(at: minute, asins: [one])]
    for step in 0..<4 {
      demand.append(
        WhatIfDemand(
          at: hour + Int64(step) * 200, asins: [one], isAfterTally: step == 0))
    }
    try await world.live(demand)
    let at = hour - minute - WhatIfWorld.answerTime
    // The window ends between the first and the last of the four.
    let between = try await world.predict(.windows(fresh: at + 100))
    #expect(between.cost == Bounds(2))
    #expect(between.hits.low >= 1 && between.hits.high <= 3)
    #expect(between.hits.contains(1))
    // Without any window each of the two that are not known exactly may have bought.
    let never = try await world.predict(.windows(fresh: 0))
    #expect(never.cost == Bounds(low: 2, high: 4))
  }

  @Test func `only the demand of the period is played, on what the cache held then`() async throws {
    let world = try await world(.windows(fresh: 2 * day), (0..<4).map { $0 * day + minute })
    var question = WhatIf.Question(.keepa)
    question.after = try Moment.time(Timestamp.testStart.advanced(byMilliseconds: day + hour))
      .position(in: world.source)
    let record = try #require(try WhatIf.read(world.source, question))
    let report = try #require(
      await WhatIf.play(
        record,
        [
          WhatIfPolicy(name: "", products: .windows(fresh: 2 * day)),
          WhatIfPolicy(name: "", products: .windows(fresh: 9 * day)),
        ]))
    #expect(report.played.recorded.requests == 2)
    #expect(report.played.recorded.cost == Bounds(1))
    #expect(report.played.outcomes.map(\.cost) == [Bounds(1), Bounds(0)])
  }

  @Test func `a purge counts under every policy`() async throws {
    let world = try await world(.windows(fresh: 9 * day), [minute])
    var purged = CachePurged()
    purged.resource = "shared/keepa.product/1/\(one)"
    purged.hard = true
    try world.source.scan(after: 0, kinds: [.cacheWritten]) { event in
      purged.written = event.position
      return .stop
    }
    world.time.advance(byMilliseconds: hour)
    try await world.log.append([.cachePurged(purged)])
    try await world.live([2, 4].map { WhatIfDemand(at: $0 * hour, asins: [one]) })
    #expect(try await world.recorded().cost == Bounds(2))
    #expect(try await world.predict(.windows(fresh: 9 * day)).cost == Bounds(2))
    #expect(try await world.predict(.windows(fresh: hour)).cost == Bounds(3))
  }

  @Test func `the windows in force are read from the events`() async throws {
    let policy = FreshnessPolicy.windows(fresh: 3 * day, grace: hour, errorGrace: 5 * day)
    let world = try await world(policy, [minute])
    let report = try await world.report([])
    #expect(report.recordedPolicy.present == policy.present)
    #expect(report.notes.isEmpty)
  }

  @Test func `many policies are played in one pass, in their order`() async throws {
    let world = try await world(.windows(fresh: day), (0..<10).map { $0 * 12 * hour + minute })
    let policies = (1...20).map {
      WhatIfPolicy(name: "\($0)", products: .windows(fresh: Int64($0) * 6 * hour))
    }
    let report = try await world.report(policies)
    #expect(report.played.outcomes.map(\.name) == policies.map(\.name))
    let tokens = report.played.outcomes.map(\.cost.low)
    #expect(tokens == tokens.sorted(by: >))
    for (policy, outcome) in zip(policies, report.played.outcomes) {
      #expect(try await world.predict(policy.products).cost == outcome.cost)
    }
  }
}
