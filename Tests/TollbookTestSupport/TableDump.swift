import Bytes
package import LMDB
import TollbookLog

/// All rows of a table, to be compared with another's.
package struct TableDump: Hashable, Sendable, CustomStringConvertible {
  package private(set) var rows = 0
  /// Key and value of each row in key order, each after its length.
  package private(set) var bytes: [UInt8] = []

  /// SHA-256 over everything.
  package var digest: String { MerkleTree.leafHash(bytes).hexadecimal }

  package var description: String { "\(rows) rows, \(digest.prefix(16))" }

  fileprivate mutating func add(key: RawSpan, value: RawSpan) {
    rows += 1
    for part in [[UInt8](copying: key), [UInt8](copying: value)] {
      bytes.append(bigEndian: UInt32(part.count))
      bytes.append(contentsOf: part)
    }
  }
}

extension Environment {
  /// Every table of the file, whoever made it.
  package func dump() throws(LMDBError) -> [String: TableDump] {
    let tables = try openTables(tableNames())
    var dump: [String: TableDump] = [:]
    try withReadTransaction { (transaction) throws(LMDBError) in
      for table in tables {
        var rows = TableDump()
        try transaction.scan(table) { (key, value) throws(LMDBError) in
          rows.add(key: key, value: value)
          return .next
        }
        dump[table.name] = rows
      }
    }
    return dump
  }
}

/// The tables in which two dumps differ, those included that only one has.
package func differences(
  _ left: [String: TableDump], _ right: [String: TableDump]
) -> [String] {
  Set(left.keys).union(right.keys).sorted().filter { left[$0] != right[$0] }
    .map { "\($0): \(left[$0]?.description ?? "none") / \(right[$0]?.description ?? "none")" }
}
