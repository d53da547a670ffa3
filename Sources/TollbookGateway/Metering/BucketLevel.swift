package import TollbookEvents
package import TollbookViews

/// How full a refill bucket is, and what it is going to lose: a full one takes no refill, so what is not spent before is
/// gone.
///
/// What is told errs on the side of losing less: so what is spent of it would surely have been lost, as long as nobody
/// else spends from the bucket.
package struct BucketLevel: Hashable, Sendable {
  /// What can surely be spent now.
  package var balance: Int64
  /// What the bucket holds at the most.
  package var capacity: Int64
  /// What each refill brings at the least.
  package var refill: Int64
  /// When the next one comes.
  package var nextRefill: Timestamp
  /// Between two refills, in milliseconds.
  package var tick: Int64

  package init(
    balance: Int64, capacity: Int64, refill: Int64, nextRefill: Timestamp, tick: Int64
  ) {
    self.balance = balance
    self.capacity = capacity
    self.refill = refill
    self.nextRefill = nextRefill
    self.tick = tick
  }

  /// How many refills come within a time from an instant, the one at its end included.
  ///
  /// - Parameter landing: those that come sooner after the instant do not count.
  package func refills(
    from now: Timestamp, after landing: Int64 = 0, within horizon: Int64
  ) -> Int64 {
    guard tick > 0, horizon >= 0 else { return 0 }
    // Refills that should have come, and are not in the balance, nobody can count on.
    let wait = max(0, nextRefill.milliseconds - now.milliseconds)
    guard wait <= horizon else { return 0 }
    let all = min((horizon - wait) / tick, .max - 1) + 1
    guard landing > wait else { return all }
    return max(0, all - (min((landing - wait - 1) / tick, .max - 1) + 1))
  }

  /// What has to stay in the bucket so that those refills fill it again, and no more.
  package func kept(
    from now: Timestamp, after landing: Int64 = 0, within horizon: Int64
  ) -> Int64 {
    let brought = refills(from: now, after: landing, within: horizon)
      .multipliedReportingOverflow(by: refill)
    return brought.overflow ? 0 : max(0, capacity - max(0, brought.partialValue))
  }

  /// What is lost within a time from an instant if nobody spends anything.
  ///
  /// - Parameter landing: what is spent at the instant is taken out of the bucket so much later at the latest: it makes no
  ///   room for refills that come before.
  package func lost(
    from now: Timestamp, after landing: Int64 = 0, within horizon: Int64
  ) -> Int64 {
    // More than it holds is a figure that nobody understands.
    guard balance <= capacity else { return 0 }
    return max(0, balance - kept(from: now, after: landing, within: horizon))
  }
}

extension MeterRule {
  /// How full the bucket is; nil: it is none, or nobody knows.
  package func level(on page: Meter, at now: Timestamp) -> BucketLevel? {
    guard case .refillBucket(let bucket) = self, let reading = page.reading,
      !page.awaitsRestoreGap, reading.observed <= now, reading.sureRefill > 0
    else { return nil }
    return BucketLevel(
      balance: bucket.available(on: page, at: now), capacity: bucket.capacity(of: reading),
      refill: reading.sureRefill, nextRefill: bucket.refill(after: now, of: reading),
      tick: bucket.tick)
  }
}
