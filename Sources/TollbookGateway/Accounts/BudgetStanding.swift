package import TollbookEvents
package import TollbookLog
package import TollbookViews

/// How a budget stands: of one that counts each value of a tag by itself, how one value stands.
package struct BudgetStanding: Hashable, Sendable {
  package var name: String
  package var row: BudgetRow
  /// Such as `user=ann`; empty: there is one limit.
  package var tag: String
  /// The window of now, such as `day 2026-11-21`; empty: all time.
  package var window: String
  package var settled: Int64
  package var reserved: Int64
  package var inDoubt: Int64
  package var unprovable: Int64
  /// Less than nothing if more was spent than the limit allows.
  package var free: Int64
  /// When the window ends, and all is free again; nil: it does not, or bit by bit.
  package var frees: Timestamp?
  /// When nothing is left, if it goes on as since the window began; nil: not before the window ends.
  package var runsDry: Timestamp?
}

extension Gateway {
  /// Units in which something is spent here: those of the upstreams, and those of the books.
  package func units() throws(LogError) -> [String] {
    let ledger = ledger
    var units = Set(registeredUnits)
    let known = try log.read { (reading) throws(LogError) in try ledger.meters(in: reading) }
    units.formUnion(known.map(\.key.unit))
    return units.sorted()
  }

  /// The upstreams that there are, configured or not.
  package var upstreamNames: [String] { statuses.map(\.name) }

  /// The names of all kinds of resources.
  package var kindNames: [String] { importedKinds.map(\.name).sorted() }

  /// How budgets stand, in the order of their names.
  ///
  /// - Parameters:
  ///   - account: those that count what it pays, and those that count what all pay; nil: all budgets.
  ///   - limit: the most that are looked at.
  package func budgets(
    of account: String? = nil, limit: Int = BudgetOrder.most
  ) throws(LogError) -> [BudgetStanding] {
    let now = log.time.now()
    let books = PurchaseBooks(log)
    return try log.read { (reading) throws(LogError) in
      var found = try books.accounts.budgets(limit: limit, in: reading)
      if let account {
        found.removeAll { !$0.budget.scope.account.isEmpty && $0.budget.scope.account != account }
      }
      var standings: [BudgetStanding] = []
      for (name, row) in found {
        guard let budget = Budget(name, row) else { continue }
        standings += try budget.standings(at: now, books, reading)
      }
      return standings
    }
  }
}

extension Budget {
  fileprivate func standings(
    at now: Timestamp, _ books: PurchaseBooks, _ reading: borrowing LogReading
  ) throws(LogError) -> [BudgetStanding] {
    guard let wildcard else {
      return [try standing(of: meter(), tag: "", at: now, books, reading)]
    }
    var values: [String] = []
    for (key, _) in try books.ledger.meters(ofBudget: name, in: reading)
    where owns(key) {
      if let value = key.dimensions.first(where: { $0.name == wildcard })?.value,
        values.last != value
      {
        values.append(value)
      }
    }
    guard !values.isEmpty else { return [unused(at: now)] }
    var standings: [BudgetStanding] = []
    for value in values {
      standings.append(
        try standing(
          of: meter(value: value), tag: "\(wildcard)=\(value)", at: now, books, reading))
    }
    return standings
  }

  /// How each value of a tag stands as long as none has spent anything.
  private func unused(at now: Timestamp) -> BudgetStanding {
    let window = rule.window(at: now)
    return BudgetStanding(
      name: name, row: row, tag: row.scope.tag,
      window: windowText(meter().inWindow(window.name)), settled: 0, reserved: 0, inDoubt: 0,
      unprovable: 0, free: row.limit, frees: row.span == .rolling ? nil : window.ends)
  }

  func standing(
    of meter: MeterKey, tag: String, at now: Timestamp, _ books: PurchaseBooks,
    _ reading: borrowing LogReading
  ) throws(LogError) -> BudgetStanding {
    let window = rule.window(at: now)
    var pages: [Meter] = []
    for window in rule.windows(at: now) {
      pages.append(try books.ledger.meter(meter.inWindow(window.name), in: reading))
    }
    var opening: Int64 = 0
    if pages.allSatisfy({ $0.lastChange == 0 }) {
      opening = try self.opening(of: meter, at: now, books.ledger, books.rollups, reading)
    }
    func sum(_ term: LedgerTerm) -> Int64 { pages.reduce(0) { $0 &+ $1[term] } }
    let available = Int128(rule.available(on: pages, at: now)) - Int128(opening)
    let free = Int64(clamping: available)
    return BudgetStanding(
      name: name, row: row, tag: tag, window: windowText(meter.inWindow(window.name)),
      settled: sum(.settled) &+ opening, reserved: sum(.reserved), inDoubt: sum(.inDoubt),
      unprovable: sum(.unprovable), free: free, frees: row.span == .rolling ? nil : window.ends,
      runsDry: runsDry(free: free, window, at: now))
  }

  /// When nothing is left, at the pace since the window began, or since the budget was made if that is later and the window
  /// has no beginning.
  private func runsDry(free: Int64, _ window: MeterWindow, at now: Timestamp) -> Timestamp? {
    guard free > 0 else { return now }
    let began = rule.beginning(at: now) ?? row.since
    let spent = Int128(row.limit) - Int128(free)
    let elapsed = Int128(now.milliseconds) - Int128(began.milliseconds)
    guard spent > 0, elapsed > 0 else { return nil }
    let left = Int128(free) * elapsed / spent
    guard left < 3_155_760_000_000 else { return nil }
    let end = now.advanced(byMilliseconds: Int64(left))
    if row.span == .rolling { return nil }
    return window.ends.map { end < $0 } ?? true ? end : nil
  }
}
