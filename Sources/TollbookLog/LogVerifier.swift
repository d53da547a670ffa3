package import LMDB
package import TollbookEvents

/// Looks at every byte that the log stores and says which are wrong.
///
/// Bodies must match their checksum and the digest that names them. Positions must follow each other without a gap;
/// records must match their checksum and bear the time of their commit; commits must follow each other and their times
/// never fall; all records must hash to the stored hashes of the tree and to the root of every commit; and the body that
/// an entry names must be there. Views and indexes are not looked at: a rebuild proves those.
///
/// It reads what was committed when it began, in transactions that each take a bounded part, so it may run beside a
/// writer for hours.
package struct LogVerifier: Sendable {
  /// What is looked at.
  package enum Stage: String, CaseIterable, Sendable {
    case bodies, tree, records
  }

  /// How far it is.
  package struct Progress: Hashable, Sendable {
    package var stage: Stage
    /// Rows of this stage that were looked at.
    package var done: UInt64
    /// Rows of this stage in all, as counted when it began.
    package var total: UInt64
  }

  /// What was looked at and found.
  package struct Report: Hashable, Sendable {
    /// The last position that was looked at.
    package var head: Position = 0
    package var records: UInt64 = 0
    package var commits: UInt64 = 0
    package var bodies: UInt64 = 0
    /// Bodies that are named and not there, because the log was restored without them. Not damage.
    package var absentBodies: UInt64 = 0
    /// What is wrong: empty if nothing is.
    package var damages: [Damage] = []
    /// Whether it gave up because there is more damage than it was to list.
    package var isCutShort = false
  }

  private let environment: Environment
  private let tables: LogTables
  /// Work of one read transaction: some tens of milliseconds.
  private let chunk = WorkLimit(rows: 10_000, bytes: 8 << 20)

  /// Verifies a log that is open.
  package init(_ log: EventLog) {
    environment = log.environment
    tables = log.tables
  }

  /// Verifies the log of an environment, which may be open for reading only.
  package init(_ environment: Environment) throws(LogError) {
    self.environment = environment
    tables = try LogTables(of: environment)
  }

  /// Looks at everything.
  ///
  /// - Parameters:
  ///   - limit: damages after which it gives up.
  ///   - progress: told after each transaction.
  /// - Throws: `.storage` if LMDB itself fails. Damage is not thrown but reported.
  package func verify(
    limit: Int = 1_000, progress: (Progress) -> Void = { _ in }
  ) throws(LogError) -> Report {
    // Bodies first: the walk over the records then tells at which position a broken one is named.
    let extent = try environment.withReadTransaction { (transaction) throws(LogError) in
      try LogExtent(tables, in: transaction)
    }
    var bodies = BodyWalk(tables)
    try walk(&bodies, .bodies, of: extent.bodies, limit, progress)
    var tree = TreeWalk(tables)
    try walk(&tree, .tree, of: extent.tiles, limit, progress)
    var records = RecordWalk(
      tables, head: extent.head, origin: extent.origin, brokenBodies: bodies.broken)
    try walk(&records, .records, of: extent.head, limit, progress)
    var report = Report()
    report.head = extent.head
    report.records = records.rows
    report.commits = records.commits
    report.bodies = bodies.rows
    report.absentBodies = records.absentBodies
    report.damages =
      extent.damages + bodies.damages + tree.damages + records.damages + records.unnamedBodies
    report.isCutShort = !(bodies.isAtEnd && tree.isAtEnd && records.isAtEnd)
    return report
  }

  private func walk(
    _ walk: inout some Walk, _ stage: Stage, of total: UInt64, _ limit: Int,
    _ progress: (Progress) -> Void
  ) throws(LogError) {
    while !walk.isAtEnd, walk.damages.count < limit {
      // Taken out for the time being, since the transaction's closure changes it.
      var part = walk
      try environment.withReadTransaction { (transaction) throws(LogError) in
        try part.step(in: transaction, upTo: chunk)
      }
      walk = part
      progress(Progress(stage: stage, done: walk.rows, total: total))
    }
  }
}

/// How much one transaction looks at.
struct WorkLimit: Sendable {
  var rows: Int
  var bytes: Int
}

/// A part of the verification that goes on where its last step ended.
protocol Walk {
  var isAtEnd: Bool { get }
  /// Rows looked at so far.
  var rows: UInt64 { get }
  var damages: [Damage] { get }
  mutating func step(
    in transaction: borrowing ReadTransaction, upTo limit: WorkLimit
  ) throws(LogError)
}

