import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@Suite struct ImporterTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A log of commits of one to nine events each, closed again; its tables and its commits as they would be exported.
  private func original(events: Int) async throws -> (
    tables: [String: TableDump], commits: [SealedCommit]
  ) {
    let time = ManualTime()
    let log = try folder.openLog("original", time: time.source)
    defer { log.close() }
    var written = 0
    while written < events {
      time.advance(byMilliseconds: 7)
      let count = min(1 + written % 9, events - written)
      let body = Body(Array("body \(written)".utf8))
      try await log.append(
        (0..<count).map { note("event \(written + $0)") }, bodies: written % 4 == 0 ? [body] : [])
      written += count
    }
    let records = try log.records()
    let commits = try log.commits().map { row in
      SealedCommit(row: row, records: Array(records[Int(row.first) - 1..<Int(row.last)]))
    }
    return (try log.environment.dump(), commits)
  }

  private func imported(
    _ commits: [SealedCommit], origin: LogOrigin? = nil, into name: String = "imported"
  ) throws {
    let importer = try LogImporter(folder.own(name), options: .scratch)
    if let origin { try importer.begin(origin) }
    for start in stride(from: 0, to: commits.count, by: 7) {
      try importer.append(Array(commits[start..<min(start + 7, commits.count)]))
    }
  }

  private func base(after commit: SealedCommit, of commits: [SealedCommit]) throws -> LogBase {
    var frontier = MerkleFrontier()
    for record in commits.prefix(while: { $0.row.last <= commit.row.last }).flatMap(\.records) {
      _ = frontier.append(MerkleTree.leafHash(record))
    }
    return try LogBase(commit: commit.row, frontier: frontier, snapshot: "a.snapshot")
  }

  @Test func `imported commits give the log they were exported from`() async throws {
    let (tables, commits) = try await original(events: 700)
    try imported(commits)
    let log = try folder.openLog("imported")
    defer { log.close() }
    let dump = try log.environment.dump()
    for name in ["events", "commits", "tree"] {
      #expect(dump[name] == tables[name], "table \(name)")
    }
    #expect(try LogVerifier(log).verify().damages.isEmpty)
  }

  @Test(arguments: [1, 5, 255, 256, 257, 300, 511, 512, 600])
  func `a log goes on from any commit as if all before it were there`(
    events: UInt64
  ) async throws {
    let (_, commits) = try await original(events: 1_500)
    let at = try #require(commits.firstIndex { $0.row.last >= events })
    let base = try base(after: commits[at], of: commits)
    let origin = LogOrigin(
      position: base.position, restored: .testStart, isWithoutBodies: true, base: base)
    try imported(Array(commits[(at + 1)...]), origin: origin)
    let log = try folder.openLog("imported")
    defer { log.close() }
    #expect(log.head == 1_500)
    #expect(log.root == commits.last?.row.root)
    for commit in commits[at...] {
      let root = try log.read { (transaction) throws(LogError) in
        try log.reader.frontier(size: commit.row.last, in: transaction).root
      }
      #expect(root == commit.row.root, "at \(commit.row.last)")
    }
    let report = try LogVerifier(log).verify()
    #expect(report.damages.isEmpty)
    #expect(report.records == 1_500 - base.position)
    try await log.append([note("one more")])
    #expect(log.head == 1_501)
    #expect(try LogVerifier(log).verify().damages.isEmpty)
  }

  @Test func `what lies before the base is refused by its name`() async throws {
    let (_, commits) = try await original(events: 300)
    let base = try base(after: commits[20], of: commits)
    let origin = LogOrigin(
      position: base.position, restored: .testStart, isWithoutBodies: false, base: base)
    try imported([], origin: origin)
    let log = try folder.openLog("imported")
    defer { log.close() }
    #expect(log.head == base.position)
    #expect(log.root == base.commit.root)
    #expect(throws: LogError.beforeBase(base.position)) {
      try log.read { (transaction) throws(LogError) in
        try log.reader.scan(after: base.position - 1, in: transaction) { _ in .next }
      }
    }
    #expect(throws: LogError.beforeBase(base.position)) {
      _ = try log.read { (transaction) throws(LogError) in
        try log.reader.frontier(size: base.position - 1, in: transaction)
      }
    }
    let origins = try log.read { (transaction) throws(LogError) in
      try log.reader.origin(in: transaction)
    }
    #expect(origins == origin)
  }

  @Test func `every flipped bit of the note of a restore is found`() async throws {
    let (_, commits) = try await original(events: 30)
    let base = try base(after: commits[3], of: commits)
    let origin = LogOrigin(
      position: base.position, restored: .testStart, isWithoutBodies: false, base: base)
    try imported([], origin: origin)
    let directory = try folder.own("imported")
    let environment = try Environment(
      directory: directory.path, options: EnvironmentOptions(mapSize: 1 << 30))
    let table = try LogTables(of: environment).origin
    let key = Array("origin".utf8)
    let row = try #require(
      try environment.withReadTransaction { (transaction) throws(LMDBError) in
        try transaction.value(forKey: key.span, in: table)
      })
    for bit in 0..<(row.count * 8) {
      var flipped = row
      flipped[bit / 8] ^= 1 << UInt8(bit % 8)
      try overwrite(flipped, forKey: key, in: table, of: environment)
      #expect(!(try LogVerifier(environment).verify().damages.isEmpty), "bit \(bit)")
    }
  }

  private func overwrite(
    _ value: [UInt8], forKey key: [UInt8], in table: Table, of environment: Environment
  ) throws {
    try environment.withWriteTransaction { (transaction) throws(LMDBError) in
      try transaction.put(value.span, forKey: key.span, in: table)
    }
  }

  /// What may be wrong with commits that are to be imported.
  enum Forgery: CaseIterable {
    case removed, swapped, shortened, otherRecord, flippedRecord, otherTime, otherClock, otherRoot
  }

  @Test(arguments: Forgery.allCases)
  func `a commit that is not what was sealed is refused, and nothing of its batch is written`(
    forgery: Forgery
  ) async throws {
    var (_, commits) = try await original(events: 60)
    let row = commits[9].row
    switch forgery {
    case .removed: commits.remove(at: 9)
    case .swapped: commits.swapAt(9, 10)
    case .shortened: commits[9].records.removeLast()
    case .otherRecord:
      // With a checksum that fits: only the root knows.
      commits[9].records[0] = Record.encode(note("forged"), time: row.time)
    case .flippedRecord: commits[9].records[0][12] ^= 1
    case .otherTime:
      commits[9].records[0] = Record.encode(
        note("event"), time: row.time.advanced(byMilliseconds: 1))
    case .otherClock:
      // No record says what the clock said.
      commits[9].row = CommitRow(
        first: row.first, last: row.last, wall: row.wall.advanced(byMilliseconds: -1),
        time: row.time, treeSize: row.treeSize, root: row.root)
    case .otherRoot:
      commits[9].row = CommitRow(
        first: row.first, last: row.last, wall: row.wall, time: row.time, treeSize: row.treeSize,
        root: commits[8].row.root)
    }
    let importer = try LogImporter(folder.own("imported"), options: .scratch)
    try importer.append(Array(commits[..<5]))
    let head = importer.head
    let damage = #expect(throws: LogError.self) { try importer.append(Array(commits[5...])) }
    guard case .damaged(let found)? = damage else {
      Issue.record("\(String(describing: damage))")
      return
    }
    #expect(((row.first - 1)...(row.last + 9)).contains(found.position ?? 0), "\(found)")
    if forgery == .removed || forgery == .swapped {
      #expect(found.problem.contains("comes next"), "\(found)")
    }
    #expect(importer.head == head)
    #expect(importer.root == commits[4].row.root)
  }
}
