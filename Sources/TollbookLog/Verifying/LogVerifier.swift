import Bytes
package import LMDB
package import TollbookEvents

/// Looks at every byte that the log stores and says which are wrong.
///
/// Bodies must match their checksum and the digest that names them. Positions must follow each other without a gap;
/// records must match their checksum and bear the time of their commit; commits must follow each other and their times
/// never fall; all records must hash to the stored hashes of the tree and to the root of every commit; the body that an
/// entry names must be there, unless it was pruned since; and the index must have the rows of every event and no others.
/// Views are compared with a replay elsewhere, which may take the events from here.
///
/// It reads what was committed when it began, in transactions that each copy a bounded part, so it may run beside a
/// writer for hours.
package struct LogVerifier: Sendable {
  /// What is looked at.
  package enum Stage: String, CaseIterable, Sendable {
    case bodies, tree, records, indexes
  }

  /// What is left out.
  package struct Scope: Hashable, Sendable {
    package var bodies = true
    /// Whether records are decoded, and the index is compared with them. Without this checksums and roots remain.
    package var contents = true

    package init() {}

    /// Checksums and roots only.
    package static let fast: Scope = {
      var scope = Scope()
      scope.bodies = false
      scope.contents = false
      return scope
    }()
  }

  /// How far it is.
  package struct Progress: Hashable, Sendable {
    package var stage: Stage
    /// Rows of this stage that were looked at.
    package var done: UInt64
    /// Rows of this stage in all, as counted when it began.
    package var total: UInt64
  }

  /// Who wants to know what, meanwhile.
  package struct Watch {
    /// Told the table that is about to be read: should the process die of it, that one is damaged.
    package var reading: (String) -> Void = { _ in }
    /// Told after each transaction.
    package var progress: (Progress) -> Void = { _ in }
    /// Given all events in order, in portions, as long as none was missing or broken.
    package var events: ([RecordedEvent]) throws(LogError) -> Void = {
      (_: [RecordedEvent]) throws(LogError) in
    }
    /// Asked between portions; the report then says that it was cut short.
    package var isCancelled: () -> Bool = { false }

    package init() {}
  }

  /// What was looked at and found.
  package struct Report: Hashable, Sendable {
    /// The last position before the first record.
    package var start: Position = 0
    /// The last position that was looked at.
    package var head: Position = 0
    package var records: UInt64 = 0
    package var commits: UInt64 = 0
    package var bodies: UInt64 = 0
    /// Bytes of all bodies, inflated.
    package var bodyBytes: UInt64 = 0
    /// Bodies that are named and not there, because the log was restored without them. Not damage.
    package var absentBodies: UInt64 = 0
    /// What is wrong: empty if nothing is.
    package var damages: [Damage] = []
    /// Whether it gave up because there is more damage than it was to list, or because it was told to.
    package var isCutShort = false
    /// Whether every record could be read, so that a replay can be compared with the views.
    package var isReadable = true
    /// Whether every commit's seal could be read: they alone tell the clocks that views go by.
    package var areClocksKnown = true
    /// Up to where the index contains the log, if that is not all of it: it was cut short while it caught up, and the next
    /// opening of the log goes on. Not damage.
    package var indexPosition: Position?
    /// Seconds that bodies and records took.
    package var bodySeconds = 0.0
    package var recordSeconds = 0.0
  }

  private let environment: Environment
  private let tables: LogTables
  /// Work of one read transaction: some milliseconds, since it only copies.
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

  /// Looks at everything, or at what the scope leaves.
  ///
  /// - Parameter limit: damages after which it gives up.
  /// - Throws: `.storage` if LMDB itself fails. Damage is not thrown but reported.
  package func verify(
    _ scope: Scope = Scope(), limit: Int = 1_000, watch: Watch = Watch()
  ) throws(LogError) -> Report {
    watch.reading(LogTables.commitsName)
    let extent = try environment.withReadTransaction { (transaction) throws(LogError) in
      try LogExtent(tables, in: transaction)
    }
    var report = Report()
    report.head = extent.head
    report.start = extent.start.first - 1
    report.damages = extent.damages
    // Bodies first: the walk over the records then tells at which position a broken one is named.
    var named: NamedBodies?
    if scope.bodies {
      let broken = try walkBodies(of: extent, limit, watch, &report)
      named = NamedBodies(origin: extent.origin, broken: broken)
    }
    try walkTree(of: extent, limit, watch, &report)
    let sums = try walkRecords(of: extent, named, scope, limit, watch, &report)
    if scope.contents, report.isReadable, !report.isCutShort {
      report.damages += try checkIndex(sums, watch, &report)
    }
    return report
  }

  private func walkBodies(
    of extent: LogExtent, _ limit: Int, _ watch: Watch, _ report: inout Report
  ) throws(LogError) -> [[UInt8]: Damage] {
    let start = ContinuousClock.now
    var walk = BodyWalk(environment, tables)
    while !walk.isAtEnd, walk.damages.count + walk.broken.count < limit, !watch.isCancelled() {
      watch.reading(LogTables.bodiesName)
      try walk.step(upTo: chunk)
      watch.progress(Progress(stage: .bodies, done: walk.rows, total: extent.bodies))
    }
    report.bodies = walk.rows
    report.bodyBytes = walk.bytes
    report.damages += walk.damages
    report.isCutShort = report.isCutShort || !walk.isAtEnd
    report.bodySeconds = start.seconds
    return walk.broken
  }

  private func walkTree(
    of extent: LogExtent, _ limit: Int, _ watch: Watch, _ report: inout Report
  ) throws(LogError) {
    var walk = TreeWalk(environment, tables, after: report.start)
    while !walk.isAtEnd, walk.damages.count < limit, !watch.isCancelled() {
      watch.reading(LogTables.treeName)
      try walk.step(upTo: chunk)
      watch.progress(Progress(stage: .tree, done: walk.rows, total: extent.tiles))
    }
    report.damages += walk.damages
    report.isCutShort = report.isCutShort || !walk.isAtEnd
  }

  private func walkRecords(
    of extent: LogExtent, _ bodies: NamedBodies?, _ scope: Scope, _ limit: Int, _ watch: Watch,
    _ report: inout Report
  ) throws(LogError) -> IndexSums {
    let start = ContinuousClock.now
    let total = extent.head - min(extent.head, report.start)
    var walk = RecordWalk(
      environment, tables, head: extent.head, start: extent.start, bodies: bodies,
      work: .init(isDecoding: scope.contents || scope.bodies, isIndexing: scope.contents),
      watch: watch)
    while !walk.isAtEnd, walk.damages.count < limit, !watch.isCancelled() {
      let events = try walk.step(upTo: chunk)
      if walk.isReadable, walk.areClocksKnown, !events.isEmpty { try watch.events(events) }
      watch.progress(Progress(stage: .records, done: walk.rows, total: total))
    }
    report.records = walk.rows
    report.commits = walk.commits
    report.damages += walk.damages
    report.isReadable = walk.isReadable
    report.areClocksKnown = walk.areClocksKnown
    report.isCutShort = report.isCutShort || !walk.isAtEnd
    if var bodies = walk.bodies {
      watch.reading(LogTables.bodiesName)
      let (damages, absent) = try bodies.finish(after: extent.head, environment, tables)
      report.damages += damages
      report.absentBodies = absent
    }
    report.recordSeconds = start.seconds
    return walk.index
  }

  /// Compares the index, if the log has one already: one that was restored gets it when it is opened.
  private func checkIndex(
    _ sums: IndexSums, _ watch: Watch, _ report: inout Report
  ) throws(LogError) -> [Damage] {
    guard report.head > report.start else { return [] }
    watch.reading(LogTables.viewsName)
    let fold = EventIndex.fold
    let views: ViewTables
    do throws(LogError) { views = try ViewTables(of: fold, in: environment) } catch {
      guard case .noView = error else { throw error }
      return []
    }
    let (start, head) = (report.start, report.head)
    let found = try environment.withReadTransaction { (transaction) throws(LogError) in
      let row = try LogError.absorbing(try ViewRow.of(fold, tables.views, in: transaction))
      var isEmpty = true
      var isAhead = false
      for table in try views.open(in: transaction) {
        if try LogError.absorbing(try transaction.count(in: table)) > 0 { isEmpty = false }
        guard let row, row.position < head else { continue }
        try transaction.scan(table) { (key, _) throws(LogError) in
          isAhead = isAhead || IndexCheck.position(of: key) > row.position
          return isAhead ? .stop : .next
        }
      }
      return (row: row, isEmpty: isEmpty, isAhead: isAhead)
    }
    if found.row == nil, found.isEmpty { return [] }
    guard let row = found.row, row.position >= start, !found.isAhead else {
      return [
        Damage(
          table: LogTables.viewsName, position: found.row?.position,
          problem: "\(fold.id) is not noted to contain the log up to \(head)")
      ]
    }
    let end = min(row.position, head)
    var expected = sums
    if end < head {
      report.indexPosition = end
      guard end > start else { return [] }
      expected = try IndexSums.read(environment, tables, (start + 1)...end, chunk.rows) {
        watch.isCancelled()
      }
    }
    return try IndexCheck(
      environment, tables, views, range: (start + 1)...end, expected: expected, watch: watch,
      chunk: chunk
    ).damages()
  }
}

