import LMDB
import TollbookEvents

/// The verification of records, commits and the tree over them, in the order of positions.
///
/// One damage is to be one finding. A record that is known to be broken spoils the hash of everything after it, so from
/// there on roots are not compared, until the next stored hash of 256 records allows to begin anew.
struct RecordWalk: Walk {
  /// The commit that the walk is in.
  private struct Commit {
    let last: Position
    /// Nil: its seal is damaged.
    let row: CommitRow?
    /// From the seal, or else from the first sound record.
    var time: Timestamp?
  }

  private let tables: LogTables
  private let reader: LogReader
  private let head: Position
  private let origin: LogOrigin?
  private var next: Position = 1
  private var commit: Commit?
  /// Commit time of the commit before; nil if that is not known.
  private var before: Timestamp? = Timestamp(milliseconds: .min)
  private var frontier = MerkleFrontier()
  /// Whether `frontier` is that of the records as they were committed.
  private var isFrontierSound = true
  private var brokenBodies: [[UInt8]: Damage]
  private var namedBodies: Set<[UInt8]> = []
  private(set) var rows: UInt64 = 0
  private(set) var commits: UInt64 = 0
  private(set) var damages: [Damage] = []
  /// Bodies that are named and not there, because the log was restored without them.
  private(set) var absentBodies: UInt64 = 0

  init(
    _ tables: LogTables, head: Position, origin: LogOrigin?, brokenBodies: [[UInt8]: Damage]
  ) {
    self.origin = origin
    if let base = origin?.base {
      next = base.position + 1
      before = base.commit.time
      frontier = base.frontier
    }
    self.tables = tables
    self.head = head
    self.brokenBodies = brokenBodies
    reader = LogReader(tables)
  }

  var isAtEnd: Bool { next > head }

  /// Broken bodies that no record names.
  var unnamedBodies: [Damage] {
    brokenBodies.filter { !namedBodies.contains($0.key) }.map(\.value)
  }

  mutating func step(
    in transaction: borrowing ReadTransaction, upTo limit: WorkLimit
  ) throws(LogError) {
    var seen = 0
    var work = 0
    var ended = true
    let start = LogTables.key(next)
    try transaction.scan(tables.events, from: start.span) { (key, value) throws(LogError) in
      guard next <= head, seen < limit.rows, work < limit.bytes else {
        ended = false
        return .stop
      }
      guard key.byteCount == 8 else {
        report(LogTables.eventsName, nil, "a key of \(key.byteCount) bytes is no position")
        return .next
      }
      seen += 1
      work += value.byteCount
      try skip(to: key.bigEndianUInt64(at: 0), in: transaction)
      guard next <= head else { return .stop }
      try visit(value, in: transaction)
      return .next
    }
    if ended { try skip(to: head + 1, in: transaction) }
    rows += UInt64(seen)
  }

  private mutating func report(_ table: String, _ position: Position?, _ problem: String) {
    damages.append(Damage(table: table, position: position, problem: problem))
  }

  // MARK: Records

  /// Goes over positions that have no record.
  private mutating func skip(
    to position: Position, in transaction: borrowing ReadTransaction
  ) throws(LogError) {
    let end = min(position, head + 1)
    guard next < end else { return }
    damages.append(.missingEvent(at: next))
    while next < end {
      isFrontierSound = false
      try enterCommit(in: transaction)
      try finish(hashing: [], in: transaction)
    }
  }

  private mutating func visit(
    _ value: RawSpan, in transaction: borrowing ReadTransaction
  ) throws(LogError) {
    try enterCommit(in: transaction)
    do throws(Damage) {
      try Record.check(value, at: next)
      checkTime(Record.time(of: value))
      let recorded = try Record.decode(value, at: next)
      if case .cacheWritten(let event) = recorded.event {
        try checkBody(event, in: transaction)
      }
    } catch {
      damages.append(error)
      // A sound record that this version cannot decode still has its place in the tree.
      if (try? Record.check(value, at: next)) == nil { isFrontierSound = false }
    }
    try finish(hashing: [UInt8](copying: value), in: transaction)
  }

