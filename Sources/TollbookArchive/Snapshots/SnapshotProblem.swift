package import LMDB
package import TollbookLog

/// Why a snapshot was not taken, or why a file is not taken for one. Files are left as they were.
package enum SnapshotProblem: StorageFailure, Hashable, Sendable, CustomStringConvertible {
  /// The file cannot be read at all.
  case unreadable(String, reason: String)
  /// The file or folder cannot be written.
  case unwritable(String, reason: String)
  /// It is something else than a snapshot.
  case foreign(String)
  /// A later version wrote it.
  case tooNew(String, format: UInt64)
  /// It ends too early.
  case cut(String, at: UInt64, missing: String)
  /// Bytes are not those that were written.
  case damaged(String, section: String, at: UInt64, problem: String)
  /// The views in it are not those of this version.
  case otherViews(String, theirs: [String], ours: [String])
  /// There is no event yet.
  case nothingToTake
  /// Whoever asked for it wants it no more.
  case stopped
  case log(LogError)
  case storage(LMDBError)

  package var description: String {
    switch self {
    case .unreadable(let path, let reason): "\(path) cannot be read: \(reason)"
    case .unwritable(let path, let reason): "\(path) cannot be written: \(reason)"
    case .foreign(let path): "\(path) is not a snapshot of tollbook"
    case .tooNew(let path, let format):
      "\(path) is a snapshot of format \(format); this version reads up to"
        + " \(SnapshotFormat.version). Use the newer version."
    case .cut(let path, let offset, let missing):
      "\(path) is cut: it ends at byte \(offset), before \(missing)"
    case .damaged(let path, let section, let offset, let problem):
      "\(path) is damaged in \(section) at byte \(offset): \(problem)"
    case .otherViews(let path, let theirs, let ours):
      "\(path) holds the views \(theirs.joined(separator: ", ")); this version keeps"
        + " \(ours.joined(separator: ", ")). Restore the log from an export that begins at event 1:"
        + " the views are made from it."
    case .nothingToTake: "the log holds no event yet, so there is nothing to take a snapshot of"
    case .stopped: "stopped; no snapshot was kept"
    case .log(let error): "\(error)"
    case .storage(let error): "\(LogError.storage(error))"
    }
  }
}
