import Bytes
import LMDB
import TollbookEvents
import TollbookLog

/// Counts events, and notes how many it was given at a time. It parks events that say so.
enum CountFold {
  static let eachDecision = fold("each-decision", .eachDecision)
  static let eachCommit = fold("each-commit", .eachCommit)

  private static func fold(_ name: String, _ cadence: Fold.Cadence) -> Fold {
    Fold(name: name, version: 1, tables: ["runs"], cadence: cadence) {
      (events, tables, transaction) throws(LMDBError) in
      guard let last = events.last else { return [] }
      var row: [UInt8] = []
      row.append(bigEndian: UInt64(events.count))
      try transaction.put(row.span, forKey: LogTables.key(last.position).span, in: tables[0])
      return events.filter { text(of: $0.event) == "impossible" }
        .map { Fold.Parked(position: $0.position, reason: "it says so") }
    }
  }

  static func count(
    in table: Table, _ transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> UInt64 {
    try runs(in: table, transaction).reduce(0, +)
  }

  static func runs(
    in table: Table, _ transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> [UInt64] {
    var runs: [UInt64] = []
    try transaction.scan(table) { (_, row) throws(LMDBError) in
      runs.append(row.bigEndianUInt64(at: 0))
      return .next
    }
    return runs
  }
}
