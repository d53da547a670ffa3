import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams

@testable import TollbookGateway
@testable import TollbookViews

@Suite struct HotKeysTests {
  private let start = Timestamp.testStart

  private func after(_ milliseconds: Int64) -> Timestamp {
    start.advanced(byMilliseconds: milliseconds)
  }

  private func entry(
    _ number: Int = 0, weight: Int64 = 1, written: Position = 1, fetched: Int64 = 0,
    fresh: Int64 = 2_000
  ) -> CacheEntry {
    .hot(
      HotUpstream.resource(number, weight: weight), written: written, fetched: after(fetched),
      fresh: fresh)
  }

  @Test(arguments: (1...40).map { Position($0) })
  func `what is read often is due once, shortly before its end`(written: Position) {
    var keys = HotKeys()
    let entry = entry(written: written)
    for instant in stride(from: Int64(100), to: 1_400, by: 200) {
      keys.read(entry, at: after(instant))
    }
    #expect(!keys.mayBeDue(at: after(1_399)))
    #expect(keys.due(at: after(1_399)).isEmpty)
    let due = keys.due(at: after(1_600))
    #expect(due.map(\.key.resource) == [entry.resource])
    #expect(due.map(\.fetched) == [start])
    #expect(keys.due(at: after(1_700)).count == 1, "it was not taken")
    keys.take(due.map(\.key))
    #expect(keys.due(at: after(1_800)).isEmpty)
    #expect(keys.due(at: after(10_000)).isEmpty)
  }

  @Test func `entries that were bought together are not due at one instant`() {
    var keys = HotKeys()
    let entries = (0..<60).map { entry($0, written: Position($0 + 1)) }
    for instant in stride(from: Int64(100), to: 1_400, by: 200) {
      for entry in entries { keys.read(entry, at: after(instant)) }
    }
    let counts = stride(from: Int64(1_400), through: 1_600, by: 50).map {
      keys.due(at: after($0)).count
    }
    #expect(counts == counts.sorted())
    #expect(counts.last == 60)
    #expect(Set(counts).count >= 4, "\(counts)")
  }

  @Test func `what came in its place is due again only when somebody has read it`() {
    var keys = HotKeys()
    let first = entry()
    for instant in [Int64(100), 500, 900, 1_300] { keys.read(first, at: after(instant)) }
    keys.take(keys.due(at: after(1_600)).map(\.key))
    let second = entry(written: 2, fetched: 1_600)
    #expect(keys.due(at: after(3_300)).isEmpty)
    keys.read(second, at: after(3_300))
    #expect(keys.due(at: after(3_400)).map(\.fetched) == [second.fetched])
    // Somebody was answered with the old one, late.
    keys.take(keys.due(at: after(3_400)).map(\.key))
    keys.read(first, at: after(1_900))
    #expect(keys.due(at: after(3_450)).isEmpty)
  }

  @Test func `what will probably not be read again is left alone`() {
    var keys = HotKeys()
    keys.read(entry(0), at: after(100))
    for instant in [Int64(100), 200, 1_000] { keys.read(entry(1), at: after(instant)) }
    #expect(keys.due(at: after(1_650)).map(\.key.resource) == [HotUpstream.resource(1)])
    // Past its end it is bought by who asks.
    #expect(keys.due(at: after(2_000)).isEmpty)
  }

  @Test func `what is absent, purged, not fresh, or fresh for very long is not looked at`() {
    var keys = HotKeys()
    var absent = entry(0)
    absent.isPresent = false
    var purged = entry(1)
    purged.isPurged = true
    for _ in 0..<10 {
      keys.read(absent, at: after(100))
      keys.read(purged, at: after(100))
      keys.read(entry(2), at: after(2_000))
      keys.read(entry(3, fetched: 200), at: after(100))
      keys.read(entry(4, fresh: 100 * 365 * 86_400_000), at: after(100))
      keys.read(entry(5, fresh: 400), at: after(100))
    }
    #expect(keys.count == 0)
  }

  @Test func `a crowd of entries that are read once leaves those that are read often`() {
    var keys = HotKeys()
    let often = (0..<100).map { entry($0, written: Position($0 + 1)) }
    for entry in often { for _ in 0..<5 { keys.read(entry, at: after(100)) } }
    for number in 100..<20_000 {
      keys.read(entry(number, written: Position(number + 1)), at: after(100))
      #expect(keys.count <= HotKeys.most)
    }
    let due = keys.due(at: after(1_700)).map(\.key.resource)
    #expect(Set(due) == Set(often.map(\.resource)))
    // What nobody reads any more is forgotten.
    _ = keys.due(at: after(60_000))
    #expect(keys.count == 0)
  }

