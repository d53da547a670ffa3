import Foundation
package import LMDB
import Synchronization
package import TollbookEvents
package import TollbookLog
import TollbookViews

/// The views as a replay of the log gives them, in a scratch environment that nobody else sees.
///
/// It begins with nothing, or, for a log that goes on from a snapshot, with the snapshot's rows, and applies the events
/// that come after. The folder's name is given up as soon as its files are open, so that nothing is left of it however
/// the process ends.
package final class ScratchReplay: Sendable {
  /// Events of one transaction: the larger it is, the fewer times a page is written.
  private static let chunk = 20_000

  package let source: LogSource
  package let folds: [Fold]
  package let environment: Environment
  /// The scratch environment's own tables, of which only those for parked events are used.
  package let log: LogTables
  private let reached = Atomic<Position>(0)
  private let tables: [[Table]]

  /// Begins at the log's start.
  ///
  /// - Parameters:
  ///   - folder: where the scratch environment is made.
  ///   - loadBase: puts the rows of the snapshot that the log goes on from into the views; needed only for such a log.
  package init(
    of source: LogSource, folds: [Fold] = allFolds, in folder: String = NSTemporaryDirectory(),
    mapSize: Int = 1 << 38, loadBase: BaseLoader
  ) throws(LogError) {
    self.source = source
    self.folds = folds
    let path = "\(folder)/tollbook-replay-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: path) }
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch {
      throw .storage(LMDBError(.inputOutput(errno: ENOENT), .openEnvironment))
    }
    var options = EnvironmentOptions()
    options.mapSize = mapSize
    options.unsafeWithoutSync = true
    do throws(LMDBError) {
      environment = try Environment(directory: path, options: options)
      let opened = try environment.openTables(folds.flatMap(\.tables))
      var rest = opened[...]
      tables = folds.map { fold in
        defer { rest = rest.dropFirst(fold.tables.count) }
        return Array(rest.prefix(fold.tables.count))
      }
    } catch { throw .storage(error) }
    log = try LogTables(of: environment)
    let base = try source.environment.withReadTransaction { (transaction) throws(LogError) in
      try source.reader.base(in: transaction)
    }
    if let base {
      try loadBase(base, self)
      reached.store(base.position, ordering: .sequentiallyConsistent)
    }
  }

  /// The last position that the views contain.
  package var position: Position { reached.load(ordering: .sequentiallyConsistent) }

  /// The tables of a fold, in its order.
  package func tables(of fold: Fold) -> [Table] {
    guard let index = folds.firstIndex(where: { $0.id == fold.id }) else {
      preconditionFailure("\(fold.id) is not replayed")
    }
    return tables[index]
  }

  // MARK: Going on

  /// Applies events that follow `position` without a gap.
  package func apply(_ events: [RecordedEvent]) throws(LogError) {
    guard let last = events.last else { return }
    precondition(events.first?.position == position + 1, "a replay leaves nothing out")
    do throws(LMDBError) {
      try environment.withWriteTransaction { (transaction) throws(LMDBError) in
        for (fold, tables) in zip(folds, tables) {
          for parked in try fold.apply(events, tables, &transaction) {
            let key = LogTables.parkedKey(fold: fold.id, position: parked.position)
            try transaction.put(
              Array(parked.reason.utf8).span, forKey: key.span, in: log.parked)
          }
        }
      }
    } catch { throw .storage(error) }
    reached.store(last.position, ordering: .sequentiallyConsistent)
  }

  /// Applies everything up to a position, reading ahead on another thread.
  ///
  /// - Parameter progress: told the position after each portion; says whether to go on.
  package func run(
    to end: Position, progress: (Position) -> Bool = { _ in true }
  ) throws(LogError) {
    guard position < end else { return }
    let reader = ReadAhead(source.environment, source.reader, chunk: Self.chunk, to: end)
    reader.begin(after: position)
    defer { reader.finish() }
    while position < end {
      let events = try reader.take()
      guard let last = events.last?.position else {
        throw .damaged(
          Damage(
            table: LogTables.eventsName, position: position + 1, problem: "an event is missing"))
      }
      if last < end { reader.begin(after: last) }
      try apply(events)
      guard progress(position) else { return }
    }
  }

  // MARK: Reading

  /// Runs `body` on one consistent view of the scratch environment.
  package func read<R>(
    _ body: (borrowing ReadTransaction) throws(LogError) -> R
  ) throws(LogError) -> R {
    try environment.withReadTransaction { (transaction) throws(LogError) in
      try body(transaction)
    }
  }

  /// What the views say.
  package func digests() throws(LogError) -> [ViewDigest] {
    try read { (transaction) throws(LogError) in
      try ViewDigest.all(of: folds, tables: tables(of:), log: log, in: transaction)
    }
  }
}

/// Puts the rows of the snapshot that a log goes on from into the tables of a replay.
package typealias BaseLoader = (LogBase, ScratchReplay) throws(LogError) -> Void

extension LogSource {
  /// The root of the tree over everything up to a position, which need not end a commit.
  package func root(at position: Position) throws(LogError) -> TreeHash {
    try environment.withReadTransaction { (transaction) throws(LogError) in
      try reader.frontier(size: position, in: transaction).root
    }
  }

  /// The commit time of a position; the beginning of 1970 before the first.
  package func time(of position: Position) throws(LogError) -> Timestamp {
    guard position > 0 else { return Timestamp(milliseconds: 0) }
    return try environment.withReadTransaction { (transaction) throws(LogError) in
      try reader.commit(holding: position, in: transaction)?.time ?? Timestamp(milliseconds: 0)
    }
  }
}
