package import LMDB
package import TollbookEvents
package import TollbookLog

/// Why nothing was restored. The target is as it was before.
package enum RestoreProblem: StorageFailure, Sendable, CustomStringConvertible {
  /// There is something in the target.
  case holdsData(String)
  /// Another process restores to the same target.
  case underWay(String)
  case unwritable(String, reason: String)
  /// The export begins with a later event than the log can go on with.
  case gap(String, first: Position, last: Position)
  /// The export ends before the snapshot.
  case endsBefore(String, last: Position, snapshot: Position)
  /// The export begins in the middle, and there is no snapshot.
  case beginsLater(String, first: Position)
  /// Snapshot and export are of two different logs.
  case otherLog(String, String, position: Position)
  case otherMode(String, LogMode, String, LogMode)
  /// What was restored is not what the snapshot says.
  case otherState(String, expected: String, found: String)
  case stopped
  case snapshot(SnapshotProblem)
  case directory(DataDirectoryError)
  /// The export cannot be read, or is not what was written.
  case export(String)
  case log(LogError)
  case storage(LMDBError)

  package var description: String {
    switch self {
    case .holdsData(let path):
      "\(path) is not empty. Restore to a folder that does not exist yet; nothing that is there is"
        + " ever overwritten."
    case .underWay(let path): "another restore is writing \(path); wait until it has ended"
    case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
    case .gap(let path, let first, let last):
      "\(path) begins with event \(first), but the snapshot ends with event \(last): those between"
        + " are missing. Use an export that begins at event \(last + 1) or before."
    case .endsBefore(let path, let last, let snapshot):
      "\(path) ends with event \(last), before the snapshot of event \(snapshot). Use a later"
        + " export,"
        + " or restore the snapshot alone."
    case .beginsLater(let path, let first):
      "\(path) begins with event \(first); what was before is only known by a snapshot. Add"
        + " --snapshot."
    case .otherLog(let snapshot, let export, let position):
      "\(snapshot) and \(export) are not of the same log: at position \(position) they have"
        + " different"
        + " roots"
    case .otherMode(let first, let mode, let second, let other):
      "\(first) holds \(mode.rawValue) data and \(second) holds \(other.rawValue) data"
    case .otherState(let path, let expected, let found):
      "what was restored from \(path) has the state \(found), and not \(expected) as it says"
    case .stopped: "stopped; nothing was restored"
    case .snapshot(let problem): "\(problem)"
    case .directory(let problem): "\(problem)"
    case .export(let problem): problem
    case .log(let error): "\(error)"
    case .storage(let error): "\(LogError.storage(error))"
    }
  }
}