  @Test func `first comes what costs readers the most, and no more is planned than may be spent`() {
    let upstream = HotUpstream(lasting: ["1/9"])
    func due(_ number: Int, weight: Int64, reads: Double) -> HotKeys.Due {
      HotKeys.Due(
        key: .init(resource: HotUpstream.resource(number, weight: weight), parts: 0),
        fetched: start, reads: reads)
    }
    let all = [
      due(0, weight: 1, reads: 9), due(1, weight: 5, reads: 2), due(2, weight: 2, reads: 4),
      due(9, weight: 1, reads: 50), due(3, weight: 1, reads: 1),
    ]
    func calls(_ spendable: Int64, _ most: Int = 9) -> (plans: [[ResourceKey]], lasting: Int) {
      let (plans, lasting) = AheadPlan.calls(
        for: all, of: upstream, on: HotUpstream.meter, spendable: spendable, mostCalls: most,
        at: after(1_000))
      #expect(plans.reduce(0) { $0 + $1.cost } <= spendable)
      #expect(plans.allSatisfy { $0.age == 999 })
      return (plans.map { $0.needs.compactMap(\.resource) }, lasting.count)
    }
    let names = [(1, 5), (0, 1), (2, 2), (3, 1)].map {
      HotUpstream.resource($0.0, weight: Int64($0.1))
    }
    #expect(calls(100).plans == [Array(names[0..<3]), [names[3]]])
    #expect(calls(100).lasting == 1)
    #expect(calls(100, 1).plans == [Array(names[0..<3])])
    #expect(calls(6).plans.first == Array(names[0..<2]))
    #expect(calls(4).plans == [[names[1], names[2], names[3]]])
    #expect(calls(0).plans.isEmpty)
  }

  @Test func `what is spent near the turn of a minute counts in both`() {
    let rule = MeterRule.clockWindow(ClockWindow(length: 60_000, limit: 100))
    let allowance = AheadAllowance(perWindow: 10, reserve: 0)
    var budget = AheadBudget()
    #expect(budget.left(of: allowance, rule, at: after(30_000)) == 10)
    budget.spend(4, rule, at: after(30_000))
    budget.spend(6, rule, at: after(58_000))
    for (instant, left) in [(59_000, 0), (61_000, 0), (70_000, 4), (126_000, 10)] {
      #expect(budget.left(of: allowance, rule, at: after(Int64(instant))) == left, "\(instant)")
    }
    budget.giveBack(6, at: after(58_000))
    #expect(budget.left(of: allowance, rule, at: after(70_000)) == 10)
    for other in [
      MeterRule.total(limit: 9), .unlimited,
      .rollingWindow(RollingWindow(length: 60_000, limit: 9)),
      .clockWindow(ClockWindow(length: 1_000, limit: 9)),
    ] {
      #expect(budget.left(of: allowance, other, at: after(200_000)) == 0, "\(other)")
    }
  }

  @Test func `who joins a purchase and reads first has used it`() {
    let reads = AheadReads()
    reads.begin(after: 10)
    reads.read(11)
    reads.read(9)
    reads.bought([11: after(1_000), 12: after(1_000), 13: after(9_000)])
    #expect(reads.counts == AheadReads.Counts(bought: 3, used: 1, wasted: 0))
    #expect(reads.counts(at: after(1_000)) == AheadReads.Counts(bought: 3, used: 1, wasted: 1))
    reads.read(12)
    reads.read(13)
    reads.read(13)
    #expect(reads.counts(at: after(99_000)) == AheadReads.Counts(bought: 3, used: 2, wasted: 1))
  }
}

extension CacheEntry {
  /// One that is there, as it is after its purchase.
  static func hot(
    _ resource: ResourceKey, written: Position, fetched: Timestamp, fresh: Int64
  ) -> CacheEntry {
    let until = fetched.advanced(byMilliseconds: fresh)
    return CacheEntry(
      resource: resource, contentSet: 0, isPresent: true, written: written, fetched: fetched,
      freshUntil: until, graceUntil: until, errorGraceUntil: until, keepUntil: until,
      upstreamUpdated: nil, amounts: [], isMarkedExpired: false, isPurged: false, hits: 0,
      lastRead: nil, bodyBytes: 1, digest: [], summary: [], summaryForm: .none)
  }
}
