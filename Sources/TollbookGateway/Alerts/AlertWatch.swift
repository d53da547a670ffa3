import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// What alerts are to be raised and cleared, by how things stand.
///
/// It looks once a second, beside the purchases and not in them: a purchase that had to weigh every share of every budget
/// would keep all others waiting. What was spent is in the books by then, so that nothing is missed, only told a second
/// later. It looks at the budgets on whose pages something was booked since, and at refusals since: where nothing is bought
/// it costs a look at the head of the log.
///
/// 1. An alert is raised once in a window, and share of the limit; of several shares that are reached at once for the
///    highest. It stays open until the window is over, the budget is
///    removed, or its limit is so raised that the share is not reached any more.
/// 2. A budget that rolls has no such window: its alert is over once a tenth of the limit is free again.
struct AlertWatch: Sendable {
  struct State: Sendable {
    /// Budgets were looked at as of this position.
    var budgets: Position = 0
    /// Refusals were looked at up to this position.
    var refusals: Position = 0
    /// The open alert that was looked at last.
    var alert: AlertKey?
  }

  /// What one look found.
  struct Findings: Sendable {
    var state: State
    var raised: [Alert] = []
    var cleared: [(alert: Alert, reason: String)] = []
  }

  /// Open alerts, and refusals, at which one look looks.
  static let mostEach = 1_000
  /// Alerts that can be open.
  static let mostOpen = 50_000

  /// As they are bought from: one for each quota group.
  let upstreams: [any Upstream]
  let lowBalance: Int64
  let books: PurchaseBooks
  let alerts: AlertsView
  let index: EventIndex
  let reader: LogReader
  let now: Timestamp

  func look(
    from state: State, _ reading: borrowing LogReading
  ) throws(LogError) -> Findings {
    var found = Findings(state: state)
    let head = try reader.head(in: reading)
    if head > state.budgets {
      try lookAtBudgets(&found, reading)
      found.state.budgets = head
    }
    if head > state.refusals { try lookAtRefusals(&found, upTo: head, reading) }
    try lookAtUpstreams(&found, reading)
    try lookAtOpenAlerts(&found, reading)
    var raised: [Alert] = []
    for alert in found.raised where try alerts.alert(AlertKey(alert), in: reading) == nil {
      raised.append(alert)
    }
    found.raised = raised
    return found
  }

  // MARK: Budgets

  private func lookAtBudgets(
    _ found: inout Findings, _ reading: borrowing LogReading
  ) throws(LogError) {
    var seen: Set<BudgetPart> = []
    for page in try books.ledger.budgetPages(changedAfter: found.state.budgets, in: reading) {
      guard let part = try part(of: page, reading), seen.insert(part).inserted else { continue }
      let standing = try part.standing(at: now, books, reading)
      if let alert = try threshold(of: standing, reading) { found.raised.append(alert) }
    }
  }

  /// The alert for the highest share of the limit that is reached; nil: there is none, or a higher one is open. With it
  /// the lower ones count as told.
  private func threshold(
    of standing: BudgetStanding, _ reading: borrowing LogReading
  ) throws(LogError) -> Alert? {
    let used = standing.used
    let thresholds = standing.row.thresholds
    guard let highest = thresholds.filter({ standing.hasReached($0, used) }).max() else {
      return nil
    }
    for percent in thresholds where percent > highest {
      let higher = AlertKey(standing.alert(.threshold, percent: percent, at: now))
      if try alerts.alert(higher, in: reading) != nil { return nil }
    }
    return standing.alert(.threshold, percent: highest, at: now)
  }

  private func lookAtRefusals(
    _ found: inout Findings, upTo head: Position, _ reading: borrowing LogReading
  ) throws(LogError) {
    let since = max(found.state.refusals, try alerts.looked(in: reading))
    let positions = try index.positions(
      of: .spendRefused, after: since, limit: Self.mostEach, in: reading)
    found.state.refusals = positions.count < Self.mostEach ? head : positions.last ?? head
    var seen: Set<BudgetPart> = []
    for position in positions {
      guard case .spendRefused(let event)? = try reader.event(at: position, in: reading)?.event,
        event.wants.indices.contains(Int(event.refusedBy))
      else { continue }
      let want = event.wants[Int(event.refusedBy)]
      let page = MeterKey(want.meter, window: want.window)
      guard page.ownerKind == .budget, let part = try part(of: page, reading),
        seen.insert(part).inserted
      else { continue }
      let standing = try part.standing(at: now, books, reading)
      found.raised.append(standing.alert(.exceeded, at: now))
    }
  }

