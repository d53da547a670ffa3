import Foundation
package import LMDB
import Synchronization
package import TollbookEvents
package import TollbookLog
import TollbookViews

/// The views as a replay of the log gives them, in a scratch environment that nobody else sees.
///
/// It begins with nothing, or, for a log that goes on from a snapshot, with the snapshot's rows, and applies the events
/// that come after.
package final class ScratchReplay: Sendable {
  /// Events of one transaction: the larger it is, the fewer times a page is written.
  private static let chunk = 20_000

  package let source: LogSource
  package let folds: [Fold]
  private let views: ScratchViews
  private let reached = Atomic<Position>(0)

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
    views = try ScratchViews(
      of: folds, at: "\(folder)/tollbook-replay-\(UUID().uuidString)", mapSize: mapSize)
    let base = try source.read { (transaction) throws(LogError) in
      try source.reader.base(in: transaction)
    }
    if let base {
      try loadBase(base, self)
      reached.store(base.position, ordering: .sequentiallyConsistent)
    }
  }

  package var environment: Environment { views.environment }
  /// The scratch environment's own tables, of which only those for parked events are used.
  package var log: LogTables { views.log }

  /// The last position that the views contain.
  package var position: Position { reached.load(ordering: .sequentiallyConsistent) }

  /// The tables of a fold, in its order.
  package func tables(of fold: Fold) -> [Table] { views.tables(of: fold) }

  /// Puts in rows that a view begins with, or events that it had parked by then.
  func load(_ portion: BasePortion, ofView id: String) throws(LogError) {
    try views.put(portion, ofView: id)
  }

  // MARK: Going on

  /// Applies events that follow `position` without a gap.
  package func apply(_ events: [RecordedEvent]) throws(LogError) {
    guard let last = events.last else { return }
    precondition(events.first?.position == position + 1, "a replay leaves nothing out")
    try views.apply(events)
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
    _ body: (borrowing LogReading) throws(LogError) -> R
  ) throws(LogError) -> R {
    try views.read(body)
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
    try read { (transaction) throws(LogError) in
      try reader.frontier(size: position, in: transaction).root
    }
  }

  /// The commit time of a position; the beginning of 1970 before the first.
  package func time(of position: Position) throws(LogError) -> Timestamp {
    guard position > 0 else { return Timestamp(milliseconds: 0) }
    return try read { (transaction) throws(LogError) in
      try reader.commit(holding: position, in: transaction)?.time ?? Timestamp(milliseconds: 0)
    }
  }
}
