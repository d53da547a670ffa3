import Dispatch
package import LMDB
import Synchronization
package import TollbookEvents
package import TollbookLog
import TollbookViews

/// Everything that can be verified of a data directory: the log with its bodies and index, and the views, which must be
/// what a replay of the log gives.
///
/// The records are read once. While one core checks and decodes the next portion, the other one replays the last.
package struct Verification {
  /// What is left out, and when to give up.
  package struct Options: Hashable, Sendable {
    package var scope = LogVerifier.Scope()
    /// Whether the views are compared with a replay; needs the contents.
    package var views = true
    /// Damages after which it gives up.
    package var limit = 1_000

    package init() {}

    /// Checksums and roots only.
    package static let fast: Options = {
      var options = Options()
      options.scope = .fast
      options.views = false
      return options
    }()
  }

  /// Who wants to know what, meanwhile.
  package struct Watch {
    /// Told the table that is about to be read: should the process die of it, that one is damaged.
    package var reading: (String) -> Void = { _ in }
    /// Told the stage, what is done and, if known, what is to be done.
    package var progress: (String, UInt64, UInt64) -> Void = { _, _, _ in }
    /// Asked between portions.
    package var isCancelled: () -> Bool = { false }

    package init() {}
  }

  /// What was found.
  package struct Outcome: Hashable, Sendable {
    package var log: LogVerifier.Report
    /// Everything that is wrong, of log and views.
    package var damages: [Damage]
    /// The views that are what a replay gives, with their digests.
    package var views: [ViewDigest] = []
    /// Views that are not there yet, or only in another version: the next start makes them.
    package var absentViews: [String] = []
    /// Views that contain the log only up to a position, and are right so far: the next start goes on from there.
    package var viewsBehind: [ViewBehind] = []
    /// The position that the views contain.
    package var viewPosition: Position?
    /// What log and views say, if all views are right.
    package var state: StateDigest?
  }

  /// A view that lags behind the log.
  package struct ViewBehind: Hashable, Sendable {
    package let view: String
    package let position: Position
  }

  private let source: LogSource
  private let folds: [Fold]
  private let options: Options
  private let watch: Watch

  package init(
    _ environment: Environment, folds: [Fold] = allFolds, options: Options = Options(),
    watch: Watch = Watch()
  ) throws(LogError) {
    watch.reading("(tables)")
    source = try LogSource(environment)
    self.folds = folds
    self.options = options
    self.watch = watch
  }

  /// - Parameter loadBase: puts the rows of the snapshot that the log goes on from into a replay.
  /// - Throws: `.storage` if LMDB itself fails; `.beforeBase` if a log with a base was not expected. Damage is not thrown
  ///   but reported.
  package func run(loadBase: BaseLoader = ScratchReplay.refuseBase) throws(LogError) -> Outcome {
    var replay: ReplayBehind?
    var baseDamage: Damage?
    if options.views, options.scope.contents {
      watch.reading(LogTables.originName)
      do throws(LogError) {
        replay = ReplayBehind(
          try Self.groups(of: folds).map { (folds) throws(LogError) in
            try ScratchReplay(of: source, folds: folds, loadBase: loadBase)
          })
      } catch {
        // Nobody knows where to begin; the rest can be looked at all the same.
        guard case .damaged(let damage) = error else { throw error }
        baseDamage = damage
      }
    }
    var log = LogVerifier.Watch()
    log.reading = watch.reading
    log.progress = { [watch] in watch.progress($0.stage.rawValue, $0.done, $0.total) }
    log.isCancelled = watch.isCancelled
    if let replay { log.events = { (events) throws(LogError) in try replay.take(events) } }
    let report = try LogVerifier(source.environment)
      .verify(options.scope, limit: options.limit, watch: log)
    var outcome = Outcome(log: report, damages: report.damages)
    if let baseDamage, !report.damages.contains(baseDamage) { outcome.damages.append(baseDamage) }
    guard let replay else { return outcome }
    try replay.finish()
    if report.isReadable, report.areClocksKnown, !report.isCutShort {
      try compare(replay.replays, loadBase, &outcome)
    }
    return outcome
  }

  /// What is folded on a thread of its own: the first view, which takes the longest, and the others.
  private static func groups(of folds: [Fold]) -> [[Fold]] {
    [Array(folds.prefix(1)), Array(folds.dropFirst())].filter { !$0.isEmpty }
  }

  private func compare(
    _ replays: [ScratchReplay], _ loadBase: BaseLoader, _ outcome: inout Outcome
  ) throws(LogError) {
    // Beside a writer: so near to the head that the rest takes a moment.
    var head = try source.head()
    while let behind = replays.map(\.position).min(), head > behind + 5_000, !watch.isCancelled() {
      watch.reading(LogTables.eventsName)
      for replay in replays { try replay.run(to: head) { !watch.isCancelled() && $0 < .max } }
      head = try source.head()
    }
    guard !watch.isCancelled() else {
      outcome.log.isCutShort = true
      return
    }
    watch.reading("(tables)")
    let views = try replays.map { (replay) throws(LogError) in
      try replay.folds.map { (fold) throws(LogError) in (fold, try tables(of: fold)) }
    }
    var found = outcome
    try source.read { (transaction) throws(LogError) in
      watch.reading(LogTables.eventsName)
      let head = try source.reader.head(in: transaction)
      var comparison = ViewComparison(source, watch)
      for (replay, views) in zip(replays, views) {
        try replay.run(to: head)
        for (fold, tables) in views {
          switch try comparison.compare(fold, tables, with: replay, in: transaction) {
          case .absent: found.absentViews.append(fold.id)
          case .equal(let digest): found.views.append(digest)
          case .different(let damages): found.damages += damages
          case .behind(let position):
            let replay = try ScratchReplay(of: source, folds: [fold], loadBase: loadBase)
            try replay.run(to: position) { !watch.isCancelled() && $0 < .max }
            switch try comparison.compare(fold, tables, with: replay, in: transaction) {
            case .equal:
              found.viewsBehind.append(ViewBehind(view: fold.id, position: position))
            case .different(let damages): found.damages += damages
            case .absent, .behind: found.damages.append(Self.wronglyNoted(fold, position))
            }
          }
        }
      }
      found.viewPosition = head
      if found.views.count == folds.count, !watch.isCancelled() {
        watch.reading(LogTables.commitsName)
        let root =
          try source.reader.lastCommit(in: transaction)?.root ?? MerkleTree.emptyRoot
        found.state = StateDigest(position: head, root: root, views: found.views)
      }
    }
    outcome = found
    if watch.isCancelled() { outcome.log.isCutShort = true }
  }

  /// The log has nothing of that position: it begins after it.
  private static func wronglyNoted(_ fold: Fold, _ position: Position) -> Damage {
    Damage(
      table: LogTables.viewsName, position: position,
      problem: "\(fold.id) is noted to contain the log up to \(position), before its beginning")
  }

  private func tables(of fold: Fold) throws(LogError) -> ViewTables? {
    do throws(LogError) { return try ViewTables(of: fold, in: source.environment) } catch {
      guard case .noView = error else { throw error }
      return nil
    }
  }
}

