import Bytes
package import LMDB
import TollbookEvents
package import TollbookLog

/// Reads of accounts, access keys and budgets, inside a transaction that the caller holds. Deciders use it too.
package struct AccountsView: Sendable {
  private let tables: ViewTables

  package init(_ log: EventLog) { self.init(log.viewTables(of: AccountsFold.fold)) }

  package init(_ tables: ViewTables) { self.tables = tables }

  /// From the fold's tables in their order.
  package init(tables: [Table]) { self.init(ViewTables(tables)) }

  /// Nil: it was never opened.
  package func account(
    _ id: String, in transaction: borrowing LogReading
  ) throws(LogError) -> AccountRow? {
    try row(id, 0, in: transaction) { AccountRow(row: $0) }
  }

  /// Nil: there is none of that id.
  package func accessKey(
    _ id: String, in transaction: borrowing LogReading
  ) throws(LogError) -> AccessKeyRow? {
    try row(id, 1, in: transaction) { AccessKeyRow(row: $0) }
  }

  /// How many were ever opened.
  package func accountCount(in transaction: borrowing LogReading) throws(LogError) -> Int {
    let table = try tables.open(in: transaction)[0]
    return try LogError.absorbing(try transaction.count(in: table))
  }

  /// How many were ever issued.
  package func accessKeyCount(in transaction: borrowing LogReading) throws(LogError) -> Int {
    let table = try tables.open(in: transaction)[1]
    return try LogError.absorbing(try transaction.count(in: table))
  }

  /// Whether any access key was ever issued: from then on clients have to show one.
  package func hasAccessKeys(in transaction: borrowing LogReading) throws(LogError) -> Bool {
    try accessKeyCount(in: transaction) > 0
  }

  /// Nil: there is none of that name.
  package func budget(
    _ name: String, in transaction: borrowing LogReading
  ) throws(LogError) -> BudgetRow? {
    let found = try row(name, 2, in: transaction) { BudgetRow(row: $0) }
    return found?.isRemoved == false ? found : nil
  }

  /// Accounts in the order of their ids.
  ///
  /// - Parameter id: only those behind it.
  package func accounts(
    after id: String = "", limit: Int, in transaction: borrowing LogReading
  ) throws(LogError) -> [(id: String, account: AccountRow)] {
    try rows(after: id, limit: limit, 0, in: transaction) { AccountRow(row: $0) }
      .map { (id: $0.name, account: $0.row) }
  }

  /// Access keys in the order of their ids.
  ///
  /// - Parameter id: only those behind it.
  package func accessKeys(
    after id: String = "", limit: Int, in transaction: borrowing LogReading
  ) throws(LogError) -> [(id: String, key: AccessKeyRow)] {
    try rows(after: id, limit: limit, 1, in: transaction) { AccessKeyRow(row: $0) }
      .map { (id: $0.name, key: $0.row) }
  }

  /// Budgets in the order of their names, without those that were removed.
  ///
  /// - Parameter name: only those behind it.
  package func budgets(
    after name: String = "", limit: Int, in transaction: borrowing LogReading
  ) throws(LogError) -> [(name: String, budget: BudgetRow)] {
    try rows(after: name, limit: limit, 2, in: transaction, isWanted: { !$0.isRemoved }) {
      BudgetRow(row: $0)
    }.map { (name: $0.name, budget: $0.row) }
  }

  /// How many budgets were ever made, removed ones included.
  package func budgetCount(in transaction: borrowing LogReading) throws(LogError) -> Int {
    let table = try tables.open(in: transaction)[2]
    return try LogError.absorbing(try transaction.count(in: table))
  }

  /// Shows the rows of the budgets that name an account, as they are stored; for the empty one of those that name none.
  /// Such a row tells no more than ``budget(_:in:)`` of its name.
  package func scanBudgets(
    ofAccount account: String, in transaction: borrowing LogReading,
    _ body: (_ name: String, _ row: [UInt8]) throws(LogError) -> Void
  ) throws(LogError) {
    let tables = try tables.open(in: transaction)
    let prefix = AccountsFold.prefix(ofAccount: account)
    var names: [[UInt8]] = []
    try transaction.scan(tables[3], prefix: prefix.span) { (key, _) throws(LogError) in
      names.append(key.bytes(in: prefix.count..<key.byteCount))
      return .next
    }
    for name in names {
      let row = try LogError.absorbing(
        try transaction.row(forKey: name.span, in: tables[2]) { [UInt8](copying: $0) })
      if let row { try body(String(decoding: name, as: UTF8.self), row) }
    }
  }

  private func row<Row>(
    _ name: String, _ table: Int, in transaction: borrowing LogReading,
    _ read: (RawSpan) -> Row?
  ) throws(LogError) -> Row? {
    // LMDB takes no other key.
    guard (1...511).contains(name.utf8.count) else { return nil }
    let table = try tables.open(in: transaction)[table]
    return try LogError.absorbing(
      try transaction.row(forKey: Array(name.utf8).span, in: table, read))
  }

  private func rows<Row>(
    after name: String, limit: Int, _ table: Int, in transaction: borrowing LogReading,
    isWanted: (Row) -> Bool = { _ in true }, _ read: (RawSpan) -> Row?
  ) throws(LogError) -> [(name: String, row: Row)] {
    guard limit > 0 else { return [] }
    var found: [(name: String, row: Row)] = []
    let table = try tables.open(in: transaction)[table]
    guard name.utf8.count < 511 else { return [] }
    // Behind the name; before all others stands a zero, since no key is empty.
    let start = Array(name.utf8) + [0]
    try transaction.scan(table, from: start.span) { (key, value) throws(LogError) in
      let row = try table.read(read(value))
      guard isWanted(row) else { return .next }
      found.append((String(decoding: [UInt8](copying: key), as: UTF8.self), row))
      return found.count < limit ? .next : .stop
    }
    return found
  }
}