extension ContinuousClock.Instant {
  /// How long ago it was.
  fileprivate var seconds: Double {
    let elapsed = duration(to: .now).components
    return Double(elapsed.seconds) + Double(elapsed.attoseconds) * 1e-18
  }
}

/// How much one transaction looks at.
struct WorkLimit: Sendable {
  var rows: Int
  var bytes: Int
}

/// How much there is to verify, as one transaction sees it.
private struct LogExtent {
  var head: Position = 0
  var start = LogStart()
  var bodies: UInt64 = 0
  var tiles: UInt64 = 0
  var origin: LogOrigin?
  /// What stands before the first record or behind the last commit.
  var damages: [Damage] = []

  init(_ tables: LogTables, in transaction: borrowing ReadTransaction) throws(LogError) {
    var isOriginKnown = true
    do throws(LogError) {
      origin = try LogReader(tables).origin(in: transaction)
    } catch {
      guard case .damaged(let damage) = error else { throw error }
      damages.append(damage)
      isOriginKnown = false
    }
    try LogError.inTables { () throws(LMDBError) in
      head = min(try transaction.lastCommitPosition(in: tables), .max - 1)
      bodies = UInt64(try transaction.count(in: tables.bodies))
      tiles = UInt64(try transaction.count(in: tables.tree))
      if let base = origin?.base {
        start = LogStart(after: base)
        try checkBase(base, tables, in: transaction)
      } else if !isOriginKnown {
        let first = try transaction.firstPosition(in: tables.events) ?? head + 1
        start = LogStart(unknownUpTo: max(1, min(first, head + 1)))
      } else if let first = try transaction.firstPosition(in: tables.events), first < 1 {
        report(tables.events, first, "a row stands before the first position")
      }
      let behind = LogTables.key(head + 1)
      for table in [tables.events, tables.commits] {
        try transaction.scan(table, from: behind.span) { (key, _) throws(LMDBError) in
          report(
            table, key.byteCount == 8 ? key.bigEndianUInt64(at: 0) : nil,
            "a row stands behind the last commit")
          return .stop
        }
      }
      try checkOriginRows(tables, in: transaction)
    }
  }

