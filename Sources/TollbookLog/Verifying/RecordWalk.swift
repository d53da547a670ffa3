import Bytes
import LMDB
import TollbookEvents

/// The verification of records, commits and the tree over them, in the order of positions.
///
/// One damage is to be one finding. A record that is known to be broken spoils the hash of everything after it, so from
/// there on roots are not compared, until the next stored hash of 256 records allows to begin anew.
struct RecordWalk {
  /// The commit that the walk is in.
  private struct Commit {
    let last: Position
    /// Nil: its seal is damaged.
    let row: CommitRow?
    /// From the seal, or else from the first sound record.
    var time: Timestamp?
  }

  /// Positions that are gone over one by one; a longer gap is jumped over.
  private static let longestWalkedGap: Position = 1 << 20

  private let environment: Environment
  private let tables: LogTables
  private let watch: LogVerifier.Watch
  private let work: CheckedRecords.Work
  private let head: Position
  private var next: Position = 1
  private var seals: CommitSeals
  private var commit: Commit?
  /// Commit time of the commit before; nil if that is not known.
  private var before: Timestamp? = Timestamp(milliseconds: .min)
  private var frontier = MerkleFrontier()
  /// Whether `frontier` is that of the records as they were committed.
  private var isFrontierSound = true
  /// Nil: bodies are not looked at.
  private(set) var bodies: NamedBodies?
  private(set) var index = IndexSums()
  /// Whether every record up to here could be read, so that views and indexes can be compared with them.
  private(set) var isReadable = true
  /// Whether every seal up to here could be read. The views go by the clocks that seals alone tell, so that else they
  /// cannot be compared either.
  private(set) var areClocksKnown = true
  private(set) var rows: UInt64 = 0
  private(set) var damages: [Damage] = []

  /// - Parameters:
  ///   - start: where the log begins; nil if nobody knows, and then at the first record that there is.
  ///   - bodies: nil leaves out whether bodies that are named are there.
  init(
    _ environment: Environment, _ tables: LogTables, head: Position, start: LogStart,
    bodies: NamedBodies?, work: CheckedRecords.Work, watch: LogVerifier.Watch
  ) {
    self.environment = environment
    self.tables = tables
    self.head = head
    self.watch = watch
    self.work = work
    self.bodies = bodies
    seals = CommitSeals(environment, tables, watch)
    next = start.first
    before = start.time
    frontier = start.frontier
    isFrontierSound = start.isKnown
  }

  var isAtEnd: Bool { next > head }
  var commits: UInt64 { seals.entered }

  /// Goes over the next portion and returns its events, if records are decoded.
  mutating func step(upTo limit: WorkLimit) throws(LogError) -> [RecordedEvent] {
    watch.reading(LogTables.eventsName)
    let start = next
    let (tables, head) = (tables, head)
    let portion = try LogError.inTables { () throws(LMDBError) in
      try environment.withReadTransaction { (transaction) throws(LMDBError) in
        try RecordPortion(from: start, through: head, upTo: limit, of: tables, in: transaction)
      }
    }
    let checked = CheckedRecords(portion, work)
    for length in portion.wrongKeys {
      report(LogTables.eventsName, nil, "a key of \(length) bytes is no position")
    }
    index += checked.index
    var named: [NamedBodies.Note] = []
    var events: [RecordedEvent] = []
    events.reserveCapacity(checked.events.count)
    for number in 0..<portion.count {
      try visit(number, checked)
      if work.isDecoding, var event = checked.events[number] {
        if bodies != nil { NamedBodies.Note.add(of: event, to: &named) }
        event.wall = commit?.row?.wall ?? event.time
        events.append(event)
      }
      if commit?.row == nil { areClocksKnown = false }
      try finish(checked.leaf(number))
    }
    rows += UInt64(portion.count)
    switch portion.end {
    case .limit: break
    case .gap(let position): try skip(to: position)
    case .table: try skip(to: head + 1)
    case .disorder:
      report(LogTables.eventsName, next, "keys do not ascend: nothing behind can be trusted")
      isReadable = false
      next = head + 1
    }
    if var bodies {
      watch.reading(LogTables.bodiesName)
      damages += try bodies.take(named, environment, tables)
      self.bodies = bodies
    }
    return events
  }

  private mutating func report(_ table: String, _ position: Position?, _ problem: String) {
    damages.append(Damage(table: table, position: position, problem: problem))
  }

  // MARK: Records

  /// Goes over positions that have no record.
  private mutating func skip(to position: Position) throws(LogError) {
    let end = min(position, head + 1)
    guard next < end else { return }
    damages.append(.missingEvent(at: next))
    isFrontierSound = false
    isReadable = false
    if end - next > Self.longestWalkedGap { return try jump(to: end) }
    let nothing = MerkleTree.leafHash([])
    while next < end {
      // Again each time, since stored hashes inside the gap may have told what was there.
      isFrontierSound = false
      try enterCommit()
      try finish(nothing)
    }
  }

  /// Goes over a gap that no real log can have, from commit to commit.
  private mutating func jump(to end: Position) throws(LogError) {
    while next < end {
      try enterCommit()
      guard let commit, commit.last < end else { break }
      before = commit.time
      next = commit.last + 1
      self.commit = nil
    }
    next = end
    let unknown = [TreeHash](
      repeating: MerkleTree.emptyRoot, count: (end - 1).nonzeroBitCount)
    frontier = MerkleFrontier(size: end - 1, subtrees: unknown) ?? MerkleFrontier()
  }

