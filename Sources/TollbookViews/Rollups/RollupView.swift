import Bytes
package import LMDB
package import TollbookEvents
package import TollbookLog

/// Reads of the rollups, inside a transaction that the caller holds.
package struct RollupView: Sendable {
  private let tables: ViewTables

  package init(_ log: EventLog) { self.init(log.viewTables(of: RollupFold.fold)) }

  package init(_ tables: ViewTables) { self.tables = tables }

  /// From the fold's tables in their order.
  package init(tables: [Table]) { self.init(ViewTables(tables)) }

  /// The position of the first event from which on they speak of all; nil: there was none yet.
  package func since(in transaction: borrowing LogReading) throws(LogError) -> Position? {
    let table = try tables.open(in: transaction)[5]
    let key = RollupFold.sinceKey
    return try LogError.absorbing(
      try transaction.row(forKey: key.span, in: table) { RowOffset.number(of: $0) })
  }

  /// Shows the rows of some hours, by hour, account, operation, kind, tags and unit.
  ///
  /// - Parameter hours: hours since 1970.
  package func scan(
    _ hours: Range<UInt64>, in transaction: borrowing LogReading,
    _ body: (RollupKey, RollupRow) throws(LogError) -> ReadStep
  ) throws(LogError) {
    let table = try tables.open(in: transaction)[0]
    let start = hours.lowerBound.bigEndianBytes
    try transaction.scan(table, from: start.span) { (key, row) throws(LogError) in
      guard let key = RollupKey(key) else { return .next }
      guard key.hour < hours.upperBound else { return .stop }
      return try body(key, try table.read(RollupRow(row: row))).inTable
    }
  }

  /// The events of a range that an audit names by themselves, in their order.
  package func remarks(
    after: Position, through: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> [(position: Position, remarks: RollupRemarks)] {
    var found: [(position: Position, remarks: RollupRemarks)] = []
    guard after < through else { return found }
    let table = try tables.open(in: transaction)[4]
    let start = (after + 1).bigEndianBytes
    try transaction.scan(table, from: start.span) { (key, row) throws(LogError) in
      let position = try table.read(RowOffset.number(of: key))
      guard position <= through else { return .stop }
      var field = RowOffset()
      let remarks = RollupRemarks(rawValue: field.byte(row))
      found.append((position, try table.read(field.isSound ? remarks : nil)))
      return .next
    }
    return found
  }

  /// Where the clock was an hour or more behind the commit times, in the order of positions.
  package func stretches(in transaction: borrowing LogReading) throws(LogError) -> [ClockStretch] {
    let table = try tables.open(in: transaction)[6]
    var found: [ClockStretch] = []
    try transaction.scan(table) { (key, row) throws(LogError) in
      found.append(try table.read(ClockStretch(key: key, row: row)))
      return .next
    }
    return found
  }
}