  private mutating func checkTime(_ time: Timestamp) {
    guard let expected = commit?.time else {
      commit?.time = time
      return
    }
    if time != expected {
      report(LogTables.eventsName, next, "a record bears another time than its commit")
    }
  }

  private mutating func checkBody(
    _ event: CacheWritten, in transaction: borrowing ReadTransaction
  ) throws(Damage) {
    guard event.presence == .present else { return }
    let digest = Array(event.body)
    if let damage = brokenBodies[digest] {
      if namedBodies.insert(digest).inserted {
        report(damage.table, next, damage.problem)
      }
      return
    }
    let isThere = (try? transaction.contains(key: digest.span, in: tables.bodies)) ?? false
    guard isThere else {
      if let origin, origin.isWithoutBodies, next <= origin.position {
        absentBodies += 1
        return
      }
      throw Damage(
        table: LogTables.bodiesName, position: next,
        problem: "the body that an entry names is missing: \(digest.hexadecimal)")
    }
  }

  /// Ends a position: its leaf, the stored hashes that it completes, and the commit if it is the last of it.
  private mutating func finish(
    hashing record: [UInt8], in transaction: borrowing ReadTransaction
  ) throws(LogError) {
    for tile in frontier.append(MerkleTree.leafHash(record)) {
      try check(tile, in: transaction)
    }
    if !isFrontierSound, next % 256 == 0 { try resume(size: next, in: transaction) }
    if next == commit?.last { try seal(in: transaction) }
    next += 1
  }

  // MARK: Tree

  private mutating func check(
    _ tile: MerkleFrontier.Tile, in transaction: borrowing ReadTransaction
  ) throws(LogError) {
    let stored: TreeHash
    do throws(LogError) {
      stored = try reader.tile(level: tile.level, index: tile.index, in: transaction)
    } catch {
      guard case .damaged(let damage) = error else { throw error }
      damages.append(damage)
      return
    }
    if isFrontierSound && stored != tile.hash {
      report(
        LogTables.treeName, next,
        "the stored hash of level \(tile.level), index \(tile.index) is not that of its records")
    }
  }

  /// Takes the stored hashes for true again, if they can be read.
  private mutating func resume(
    size: UInt64, in transaction: borrowing ReadTransaction
  ) throws(LogError) {
    do throws(LogError) {
      frontier = try reader.frontier(size: size, in: transaction)
      isFrontierSound = true
    } catch {
      guard case .damaged = error else { throw error }
    }
  }

  // MARK: Commits

  /// Reads the seal of the commit that begins at `next`, unless the walk is inside one.
  private mutating func enterCommit(in transaction: borrowing ReadTransaction) throws(LogError) {
    guard commit == nil else { return }
    let start = LogTables.key(next)
    try transaction.scan(tables.commits, from: start.span) { (key, value) throws(LogError) in
      guard key.byteCount == 8 else {
        report(LogTables.commitsName, nil, "a key of \(key.byteCount) bytes is no position")
        return .next
      }
      enter(key.bigEndianUInt64(at: 0), value)
      return .stop
    }
  }

  private mutating func enter(_ last: Position, _ value: RawSpan) {
    commits += 1
    do throws(Damage) {
      let row = try CommitRow(last: last, bytes: value)
      commit = Commit(last: last, row: row, time: row.time)
      if row.first != next || row.treeSize != last {
        report(
          LogTables.commitsName, last,
          "a commit of \(row.first) to \(row.treeSize) stands where \(next) to \(last) should")
      }
      if let before, row.time != max(before, row.wall) {
        report(
          LogTables.commitsName, last,
          "a commit's time is neither its clock's nor that of the commit before it")
      }
    } catch {
      damages.append(error)
      commit = Commit(last: last, row: nil, time: nil)
    }
  }

  private mutating func seal(in transaction: borrowing ReadTransaction) throws(LogError) {
    guard let commit else { return }
    before = commit.time
    self.commit = nil
    guard let row = commit.row, isFrontierSound, frontier.root != row.root else { return }
    report(
      LogTables.commitsName, row.last, "the records do not hash to the root of their commit")
    isFrontierSound = false
    // The stored hashes may know better than the records.
    try resume(size: row.last, in: transaction)
    isFrontierSound = isFrontierSound && frontier.root == row.root
  }
}