extension ScratchReplay {
  /// For logs that are known to begin at their first event.
  package static func refuseBase(_ base: LogBase, _: ScratchReplay) throws(LogError) {
    throw .beforeBase(base.position)
  }
}

/// Replays, each on a thread of its own, one portion behind whoever reads the events.
private final class ReplayBehind: Sendable {
  /// Events applied at a time: the larger, the fewer times a page of the views is written.
  private static let portion = 80_000

  let replays: [ScratchReplay]
  private let queues: [DispatchQueue]
  private let pending = Mutex<[RecordedEvent]>([])
  private let failure = Mutex<LogError?>(nil)

  init(_ replays: [ScratchReplay]) {
    self.replays = replays
    queues = replays.map { _ in DispatchQueue(label: "tollbook-replay") }
  }

  func take(_ events: [RecordedEvent]) throws(LogError) {
    let portion = pending.withLock { pending -> [RecordedEvent] in
      pending += events
      guard pending.count >= Self.portion else { return [] }
      defer { pending = [] }
      return pending
    }
    if !portion.isEmpty { try apply(portion) }
  }

  /// Waits for the portion before and begins this one.
  private func apply(_ events: [RecordedEvent]) throws(LogError) {
    try wait()
    for (replay, queue) in zip(replays, queues) {
      queue.async { [self] in
        do throws(LogError) { try replay.apply(events) } catch {
          failure.withLock { $0 = error }
        }
      }
    }
  }

  private func wait() throws(LogError) {
    for queue in queues { queue.sync {} }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  /// Applies the rest and waits for it.
  func finish() throws(LogError) {
    let rest = pending.withLock { pending in
      defer { pending = [] }
      return pending
    }
    try apply(rest)
    try wait()
  }
}
