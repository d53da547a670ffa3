package import TollbookEvents
package import TollbookViews

/// Whether a purchase fits: the longest prefix of it that does, in request order, and when the rest may be tried again.
package struct Admission: Sendable, Hashable {
  /// Keepa's refills come once a minute, on a grid of 60.2 s that was measured on one key; later is safe.
  package static let tick: Int64 = 60_200
  /// A bucket holds what 60 refills bring.
  package static let ticksToFill: Int64 = 60
  /// Two years of refills: more fill any bucket, and fewer keep products of them small.
  static let mostTicks: Int64 = 1_000_000

  /// How many of the items fit.
  package var admitted: Int
  /// What could be spent.
  package var available: Int64
  /// Why not all; nil if all fit.
  package var refusal: RefusalReason?
  /// When the first refused item would fit, once what is held now has ended; nil if waiting does not help or nobody
  /// knows.
  package var retryAt: Timestamp?

  /// Decides over items in request order.
  ///
  /// - Parameters:
  ///   - bounds: the most that each item may cost.
  ///   - requestLimit: the most that the request wants to spend, nil for no limit.
  ///   - callSize: how many items one call takes. With an overdraft a call goes out whole or not at all.
  package init(
    of bounds: [Int64], on meter: Meter, at now: Timestamp, requestLimit: Int64?,
    overdraft: GatewaySettings.Overdraft, callSize: Int = .max
  ) {
    available = Self.available(on: meter, at: now)
    admitted = 0
    var sum: Int64 = 0
    var earlierCalls: Int64 = 0
    for (index, bound) in bounds.enumerated() {
      if index % max(1, callSize) == 0 { earlierCalls = sum }
      // Asked first: what the request itself forbids does not fit later either.
      if let requestLimit, sum + bound > requestLimit {
        refusal = .requestLimit
        return
      }
      let needed = overdraft == .allow ? earlierCalls + 1 : sum + bound
      guard needed <= available else {
        refusal = .insufficientTokens
        retryAt = Self.instant(ofHaving: needed, on: meter, at: now)
        return
      }
      sum += bound
      admitted += 1
    }
  }

  /// What can be spent now: what the ledger has free and the refills that must have come since the last reading.
  ///
  /// A full bucket takes no refill, and what is held may not have been taken out of it yet: so refills count only up to
  /// what the bucket holds without the holds.
  package static func available(on meter: Meter, at now: Timestamp) -> Int64 {
    guard let reading = meter.reading else { return 0 }
    let free = bounded(meter[.free])
    let held = bounded(meter[.reserved]) + bounded(meter[.inDoubt])
    let refilled = free + reading.ticks(until: now) * reading.sureRefill
    return max(free, min(refilled, reading.capacity - held))
  }

  /// When that much will be there, by our clock.
  private static func instant(
    ofHaving needed: Int64, on meter: Meter, at now: Timestamp
  ) -> Timestamp? {
    guard let reading = meter.reading, reading.sureRefill > 0, needed <= reading.capacity else {
      return nil
    }
    let missing = max(1, needed - available(on: meter, at: now))
    let refills = (missing + reading.sureRefill - 1) / reading.sureRefill
    return reading.refill(after: now).advanced(byMilliseconds: (refills - 1) * tick)
  }

  /// Sums of the ledger wrap around; what is computed with them must not.
  private static func bounded(_ tokens: Int64) -> Int64 { min(max(-1 << 60, tokens), 1 << 60) }
}

extension Meter.LastReading {
  /// The next refill by our clock: the wait that the upstream named, from when we heard it.
  var nextRefillByOurClock: Timestamp {
    observed.advanced(byMilliseconds: nextRefill.milliseconds - upstream.milliseconds)
  }

  /// What each refill brings at the least.
  var sureRefill: Int64 { max(0, refillRate - (flowReductionThousandths + 999) / 1_000) }

  /// What the bucket holds at the most.
  var capacity: Int64 { refillRate * Admission.ticksToFill }

  /// Refills since this reading, by our clock.
  func ticks(until now: Timestamp) -> Int64 {
    let since = now.milliseconds - nextRefillByOurClock.milliseconds
    return since < 0 ? 0 : min(since / Admission.tick + 1, Admission.mostTicks)
  }

  /// The first refill that is yet to come, by our clock.
  func refill(after now: Timestamp) -> Timestamp {
    let since = now.milliseconds - nextRefillByOurClock.milliseconds
    guard since >= 0 else { return nextRefillByOurClock }
    return nextRefillByOurClock.advanced(
      byMilliseconds: (since / Admission.tick + 1) * Admission.tick)
  }
}
