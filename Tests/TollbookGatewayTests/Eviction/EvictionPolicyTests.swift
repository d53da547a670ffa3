import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway

@Suite struct `What goes first to make room` {
  private func worth(
    _ rank: EvictionWorth.Rank = .saving, clock: Double = 0, reads: UInt64 = 0, cost: Double = 1,
    space: Double = 1_000, used: Int64 = 0, written: Position = 1
  ) -> EvictionWorth {
    EvictionWorth(
      rank: rank, clock: clock, reads: reads, cost: cost, space: space,
      used: Timestamp(milliseconds: used), written: written)
  }

  @Test func `what is dear, small, read often or used later stays longer`() {
    #expect(worth(cost: 1) < worth(cost: 2))
    #expect(worth(space: 2_000) < worth(space: 1_000))
    #expect(worth(reads: 3) < worth(reads: 4))
    #expect(worth(clock: 0.0005, reads: 1) < worth(clock: 0.002))
    #expect(worth(used: 1) < worth(used: 2))
    #expect(worth(written: 1) < worth(written: 2))
    #expect(worth(cost: 1, space: 500) == worth(cost: 1, space: 500))
  }

  @Test func `what cost nothing or answers no more goes before all else, then what is stale`() {
    let fresh = worth(cost: 0.001, space: 1e9)
    let stale = worth(.fallback, clock: 5, reads: 1_000, cost: 100)
    #expect(stale < fresh)
    #expect(worth(.nothing, clock: 5, reads: 1_000, cost: 100) < stale)
    #expect(worth(clock: 5, reads: 1_000, cost: 0) < stale)
    #expect(worth(cost: 0).rank == .nothing)
  }

