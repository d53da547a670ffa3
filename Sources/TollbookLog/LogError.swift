package import LMDB
package import TollbookEvents

/// Why the event log could not do what was asked.
package enum LogError: StorageFailure, Sendable, Hashable, CustomStringConvertible {
  /// LMDB or the disk failed.
  case storage(LMDBError)
  /// More decisions are waiting than the queue takes. Nothing was written; try again.
  case queueFull(capacity: Int)
  /// There is no space left: reads go on, writes do not. Nothing was written.
  case readOnly(reason: String)
  /// The log is shutting down. Nothing was written.
  case closed
  /// What is stored is not what was written.
  case damaged(Damage)
  /// Events up to that position are not in the log: it goes on from a snapshot.
  case beforeBase(Position)
  /// The view has no rows and cannot be built from the events: the log goes on from a snapshot of that position.
  /// Nothing was changed.
  case viewNotInBase(String, Position)
  /// The log has no tables of that view yet.
  case noView(String)
  /// The folder of the log could not be marked as one of this version's format. No event was written.
  case directory(DataDirectoryError)

  package var description: String {
    switch self {
    case .storage(let error): Self.sentence(of: error)
    case .queueFull(let capacity):
      "\(capacity) decisions are waiting for the event log; it takes no more until they are written"
    case .readOnly(let reason): "the event log is read-only: \(reason)"
    case .closed: "the event log is closed"
    case .damaged(let damage): "the event log is damaged: \(damage)"
    case .beforeBase(let base):
      "events up to position \(base) are not in this log: it was restored from a snapshot of that"
        + " position and goes on from there"
    case .viewNotInBase(let view, let base):
      "the view \(view) has no rows, and they cannot be made from the events: the log was restored"
        + " from a snapshot of position \(base) and goes on from there. A rebuild takes them from"
        + " the snapshot; if that has no version of the view that this one can go on from, restore"
        + " from an export of the whole log"
    case .noView(let view):
      "the log has no view \(view) yet: another version of Tollbook kept it last. `tollbook serve`"
        + " makes the view when it starts, and so does `tollbook rebuild`"
    case .directory(let error): "\(error)"
    }
  }
}

extension LogError {
  /// What is wrong, with what helps against it.
  private static func sentence(of error: LMDBError) -> String {
    switch error.kind {
    case .undecodable where error.scratch == nil:
      "a row of the table \(error.table ?? "of a view") is damaged and cannot be decoded: `tollbook"
        + " verify` finds what else is, and `tollbook rebuild` makes the views anew"
    case .cutShort(let bytes, let needed):
      "the event log is damaged: its data file has been cut short, \(bytes) bytes are there and its"
        + " pages take \(needed); restore a snapshot or an export into another folder"
    case .addressSpace(let map, let limit):
      "a map of \(map) bytes (TOLLBOOK_MAP_SIZE) does not fit into the address space that this"
        + " process may have" + (limit.map { ", \($0) bytes (ulimit -v)" } ?? "")
        + (error.scratch.map { ", for the scratch folder \($0)" } ?? "")
        + ": make the first one smaller or the second one larger"
    case .denied(let reason): "the event log cannot be opened: \(reason)"
    default: error.scratch == nil ? "the event log's storage failed: \(error)" : "\(error)"
    }
  }

  /// The damage that it tells of; nil: it does not mean that stored bytes are wrong.
  ///
  /// - Parameter table: the one that was read, for a failure that names none.
  package func damage(reading table: String) -> Damage? {
    switch self {
    case .damaged(let damage): return damage
    case .storage(let error) where error.scratch == nil:
      switch error.kind {
      case .cutShort, .undecodable, .corrupted, .invalid, .versionMismatch, .notFound,
        .badValueSize, .other, .badTransaction, .badTable, .transactionFull:
        return Damage(table: error.table ?? table, problem: "\(error)")
      default: return nil
      }
    default: return nil
    }
  }

  /// Runs what reads or writes the marker of a directory.
  static func marking<Value>(
    _ body: () throws(DataDirectoryError) -> Value
  ) throws(LogError) -> Value {
    do throws(DataDirectoryError) { return try body() } catch { throw .directory(error) }
  }
}

/// One finding that stored bytes are wrong: where, and what is wrong with them.
package struct Damage: Hashable, Sendable, Error, CustomStringConvertible {
  /// The table that holds the bytes.
  package let table: String
  /// The event's position, where there is one.
  package let position: Position?
  package let problem: String

  package init(table: String, position: Position? = nil, problem: String) {
    self.table = table
    self.position = position
    self.problem = problem
  }

  package var description: String {
    "\(problem) (table \(table)" + (position.map { ", position \($0))" } ?? ")")
  }
}

extension Damage {
  static func missingEvent(at position: Position) -> Damage {
    Damage(table: LogTables.eventsName, position: position, problem: "an event is missing")
  }
}
