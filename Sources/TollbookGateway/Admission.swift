package import TollbookEvents
package import TollbookViews

/// Whether a purchase fits: the longest prefix of it that does, in request order, and when the rest may be tried again.
package struct Admission: Sendable, Hashable {
  /// Keepa's refills come once a minute, on a grid of 60.2 s that was measured on one key; later is safe.
  static let tick: Int64 = 60_200
  /// A bucket holds what 60 refills bring.
  static let ticksToFill: Int64 = 60

  /// How many of the items fit.
  package var admitted: Int
  /// What could be spent.
  package var available: Int64
  /// Why not all; nil if all fit.
  package var refusal: RefusalReason?
  /// When the first refused item would fit; nil if waiting does not help or nobody knows.
  package var retryAt: Timestamp?

  /// Decides over items in request order.
  ///
  /// - Parameters:
  ///   - bounds: the most that each item may cost.
  ///   - requestLimit: the most that the request wants to spend, nil for no limit.
  package init(
    of bounds: [Int64], on meter: Meter, at now: Timestamp, requestLimit: Int64?,
    overdraft: GatewaySettings.Overdraft
  ) {
    available = Self.available(on: meter, at: now)
    admitted = 0
    var sum: Int64 = 0
    for bound in bounds {
      let next = sum + bound
      let fitsMeter = overdraft == .allow ? available > 0 : next <= available
      if !fitsMeter {
        refusal = .insufficientTokens
        let missing = overdraft == .allow ? 1 - available : next - available
        retryAt = Self.instant(ofRefilling: missing, on: meter, at: now)
        return
      }
      if let requestLimit, next > requestLimit {
        refusal = .requestLimit
        return
      }
      sum = next
      admitted += 1
    }
  }

  /// What can be spent now: what the ledger has free and the refills that must have come since the last reading.
  package static func available(on meter: Meter, at now: Timestamp) -> Int64 {
    guard let reading = meter.reading else { return 0 }
    let refilled = meter[.free] + ticks(since: reading, at: now) * reading.sureRefill
    return max(meter[.free], min(refilled, reading.capacity))
  }

  /// When `missing` more will have been refilled, by our clock.
  private static func instant(
    ofRefilling missing: Int64, on meter: Meter, at now: Timestamp
  ) -> Timestamp? {
    guard let reading = meter.reading, reading.sureRefill > 0,
      available(on: meter, at: now) + missing <= reading.capacity
    else { return nil }
    let needed = (max(1, missing) + reading.sureRefill - 1) / reading.sureRefill
    let passed = ticks(since: reading, at: now)
    return reading.nextRefillByOurClock.advanced(byMilliseconds: (passed + needed - 1) * tick)
  }

  private static func ticks(since reading: Meter.LastReading, at now: Timestamp) -> Int64 {
    let since = now.milliseconds - reading.nextRefillByOurClock.milliseconds
    return since < 0 ? 0 : min(since / tick + 1, 100_000)
  }
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
}
