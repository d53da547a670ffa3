import Foundation
import Keepa
import Synchronization
import Testing
import TollbookEvents
import TollbookForecast
import TollbookGateway
import TollbookTestSupport
import TollbookUpstreams

private let hour: Int64 = 3_600_000
private let day: Int64 = 86_400_000

/// What the runs of the law have come to.
private final class LawFigures: Sendable {
  private let sums = Mutex<[String: Int64]>([:])

  func add(_ name: String, _ value: Int64) { sums.withLock { $0[name, default: 0] += value } }
  subscript(_ name: String) -> Int64 { sums.withLock { $0[name] ?? 0 } }
  var all: [String: Int64] { sums.withLock { $0 } }
}

private let figures = LawFigures()

/// Prints after the suite what its runs have come to, and fails if they did not reach what they have to.
private struct LawEightReaching: SuiteTrait, TestScoping {
  @concurrent
  func provideScope(
    for test: Test, testCase: Test.Case?,
    performing function: @concurrent @Sendable () async throws -> Void
  ) async throws {
    try await function()
    guard `Law 8: what-if is a prediction`.seeds.count > 1 else { return }
    print("Law 8")
    for (name, value) in figures.all.sorted(by: { $0.key < $1.key }) {
      print("  \(name): \(value)")
    }
    for name in ["refusals", "stale", "another spend", "behind"] {
      #expect(figures["reached \(name)"] > 0, "\(name)")
    }
    #expect(
      figures["fixed prices: width"] * 100 <= figures["fixed prices: spend"],
      "over all seeds the intervals are no wider than a hundredth of the spend")
  }
}

@Suite(LawEightReaching(), .timeLimit(.minutes(30)))
struct `Law 8: what-if is a prediction` {
  static let seeds: [UInt64] =
    ProcessInfo.processInfo.environment["TOLLBOOK_SEED"].flatMap { UInt64($0) }.map { [$0] }
    ?? Array(1...60)

  @Test(arguments: seeds)
  func `the true spend of another policy lies in the interval that was printed, and it is narrow`(
    seed: UInt64
  ) async throws {
    var random = SeededGenerator(seed: seed)
    let lab = LawEightLab(seed: seed, &random)
    let recorded = try await lab.world(lab.recorded)
    try await recorded.live(lab.demand)
    let record = try await recorded.report([
      WhatIfPolicy(name: "itself", products: lab.recorded),
      WhatIfPolicy(name: "other", products: lab.other),
    ])
    #expect(record.played.recorded.cost == Bounds(recorded.charged))

    // A predicted by A is exact.
    let itself = record.played.outcomes[0]
    #expect(itself.cost == record.played.recorded.cost, "seed \(seed)")
    #expect(itself.calls == record.played.recorded.calls, "seed \(seed)")
    #expect(itself.bought == record.played.recorded.bought, "seed \(seed)")
    #expect(itself.hits == record.played.recorded.hits, "seed \(seed)")
    #expect(itself.stale == record.played.recorded.stale, "seed \(seed)")
    #expect(itself.refused == record.played.recorded.refused, "seed \(seed)")
    #expect(itself.unanswered == record.played.recorded.unanswered, "seed \(seed)")

    // B predicted from A, and lived.
    let lived = try await lab.world(lab.other)
    try await lived.live(lab.demand)
    let truth = try await lived.recorded()
    let told = record.played.outcomes[1]
    #expect(truth.cost == Bounds(lived.charged))
    for (name, told, truth) in [
      ("cost", told.cost, truth.cost), ("calls", told.calls, truth.calls),
      ("products", told.bought, truth.bought), ("hits", told.hits, truth.hits),
      ("stale", told.stale, truth.stale), ("refusals", told.refused, truth.refused),
      ("unanswered", told.unanswered, truth.unanswered),
    ] {
      #expect(
        told.low <= truth.low && truth.high <= told.high,
        "seed \(seed): \(name) \(told.low) to \(told.high), and in truth \(truth.low)")
    }
    #expect(told.requests == truth.requests, "seed \(seed)")
    for (name, told, truth) in [
      ("median", told.medianAge, truth.medianAge), ("95 %", told.highAge, truth.highAge),
    ] {
      guard let told, let truth else { continue }
      // Both are rounded to classes of ages.
      #expect(
        told.low <= truth.high && truth.low <= told.high,
        "seed \(seed): \(name) of ages \(told.low) to \(told.high), and in truth \(truth.low)")
    }

    // Narrow: where every price is fixed, a fiftieth of the spend; else as wide as the prices leave open.
    let width = told.cost.width
    if lab.hasFixedPrices && !lab.isScarce {
      #expect(
        width <= max(2, truth.cost.low / 50),
        "seed \(seed): \(told.cost.low) to \(told.cost.high) for \(truth.cost.low)")
    }
    let kind = lab.isScarce ? "scarce" : lab.hasFixedPrices ? "fixed prices" : "open prices"
    figures.add("\(kind): width", width)
    figures.add("\(kind): spend", truth.cost.low)
    figures.add("reached refusals", record.played.recorded.refused.low + truth.refused.low)
    figures.add("reached stale", truth.stale.low)
    figures.add("reached another spend", truth.cost.low == recorded.charged ? 0 : 1)
    figures.add(
      "reached behind", lab.other.present.grace > 0 || lab.recorded.present.grace > 0 ? 1 : 0)
  }
}

