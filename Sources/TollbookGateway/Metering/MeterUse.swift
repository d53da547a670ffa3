package import TollbookEvents
package import TollbookViews

/// What the first items of a purchase cost together on one meter: none, one, two and so on.
///
/// The price of a call may be any function of how many are asked. The sums may be more than 64 bits hold; what is
/// admitted never is.
package struct PrefixCosts: Hashable, Sendable {
  private let sums: [Int128]

  /// Each item costs something of its own. Less than nothing counts as nothing.
  package init(each costs: [Int64]) {
    sums = costs.reduce(into: [0]) { sums, cost in
      sums.append((sums.last ?? 0) + Int128(max(0, cost)))
    }
  }

  /// Items go into calls in their order, and a call has a price.
  ///
  /// - Parameters:
  ///   - callSize: how many items one call takes.
  ///   - price: what a call for so many items costs.
  package init(of count: Int, callSize: Int, price: (Int) -> Int64) {
    let callSize = max(1, callSize)
    var sums: [Int128] = [0]
    var earlier: Int128 = 0
    for index in 0..<max(0, count) {
      let inCall = index % callSize + 1
      let sum = earlier + Int128(max(0, price(inCall)))
      sums.append(sum)
      if inCall == callSize { earlier = sum }
    }
    self.sums = sums
  }

  /// The costs of the first items alone.
  init(_ costs: PrefixCosts, first count: Int) { sums = Array(costs.sums.prefix(count + 1)) }

  package var count: Int { sums.count - 1 }

  /// What the first so many items cost.
  func first(_ count: Int) -> Int128 { sums[count] }

  /// What a whole call, or the rest of a purchase, costs.
  package subscript(range: Range<Int>) -> Int64 {
    Int64(clamping: max(0, sums[range.upperBound] - sums[range.lowerBound]))
  }
}

/// What a purchase takes of one meter.
package struct MeterUse: Hashable, Sendable {
  /// The meter, without a window.
  package var meter: MeterKey
  package var rule: MeterRule
  /// The most that it may cost: what is reserved.
  package var bounds: PrefixCosts
  /// What it probably costs.
  package var expected: PrefixCosts
  /// Whether only the answer shows how much is used of it. The price list then says no cost beforehand but the bound, and
  /// what is told up to there is no other cost than it says.
  package var isEstimated: Bool
  /// Whether another meter of the purchase tells the same cost, and this one limits it.
  package var isLimitOnly: Bool
  /// The budget that it is of; nil: the upstream's own meter.
  package var budget: Budget?
  /// Of each item whether it counts; empty: all do.
  var counted: [Bool] = []
  /// What is taken and is not in the books: what calls near the turn of a window may have cost in the
  /// one of now and is booked in another, and what is booked with its answer.
  package var turning: Int64

  package init(
    _ meter: MeterKey, _ rule: MeterRule, bounds: PrefixCosts, expected: PrefixCosts? = nil,
    isEstimated: Bool = false, isLimitOnly: Bool = false, turning: Int64 = 0
  ) {
    self.meter = meter
    self.rule = rule
    self.bounds = bounds
    self.expected = expected ?? bounds
    self.isEstimated = isEstimated
    self.isLimitOnly = isLimitOnly
    self.turning = turning
  }

  /// What the first items take.
  func first(_ count: Int) -> MeterUse {
    var use = self
    use.bounds = PrefixCosts(bounds, first: count)
    use.expected = PrefixCosts(expected, first: count)
    use.counted = Array(counted.prefix(count))
    return use
  }

  /// What all items take, as one thing that is admitted or not.
  var whole: MeterUse {
    var use = self
    use.bounds = PrefixCosts(each: [bounds[0..<bounds.count]])
    use.expected = PrefixCosts(each: [expected[0..<expected.count]])
    use.counted = []
    return use
  }

  /// Whether it says no to what does not fit.
  var refuses: Bool { budget?.refuses ?? true }
}

