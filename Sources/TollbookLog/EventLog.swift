package import LMDB
import Synchronization
package import TollbookEvents

/// The append-only sequence of all events, with the folds that are kept beside it.
///
/// Invariants
///  1. Positions are 1, 2, 3 … without gaps, in commit order.
///  2. A position is visible only when all smaller ones are, and only after its commit is on the disk.
///  3. A decision is answered only after its commit is on the disk.
///  4. A fold's checkpoint equals the last position whose effect its tables contain, in every transaction that anybody
///     can read.
///  5. Bytes of a committed record never change.
package final class EventLog: Sendable {
  /// How a log is opened.
  package struct Options: Sendable {
    /// Address space for the environment, of which only what is written takes disk. Never resized while open.
    package var mapSize = 1 << 38
    /// Space that admissions leave free, so that calls already paid can be recorded.
    package var reserveBytes = 64 << 20
    /// Decisions that may wait for the writer.
    package var queueCapacity = 8_192
    /// Loses commits on power failure: for scratch environments only.
    package var unsafeWithoutSync = false

    package init() {}
  }

  package let directory: DataDirectory
  package let environment: Environment
  package let statistics = LogStatistics()
  package let time: TimeSource
  private let store: LogStore
  private let writer: LogWriter
  private let options: Options
  private let isRebuilding = Mutex(false)

  /// Opens the log of a directory that the caller owns, checks its end and brings every fold up to the head: from the rows
  /// of the version before it, where it has none itself. A directory of an older format is then marked as one of this.
  ///
  /// - Parameters:
  ///   - baseRows: what the views begin with, where the log goes on from a snapshot and a new version of a view cannot go
  ///     on from its rows.
  ///   - fail: told of a failure after which the process must not go on; called on the writer thread.
  /// - Throws: `.damaged` if the records do not hash to the root of the last commit. What was made for a log that cannot
  ///   be begun is removed then.
  package init(
    _ directory: DataDirectory, folds: [Fold], time: TimeSource, options: Options = Options(),
    baseRows: BaseRows? = nil, fail: @escaping @Sendable (LogError) -> Void
  ) throws(LogError) {
    self.directory = directory
    self.time = time
    self.options = options
    var settings = EnvironmentOptions()
    settings.mapSize = options.mapSize
    settings.unsafeWithoutSync = options.unsafeWithoutSync
    var isOpen = false
    defer { if !isOpen { directory.removeIfNew() } }
    environment = try directory.openEnvironment(settings)
    _ = try LogError.absorbing(try environment.checkReaders())
    store = try LogStore(environment: environment, folds: folds + [EventIndex.fold])
    let state = try store.checkedState()
    store.publish(state)
    let catchUp = ViewCatchUp(environment, store.tables, store.live)
    let format = try LogError.marking { () throws(DataDirectoryError) in
      try directory.writtenFormat()
    }
    let carried = try ViewBeginning(environment, store.tables, baseRows: baseRows)
      .give(to: store.live, over: format, at: state.head)
    try catchUp.run(to: state.head)
    // Before it the older version's views are still there, after it they are not missed.
    try LogError.marking { () throws(DataDirectoryError) in
      try directory.noteBegun()
      try directory.raiseFormat()
    }
    isOpen = true
    try catchUp.removeLeftovers(beside: store.other, carried: carried)
    var writerSettings = LogWriter.Settings()
    writerSettings.queueCapacity = options.queueCapacity
    writer = LogWriter(
      store: store, state: state, settings: writerSettings, time: time, statistics: statistics,
      fail: fail)
  }

  /// Runs a decider on the writer thread and returns when what it decided is on the disk.
  ///
  /// Not cancellable: once queued, a decision is made.
  package func decide<Answer: Sendable>(
    _ decider: @escaping Decider<Answer>
  ) async throws(LogError) -> Decided<Answer> {
    try await writer.decide(decider)
  }

  // A log that nobody holds takes no more decisions, and none is under way: whoever waits for one holds it. Does not wait
  // for the thread, which may be the one that lets go of the log.
  deinit { writer.end() }

  /// Writes what is queued and takes no more. Blocks until that is on the disk.
  package func close() {
    writer.close()
    store.signal.close()
    environment.giveBackReserve()
  }

  var commits: CommitSignal { store.signal }

  /// Tables of the log itself.
  package var tables: LogTables { store.tables }

  /// Reads of the log's own tables.
  package var reader: LogReader { LogReader(store.tables) }

  /// The tables of a fold, in its order, for readers to look up inside their transaction. The fold must be one that the
  /// log was opened with.
  package func viewTables(of fold: Fold) -> ViewTables { store.viewTables(of: fold) }

  /// The tables of a fold that are in force now. A rebuild of the views may put others in their place: whoever reads for
  /// longer takes `viewTables(of:)`.
  package func tables(of fold: Fold) -> [Table] { store.liveTables(of: fold) }

  /// The indexes over kinds, resources and fetches.
  package var index: EventIndex { EventIndex(viewTables(of: EventIndex.fold)) }

  /// The last acknowledged position.
  package var head: Position { store.state.head }
  /// The root of the tree at the head.
  package var root: TreeHash { store.state.root }

  package var writerState: WriterState { writer.state }
  package var queueDepth: Int { writer.queueDepth }

  /// Runs `body` on one consistent view of everything.
  package func read<R>(
    _ body: (borrowing LogReading) throws(LogError) -> R
  ) throws(LogError) -> R {
    try environment.withReadTransaction { (reading) throws(LogError) in try body(reading) }
  }
}

