import LMDB
import TollbookEvents

/// Brings a fold's tables up to a position, in chunks that each commit with its checkpoint: after an upgrade, and when a
/// view is rebuilt.
struct FoldCatchUp {
  private static let chunk = 10_000
  private let environment: Environment
  private let tables: LogTables
  private let bound: BoundFold

  init(_ environment: Environment, _ tables: LogTables, _ bound: BoundFold) {
    self.environment = environment
    self.tables = tables
    self.bound = bound
  }

  /// Applies everything after the fold's checkpoint up to `head`.
  func run(
    to head: Position, progress: (Position) -> Void = { _ in }
  ) throws(LogError) {
    var done = try checkpoint()
    guard done <= head else {
      throw .damaged(
        Damage(
          table: LogTables.viewsName, position: done,
          problem: "\(bound.fold.id) contains events that the log does not have"))
    }
    while done < head {
      let start = done
      done = try environment.withWriteTransaction { (transaction) throws(LogError) in
        var events: [RecordedEvent] = []
        events.reserveCapacity(Self.chunk)
        try LogReader(tables).scan(after: start, in: transaction.reading) {
          (event) throws(LogError) in
          guard event.position <= head, events.count < Self.chunk else { return .stop }
          events.append(event)
          return .next
        }
        guard let last = events.last?.position else {
          throw .damaged(.missingEvent(at: start + 1))
        }
        do throws(LMDBError) {
          try bound.apply(events, parked: tables.parked, to: &transaction)
          try setCheckpoint(last, in: &transaction)
        } catch { throw .storage(error) }
        return last
      }
      progress(done)
    }
  }

  /// Empties the fold's tables, so that `run` builds them from the first event.
  func drop() throws(LogError) {
    do throws(LMDBError) {
      try environment.withWriteTransaction { (transaction) throws(LMDBError) in
        for table in bound.tables { try transaction.clear(table) }
        var parked: [[UInt8]] = []
        let prefix = Array(bound.fold.id.utf8) + [0]
        try transaction.reading.scan(tables.parked, prefix: prefix.span) {
          (key, _) throws(LMDBError) in
          parked.append([UInt8](copying: key))
          return .next
        }
        for key in parked { _ = try transaction.delete(key: key.span, in: tables.parked) }
        _ = try transaction.delete(key: Array(bound.fold.id.utf8).span, in: tables.views)
      }
    } catch { throw .storage(error) }
  }

  private func checkpoint() throws(LogError) -> Position {
    do throws(LMDBError) {
      return try environment.withReadTransaction { (transaction) throws(LMDBError) in
        try transaction.value(forKey: Array(bound.fold.id.utf8).span, in: tables.views)?
          .bigEndianPosition ?? 0
      }
    } catch { throw .storage(error) }
  }

  private func setCheckpoint(
    _ position: Position, in transaction: inout WriteTransaction
  ) throws(LMDBError) {
    try transaction.put(
      LogTables.key(position).span, forKey: Array(bound.fold.id.utf8).span, in: tables.views)
  }
}