/// A meter as it stands at an instant, beside what is wanted of it.
package struct MeterStanding: Hashable, Sendable {
  package let use: MeterUse
  package let now: Timestamp
  /// The window in which counts what is reserved now.
  package let window: MeterWindow
  /// The pages that say what is left, the oldest first.
  let pages: [Meter]
  /// What the page of now opens with, if nothing was booked on it yet.
  let opening: Int64
  /// Until when the upstream takes no call on it, by its own word; nil: it takes them.
  var closedUntil: Timestamp?

  /// - Parameters:
  ///   - window: the window of that instant.
  ///   - pages: those of the rule's `windows(at:)`.
  ///   - opening: what was spent in the window before the page was used.
  package init(
    _ use: MeterUse, at now: Timestamp, _ window: MeterWindow, _ pages: [Meter],
    opening: Int64 = 0
  ) {
    self.use = use
    self.opening = opening
    self.now = now
    self.window = window
    self.pages = pages
  }

  /// The same, with all that is wanted as one thing that is admitted or not.
  var whole: MeterStanding {
    var whole = MeterStanding(use.whole, at: now, window, pages, opening: opening)
    whole.closedUntil = closedUntil
    return whole
  }

  /// Whether nobody knows what is left: of a balance that was never read, or not since the log was restored.
  var needsReading: Bool {
    guard case .refillBucket = use.rule else { return false }
    return pages.last.map { $0.reading == nil || $0.awaitsRestoreGap } ?? true
  }

  /// The page on which is reserved now.
  package var page: MeterKey { use.meter.inWindow(window.name) }

  package var available: Int64 { closedUntil == nil ? left : min(0, left) }

  /// What the books leave of it, whatever the upstream says.
  private var left: Int64 {
    let available = use.rule.available(on: pages, at: now)
    let taken = Int128(max(0, use.turning)) + Int128(opening)
    return Int64(clamping: Int128(available) - taken)
  }

  /// What must be there for the first items to be admitted.
  ///
  /// - Parameter callSize: how many items one call takes. With an overdraft a call goes out whole or not at all, if
  ///   anything is left for it.
  func needed(forFirst count: Int, callSize: Int) -> Int128 {
    if case .refillBucket(let bucket) = use.rule, bucket.overdraft == .allow {
      let earlierCalls = (count - 1) / max(1, callSize) * max(1, callSize)
      return use.bounds.first(earlierCalls) + 1
    }
    return use.bounds.first(count)
  }

  /// When the item after the first so many will fit, which are taken now; nil if waiting does not help or nobody knows.
  func instant(ofItemAfter count: Int, callSize: Int) -> Timestamp? {
    var needed = needed(forFirst: count + 1, callSize: callSize)
    if let closedUntil, needed <= left { return closedUntil }
    let taken = min(needed, use.bounds.first(count))
    // What a balance keeps back is there all the time.
    if case .refillBucket = use.rule { needed += Int128(max(0, use.turning)) }
    let frees = use.rule.instant(
      ofHaving: needed - taken, after: taken + Int128(opening), on: pages, at: now)
    return frees.map { max($0, closedUntil ?? $0) }
  }

  /// When so much will fit that does not fit now; nil if waiting does not help or nobody knows.
  ///
  /// - Parameter left: what others have left of it.
  func instant(ofHaving needed: Int128, left: Int128) -> Timestamp? {
    use.rule.instant(
      ofHaving: needed, after: max(0, Int128(available) - left) + Int128(opening), on: pages,
      at: now)
  }

  /// The reservation of some of the items.
  ///
  /// - Parameter isFirst: whether no other event of the decision reserves on the page before.
  func reservation(of items: Range<Int>, isFirst: Bool) -> Move {
    var move = Move(page, use.bounds[items], expected: use.expected[items])
    move.limitOnly = use.isLimitOnly
    move.windowEndsMs = window.ends?.milliseconds ?? 0
    if isFirst, let last = pages.last {
      move.granted = use.rule.granted(on: last, taking: move.amount)
      move.carried = opening
    }
    return move
  }
}