  private mutating func report(_ table: Table, _ position: Position?, _ problem: String) {
    damages.append(Damage(table: table.name, position: position, problem: problem))
  }

  /// The commit at whose end the snapshot was taken must be there, and nothing before it.
  private mutating func checkBase(
    _ base: LogBase, _ tables: LogTables, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    if let first = try transaction.firstPosition(in: tables.events), first <= base.position {
      report(tables.events, first, "a row stands before the snapshot that the log goes on from")
    }
    if let first = try transaction.firstPosition(in: tables.commits), first < base.position {
      report(tables.commits, first, "a row stands before the snapshot that the log goes on from")
    }
    let key = LogTables.key(base.position)
    let row = try transaction.value(forKey: key.span, in: tables.commits)
    if row != base.commit.bytes {
      report(
        tables.commits, base.position,
        "the commit of the snapshot that the log goes on from is missing or damaged")
    }
  }

  /// There is one row, and it has one key.
  private mutating func checkOriginRows(
    _ tables: LogTables, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    var strange = 0
    try transaction.scan(tables.origin) { (key, _) throws(LMDBError) in
      if !key.elementsEqual(LogOrigin.key) { strange += 1 }
      return strange == 0 ? .next : .stop
    }
    if strange > 0 { report(tables.origin, nil, "a row has a key that is never written") }
  }
}

extension ReadTransaction {
  /// The position of the first row; keys that are none are passed over.
  fileprivate borrowing func firstPosition(in table: Table) throws(LMDBError) -> Position? {
    var first: Position?
    var seen = 0
    try scan(table) { (key, _) throws(LMDBError) in
      seen += 1
      guard key.byteCount == 8 else { return seen < 1_000 ? .next : .stop }
      first = key.bigEndianUInt64(at: 0)
      return .stop
    }
    return first
  }
}