  private mutating func visit(_ number: Int, _ checked: CheckedRecords) throws(LogError) {
    try enterCommit()
    if let damage = checked.broken[number] {
      damages.append(damage)
      isFrontierSound = false
      isReadable = false
      return
    }
    checkTime(checked.times[number])
    // A sound record that this version cannot decode still has its place in the tree.
    if let damage = checked.unreadable[number] {
      damages.append(damage)
      isReadable = false
    }
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

  /// Ends a position: its leaf, the stored hashes that it completes, and the commit if it is the last of it.
  private mutating func finish(_ leaf: TreeHash) throws(LogError) {
    for tile in frontier.append(leaf) { try check(tile) }
    if !isFrontierSound, next % 256 == 0 { try resume(size: next) }
    if next == commit?.last { try seal() }
    next += 1
  }

  // MARK: Tree

  private mutating func check(_ tile: MerkleFrontier.Tile) throws(LogError) {
    watch.reading(LogTables.treeName)
    let stored: TreeHash
    do throws(LogError) {
      stored = try environment.withReadTransaction { (transaction) throws(LogError) in
        try LogReader(tables).tile(level: tile.level, index: tile.index, in: transaction)
      }
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
  private mutating func resume(size: UInt64) throws(LogError) {
    watch.reading(LogTables.treeName)
    do throws(LogError) {
      frontier = try environment.withReadTransaction { (transaction) throws(LogError) in
        try LogReader(tables).frontier(size: size, in: transaction)
      }
      isFrontierSound = true
    } catch {
      switch error {
      case .damaged, .beforeBase: break
      default: throw error
      }
    }
  }

  // MARK: Commits

  /// Reads the seal of the commit that begins at `next`, unless the walk is inside one.
  private mutating func enterCommit() throws(LogError) {
    guard commit == nil else { return }
    let found = try seals.seal(atLeast: next)
    damages += seals.takeDamages()
    guard let (last, value) = found else { return }
    do throws(Damage) {
      let row = try value.withRawSpan { (bytes) throws(Damage) in
        try CommitRow(last: last, bytes: bytes)
      }
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

  private mutating func seal() throws(LogError) {
    guard let commit else { return }
    before = commit.time
    self.commit = nil
    guard let row = commit.row, isFrontierSound, frontier.root != row.root else { return }
    report(
      LogTables.commitsName, row.last, "the records do not hash to the root of their commit")
    isFrontierSound = false
    // The stored hashes may know better than the records.
    try resume(size: row.last)
    isFrontierSound = isFrontierSound && frontier.root == row.root
  }
}

/// Where the records of a log begin.
struct LogStart {
  var first: Position = 1
  /// Commit time of the commit before the first record; nil if nobody knows.
  var time: Timestamp? = Timestamp(milliseconds: .min)
  /// The tree before the first record.
  var frontier = MerkleFrontier()
  /// Whether `frontier` is true.
  var isKnown = true

  init() {}

  init(after base: LogBase) {
    first = base.position + 1
    time = base.commit.time
    frontier = base.frontier
  }

  /// At a position before which nobody knows what was.
  init(unknownUpTo first: Position) {
    self.first = first
    time = nil
    isKnown = false
    let hashes = [TreeHash](
      repeating: MerkleTree.emptyRoot, count: (first - 1).nonzeroBitCount)
    frontier = MerkleFrontier(size: first - 1, subtrees: hashes) ?? MerkleFrontier()
  }
}

/// The seals of commits in their order, read some thousands at a time.
private struct CommitSeals {
  private static let portion = 5_000

  private let environment: Environment
  private let tables: LogTables
  private let watch: LogVerifier.Watch
  private var rows: ArraySlice<(Position, [UInt8])> = []
  private var isAtEnd = false
  private var damages: [Damage] = []
  /// Seals that were handed out.
  private(set) var entered: UInt64 = 0

  init(_ environment: Environment, _ tables: LogTables, _ watch: LogVerifier.Watch) {
    self.environment = environment
    self.tables = tables
    self.watch = watch
  }

  /// What was wrong with keys since it was asked last.
  mutating func takeDamages() -> [Damage] {
    defer { damages = [] }
    return damages
  }

  /// The next seal whose commit ends at `position` or behind it.
  mutating func seal(atLeast position: Position) throws(LogError) -> (Position, [UInt8])? {
    while true {
      if rows.isEmpty {
        guard !isAtEnd else { return nil }
        try read(from: position)
      }
      guard let row = rows.popFirst() else { return nil }
      if row.0 >= position {
        entered += 1
        return row
      }
    }
  }

  private mutating func read(from position: Position) throws(LogError) {
    watch.reading(LogTables.commitsName)
    let start = LogTables.key(position)
    var found: [(Position, [UInt8])] = []
    var wrong: [Damage] = []
    var last = position - 1
    var hasMore = false
    try LogError.inTables { () throws(LMDBError) in
      try environment.withReadTransaction { (transaction) throws(LMDBError) in
        try transaction.scan(tables.commits, from: start.span) { (key, value) throws(LMDBError) in
          guard found.count < Self.portion, wrong.count < Self.portion else {
            hasMore = true
            return .stop
          }
          guard key.byteCount == 8 else {
            wrong.append(
              Damage(
                table: LogTables.commitsName,
                problem: "a key of \(key.byteCount) bytes is no position"))
            return .next
          }
          let key = key.bigEndianUInt64(at: 0)
          guard key > last else {
            wrong.append(
              Damage(
                table: LogTables.commitsName, position: last,
                problem: "keys do not ascend: nothing behind can be trusted"))
            return .stop
          }
          last = key
          found.append((key, [UInt8](copying: value)))
          return .next
        }
      }
    }
    rows = found[...]
    damages += wrong
    isAtEnd = !hasMore
  }
}