  /// Of which budget a page is, if it counts there now; nil: the budget is gone, or the window is over.
  private func part(
    of page: MeterKey, _ reading: borrowing LogReading
  ) throws(LogError) -> BudgetPart? {
    let name = page.owner
    guard let row = try books.accounts.budget(name, in: reading), let budget = Budget(name, row)
    else { return nil }
    guard budget.owns(page),
      budget.rule.windows(at: now).contains(where: { $0.name == page.window })
    else { return nil }
    return BudgetPart(
      budget: budget, value: page.dimensions.first { $0.name == budget.wildcard }?.value)
  }

  // MARK: Upstreams

  private func lookAtUpstreams(
    _ found: inout Findings, _ reading: borrowing LogReading
  ) throws(LogError) {
    for upstream in upstreams {
      let name = upstream.name
      for meter in upstream.meters {
        guard let free = try balance(of: meter, reading), free < lowBalance else { continue }
        found.raised.append(low(name, meter.key, free))
      }
      for id in upstream.credentials {
        if let known = try books.ledger.credential(id, in: reading), known.status == .rejected {
          found.raised.append(alert(.rejected, name, id, known.detail))
        }
        if let cooling = try cooling(of: id, on: upstream, reading) {
          found.raised.append(
            alert(.cooling, name, id, "until \(cooling.until); \(cooling.detail)"))
        }
      }
    }
  }

  private func alert(
    _ name: AlertName, _ upstream: String, _ credential: String, _ detail: String
  ) -> Alert {
    var alert = Alert()
    alert.name = name.rawValue
    alert.upstream = upstream
    alert.credential = credential
    alert.detail = detail
    alert.atMs = now.milliseconds
    return alert
  }

  /// Nil: the upstream takes its calls.
  private func cooling(
    of credential: String, on upstream: any Upstream, _ reading: borrowing LogReading
  ) throws(LogError) -> CoolingRow? {
    let group = upstream.meters.first?.key.owner ?? credential
    let cooling = try books.credentials.cooling(of: group, in: reading)
    return cooling.flatMap { now < $0.until ? $0 : nil }
  }

  /// What is left in a bucket; nil: it is none, or nobody knows.
  private func balance(
    of meter: UpstreamMeter, _ reading: borrowing LogReading
  ) throws(LogError) -> Int64? {
    guard lowBalance > 0, case .refillBucket(let bucket) = meter.rule else { return nil }
    let page = try books.ledger.meter(meter.key, in: reading)
    guard page.reading != nil, !page.awaitsRestoreGap else { return nil }
    return bucket.available(on: page, at: now)
  }

  private func low(_ name: String, _ meter: MeterKey, _ free: Int64) -> Alert {
    var alert = Alert()
    alert.name = AlertName.low.rawValue
    alert.upstream = name
    alert.meterOwner = meter.owner
    alert.unit = meter.unit
    alert.limit = lowBalance
    alert.free = free
    alert.atMs = now.milliseconds
    return alert
  }

  // MARK: What is open

  private func lookAtOpenAlerts(
    _ found: inout Findings, _ reading: borrowing LogReading
  ) throws(LogError) {
    let rows = try alerts.alerts(after: found.state.alert, limit: Self.mostEach, in: reading)
    found.state.alert = rows.count < Self.mostEach ? nil : rows.last.map { AlertKey($0.alert) }
    for row in rows {
      if let end = try end(of: row.alert, reading) { found.cleared.append(end) }
    }
  }

  /// An alert as it stands now, and why it is over; nil: it is not.
  private func end(
    of alert: Alert, _ reading: borrowing LogReading
  ) throws(LogError) -> (alert: Alert, reason: String)? {
    var now = alert
    now.atMs = self.now.milliseconds
    switch AlertName(rawValue: alert.name) {
    case .threshold, .exceeded: return try endOfBudgetAlert(now, reading)
    case .low:
      let place = upstreams.filter { $0.name == alert.upstream }.flatMap(\.meters).first {
        $0.key.owner == alert.meterOwner && $0.key.unit == alert.unit
      }
      guard lowBalance > 0, let place else { return (now, "it is not watched any more") }
      guard let free = try balance(of: place, reading) else { return nil }
      now.free = free
      now.limit = lowBalance
      // A tenth more, so that it is not told again with every token.
      let enough = lowBalance.addingReportingOverflow(max(1, lowBalance / 10))
      return free >= (enough.overflow ? .max : enough.partialValue)
        ? (now, "it has risen to \(free)") : nil
    case .rejected, .cooling:
      let used = upstreams.first {
        $0.name == alert.upstream && $0.credentials.contains(alert.credential)
      }
      guard let used else { return (now, "it is not used any more") }
      if alert.name == AlertName.cooling.rawValue {
        let isCooling = try cooling(of: alert.credential, on: used, reading) != nil
        return isCooling ? nil : (now, "its time is over")
      }
      let known = try books.ledger.credential(alert.credential, in: reading)
      return known?.status == .rejected ? nil : (now, "it is taken again")
    case .finished: return (now, "it is told once")
    case nil: return (now, "nothing is known of it")
    }
  }

