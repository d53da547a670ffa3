import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// The rollups alone, without a log.
final class RollupLab {
  private let folder: TemporaryFolder
  private let environment: Environment
  private let tables: [Table]

  var view: RollupView { RollupView(tables: tables) }

  init() throws {
    folder = try TemporaryFolder()
    environment = try Environment(
      directory: folder.path,
      options: EnvironmentOptions(mapSize: 1 << 26, unsafeWithoutSync: true))
    tables = try environment.openTables(RollupFold.fold.tables)
  }

  /// Applies a run of events.
  @discardableResult
  func apply(_ events: some Sequence<RecordedEvent>) throws -> [Fold.Parked] {
    try environment.withWriteTransaction { (transaction) throws(LMDBError) in
      try RollupFold.fold.apply(Array(events), tables, &transaction)
    }
  }

  /// Applies events of one instant, numbered from 1 on.
  static func of(_ events: [Event], at time: Timestamp = .testStart) throws -> RollupLab {
    let lab = try RollupLab()
    try lab.apply(
      events.enumerated().map {
        RecordedEvent(position: Position($0.offset + 1), time: time, event: $0.element)
      })
    return lab
  }

  func dump() throws -> [String: TableDump] { try environment.dump() }

  func found() throws -> FoundRollups {
    try environment.withReadTransaction { (transaction) throws(LogError) in
      try FoundRollups(view, in: transaction)
    }
  }
}

/// All that the view says.
struct FoundRollups {
  private(set) var rows: [RollupModel.Row: [RollupColumn: Int64]] = [:]
  private(set) var remarks: [Position: RollupRemarks] = [:]
  private(set) var since: Position?

  init(_ view: RollupView, in transaction: borrowing ReadTransaction) throws(LogError) {
    try view.scan(0..<UInt64.max, in: transaction) { (key, row) throws(LogError) in
      var columns: [RollupColumn: Int64] = [:]
      for column in RollupColumn.allCases where row[column] != 0 { columns[column] = row[column] }
      rows[RollupModel.Row(key)] = columns
      return .next
    }
    for (position, remark) in try view.remarks(after: 0, through: .max, in: transaction) {
      remarks[position] = remark
    }
    since = try view.since(in: transaction)
  }

  func expect(_ model: RollupModel, _ comment: Comment? = nil) {
    #expect(rows == model.rows, comment)
    #expect(remarks == model.remarks, comment)
    #expect(since == model.since, comment)
  }

  /// A column over all rows.
  subscript(column: RollupColumn) -> Int64 {
    rows.values.reduce(0) { $0 + ($1[column] ?? 0) }
  }
}

extension RollupModel.Row {
  init(_ key: RollupKey) {
    self.init(
      hour: Int64(key.hour), account: Array(key.account.utf8),
      operation: Array(key.operation.utf8), kind: Array(key.kind.utf8),
      tags: key.tags.map { Array($0.utf8) }, unit: Array(key.unit.utf8))
  }
}

/// A message with some fields set.
func filled<Message>(_ message: Message, _ fill: (inout Message) -> Void) -> Message {
  var message = message
  fill(&message)
  return message
}
