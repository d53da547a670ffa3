import Algorithms
import Foundation
import TollbookEvents
import TollbookGateway

/// Reads of things that differ in cost and size, played against a cache that cannot hold them all: what has to be
/// bought again by one rule of making room and by another.
package struct EvictionTrace: Sendable {
  package enum Shape: Hashable, Sendable, CustomStringConvertible {
    /// Thing number k of n is read with a weight of 1 / k to that power.
    case zipf(Double)
    /// Seven of ten reads are those of `zipf(0.8)` over half of the things; the others go through the other half in
    /// order, again and again.
    case scan

    package var description: String {
      switch self {
      case .zipf(let exponent): "Zipf \(exponent)"
      case .scan: "Zipf 0.8 beside a scan"
      }
    }
  }

  package enum Rule: Hashable, Sendable {
    /// What was used least recently goes, one by one.
    case leastRecentlyUsed
    /// What `EvictionPolicy` says, as the gateway asks it: down to 1/64 below the bound.
    case greedyDual
  }

  package struct Outcome: Hashable, Sendable {
    package var hits = 0
    /// Units spent.
    package var spent: Int64 = 0
    /// Of these on what had been bought before.
    package var again: Int64 = 0
    package var evicted = 0

    package init() {}
  }

  private struct Thing {
    let cost: Int64
    let space: Int
  }

  private let things: [Thing]
  private let reads: [Int]

  package init(seed: UInt64, _ shape: Shape, things count: Int, reads: Int) {
    var random = SeededGenerator(seed: seed)
    things = (0..<count).map { _ in
      // As products of Keepa: most cost one token, some with extras more; sizes spread around 7 KB.
      let draw = random.int(0...99)
      let cost: Int64 = draw < 80 ? 1 : draw < 90 ? 3 : draw < 97 ? 2 : 7
      let spread = (0..<12).reduce(-6.0) { sum, _ in sum + random.unit() } * 0.6
      return Thing(cost: cost, space: Int(7_000 * exp(spread)) * (cost == 7 ? 2 : 1) + 200)
    }
    var place = 0
    switch shape {
    case .zipf(let exponent):
      var draw = Zipf(exponent, count)
      self.reads = (0..<reads).map { _ in draw.next(&random) }
    case .scan:
      var draw = Zipf(0.8, count / 2)
      self.reads = (0..<reads).map { _ in
        guard random.chance(30) else { return draw.next(&random) }
        place = (place + 1) % (count - count / 2)
        return count / 2 + place
      }
    }
  }

  /// What all things take.
  package var space: Int { things.reduce(0) { $0 + $1.space } }

  /// Plays the reads.
  ///
  /// - Parameter bound: what the cache may hold, in bytes.
  package func play(_ rule: Rule, bound: Int) -> Outcome {
    switch rule {
    case .leastRecentlyUsed: leastRecentlyUsed(bound)
    case .greedyDual: greedyDual(bound)
    }
  }

  private func leastRecentlyUsed(_ bound: Int) -> Outcome {
    var outcome = Outcome()
    var used = [Int](repeating: -1, count: things.count)
    var known = [Bool](repeating: false, count: things.count)
    // Every use, in order; those that are not the last of their thing are passed over.
    var (uses, first, space) = ([Int](), 0, 0)
    for (instant, thing) in reads.enumerated() {
      uses.append(thing)
      if used[thing] >= 0 {
        outcome.hits += 1
      } else {
        outcome.buy(things[thing].cost, isKnown: known[thing])
        known[thing] = true
        space += things[thing].space
      }
      used[thing] = instant
      while space > bound, first < uses.count {
        let oldest = uses[first]
        if used[oldest] == first {
          used[oldest] = -1
          space -= things[oldest].space
          outcome.evicted += 1
        }
        first += 1
      }
    }
    return outcome
  }

  private struct Held {
    var thing: Int
    var reads: UInt64 = 0
    var used: Int64
    var written: Position
  }

  private func greedyDual(_ bound: Int) -> Outcome {
    var outcome = Outcome()
    var (clock, scale) = (EvictionClock(), CostScale())
    var held: [Held] = []
    // Where each thing is in `held`; -1: it is not there.
    var places = [Int](repeating: -1, count: things.count)
    var known = [Bool](repeating: false, count: things.count)
    var space = 0
    for (instant, thing) in reads.enumerated() {
      if places[thing] >= 0 {
        held[places[thing]].reads += 1
        held[places[thing]].used = Int64(instant)
        outcome.hits += 1
        continue
      }
      outcome.buy(things[thing].cost, isKnown: known[thing])
      known[thing] = true
      scale.add([Amount(things[thing].cost, Amount.firstUnit)])
      places[thing] = held.count
      held.append(Held(thing: thing, used: Int64(instant), written: Position(instant)))
      space += things[thing].space
      guard space > bound else { continue }
      var policy = EvictionPolicy<Int>(limit: 8_192)
      for entry in held {
        policy.offer(entry.thing, worth: worth(of: entry, clock, scale))
      }
      for candidate in policy.leastFirst {
        guard space > bound - bound / 64 else { break }
        let place = places[candidate.entry]
        places[candidate.entry] = -1
        let last = held.removeLast()
        if place < held.count {
          held[place] = last
          places[last.thing] = place
        }
        space -= things[candidate.entry].space
        outcome.evicted += 1
        clock.advance(
          to: candidate.worth.priority, at: Timestamp(milliseconds: Int64(instant)))
      }
    }
    return outcome
  }

  private func worth(
    of entry: Held, _ clock: EvictionClock, _ scale: CostScale
  ) -> EvictionWorth {
    let used = Timestamp(milliseconds: entry.used)
    let thing = things[entry.thing]
    return EvictionWorth(
      rank: .saving, clock: clock.value(at: used), reads: entry.reads,
      cost: scale.weight([Amount(thing.cost, Amount.firstUnit)]), space: Double(thing.space),
      used: used, written: entry.written)
  }
}

extension EvictionTrace.Outcome {
  fileprivate mutating func buy(_ cost: Int64, isKnown: Bool) {
    spent += cost
    if isKnown { again += cost }
  }
}

/// Draws numbers from 0 of which each is the rarer the greater it is.
private struct Zipf {
  private var sums: [Double] = []

  init(_ exponent: Double, _ count: Int) {
    var sum = 0.0
    for rank in 1...count {
      sum += pow(Double(rank), -exponent)
      sums.append(sum)
    }
  }

  mutating func next(_ random: inout SeededGenerator) -> Int {
    let draw = random.unit() * (sums.last ?? 0)
    return min(sums.partitioningIndex { $0 > draw }, sums.count - 1)
  }
}

extension SeededGenerator {
  /// From 0 up to, not including, 1.
  fileprivate mutating func unit() -> Double { Double(next() >> 11) / Double(1 << 53) }
}
