package import TollbookEvents
package import TollbookUpstreams
package import TollbookViews

/// What a reading of an upstream's refill bucket means for the ledger, given the books before it.
///
/// The balance is predicted as an interval: what is free plus the refills since the last reading, up to that plus all
/// that is held for attempts whose cost nobody has told. A balance outside it was moved by somebody else and is posted
/// as unexplained; a balance inside needs no explanation. Refills are counted on the upstream's own clock, from the
/// next refill of one reading to the next refill of the other. Elapsed time counts nothing; it only casts doubt: where
/// our clock says that one of the two has jumped, the refills are an interval too.
///
/// After a restore the log does not know what was bought since it was copied. So the first reading explains nothing:
/// what was in doubt stays spent, unprovable, since a call that was lost could have moved the balance as well; and the
/// whole difference is posted as unexplained, marked as the restore's gap.
package struct BalanceReconciliation {
  /// The meter as it stands after all events before this reading, those of the same commit included.
  private var meter: Meter
  private let key: MeterKey
  private let reading: UpstreamReading
  private let settledBefore: Int64
  private let question: Question
  private let observed: Timestamp
  private let fetch: Position
  private let bucket: RefillBucket

  /// What was known when the call was begun that brought the reading.
  package struct Question: Sendable, Hashable {
    /// When that was, by our clock: the reading is not older.
    package let asked: Timestamp
    /// The last reading in the books by then, and what was settled.
    fileprivate let known: Meter.LastReading?
    fileprivate let settled: Int64

    package init(asked: Timestamp, meter: Meter) {
      self.asked = asked
      known = meter.reading
      settled = meter[.settled]
    }
  }

  /// - Parameters:
  ///   - settledBefore: what was settled before the events of the same commit.
  ///   - observed: when it had come, by our clock.
  package init(
    of key: MeterKey, meter: Meter, settledBefore: Int64, reading: UpstreamReading,
    question: Question, observed: Timestamp, fetch: Position = 0,
    bucket: RefillBucket
  ) {
    self.bucket = bucket
    self.settledBefore = settledBefore
    self.question = question
    self.key = key
    self.meter = meter
    self.reading = reading
    self.observed = observed
    self.fetch = fetch
  }

  /// The events to append: doubts that the reading settles, then the reading. None for a reading that is older than one
  /// already known: answers may arrive in another order than they were given.
  ///
  /// - Parameter doubts: the holds of this meter that are in doubt.
  package mutating func events(doubts: [Hold], windows: [String]) -> [Event] {
    guard let last = meter.reading else { return [.balanceObserved(opening)] }
    guard isNewer(than: last) else { return [] }
    let refill = Refill(from: last, to: reading, observed: observed, of: bucket)
    var events: [Event] = []
    if var resolution = resolution(of: doubts, refill: refill) {
      resolution.windows = windows
      events.append(.chargeResolved(resolution))
      meter.apply(.chargeResolved(resolution), to: key)
    }
    events.append(.balanceObserved(observation(after: last, refill: refill)))
    return events
  }

  /// Whether it tells of a later moment: by the upstream's clock, or because it was asked for after the other had come.
  ///
  /// Of two readings of one millisecond nobody knows which charge the one has seen and the other has not. The later is
  /// taken only if nothing was booked between its question and its answer.
  private func isNewer(than last: Meter.LastReading) -> Bool {
    reading.upstreamMilliseconds > last.upstream.milliseconds || question.asked > last.observed
      || (question.known == last && question.settled == settledBefore)
  }

  private var opening: BalanceObserved {
    var event = observation
    event.predictedLow = reading.balance
    event.predictedHigh = reading.balance
    return event
  }

  private var observation: BalanceObserved {
    var event = BalanceObserved()
    event.meter = key.name
    event.reading.balance = reading.balance
    event.reading.upstreamMs = reading.upstreamMilliseconds
    event.reading.nextRefillMs = reading.nextRefillMilliseconds
    event.reading.observedMs = observed.milliseconds
    event.refillRate = reading.refillRate
    event.flowReductionThousandths = reading.flowReductionThousandths
    event.fetch = fetch
    return event
  }

  private func observation(after last: Meter.LastReading, refill: Refill) -> BalanceObserved {
    let free = meter[.free]
    let held = meter[.reserved] + meter[.inDoubt]
    var event = observation
    event.restoreGap = meter.awaitsRestoreGap
    event.previous.balance = last.balance
    event.previous.upstreamMs = last.upstream.milliseconds
    event.previous.nextRefillMs = last.nextRefill.milliseconds
    event.previous.observedMs = last.observed.milliseconds
    event.ticks = UInt32(clamping: refill.ticks)
    event.refillLow = refill.low
    event.refillHigh = refill.high
    event.predictedLow = free + refill.low
    event.predictedHigh = free + held + refill.high
    // The refills that agree with the balance, if all, some or none of what is held was charged.
    let least = max(refill.low, reading.balance - free - held)
    let most = min(refill.high, reading.balance - free)
    if least <= most {
      event.refill = least
      event.slack = most - least
    } else if reading.balance < event.predictedLow {
      event.refill = refill.low
      event.unexplained = event.predictedLow - reading.balance
    } else {
      event.refill = refill.high
      event.unexplained = event.predictedHigh - reading.balance
    }
    return event
  }

  /// Closes all doubts together if this reading can tell: nothing else is under way, and it is young enough. The first
  /// after a restore never could.
  private func resolution(of doubts: [Hold], refill: Refill) -> ChargeResolved? {
    guard !doubts.isEmpty, meter[.reserved] == 0 else { return nil }
    if !meter.awaitsRestoreGap {
      guard let sent = meter.lastDoubtSent,
        question.asked >= sent.advanced(byMilliseconds: DoubtRule.settlesAfter)
      else { return nil }
    }
    let difference = meter[.free] + doubts.sum + refill.low - reading.balance
    if meter.awaitsRestoreGap {
      return ChargeResolved(doubts, on: key, unprovableBy: .restored, difference: difference)
    }
    if !refill.isExact {
      return ChargeResolved(doubts, on: key, unprovableBy: .bucketFull, difference: difference)
    }
    return ChargeResolved(doubts, on: key, spent: difference, by: .reading)
  }
}

