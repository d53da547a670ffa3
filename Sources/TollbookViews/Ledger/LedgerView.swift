import Bytes
package import LMDB
package import TollbookEvents
package import TollbookLog

/// Reads of the token ledger, inside a transaction that the caller holds. Deciders use it too.
package struct LedgerView: Sendable {
  let tables: ViewTables

  package init(_ log: EventLog) { self.init(log.viewTables(of: LedgerFold.fold)) }

  package init(_ tables: ViewTables) { self.tables = tables }

  /// From the fold's tables in their order.
  package init(tables: [Table]) { self.init(ViewTables(tables)) }

  /// A page of the books, whether its window is over or not; an unused one before its first event.
  package func meter(
    _ key: MeterKey, in transaction: borrowing LogReading
  ) throws(LogError) -> Meter {
    let tables = try tables.open(in: transaction)
    for table in key.isOfWindow ? [tables[0], tables[5]] : [tables[0]] {
      let found = try LogError.absorbing(
        try transaction.row(forKey: key.bytes.span, in: table) { Meter(row: $0) })
      if let found { return found }
    }
    return Meter()
  }

  /// All meters, and of those that count in windows the windows that are not over, in the order of their keys.
  package func meters(
    in transaction: borrowing LogReading
  ) throws(LogError) -> [(key: MeterKey, meter: Meter)] {
    var found: [(key: MeterKey, meter: Meter)] = []
    let table = try tables.open(in: transaction)[0]
    try transaction.scan(table) { (key, row) throws(LogError) in
      found.append((MeterKey(bytes: [UInt8](copying: key)), try table.read(Meter(row: row))))
      return .next
    }
    return found
  }

  /// The pages of a budget, and of one that counts in windows those that are not over, in the order of their keys.
  package func meters(
    ofBudget name: String, in transaction: borrowing LogReading
  ) throws(LogError) -> [(key: MeterKey, meter: Meter)] {
    var found: [(key: MeterKey, meter: Meter)] = []
    let prefix = [UInt8(clamping: OwnerKind.budget.rawValue)] + Array(name.utf8) + [0]
    let table = try tables.open(in: transaction)[0]
    try transaction.scan(table, prefix: prefix.span) { (key, row) throws(LogError) in
      found.append((MeterKey(bytes: [UInt8](copying: key)), try table.read(Meter(row: row))))
      return .next
    }
    return found
  }

  /// The pages of budgets on which something was booked after a position, but for windows that are over.
  package func budgetPages(
    changedAfter position: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> [MeterKey] {
    var found: [MeterKey] = []
    let prefix = [UInt8(clamping: OwnerKind.budget.rawValue)]
    let table = try tables.open(in: transaction)[0]
    try transaction.scan(table, prefix: prefix.span) { (key, row) throws(LogError) in
      if try table.read(Meter(row: row)).lastChange > position {
        found.append(MeterKey(bytes: [UInt8](copying: key)))
      }
      return .next
    }
    return found
  }

  /// Whether anything was ever booked on a meter. Of one that counts in windows the last one always stands.
  package func isUsed(
    _ meter: MeterKey, in transaction: borrowing LogReading
  ) throws(LogError) -> Bool {
    var isUsed = false
    let table = try tables.open(in: transaction)[0]
    try transaction.scan(table, prefix: meter.meterBytes.span) { (_, _) throws(LogError) in
      isUsed = true
      return .stop
    }
    return isUsed
  }

  /// All holds in the order of their fetches, one for each page that an attempt holds something on.
  package func holds(in transaction: borrowing LogReading) throws(LogError) -> [Hold] {
    var found: [Hold] = []
    let table = try tables.open(in: transaction)[1]
    try transaction.scan(table) { (key, row) throws(LogError) in
      found += try table.read(AttemptHolds.holds(key: key, row: row))
      return .next
    }
    return found
  }

  /// The holds of an attempt; none when it has ended.
  package func holds(
    fetch: Position, attempt: UInt32, in transaction: borrowing LogReading
  ) throws(LogError) -> [Hold] {
    let key = AttemptHolds.key(fetch: fetch, attempt: attempt)
    let table = try tables.open(in: transaction)[1]
    return try LogError.absorbing(
      try transaction.row(forKey: key.span, in: table) {
        AttemptHolds(row: $0)?.holds(fetch, attempt)
      }) ?? []
  }

  package func credential(
    _ id: String, in transaction: borrowing LogReading
  ) throws(LogError) -> Credential? {
    let table = try tables.open(in: transaction)[3]
    return try LogError.absorbing(
      try transaction.row(forKey: Array(id.utf8).span, in: table) { Credential(row: $0) })
  }

  /// All credentials that were ever added, in the order of their ids.
  package func credentials(
    in transaction: borrowing LogReading
  ) throws(LogError) -> [(id: String, credential: Credential)] {
    var found: [(id: String, credential: Credential)] = []
    let table = try tables.open(in: transaction)[3]
    try transaction.scan(table) { (key, row) throws(LogError) in
      found.append(
        (
          String(decoding: [UInt8](copying: key), as: UTF8.self),
          try table.read(Credential(row: row))
        ))
      return .next
    }
    return found
  }

  /// What was spent in a window (`LedgerFold.allTime`, or `day 2026-11-21`), by account, operation and unit.
  package func spend(
    window: String, in transaction: borrowing LogReading
  ) throws(LogError) -> [(account: String, operation: String, unit: String, spend: Spend)] {
    var found: [(account: String, operation: String, unit: String, spend: Spend)] = []
    let prefix = Array(window.utf8) + [0]
    let table = try tables.open(in: transaction)[2]
    try transaction.scan(table, prefix: prefix.span) { (key, row) throws(LogError) in
      let names = Self.names([UInt8](copying: key))
      guard names.count == 4 else { return .next }
      let spend = try table.read(Spend(row: row))
      found.append((names[1], names[2], names[3], spend))
      return .next
    }
    return found
  }

  /// What was spent in every window, by window, account, operation and unit.
  package func spendOfAllWindows(
    in transaction: borrowing LogReading,
    _ body: (
      _ window: String, _ account: String, _ operation: String, _ unit: String, Spend
    ) -> Void
  ) throws(LogError) {
    let table = try tables.open(in: transaction)[2]
    try transaction.scan(table) { (key, row) throws(LogError) in
      let names = Self.names([UInt8](copying: key))
      guard names.count == 4 else { return .next }
      body(names[0], names[1], names[2], names[3], try table.read(Spend(row: row)))
      return .next
    }
  }

  /// The names that a key is made of.
  private static func names(_ key: [UInt8]) -> [String] {
    key.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
  }
}