  @Test(arguments: Seeds.all.prefix(50))
  func `of any number the least are kept, in their order`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let limit = random.int(1...40)
    var policy = EvictionPolicy<Int>(limit: limit)
    var all: [(Int, EvictionWorth)] = []
    for number in 0..<random.int(0...200) {
      let rank = random.pick([.nothing, .fallback, .saving] as [EvictionWorth.Rank])
      let worth = worth(
        rank, clock: Double(random.int(0...3)), reads: UInt64(random.int(0...3)),
        cost: Double(random.int(0...2)), space: Double(random.int(0...3)),
        used: random.int64(0...5), written: Position(number))
      policy.offer(number, worth: worth)
      all.append((number, worth))
    }
    let model = all.sorted { $0.1 < $1.1 }.prefix(limit).map(\.0)
    #expect(policy.leastFirst.map(\.entry) == model, "seed \(seed)")
    #expect(policy.isCut == (all.count > limit))
  }

  // MARK: Against the algorithm as it was published

  /// Keeps with each thing the priority that it got when it was used last.
  private struct Model {
    struct Thing {
      var reads = 0
      var priority: Double
      var used: Int64
    }

    let costs: [Double]
    let spaces: [Double]
    var clock = 0.0
    var things: [Int: Thing] = [:]

    mutating func use(_ thing: Int, at now: Int64) {
      var held = things[thing] ?? Thing(reads: -1, priority: 0, used: now)
      held.reads += 1
      held.used = now
      held.priority = clock + Double(held.reads + 1) * costs[thing] / spaces[thing]
      things[thing] = held
    }

    mutating func evict(to target: Double) -> [Int] {
      var gone: [Int] = []
      while things.keys.reduce(0, { $0 + spaces[$1] }) > target {
        guard
          let least = things.min(by: {
            ($0.value.priority, $0.value.used) < ($1.value.priority, $1.value.used)
          })
        else { break }
        clock = max(clock, least.value.priority)
        things[least.key] = nil
        gone.append(least.key)
      }
      return gone
    }
  }

  @Test(arguments: Seeds.all.prefix(50))
  func `the same things go as by GreedyDual-Size-Frequency with a clock in each`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let count = 40
    // In eighths, so that both sums are exact and do not differ in their last bits.
    let costs = (0..<count).map { _ in Double(random.int(1...64)) / 8 }
    let spaces = (0..<count).map { _ in Double(1 << random.int(0...5)) }
    var model = Model(costs: costs, spaces: spaces)
    var clock = EvictionClock()
    var held: [Int: (reads: UInt64, used: Int64)] = [:]
    for now in Int64(1)...600 {
      let thing = min(random.int(0...count - 1), random.int(0...count - 1))
      model.use(thing, at: now)
      held[thing] = (held[thing].map { $0.reads + 1 } ?? 0, now)
      let bound = 120.0
      guard held.keys.reduce(0, { $0 + spaces[$1] }) > bound else { continue }
      var policy = EvictionPolicy<Int>(limit: count)
      for (thing, entry) in held {
        let used = Timestamp(milliseconds: entry.used)
        policy.offer(
          thing,
          worth: EvictionWorth(
            rank: .saving, clock: clock.value(at: used), reads: entry.reads, cost: costs[thing],
            space: spaces[thing], used: used, written: Position(entry.used)))
      }
      var gone: [Int] = []
      for candidate in policy.leastFirst
      where held.keys.reduce(0, { $0 + spaces[$1] }) > bound - 10 {
        held[candidate.entry] = nil
        gone.append(candidate.entry)
        clock.advance(to: candidate.worth.priority, at: Timestamp(milliseconds: now))
      }
      #expect(gone == model.evict(to: bound - 10), "seed \(seed), step \(now)")
      #expect(clock.value == model.clock, "seed \(seed), step \(now)")
    }
  }

  // MARK: The clock

  @Test func `the clock never goes back, and tells how it stood`() {
    var clock = EvictionClock()
    func at(_ milliseconds: Int64) -> Timestamp { Timestamp(milliseconds: milliseconds) }
    #expect(clock.value(at: at(5)) == 0)
    clock.advance(to: 1, at: at(10))
    clock.advance(to: 0.5, at: at(20))
    clock.advance(to: 3, at: at(30))
    #expect(clock.value == 3)
    #expect([10, 11, 25, 30, 31].map { clock.value(at: at($0)) } == [0, 1, 1, 1, 3])
    // The wall clock was set back.
    clock.advance(to: 4, at: at(5))
    #expect(clock.value(at: at(31)) == 4)
    #expect(clock.value(at: at(29)) == 1)
    clock.advance(to: .infinity, at: at(40))
    #expect(clock.value == 4)
  }

  @Test func `a clock that has moved often forgets steps, and never tells more than it stood`() {
    var clock = EvictionClock()
    for step in Int64(1)...10_000 {
      clock.advance(to: Double(step), at: Timestamp(milliseconds: step))
    }
    #expect(clock.value == 10_000)
    var last = 0.0
    for instant in Int64(0)...10_001 {
      let value = clock.value(at: Timestamp(milliseconds: instant))
      #expect(value >= last && value <= Double(max(0, instant - 1)))
      last = value
    }
    #expect(last == 10_000)
  }

  // MARK: Costs

  @Test func `a unit weighs what a purchase in it costs on average, whatever its size`() {
    var scale = CostScale()
    for tokens in [1, 1, 1, 5] as [Int64] { scale.add([Amount(tokens, "tokens")]) }
    for nanos in [2_000_000, 6_000_000] as [Int64] { scale.add([Amount(nanos, "EUR")]) }
    #expect(scale.weight([Amount(2, "tokens")]) == 1)
    #expect(scale.weight([Amount(4_000_000, "EUR")]) == 1)
    #expect(scale.weight([Amount(8_000_000, "EUR")]) == 2)
    // The dearest unit counts, and nothing is added.
    #expect(scale.weight([Amount(1, "tokens"), Amount(8_000_000, "EUR")]) == 2)
    #expect(scale.weight([]) == 0)
    #expect(scale.weight([Amount(0, "tokens")]) == 0)
    #expect(scale.weight([Amount(-3, "tokens")]) == 0)
    #expect(scale.weight([Amount(7, "requests")]) == 1)
  }

  @Test func `units beyond the most that are known weigh as an average purchase`() {
    var scale = CostScale()
    for number in 0..<2 * CostScale.mostUnits { scale.add([Amount(10, "unit\(number)")]) }
    #expect(scale.weight([Amount(20, "unit0")]) == 2)
    #expect(scale.weight([Amount(20, "unit\(CostScale.mostUnits)")]) == 1)
  }
}