/// A random demand, two policies, and how scarce tokens are.
private struct LawEightLab {
  let recorded: FreshnessPolicy
  let other: FreshnessPolicy
  let demand: [WhatIfDemand]
  let hasFixedPrices: Bool
  /// Whether tokens run short.
  let isScarce: Bool
  private let overdraft: GatewaySettings.Overdraft

  init(seed: UInt64, _ random: inout SeededGenerator) {
    hasFixedPrices = seed % 3 != 0
    isScarce = seed % 4 == 1
    overdraft = .never
    recorded = Self.policy(&random)
    other = Self.policy(&random)
    demand = Self.demand(&random, hasFixedPrices, isScarce)
  }

  func world(_ policy: FreshnessPolicy) async throws -> WhatIfWorld {
    try await WhatIfWorld(policy, rate: isScarce ? 1 : 20, balance: isScarce ? 12 : nil) {
      $0.overdraft = overdraft
    }
  }

  private static func policy(_ random: inout SeededGenerator) -> FreshnessPolicy {
    .windows(
      fresh: random.pick([hour, 6 * hour, day, 3 * day, 7 * day, 14 * day]),
      grace: random.pick([0, 0, hour, day]),
      errorGrace: random.pick([0, hour, 5 * day, 23 * day]),
      absent: random.pick([0, hour, day]))
  }

  private static func demand(
    _ random: inout SeededGenerator, _ hasFixedPrices: Bool, _ isScarce: Bool
  ) -> [WhatIfDemand] {
    let names = (0..<8).map { "B00000000\($0)" } + ["X000000001"]
    let sets: [ContentSet] =
      hasFixedPrices ? [.plain, .plain, .buyBox] : [.plain, .rating, .offers]
    var at: Int64 = 10_000
    var demand: [WhatIfDemand] = []
    while demand.count < 70 {
      // Now and then somebody asks again within the interval of the tallies.
      let asins = Array(names.shuffled(using: &random).prefix(random.int(1...3)))
      let set = random.pick(sets)
      // An absent ASIN has no paid parts.
      let isPlain = asins.contains("X000000001")
      var request = WhatIfDemand(
        at: at, asins: asins, contentSet: isPlain && hasFixedPrices ? .plain : set)
      if random.chance(15) { request.maximumAge = random.pick([0, 60_000, hour, 2 * day]) }
      if random.chance(5) { request.isPeek = true }
      demand.append(request)
      at += 4_000
      for _ in 0..<random.int(0...2) where random.chance(20) {
        at += random.int64(5...400)
        demand.append(
          WhatIfDemand(
            at: at, asins: [asins[0]], contentSet: isPlain ? .plain : set, isAfterTally: false))
        at += 4_000
      }
      at +=
        random.chance(isScarce ? 70 : 40)
        ? random.int64(1...60_000) : random.int64(hour / 2...(2 * day))
    }
    return demand
  }
}
