package import TollbookEvents
package import TollbookViews

/// The rule of a bucket that the upstream refills: one batch a tick, up to what it can hold.
///
/// The upstream admits any call while the balance is above zero and lets it go negative.
package struct RefillBucket: Hashable, Sendable {
  /// Two years of refills: more fill any bucket, and fewer keep products of them small.
  static let mostTicks: Int64 = 1_000_000

  /// Between two refills, in milliseconds.
  package var tick: Int64
  /// The bucket holds what so many refills bring.
  package var ticksToFill: Int64
  package var overdraft: GatewaySettings.Overdraft

  package init(
    tick: Int64, ticksToFill: Int64, overdraft: GatewaySettings.Overdraft = .never
  ) {
    self.tick = min(max(1, tick), MeterWindow.possible(length: tick))
    self.ticksToFill = min(max(1, ticksToFill), Self.mostTicks)
    self.overdraft = overdraft
  }

  /// What can be spent now: what the ledger has free and the refills that must have come since the last reading.
  ///
  /// A full bucket takes no refill, and what is held may not have been taken out of it yet: so refills count only up to
  /// what the bucket holds without the holds.
  package func available(on meter: Meter, at now: Timestamp) -> Int64 {
    guard let reading = meter.reading else { return 0 }
    let free = Self.bounded(meter[.free])
    let held = Self.bounded(meter[.reserved]) + Self.bounded(meter[.inDoubt])
    let refilled = free + ticks(since: reading, until: now) * reading.sureRefill
    return max(free, min(refilled, capacity(of: reading) - held))
  }

  /// When that much will be there, by our clock.
  func instant(ofHaving needed: Int128, on meter: Meter, at now: Timestamp) -> Timestamp? {
    guard let reading = meter.reading, reading.sureRefill > 0,
      let needed = Int64(exactly: needed), needed <= capacity(of: reading)
    else { return nil }
    let missing = max(1, needed - available(on: meter, at: now))
    let refills = (missing + reading.sureRefill - 1) / reading.sureRefill
    return refill(after: now, of: reading).advanced(byMilliseconds: (refills - 1) * tick)
  }

  /// What the bucket holds at the most.
  package func capacity(of reading: Meter.LastReading) -> Int64 {
    reading.refillRate * ticksToFill
  }

  /// Refills since a reading, by our clock.
  func ticks(since reading: Meter.LastReading, until now: Timestamp) -> Int64 {
    let since = now.milliseconds - reading.nextRefillByOurClock.milliseconds
    return since < 0 ? 0 : min(since / tick + 1, Self.mostTicks)
  }

  /// The first refill that is yet to come, by our clock.
  package func refill(after now: Timestamp, of reading: Meter.LastReading) -> Timestamp {
    let next = reading.nextRefillByOurClock
    let since = now.milliseconds - next.milliseconds
    guard since >= 0 else { return next }
    return next.advanced(byMilliseconds: (since / tick + 1) * tick)
  }

  /// Sums of the ledger wrap around; what is computed with them must not.
  private static func bounded(_ amount: Int64) -> Int64 { min(max(-1 << 60, amount), 1 << 60) }
}

extension Meter.LastReading {
  /// The next refill by our clock: the wait that the upstream named, from when we heard it.
  var nextRefillByOurClock: Timestamp {
    observed.advanced(byMilliseconds: nextRefill.milliseconds - upstream.milliseconds)
  }

  /// What each refill brings at the least.
  var sureRefill: Int64 { max(0, refillRate - (flowReductionThousandths + 999) / 1_000) }
}