  private func endOfBudgetAlert(
    _ alert: Alert, _ reading: borrowing LogReading
  ) throws(LogError) -> (alert: Alert, reason: String)? {
    if alert.windowEndsMs != 0, now.milliseconds >= alert.windowEndsMs {
      return (alert, "its window is over")
    }
    guard let row = try books.accounts.budget(alert.budget, in: reading),
      let budget = Budget(alert.budget, row)
    else { return (alert, "the budget was removed") }
    let rolls = row.span == .rolling
    guard rolls || row.limit != alert.limit else { return nil }
    let parts = alert.tag.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
    let part = BudgetPart(
      budget: budget, value: parts.count == 2 && budget.wildcard != nil ? String(parts[1]) : nil)
    let standing = try part.standing(at: now, books, reading)
    let percent = alert.percent == 0 ? 100 : alert.percent
    let least = rolls && row.limit == alert.limit ? max(1, percent - min(percent, 10)) : percent
    guard !standing.hasReached(least, standing.used) else { return nil }
    var end = standing.alert(
      AlertName(rawValue: alert.name) ?? .threshold, percent: alert.percent, at: now)
    // It is over under the name by which it is known.
    end.tag = alert.tag
    end.window = alert.window
    end.windowEndsMs = alert.windowEndsMs
    end.unit = alert.unit
    return (end, row.limit == alert.limit ? "enough is free again" : "the limit was changed")
  }
}

/// A budget, or of one that counts each value of a tag by itself, what it counts of one value.
struct BudgetPart: Hashable, Sendable {
  var budget: Budget
  var value: String?

  func standing(
    at now: Timestamp, _ books: PurchaseBooks, _ reading: borrowing LogReading
  ) throws(LogError) -> BudgetStanding {
    try budget.standing(
      of: budget.meter(value: value ?? ""),
      tag: value.map { "\(budget.wildcard ?? "")=\($0)" } ?? "",
      at: now, books, reading)
  }
}

extension BudgetStanding {
  /// What counts towards the limit.
  fileprivate var used: Int128 {
    Int128(settled) + Int128(reserved) + Int128(inDoubt) + Int128(unprovable)
  }

  fileprivate func hasReached(_ percent: UInt32, _ used: Int128) -> Bool {
    used > 0 && used * 100 >= Int128(percent) * Int128(row.limit)
  }

  fileprivate func alert(_ name: AlertName, percent: UInt32 = 0, at now: Timestamp) -> Alert {
    var alert = Alert()
    alert.name = name.rawValue
    alert.account = row.scope.account
    alert.budget = self.name
    alert.tag = tag
    // Of one that rolls there is no window that could be over.
    if row.span != .rolling {
      alert.window = window
      alert.windowEndsMs = frees?.milliseconds ?? 0
    }
    alert.percent = percent
    alert.unit = row.unit
    alert.limit = row.limit
    alert.settled = settled
    alert.reserved = reserved
    alert.inDoubt = inDoubt
    alert.unprovable = unprovable
    alert.free = free
    alert.atMs = now.milliseconds
    return alert
  }
}

/// Writes down what a look found, as far as it is still so.
struct AlertCommand: Sendable {
  var findings: AlertWatch.Findings

  func decide(
    _ alerts: AlertsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<[HouseNote]> {
    var events: [Event] = []
    var notes: [HouseNote] = []
    var room = AlertWatch.mostOpen - (try alerts.alertCount(in: state))
    for (alert, reason) in findings.cleared {
      guard try alerts.alert(AlertKey(alert), in: state) != nil else { continue }
      var event = AlertCleared()
      event.alert = alert
      event.looked = findings.state.refusals
      event.reason = reason
      events.append(.alertCleared(event))
      notes.append(.alertCleared("\(alert.sentence); \(reason)"))
      room += 1
    }
    for alert in findings.raised where room > 0 {
      guard try alerts.alert(AlertKey(alert), in: state) == nil else { continue }
      var event = AlertRaised()
      event.alert = alert
      event.looked = findings.state.refusals
      events.append(.alertRaised(event))
      notes.append(.alertRaised(alert.sentence))
      room -= 1
    }
    return Decision(events: events, answer: notes)
  }
}
