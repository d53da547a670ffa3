import LMDB
import Synchronization
import TollbookEvents

/// The log's environment with its tables and folds: the commit itself, and what a start or a reopening checks.
///
/// Each fold has two sets of tables. One is live; in the other one a rebuild lets the view grow beside it. Which is which
/// is said by the view's row, here only repeated for the writer.
final class LogStore: Sendable {
  private struct Bound {
    var live: [BoundFold]
    /// Those that a rebuild has brought up to the head: every commit feeds them too.
    var beside: [BoundFold] = []
  }

  let environment: Environment
  let tables: LogTables
  private let folds: [Fold]
  /// The sets of tables of each fold.
  private let generations: [[[Table]]]
  private let bound: Mutex<Bound>
  /// Tells who waits for commits.
  let signal = CommitSignal()
  private let published: Mutex<LogState>

  init(environment: Environment, folds: [Fold]) throws(LogError) {
    self.environment = environment
    self.folds = folds
    let names = folds.flatMap { fold in
      (0..<Fold.generations).flatMap { fold.tables(ofGeneration: $0) }
    }
    let handles = try LogError.absorbing(try environment.openTables(LogTables.names + names))
    let tables = LogTables(handles[..<LogTables.names.count])
    self.tables = tables
    var rest = handles[LogTables.names.count...]
    let generations = folds.map { fold in
      (0..<Fold.generations).map { _ in
        defer { rest = rest.dropFirst(fold.tables.count) }
        return Array(rest.prefix(fold.tables.count))
      }
    }
    self.generations = generations
    let live = try environment.withReadTransaction { (transaction) throws(LogError) in
      var live: [BoundFold] = []
      try LogError.inTables { () throws(LMDBError) in
        for (fold, sets) in zip(folds, generations) {
          let row = try ViewRow.of(fold, tables.views, in: transaction)
          let generation = row?.generation ?? 0
          live.append(
            BoundFold(fold: fold, tables: sets[Int(generation)], generation: generation))
        }
      }
      return live
    }
    bound = Mutex(Bound(live: live))
    published = Mutex(.empty)
  }

  // MARK: Views

  /// The folds with the tables that are read.
  var live: [BoundFold] { bound.withLock { $0.live } }

  /// The folds with their other tables, in which a rebuild lets the views grow.
  var other: [BoundFold] {
    zip(live, generations).map { bound, sets in
      let generation = 1 - bound.generation
      return BoundFold(
        fold: bound.fold, tables: sets[Int(generation)], generation: generation, isBeside: true)
    }
  }

  func viewTables(of fold: Fold) -> ViewTables {
    ViewTables(of: fold, generations: generations[index(of: fold)], views: tables.views)
  }

  func liveTables(of fold: Fold) -> [Table] { live[index(of: fold)].tables }

  private func index(of fold: Fold) -> Int {
    guard let index = folds.firstIndex(where: { $0.id == fold.id }) else {
      preconditionFailure("\(fold.id) is not a fold of this log")
    }
    return index
  }

  /// From now on every commit feeds these too. Called on the writer thread, between two commits.
  func attach(_ beside: [BoundFold]) { bound.withLock { $0.beside = beside } }

  /// Ends what `attach` began.
  func detach() { bound.withLock { $0.beside = [] } }

  /// What grew beside is now what is read: their rows in `views` say so already.
  func takeOver() {
    bound.withLock { bound in
      bound.live = bound.beside.map { $0.asLive }
      bound.beside = []
    }
  }

  // MARK: Commits

  /// Where the log stands, after the last commit that was acknowledged.
  var state: LogState { published.withLock { $0 } }

  func publish(_ state: LogState) {
    published.withLock { $0 = state }
    signal.tell(state.head)
  }

  /// One durable commit of what `decide` appends; nil if that is nothing, and then nothing is written.
  func commit(
    after state: LogState, wall: Timestamp,
    _ decide: (inout CommitAssembly, inout WriteTransaction) throws(LMDBError) -> Void
  ) throws(LMDBError) -> LogState? {
    do throws(CommitEnd) {
      return try environment.withWriteTransaction { (transaction) throws(CommitEnd) in
        let folds = bound.withLock { $0.live + $0.beside }
        var assembly = CommitAssembly(after: state, wall: wall, tables: tables, folds: folds)
        do throws(LMDBError) {
          try decide(&assembly, &transaction)
          if !assembly.isEmpty { return try assembly.seal(in: &transaction) }
        } catch { throw .failed(error) }
        throw .empty
      }
    } catch {
      switch error {
      case .empty: return nil
      case .failed(let error): throw error
      }
    }
  }

  /// The state that the disk holds: the last commit's seal, after hashing the tree's right edge anew.
  func checkedState() throws(LogError) -> LogState {
    try environment.withReadTransaction { (transaction) throws(LogError) in
      guard let row = try LogReader(tables).lastCommit(in: transaction) else {
        let events = try LogError.absorbing(try transaction.count(in: tables.events))
        guard events == 0 else {
          throw .damaged(
            Damage(
              table: LogTables.commitsName,
              problem: "there are \(events) events, and no commit that sealed them"))
        }
        return .empty
      }
      let frontier = try LogReader(tables).frontier(size: row.treeSize, in: transaction)
      guard frontier.root == row.root, row.treeSize == row.last else {
        throw .damaged(
          Damage(
            table: LogTables.commitsName, position: row.last,
            problem: "the records do not hash to the root of the last commit"))
      }
      return LogState(head: row.last, time: row.time, frontier: frontier, root: row.root)
    }
  }
}

/// Why a commit's transaction is not kept.
private enum CommitEnd: StorageFailure {
  case empty
  case failed(LMDBError)

  static func storage(_ error: LMDBError) -> CommitEnd { .failed(error) }
}
