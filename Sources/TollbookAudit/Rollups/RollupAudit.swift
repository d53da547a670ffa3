import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookViews

/// Where an audit takes its sums from.
package enum AuditSource: Sendable {
  /// From the rollups where they tell, else from the events.
  case best
  /// From the rollups; there is no report where they do not tell.
  case rollups
  /// From the events alone.
  case events
}

extension AuditGrouping {
  /// Whether the rollups tell sums by it.
  var isInRollups: Bool {
    switch self {
    case .day, .hour, .account, .operation, .kind: true
    case .credential, .resource: false
    }
  }
}

/// What the rollups say of a range, and what is to be read of its events.
private struct RollupFindings {
  var start: Position
  var end: Position
  /// The last event that the rollups know of.
  var known: Position
  var first: Timestamp
  var last: Timestamp
  var rows: [(key: RollupKey, row: RollupRow)] = []
  var remarks: [(position: Position, remarks: RollupRemarks)] = []
  /// What is still reserved for attempts that began in the range, and when by the clock.
  var reserved: [(hold: Hold, began: Timestamp)] = []
  var live: LiveEntries?
}

/// How many entries the cache holds, and how many of them should have been noted as no longer fresh for over an hour.
struct LiveEntries: Sendable {
  var all: Int
  var overdue: Int
}

extension Audit {
  /// An audit of whole hours by their rollups.
  ///
  /// - Returns: nil if they do not tell: of that grouping, of hours that the range cuts, or of events that they, the
  ///   ledger or the cache could not apply.
  static func fromRollups(
    _ query: AuditQuery, in source: LogSource
  ) throws(LogError) -> AuditReport? {
    guard query.account == nil, query.grouping.isInRollups,
      let found = try findings(query, in: source)
    else { return nil }
    var options = AuditFold.Options()
    options.after = max(query.after, found.start)
    options.grouping = query.grouping
    options.calendar = query.calendar
    options.withWaste = query.withWaste
    var fold = AuditFold(options)
    fold.nameFirstUnit(try source.firstUnit(after: found.start))
    for (key, row) in found.rows { fold.add(row, of: key) }
    for (hold, began) in found.reserved { fold.add(hold, began: began) }
    fold.note(
      events: found.end - options.after, first: found.first, last: found.last, live: found.live)
    try fold.reconciliation.name(found.remarks, in: source, start: found.start)
    return AuditReport(
      fold, query, start: found.start, through: found.end, known: found.known)
  }

  /// All that is read of the views, in one transaction.
  private static func findings(
    _ query: AuditQuery, in source: LogSource
  ) throws(LogError) -> RollupFindings? {
    let rollups: RollupView
    let ledger: LedgerView
    let cache: CacheView
    let index: EventIndex
    do throws(LogError) {
      rollups = RollupView(try ViewTables(of: RollupFold.fold, in: source.environment))
      ledger = LedgerView(try ViewTables(of: LedgerFold.fold, in: source.environment))
      cache = CacheView(try ViewTables(of: CacheFold.fold, in: source.environment))
      index = EventIndex(try ViewTables(of: EventIndex.fold, in: source.environment))
    } catch {
      guard case .noView = error else { throw error }
      return nil
    }
    return try source.read {
      (transaction) throws(LogError) -> RollupFindings? in
      let reader = source.reader
      let start = try reader.base(in: transaction)?.position ?? 0
      let head = try reader.head(in: transaction)
      let (after, end) = (max(query.after, start), min(query.through, head))
      guard try source.areViewsComplete(head, in: transaction) else { return nil }
      let range = HoursOfRange(
        start: start, head: head, after: after, through: end,
        stretches: try rollups.stretches(in: transaction), reader: reader)
      guard let hours = try range.whole(in: transaction),
        let first = try reader.commit(holding: after + 1, in: transaction),
        let last = try reader.commit(holding: end, in: transaction)
      else { return nil }
      var found = RollupFindings(
        start: start, end: end, known: head, first: first.time, last: last.time)
      guard let since = try rollups.since(in: transaction), since <= after + 1 else {
        return nil
      }
      for hours in hours {
        try rollups.scan(hours, in: transaction) { (key, row) throws(LogError) in
          found.rows.append((key, row))
          return .next
        }
      }
      found.remarks = try rollups.remarks(after: after, through: end, in: transaction)
      // An attempt that has ended holds nothing any more: what is left of a past hour is in the ledger.
      for hold in try ledger.holds(in: transaction)
      where hold.state == .reserved && !hold.isLimitOnly {
        guard let event = try source.reservation(of: hold, by: index, in: transaction),
          event.position > after, event.position <= end
        else { continue }
        found.reserved.append((hold, event.wall))
      }
      if query.grouping.isTime {
        var calendar = query.calendar
        let told = found.rows.map(\.key.hour) + found.reserved.map { RollupKey.hour(of: $0.began) }
        guard calendar.hasWholeHours(Set(told)) else { return nil }
      }
      if end == head { found.live = try cache.live(at: last.wall, in: transaction) }
      return found
    }
  }
}

