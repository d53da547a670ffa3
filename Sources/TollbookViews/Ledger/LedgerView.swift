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

  /// A meter; an unused one before its first event.
  package func meter(
    _ key: MeterKey, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Meter {
    let table = try tables.open(in: transaction)[0]
    return try transaction.withValue(forKey: key.bytes.span, in: table) { Meter(row: $0) }
      ?? Meter()
  }

  /// All meters, by credential and unit.
  package func meters(
    in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [(key: MeterKey, meter: Meter)] {
    var found: [(key: MeterKey, meter: Meter)] = []
    try transaction.scan(tables.open(in: transaction)[0]) { (key, row) throws(LMDBError) in
      found.append((MeterKey(bytes: key), Meter(row: row)))
      return .next
    }
    return found
  }

  /// All holds in the order of their fetches.
  package func holds(in transaction: borrowing ReadTransaction) throws(LMDBError) -> [Hold] {
    var found: [Hold] = []
    try transaction.scan(tables.open(in: transaction)[1]) { (key, row) throws(LMDBError) in
      found.append(Hold(key: key, row: row))
      return .next
    }
    return found
  }

  /// The hold of an attempt, nil when it has ended.
  package func hold(
    fetch: Position, attempt: UInt32, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Hold? {
    let key = Hold.key(fetch: fetch, attempt: attempt)
    let table = try tables.open(in: transaction)[1]
    return try transaction.withValue(forKey: key.span, in: table) {
      Hold(fetch: fetch, attempt: attempt, row: $0)
    }
  }

  package func credential(
    _ id: String, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Credential? {
    let table = try tables.open(in: transaction)[3]
    return try transaction.withValue(forKey: Array(id.utf8).span, in: table) {
      Credential(row: $0)
    }
  }

  /// What was spent in a window (`LedgerFold.allTime`, or `day 2026-11-21`), by account and operation.
  package func spend(
    window: String, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [(account: String, operation: String, spend: Spend)] {
    var found: [(account: String, operation: String, spend: Spend)] = []
    let prefix = Array(window.utf8) + [0]
    let table = try tables.open(in: transaction)[2]
    try transaction.scan(table, prefix: prefix.span) { (key, row) throws(LMDBError) in
      let rest = key.bytes(in: prefix.count..<key.byteCount)
      let parts = rest.split(separator: 0, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
      found.append((parts.first ?? "", parts.last ?? "", Spend(row: row)))
      return .next
    }
    return found
  }

  /// What was spent in every window, by window, account and operation.
  package func spendOfAllWindows(
    in transaction: borrowing ReadTransaction,
    _ body: (_ window: String, _ account: String, _ operation: String, Spend) -> Void
  ) throws(LMDBError) {
    try transaction.scan(tables.open(in: transaction)[2]) { (key, row) throws(LMDBError) in
      let parts = [UInt8](copying: key).split(separator: 0, omittingEmptySubsequences: false)
        .map { String(decoding: $0, as: UTF8.self) }
      guard parts.count == 3 else { return .next }
      body(parts[0], parts[1], parts[2], Spend(row: row))
      return .next
    }
  }
}