/// What a bucket gained between two readings, as an interval.
private struct Refill {
  /// By the upstream's clock; how many there were at the most where the clocks disagree.
  let ticks: Int64
  let low: Int64
  let high: Int64

  var isExact: Bool { low == high }

  init(
    from last: Meter.LastReading, to reading: UpstreamReading, observed: Timestamp,
    of bucket: RefillBucket
  ) {
    let count = Self.ticks(from: last, to: reading, observed: observed, every: bucket.tick)
    ticks = count.upperBound
    let rate = reading.refillRate
    let reduction = max(reading.flowReductionThousandths, last.flowReductionThousandths)
    let all = count.upperBound * max(rate, last.refillRate)
    let sure =
      count.lowerBound * max(0, min(rate, last.refillRate) - (reduction + 999) / 1_000)
    let room = max(0, bucket.capacity(of: last) - last.balance)
    // A bucket that may have been full lost refills, but never so many that it is not full now.
    low = all > room ? min(sure, room) : sure
    high = all + last.slack
  }

  /// The refills between two readings: one number as long as both clocks agree about it, give or take one for what
  /// answers take on their way.
  private static func ticks(
    from last: Meter.LastReading, to reading: UpstreamReading, observed: Timestamp,
    every tick: Int64
  ) -> ClosedRange<Int64> {
    let theirs = ticks(
      reading.nextRefillMilliseconds - last.nextRefill.milliseconds, every: tick)
    let ahead = reading.nextRefillMilliseconds - reading.upstreamMilliseconds
    let ours = ticks(
      observed.advanced(byMilliseconds: ahead).milliseconds
        - last.nextRefillByOurClock.milliseconds, every: tick)
    guard reading.upstreamMilliseconds >= last.upstream.milliseconds else {
      return max(0, ours - 1)...ours + 1
    }
    return abs(theirs - ours) <= 1 ? theirs...theirs : min(theirs, ours)...max(theirs, ours)
  }

  private static func ticks(_ apart: Int64, every tick: Int64) -> Int64 {
    min(max(0, (apart + tick / 2) / tick), RefillBucket.mostTicks)
  }
}