/// How much there is to verify, as one transaction sees it.
private struct LogExtent {
  var head: Position = 0
  var bodies: UInt64 = 0
  var tiles: UInt64 = 0
  var origin: LogOrigin?
  /// What stands behind the last commit.
  var damages: [Damage] = []

  init(_ tables: LogTables, in transaction: borrowing ReadTransaction) throws(LogError) {
    do throws(LogError) {
      origin = try LogReader(tables).origin(in: transaction)
    } catch {
      guard case .damaged(let damage) = error else { throw error }
      damages.append(damage)
    }
    do throws(LMDBError) {
      head = try transaction.lastCommitPosition(in: tables)
      bodies = UInt64(try transaction.count(in: tables.bodies))
      tiles = UInt64(try transaction.count(in: tables.tree))
      guard head < .max else { return }
      let start = LogTables.key(head + 1)
      for table in [tables.events, tables.commits] {
        try transaction.scan(table, from: start.span) { (key, _) throws(LMDBError) in
          damages.append(
            Damage(
              table: table.name, position: key.byteCount == 8 ? key.bigEndianUInt64(at: 0) : nil,
              problem: "a row stands behind the last commit"))
          return .stop
        }
      }
    } catch { throw .storage(error) }
  }
}

extension ReadTransaction {
  /// The last position that a commit holds.
  fileprivate borrowing func lastCommitPosition(
    in tables: LogTables
  ) throws(LMDBError) -> Position {
    var last: Position = 0
    try scan(tables.commits, descending: true) { (key, _) throws(LMDBError) in
      // Others are no positions, and damage.
      guard key.byteCount == 8 else { return .next }
      last = key.bigEndianUInt64(at: 0)
      return .stop
    }
    return last
  }
}

/// Bodies, in the order of their digests.
private struct BodyWalk: Walk {
  private let tables: LogTables
  private var last: [UInt8]?
  private(set) var isAtEnd = false
  private(set) var rows: UInt64 = 0
  private(set) var damages: [Damage] = []
  /// What is wrong with which body, until it is known where it is named.
  private(set) var broken: [[UInt8]: Damage] = [:]

  init(_ tables: LogTables) { self.tables = tables }

  mutating func step(
    in transaction: borrowing ReadTransaction, upTo limit: WorkLimit
  ) throws(LogError) {
    var work = 0
    var seen = 0
    var ended = true
    let start = (last ?? []) + [0]
    do throws(LMDBError) {
      try transaction.scan(tables.bodies, from: start.span) { (key, row) throws(LMDBError) in
        guard seen < limit.rows, work < limit.bytes else {
          ended = false
          return .stop
        }
        seen += 1
        let digest = [UInt8](copying: key)
        last = digest
        work += check(digest, row)
        return .next
      }
    } catch { throw .storage(error) }
    rows += UInt64(seen)
    isAtEnd = ended
  }

  /// Checks a body and returns the bytes that this meant looking at.
  private mutating func check(_ digest: [UInt8], _ row: RawSpan) -> Int {
    do throws(Damage) {
      return row.byteCount + (try Body(digest: digest, row: row).content().count)
    } catch {
      broken[digest] = error
      return row.byteCount
    }
  }
}

/// Stored hashes that stand where there are no records to hash. Those that have records are met on the walk over them.
private struct TreeWalk: Walk {
  private let tables: LogTables
  private var last: [UInt8]?
  private(set) var isAtEnd = false
  private(set) var rows: UInt64 = 0
  private(set) var damages: [Damage] = []

  init(_ tables: LogTables) { self.tables = tables }

  mutating func step(
    in transaction: borrowing ReadTransaction, upTo limit: WorkLimit
  ) throws(LogError) {
    var seen = 0
    var ended = true
    let start = (last ?? []) + [0]
    do throws(LMDBError) {
      // Of this transaction, since the log may have grown.
      let head = try transaction.lastCommitPosition(in: tables)
      try transaction.scan(tables.tree, from: start.span) { (key, _) throws(LMDBError) in
        guard seen < limit.rows else {
          ended = false
          return .stop
        }
        seen += 1
        last = [UInt8](copying: key)
        if !isPossible(key, head: head) {
          damages.append(
            Damage(table: LogTables.treeName, problem: "a hash stands where no records are"))
        }
        return .next
      }
    } catch { throw .storage(error) }
    rows += UInt64(seen)
    isAtEnd = ended
  }

  private func isPossible(_ key: RawSpan, head: Position) -> Bool {
    guard key.byteCount == 9 else { return false }
    let level = key.byte(at: 0)
    return level > 0 && level < 64 && level % 8 == 0
      && key.bigEndianUInt64(at: 1) < head >> UInt64(level)
  }
}
