import Bytes
import Foundation
import LMDB
package import TollbookEvents
package import TollbookLog
import TollbookViews

/// Puts a data directory back: from a snapshot, from an export of the log, or from both.
///
/// | given | the log then holds | the views are |
/// |---|---|---|
/// | snapshot | nothing before it: it rests on the snapshot and goes on | the snapshot's |
/// | snapshot and an export of everything | everything | the snapshot's, and what came after it folded |
/// | snapshot and an export of the tail | what came after the snapshot, on which it rests | the same |
/// | export of everything | everything | folded from the first event |
///
/// It is put together in a folder beside the target, without waiting for the disk, and gets its name when all of it is
/// there and on the disk. No event is appended.
package struct Restore {
  /// What was restored.
  package struct Outcome: Sendable {
    /// The last position.
    package let head: Position
    package let mode: LogMode
    /// The snapshot that the log rests on; nil if all its events are there.
    package let base: DataDirectory.Base?
    /// Events that were imported.
    package let events: UInt64
    /// Rows that came from the snapshot.
    package let rows: UInt64
    /// Bodies that came from the snapshot.
    package let bodies: UInt64
    /// Whether bodies that events or entries name may be missing.
    package let isWithoutBodies: Bool
    package let state: StateDigest
  }

  /// How far it is.
  package struct Progress: Hashable, Sendable {
    package enum Stage: String, Sendable {
      case rows, bodies, events
    }

    package var stage: Stage
    package var done: UInt64
    /// 0 if that is not known.
    package var total: UInt64
  }

  /// Told how far it is; throws `.stopped` to end it.
  package typealias Watch = (Progress) throws(RestoreProblem) -> Void

  private let snapshot: String?
  private let export: (any CommitStream)?
  private let target: String
  private let time: TimeSource
  private let options: EventLog.Options
  private let watch: Watch

  /// - Parameters:
  ///   - snapshot: the path of a snapshot file.
  ///   - export: the commits of a log; there must be one of both.
  ///   - target: a folder that does not exist or is empty.
  package init(
    snapshot: String?, export: (any CommitStream)?, to target: String, time: TimeSource = .system,
    options: EventLog.Options = .init(), watch: @escaping Watch = { _ throws(RestoreProblem) in }
  ) {
    precondition(snapshot != nil || export != nil, "there must be something to restore from")
    self.snapshot = snapshot
    self.export = export
    self.target = target
    self.time = time
    var options = options
    options.unsafeWithoutSync = true
    self.options = options
    self.watch = watch
  }

  package func run() throws(RestoreProblem) -> Outcome {
    let site = try RestoreSite(target: target)
    do throws(RestoreProblem) {
      let outcome = try build(in: site)
      try site.finish()
      return outcome
    } catch {
      site.discard()
      throw error
    }
  }

  private func build(in site: RestoreSite) throws(RestoreProblem) -> Outcome {
    let reader = try openSnapshot()
    if let reader, let export, export.mode != reader.manifest.mode {
      throw .otherMode(reader.path, reader.manifest.mode, export.path, export.mode)
    }
    guard let mode = reader?.manifest.mode ?? export?.mode else {
      preconditionFailure("there is something to restore from")
    }
    let directory: DataDirectory
    do throws(DataDirectoryError) { directory = try DataDirectory.own(site.path, mode: mode) } catch
    { throw .directory(error) }
    let result = try fill(directory, reader)
    let state = try openOnce(directory)
    if let reader, reader.manifest.position == state.head,
      result.hasSameViews, state.digest != reader.manifest.state
    {
      throw .otherState(
        reader.path, expected: "\(reader.manifest.state)", found: "\(state.digest)")
    }
    return Outcome(
      head: state.head, mode: mode, base: result.base, events: result.events, rows: result.rows,
      bodies: result.bodies, isWithoutBodies: result.isWithoutBodies, state: state.digest)
  }

  /// Fills the directory and lets go of it.
  private func fill(
    _ directory: DataDirectory, _ reader: SnapshotReader?
  ) throws(RestoreProblem) -> RestoreWork.Result {
    var work = try RestoreWork(
      directory, reader, export, time: time, options: options, watch: watch)
    if work.isComplete { try work.buildComplete() } else { try work.buildOnBase() }
    return work.finish()
  }

  private func openSnapshot() throws(RestoreProblem) -> SnapshotReader? {
    guard let snapshot else { return nil }
    do throws(SnapshotProblem) { return try SnapshotReader(path: snapshot) } catch {
      throw .snapshot(error)
    }
  }

  /// Opens the log, which brings the views up to its head, and brings all of it to the disk.
  private func openOnce(
    _ directory: DataDirectory
  ) throws(RestoreProblem) -> (head: Position, digest: StateDigest) {
    do throws(LogError) {
      let log = try EventLog(directory, folds: allFolds, time: time, options: options) { _ in }
      defer { log.close() }
      let digest = try log.stateDigest()
      try log.removeStrayBodies()
      try LogError.absorbing(try log.environment.sync())
      return (log.head, digest)
    } catch { throw .log(error) }
  }
}

extension EventLog {
  /// Removes bodies that the log knows no more: a snapshot may hold some that were pruned after it was taken.
  fileprivate func removeStrayBodies() throws(LogError) {
    let cache = viewTables(of: CacheFold.fold)
    let requests = viewTables(of: RequestsFold.fold)
    let bodies = tables.bodies
    try environment.withWriteTransaction { (transaction) throws(LogError) in
      var strays: [[UInt8]] = []
      let views = try cache.open(in: transaction.reading)
      let requests = try requests.open(in: transaction.reading)
      try LogError.inTables { () throws(LMDBError) in
        let answers = Set(try RequestsFold.bodies(in: requests, of: transaction.reading))
        try transaction.reading.scan(bodies) { (digest, _) throws(LMDBError) in
          let key = [UInt8](copying: digest)
          if !answers.contains(key),
            try !CacheFold.knows(body: key, in: views, of: transaction.reading)
          {
            strays.append(key)
          }
          return .next
        }
        for key in strays { _ = try transaction.delete(key: key.span, in: bodies) }
      }
    }
  }
}

extension EventLog {
  /// What log and views say together, at the head.
  package func stateDigest() throws(LogError) -> StateDigest {
    try read { (transaction) throws(LogError) in
      var views: [ViewDigest] = []
      for fold in allFolds {
        let tables = try viewTables(of: fold).open(in: transaction)
        views.append(try ViewDigest(of: fold, tables, log: self.tables, in: transaction))
      }
      let commit = try reader.lastCommit(in: transaction)
      return StateDigest(
        position: commit?.last ?? 0, root: commit?.root ?? MerkleTree.emptyRoot, views: views)
    }
  }
}

/// Commits that were sealed elsewhere, in their order.
package protocol CommitStream {
  /// For messages.
  var path: String { get }
  var mode: LogMode { get }
  /// The position of its first event.
  var first: Position { get }
  /// The root of the tree before that event.
  var rootBefore: TreeHash { get }
  /// Whether the bodies that its events name come with it.
  var hasBodies: Bool { get }
  /// The next commit; nil at the end, when all of it was as it was written.
  func next() throws(RestoreProblem) -> SealedCommit?
}