extension CacheView {
  fileprivate func live(
    at time: Timestamp, in transaction: borrowing LogReading
  ) throws(LogError) -> LiveEntries {
    let bound = time.advanced(byMilliseconds: -AuditFold.overdueMilliseconds)
    let due = try dueEntries(at: bound, limit: .max, in: transaction)
    return LiveEntries(
      all: try count(in: transaction),
      overdue: due.count { !$0.isMarkedExpired && $0.freshUntil < bound })
  }
}

extension LogSource {
  /// The event that reserved what is held for an attempt; nil: the log begins after it.
  fileprivate func reservation(
    of hold: Hold, by index: EventIndex, in transaction: borrowing LogReading
  ) throws(LogError) -> RecordedEvent? {
    if hold.attempt <= 1 {
      let start = try reader.base(in: transaction)?.position ?? 0
      return hold.fetch > start ? try reader.event(at: hold.fetch, in: transaction) : nil
    }
    for position in try index.positions(ofFetch: hold.fetch, in: transaction) {
      guard let event = try reader.event(at: position, in: transaction),
        case .fetchAttemptFailed(let failed) = event.event, failed.nextAttempt == hold.attempt
      else { continue }
      return event
    }
    return nil
  }

  /// Whether the rollups, and the views whose word they take, have all events, and there was none that one of them could
  /// not apply.
  fileprivate func areViewsComplete(
    _ head: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> Bool {
    for fold in [RollupFold.fold, LedgerFold.fold, CacheFold.fold, EventIndex.fold] {
      let parked = try reader.parked(of: fold, after: 0, through: .max, in: transaction)
      guard parked.isEmpty, try reader.contains(fold, upTo: head, in: transaction) else {
        return false
      }
    }
    return true
  }

  /// The unit that the log names first; nil: it names none.
  fileprivate func firstUnit(after start: Position) throws(LogError) -> String? {
    var fold = AuditFold(AuditFold.Options())
    try scanDatedRecords(after: start) { (position, wall, record) throws(LogError) in
      try fold.apply(position, wall, record)
      return fold.units.all.isEmpty ? .next : .stop
    }
    return fold.units.all.first?.text
  }
}

// MARK: Rows

extension AuditFold {
  /// Gives the unit that the log names first the first number, as reading the log does.
  mutating func nameFirstUnit(_ unit: String?) {
    if let unit { _ = units.number(of: unit) }
  }

  /// Adds a row of the rollups.
  mutating func add(_ row: RollupRow, of key: RollupKey) {
    reconciliation.readings += row[.readings]
    reconciliation.driftCount += row[.drifts]
    reconciliation.priceDriftCount += row[.priceDrifts]
    if key.unit.isEmpty { addCounts(row, of: key) } else { addAmounts(row, of: key) }
  }