// MARK: Views

extension EventLog {
  /// Builds all views anew from the events while they are read and the log goes on, compares them with those that are
  /// read, and puts them in their place in one transaction.
  ///
  /// - Parameters:
  ///   - baseRows: what the views begin with, where the log goes on from a snapshot.
  ///   - progress: told on another thread.
  /// - Returns: what was found. Views that differed are repaired.
  /// - Throws: `RebuildError`; the views are as they were then. `.underWay` if that is being done already.
  @discardableResult
  package func rebuildViews(
    pace: RebuildPace = RebuildPace(), baseRows: BaseRows? = nil,
    progress: @escaping @Sendable (RebuildProgress) -> Void = { _ in }
  ) async throws(RebuildError) -> RebuildReport {
    let isFirst = isRebuilding.withLock { isRunning in
      defer { isRunning = true }
      return !isRunning
    }
    guard isFirst else { throw .underWay }
    defer { isRebuilding.withLock { $0 = false } }
    return try await ViewRebuild.run(
      ViewRebuild(
        store, writer, time: time, pace: pace, baseRows: baseRows, progress: progress))
  }
}

// MARK: Space

extension EventLog {
  /// How much more the data file may hold, asked where it grows. The reserve is made the file's own, so that it is there
  /// when a paid call has to be recorded.
  package func headroom() throws(LogError) -> Headroom {
    return try LogError.inTables { () throws(LMDBError) in
      var statistics = try environment.statistics()
      let fileLimit = environment.fileLimit
      let used = statistics.usedBytes
      let growth = max(0, min(statistics.mapSize, fileLimit ?? .max) - used)
      var map = growth
      var pinned = 0
      if map <= options.reserveBytes {
        // The file never shrinks, but its free pages are written again: all but those that a reader may still read. They
        // are counted only when it matters. A reader that has died is none.
        if try environment.checkReaders() > 0 { statistics = try environment.statistics() }
        let oldest = statistics.readers.first?.transaction ?? .max
        let (reusable, all) = try environment.withReadTransaction {
          (transaction) throws(LMDBError) in
          (
            try transaction.reusableBytes(seenSince: oldest), try transaction.reusableBytes()
          )
        }
        map += reusable
        pinned = all - reusable
      }
      let disk = try environment.availableDiskBytes() + environment.reservedBytes(behind: used)
      // Asked for only where it can be had, so that no other use of the disk is in want meanwhile.
      var isReserved = true
      if min(map, disk) > options.reserveBytes, writer.state != .closed {
        isReserved = try environment.reserve(min(options.reserveBytes, growth), behind: used)
      }
      return Headroom(
        map: map, disk: disk, reserve: options.reserveBytes, pinned: pinned,
        oldestReader: statistics.readers.first.map { ($0.process, statistics.lag(of: $0)) },
        fileLimit: fileLimit, isReserved: isReserved)
    }
  }

  /// Lets go of what processes held that died while they read. Call it from time to time: their pages stay pinned until
  /// then, and the file grows.
  ///
  /// - Returns: how many there were.
  @discardableResult
  package func releaseDeadReaders() throws(LogError) -> Int {
    try LogError.absorbing(try environment.checkReaders())
  }

  /// Lets a writer that ran out of space go on, if there is space again. Call it from time to time.
  package func reopenIfThereIsSpace() {
    guard case .readOnly = writer.state, (try? headroom())?.admits == true else { return }
    writer.reopen()
  }
}
