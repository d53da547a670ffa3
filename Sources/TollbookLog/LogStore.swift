import LMDB
import Synchronization
import TollbookEvents

/// The log's environment with its tables and folds: the commit itself, and what a start or a reopening checks.
final class LogStore: Sendable {
  let environment: Environment
  let tables: LogTables
  let folds: [BoundFold]
  private let published: Mutex<LogState>

  init(environment: Environment, folds: [Fold]) throws(LogError) {
    self.environment = environment
    let names = LogTables.names + folds.flatMap(\.tables)
    let handles: [Table]
    do { handles = try environment.openTables(names) } catch { throw .storage(error) }
    tables = LogTables(handles[..<LogTables.names.count])
    var rest = handles[LogTables.names.count...]
    self.folds = folds.map { fold in
      defer { rest = rest.dropFirst(fold.tables.count) }
      return BoundFold(fold: fold, tables: Array(rest.prefix(fold.tables.count)))
    }
    published = Mutex(.empty)
  }

  /// Where the log stands, after the last commit that was acknowledged.
  var state: LogState { published.withLock { $0 } }

  func publish(_ state: LogState) { published.withLock { $0 = state } }

  /// One durable commit of what `decide` appends; nil if that is nothing, and then nothing is written.
  func commit(
    after state: LogState, wall: Timestamp,
    _ decide: (inout CommitAssembly, inout WriteTransaction) throws(LMDBError) -> Void
  ) throws(LMDBError) -> LogState? {
    do throws(CommitEnd) {
      return try environment.withWriteTransaction { (transaction) throws(CommitEnd) in
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
      guard let row = try LogReader(tables).lastCommit(in: transaction) else { return .empty }
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