  private mutating func addCounts(_ row: RollupRow, of key: RollupKey) {
    var counts = AuditCounts()
    counts.charges = row[.charges]
    counts.calls = row[.calls]
    counts.retries = row[.retries]
    counts.bought = row[.bought]
    counts.readsFresh = row[.readsFresh]
    counts.readsStale = row[.readsStale]
    counts.readsJoined = row[.readsJoined]
    counts.readsBought = row[.readsBought]
    counts.readsUnmet = row[.readsUnmet]
    counts.readsBooked = row[.readsBooked]
    counts.readsOfUnknownCost = row[.readsOfUnknownCost]
    counts.refused = row[.refused]
    counts.refusedBehind = row[.refusedBehind]
    if counts != .zero { groups.addToTotal(counts) }
    counts.charges &+= others(.charges, row)
    counts.calls &+= others(.calls, row)
    counts.retries &+= others(.retries, row)
    if counts != .zero { groups.addToGroup(counts, group(of: key)) }
  }

  private mutating func addAmounts(_ row: RollupRow, of key: RollupKey) {
    let unit = units.number(of: key.unit)
    var amounts = UnitAmounts()
    amounts.certain = row[.certain]
    amounts.inDoubt = row[.inDoubt]
    amounts.unprovable = row[.unprovable]
    amounts.expected = row[.expected]
    amounts.charges = row[.unitCharges]
    amounts.avoided = row[.avoided]
    amounts.avoidedByJoining = row[.avoidedByJoining]
    if amounts != .zero { groups.addToTotal(amounts, unit: unit) }
    amounts.charges &+= others(.unitCharges, row)
    if amounts != .zero { groups.addToGroup(amounts, unit: unit, group(of: key)) }
    if options.withWaste {
      for wasteClass in WasteClass.allCases {
        let amount = wasteClass.column.map { row[$0] } ?? 0
        if amount != 0 { addWaste(amount, wasteClass, unit: unit) }
      }
    }
    var drift = UnitDrift()
    drift.unexplained = row[.unexplained]
    drift.restoreGap = row[.restoreGap]
    drift.aboveList = row[.aboveList]
    drift.belowList = row[.belowList]
    drift.excess = row[.excess]
    drift.billed = row[.billed]
    if drift != .zero { reconciliation.add(drift, unit: key.unit) }
  }

  /// What more there is of something that counts once, for who adds up by accounts or by kinds.
  private func others(_ count: RollupCount, _ row: RollupRow) -> Int64 {
    switch options.grouping {
    case .account: row[count.ofOtherAccounts]
    case .kind: row[count.ofOtherKinds]
    case .day, .hour, .credential, .operation, .resource: 0
    }
  }

  private mutating func group(of key: RollupKey) -> AuditGroups.Key {
    group(
      at: RollupKey.start(ofHour: key.hour), account: key.account, operation: key.operation,
      kind: key.kind)
  }

  private mutating func group(
    at time: Timestamp, account: String, operation: String, kind: String
  ) -> AuditGroups.Key {
    if options.grouping == .kind { return .name(names.number(of: kind)) }
    return group(
      at: time, account: names.number(of: account), credential: nil,
      operation: names.number(of: operation))
  }

  /// Adds what is reserved for an attempt.
  mutating func add(_ hold: Hold, began: Timestamp) {
    let unit = units.number(of: hold.meter.unit)
    for (payer, amount) in zip(hold.payers, hold.payers.dividing(hold.amount)) where amount != 0 {
      var amounts = UnitAmounts()
      amounts.reserved = amount
      groups.add(
        amounts, unit: unit,
        to: group(
          at: began, account: payer.account, operation: hold.operation, kind: payer.kind))
      if options.withWaste { addWaste(amount, .reserved, unit: unit) }
    }
  }
}

extension WasteClass {
  fileprivate var column: RollupColumn? {
    switch self {
    case .duplicate: .duplicate
    case .failed: .failed
    case .inDoubt: .inDoubt
    case .unprovable: .unprovable
    // Not in the rollups: the ledger tells it.
    case .reserved: nil
    case .unchanged: .unchanged
    case .neverRead: .neverRead
    case .refreshed: .refreshedAndUsed
    case .served: .served
    case .handedOn: .handedOn
    case .passedThrough: .passedThrough
    case .live: .stillLive
    case .corrected: .corrected
    }
  }
}
