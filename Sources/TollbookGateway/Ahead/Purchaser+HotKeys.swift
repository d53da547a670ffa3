import Synchronization
import TollbookEvents
import TollbookLog
import TollbookViews

// Refreshing ahead on a meter that counts in windows: what is read often is bought again shortly before it stops being
// fresh, within what the meter allows for that.

extension Purchaser {
  /// Between two looks, in milliseconds. What is due is due some hundred milliseconds before its end.
  static let hotInterval: Int64 = 100

  /// Whether one of the upstream's meters allows it.
  static func isHot(_ upstream: any Upstream) -> Bool {
    upstream.meters.contains { ($0.ahead?.perWindow ?? 0) > 0 }
  }

  /// Refreshes what is due, in as many calls as leave a slot to those who wait for an answer.
  func refreshHot(into reads: AheadReads) async -> AheadTurn {
    let now = log.time.now()
    guard hot.withLock({ $0.mayBeDue(at: now) }) else { return .nothing("nothing is due") }
    if let reason = reasonToWait { return .nothing(reason) }
    let slots = state.withLock { $0.queue.waiting > 0 ? 0 : $0.queue.freeSlots - 1 }
    guard slots > 0 else { return .nothing("somebody waits") }
    let model = model
    guard let meter = model.meters.first(where: { $0.ahead != nil }), let ahead = meter.ahead else {
      return .nothing("nothing may be spent at \(upstream.title)")
    }
    guard let free = free(of: meter, at: now) else { return .nothing("the books cannot be read") }
    let left = aheadBudget.withLock { $0.left(of: ahead, meter.rule, at: now) }
    let spendable = min(left, free - ahead.reserve)
    guard spendable > 0 else {
      return .nothing(left > 0 ? "the rest is kept for others" : "what it may spend is spent")
    }
    let due = hot.withLock { $0.due(at: now) }
    let (plans, lasting) = AheadPlan.calls(
      for: due, of: model, on: meter.key, spendable: spendable, mostCalls: slots, at: now)
    let taken = Set(plans.flatMap(\.needs).compactMap(\.resource))
    hot.withLock { hot in
      hot.take(lasting)
      hot.take(due.map(\.key).filter { taken.contains($0.resource) })
    }
    guard !plans.isEmpty else { return .nothing("nothing is due") }
    aheadBudget.withLock { budget in
      for plan in plans { budget.spend(plan.cost, meter.rule, at: now) }
    }
    let ends = await withTaskGroup { group in
      for plan in plans { group.addTask { [self] in await refresh(plan, at: now, into: reads) } }
      return await group.reduce(into: []) { $0.append($1) }
    }
    if let problem = ends.compactMap(\.problem).first { return .failed(problem.detail) }
    return .bought(ends.reduce(0) { $0 + $1.count })
  }

  private func refresh(
    _ plan: AheadPlan, at now: Timestamp, into reads: AheadReads
  ) async -> (count: Int, problem: PurchaseProblem?) {
    // What is under way by then goes on, and is kept.
    var order = order(for: plan, limit: plan.cost, deadline: AheadBudget.longestWait)
    order.isOfWindow = true
    reads.begin(after: log.head)
    let purchases = await buy(order)
    let written = written(by: purchases, of: plan)
    reads.bought(written)
    if let spent = purchases.spentForSure {
      aheadBudget.withLock { $0.giveBack(plan.cost - spent, at: now) }
    }
    return (written.count, purchases.lazy.compactMap(\.problem).first)
  }

  /// What of the meter's window nobody has used, as far as is known, those included who are not in the books; nil: it
  /// cannot be read.
  private func free(of meter: UpstreamMeter, at now: Timestamp) -> Int64? {
    let keys = meter.rule.windows(at: now).map { meter.key.inWindow($0.name) }
    guard let pages = try? log.readPages(keys, ledger) else { return nil }
    let elsewhere = elsewhere(at: now)
    let taken = keys.reduce(Int128(0)) { $0 + Int128(elsewhere[$1] ?? 0) }
    let available = meter.rule.available(on: keys.map { pages[$0] ?? Meter() }, at: now)
    return Int64(clamping: Int128(available) - max(0, taken))
  }
}

extension [Purchase] {
  /// What they have cost together, where nothing of it is under way any more; nil: nobody knows yet.
  fileprivate var spentForSure: Int64? {
    var sum: Int64 = 0
    for purchase in self {
      if case .failed = purchase.end { return nil }
      sum = sum.addingReportingOverflow(purchase.spent).partialValue
    }
    return sum
  }
}
