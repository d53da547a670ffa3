import Bytes
package import LMDB
package import TollbookEvents
package import TollbookLog

/// Reads of the jobs that outlive the process, inside a transaction that the caller holds. Deciders use it too.
package struct JobsView: Sendable {
  private let tables: ViewTables

  package init(_ log: EventLog) { self.init(log.viewTables(of: JobsFold.fold)) }

  package init(_ tables: ViewTables) { self.tables = tables }

  /// From the fold's tables in their order.
  package init(tables: [Table]) { self.init(ViewTables(tables)) }

  /// A job by its number, nil if there is none.
  package func job(
    _ number: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> JobRow? {
    let table = try tables.open(in: transaction)[0]
    return try LogError.absorbing(
      try transaction.row(forKey: LogTables.key(number).span, in: table) { JobRow(row: $0) })
  }

  /// What a job that has not ended is to do, as its kind reads it; nil if there is no such job.
  package func request(
    of number: Position, in transaction: borrowing LogReading
  ) throws(LogError) -> [UInt8]? {
    let table = try tables.open(in: transaction)[1]
    return try LogError.absorbing(
      try transaction.withValue(forKey: LogTables.key(number).span, in: table) {
        [UInt8](copying: $0)
      })
  }

  /// The numbers of those that have not ended, the oldest first.
  package func open(in transaction: borrowing LogReading) throws(LogError) -> [Position] {
    var found: [Position] = []
    let table = try tables.open(in: transaction)[1]
    try transaction.scan(table) { (key, _) throws(LogError) in
      found.append(try table.read(RowOffset.number(of: key)))
      return .next
    }
    return found
  }

  /// Jobs, the newest first.
  ///
  /// - Parameter number: only those before it; nil: from the newest on.
  package func jobs(
    before number: Position? = nil, limit: Int, in transaction: borrowing LogReading
  ) throws(LogError) -> [(number: Position, job: JobRow)] {
    guard limit > 0, number != 0 else { return [] }
    var found: [(number: Position, job: JobRow)] = []
    let table = try tables.open(in: transaction)[0]
    let start = LogTables.key(number.map { $0 - 1 } ?? .max)
    try transaction.scan(table, from: start.span, descending: true) {
      (key, row) throws(LogError) in
      found.append((try table.read(RowOffset.number(of: key)), try table.read(JobRow(row: row))))
      return found.count < limit ? .next : .stop
    }
    return found
  }
}
