import Bytes
import Crypto
package import LMDB
package import TollbookEvents
package import TollbookLog

/// What a view says, in 32 bytes: two views of the same events have the same digest, on any machine and in any file.
package struct ViewDigest: Hashable, Sendable {
  /// The fold's id, such as `cache@1`.
  package let view: String
  /// Rows of all its tables, without the events that it parked.
  package let rows: UInt64
  /// SHA-256 over its tables and parked events, as ``ViewDigester`` takes them in.
  package let digest: [UInt8]

  package init(view: String, rows: UInt64, digest: [UInt8]) {
    self.view = view
    self.rows = rows
    self.digest = digest
  }
}

extension ViewDigest {
  /// The digest of each fold's view as one transaction sees it, in the order of the folds. Indexes are no views: leave
  /// their fold out.
  ///
  /// - Parameter tables: the tables of a fold, in its order.
  package static func all(
    of folds: [Fold], tables: (Fold) -> [Table], log: LogTables,
    in transaction: borrowing ReadTransaction
  ) throws(LogError) -> [ViewDigest] {
    var found: [ViewDigest] = []
    for fold in folds {
      found.append(try ViewDigest(of: fold, tables(fold), log: log, in: transaction))
    }
    return found
  }

  /// The digest of one fold's view.
  package init(
    of fold: Fold, _ tables: [Table], log: LogTables, in transaction: borrowing ReadTransaction
  ) throws(LogError) {
    var digester = ViewDigester()
    let rows = try LogError.inTables { () throws(LMDBError) in
      for (name, table) in zip(fold.tables, tables) {
        digester.begin(table: name)
        try transaction.scan(table) { (key, value) throws(LMDBError) in
          digester.add(key: key, value: value)
          return .next
        }
        digester.endTable()
      }
      let rows = digester.rows
      digester.begin(table: LogTables.parkedName)
      let prefix = Array(fold.id.utf8) + [0]
      try transaction.scan(log.parked, prefix: prefix.span) { (key, value) throws(LMDBError) in
        digester.add(key: key.extracting(prefix.count..<key.byteCount), value: value)
        return .next
      }
      digester.endTable()
      return rows
    }
    self.init(view: fold.id, rows: rows, digest: digester.finish())
  }
}

/// Takes in the rows of a view, table after table in the fold's order and row after row in key order, and the events
/// that it parked as a last table `parked` (key: the position in 8 bytes; value: the reason).
///
/// Hashed is for each table: the length of its name in 2 bytes and the name; for each row the lengths of key and value
/// in 4 bytes each, the key and the value; then FF FF FF FF and the number of rows in 8 bytes. All numbers are
/// big-endian.
package struct ViewDigester: Sendable {
  /// Hashed at a time: large portions are four times as fast as single rows.
  private static let portion = 64 << 10

  private var hasher = SHA256()
  private var pending: [UInt8] = []
  /// Rows that were added, of all tables.
  package private(set) var rows: UInt64 = 0
  private var rowsBefore: UInt64 = 0

  package init() { pending.reserveCapacity(2 * Self.portion) }

  /// Begins a table.
  package mutating func begin(table name: String) {
    pending.append(bigEndian: UInt16(clamping: name.utf8.count))
    pending.append(contentsOf: name.utf8)
    rowsBefore = rows
  }

  /// Adds the next row of the table.
  package mutating func add(key: RawSpan, value: RawSpan) {
    pending.append(bigEndian: UInt32(key.byteCount))
    pending.append(bigEndian: UInt32(value.byteCount))
    pending.append(copying: key)
    pending.append(copying: value)
    rows += 1
    if pending.count >= Self.portion { flush() }
  }

  /// Ends the table.
  package mutating func endTable() {
    pending.append(bigEndian: UInt32.max)
    pending.append(bigEndian: rows - rowsBefore)
  }

  /// The digest, 32 bytes.
  package consuming func finish() -> [UInt8] {
    flush()
    return Array(hasher.finalize())
  }

  private mutating func flush() {
    hasher.update(data: pending)
    pending.removeAll(keepingCapacity: true)
  }
}

/// What the log and all views say at a position, in 32 bytes: printed by the commands that take, restore, verify and
/// replay, so that a person can compare.
package struct StateDigest: Hashable, Sendable, CustomStringConvertible {
  package let bytes: [UInt8]

  /// SHA-256 of `tollbook state 1` and a line feed, the position in 8 bytes, the root, and for each view in the order of
  /// names the length of its id in 2 bytes, the id and its digest.
  package init(position: Position, root: TreeHash, views: [ViewDigest]) {
    var content = Array("tollbook state 1\n".utf8)
    content.append(bigEndian: position)
    content += root
    let sorted = views.sorted { $0.view.utf8.lexicographicallyPrecedes($1.view.utf8) }
    for view in sorted {
      content.append(bigEndian: UInt16(clamping: view.view.utf8.count))
      content += Array(view.view.utf8)
      content += view.digest
    }
    bytes = Array(SHA256.hash(data: content))
  }

  /// In hexadecimal digits.
  package var description: String { bytes.hexadecimal }
}
