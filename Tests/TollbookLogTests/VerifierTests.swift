import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@Suite struct VerifierTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A log of a few commits with some bodies.
  func writeSmallLog() async throws {
    let time = ManualTime()
    let log = try folder.openLog(time: time.source)
    defer { log.close() }
    // The first history that names several bodies among few events, and removes none.
    let steps = (1...1_000 as ClosedRange<UInt64>).lazy
      .map { Self.steps(seed: $0) }
      .first { steps in
        Set(steps.flatMap(\.bodies).map(\.digest)).count >= 3
          && steps.allSatisfy(\.prunedBodies.isEmpty)
      }
    for step in try #require(steps) {
      time.advance(byMilliseconds: 1_000)
      try await log.append(step.events, bodies: step.bodies)
    }
  }

  /// Few steps of a history, at the times at which they are appended.
  static func steps(seed: UInt64) -> [EventGenerator.Step] {
    var generator = EventGenerator(seed: seed)
    var time = Timestamp.testStart
    var steps: [EventGenerator.Step] = []
    while generator.head < 14 {
      time = time.advanced(byMilliseconds: 1_000)
      steps.append(generator.next(at: time))
    }
    return steps
  }

  /// A log of small events whose tree has stored hashes.
  func writeLongLog(events: Int = 700, inCommitsOf size: Int = 50) async throws {
    let log = try folder.openLog()
    defer { log.close() }
    for start in stride(from: 0, to: events, by: size) {
      try await log.append((start..<min(start + size, events)).map { note("\($0)") })
    }
  }

  func openEnvironment(_ name: String = "data") throws -> Environment {
    try Environment(
      directory: "\(folder.path)/\(name)",
      options: EnvironmentOptions(mapSize: 1 << 30, unsafeWithoutSync: true))
  }

  // MARK: Flipped bits

  /// Flips every bit of every row of a table, one after the other, and expects each to be found where it is.
  func expectEveryFlipIsFound(
    in table: String, at position: (_ key: [UInt8]) -> Set<Position?>
  ) throws {
    let environment = try openEnvironment()
    let verifier = try LogVerifier(environment)
    try #require(try verifier.verify().damages == [])
    let handle = try environment.openTables([table])[0]
    var flips = 0
    for (key, value) in try environment.rows(of: handle) {
      for bit in 0..<value.count * 8 {
        var damaged = value
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        try environment.put(damaged, for: key, in: handle)
        let damages = try verifier.verify().damages
        let isFound =
          damages.count == 1 && damages[0].table == table
          && position(key).contains(damages[0].position)
        #expect(isFound, "bit \(bit) of \(key): \(damages)")
        flips += 1
      }
      try environment.put(value, for: key, in: handle)
    }
    try #require(try verifier.verify().damages == [])
    print("\(table): \(flips) flips")
    #expect(flips > 100)
  }

  @Test func `Law 5: every flipped bit in a record is found and located`() async throws {
    try await writeSmallLog()
    try expectEveryFlipIsFound(in: LogTables.eventsName) { [$0.position] }
  }

  @Test func `Law 5: every flipped bit in the seal of a commit is found and located`()
    async throws
  {
    try await writeSmallLog()
    try expectEveryFlipIsFound(in: LogTables.commitsName) { [$0.position] }
  }

  @Test func `Law 5: every flipped bit in a body is found, at the entry that names it`()
    async throws
  {
    try await writeSmallLog()
    let naming = try firstNamings()
    try expectEveryFlipIsFound(in: LogTables.bodiesName) { [naming[$0]] }
  }

  @Test func `Law 5: every flipped bit in a hash of the tree is found and located`()
    async throws
  {
    try await writeLongLog()
    try expectEveryFlipIsFound(in: LogTables.treeName) {
      [(Array($0.dropFirst()).position + 1) * 256]
    }
  }

  /// A log that goes on from a snapshot at position 300.
  func writeLogWithBase() async throws {
    try await writeLongLog()
    let base: LogBase
    let rest: [SealedCommit]
    do {
      let log = try folder.openLog()
      defer { log.close() }
      let records = try log.records()
      let commits = try log.commits()
      let at = try #require(commits.first { $0.last == 300 })
      var frontier = MerkleFrontier()
      for record in records.prefix(300) { _ = frontier.append(MerkleTree.leafHash(record)) }
      base = try LogBase(commit: at, frontier: frontier, snapshot: "a.snapshot")
      rest = commits.filter { $0.first > 300 }.map { row in
        SealedCommit(row: row, records: Array(records[Int(row.first) - 1..<Int(row.last)]))
      }
    }
    let importer = try LogImporter(folder.own("based"), options: .scratch)
    try importer.begin(
      LogOrigin(position: 300, restored: .testStart, isWithoutBodies: true, base: base))
    try importer.append(rest)
  }

  @Test func `Law 5: every flipped bit in the note of a restore is found`() async throws {
    try await writeLogWithBase()
    let environment = try openEnvironment("based")
    let verifier = try LogVerifier(environment)
    try #require(try verifier.verify().damages == [])
    let handle = try environment.openTables([LogTables.originName])[0]
    let (key, value) = try #require(try environment.rows(of: handle).first)
    for bit in 0..<value.count * 8 {
      var damaged = value
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      try environment.put(damaged, for: key, in: handle)
      let damages = try verifier.verify().damages
      #expect(damages.map(\.table) == [LogTables.originName], "bit \(bit): \(damages)")
    }
    try environment.put(value, for: key, in: handle)
    try #require(try verifier.verify().damages == [])
  }

  @Test func `what stands before a base is found, and a base's seal that is gone`() async throws {
    try await writeLogWithBase()
    let environment = try openEnvironment("based")
    let tables = try LogTables(of: environment)
    func found(
      _ change: (inout WriteTransaction) throws(LMDBError) -> Void
    ) throws -> [Found] {
      try environment.change { (transaction) throws(LMDBError) in
        try change(&transaction)
      }
      return try LogVerifier(environment).verify().damages.map {
        Found(table: $0.table, position: $0.position)
      }
    }
    let seal = try #require(
      try environment.rows(of: tables.commits).first { $0.key.position == 300 })
    let record = Record.encode(note("before"), time: .testStart)
    #expect(
      try found { (transaction) throws(LMDBError) in
        _ = try transaction.delete(key: seal.key.span, in: tables.commits)
      } == [Found(table: "commits", position: 300)])
    #expect(
      try found { (transaction) throws(LMDBError) in
        try transaction.put(seal.value.span, forKey: seal.key.span, in: tables.commits)
        try transaction.put(record.span, forKey: LogTables.key(7).span, in: tables.events)
      } == [Found(table: "events", position: 7)])
  }

  // MARK: Other damage

  /// Changes the files of a log behind its back and returns what is found then.
  func damages(
    _ change: (inout WriteTransaction, Tables) throws(LMDBError) -> Void
  ) throws -> [Found] {
    let environment = try openEnvironment()
    let tables = Tables(
      try environment.openTables([
        LogTables.eventsName, LogTables.commitsName, LogTables.treeName, LogTables.bodiesName,
      ]))
    try environment.withWriteTransaction { (transaction) throws(LMDBError) in
      try change(&transaction, tables)
    }
    return try LogVerifier(environment).verify().damages.map {
      Found(table: $0.table, position: $0.position)
    }
  }

  struct Found: Hashable, CustomStringConvertible {
    var table: String
    var position: Position?

    var description: String { "\(table) \(position.map { "\($0)" } ?? "-")" }
  }

  struct Tables {
    let events: Table
    let commits: Table
    let tree: Table
    let bodies: Table

    init(_ tables: [Table]) {
      events = tables[0]
      commits = tables[1]
      tree = tables[2]
      bodies = tables[3]
    }
  }

  @Test(arguments: [1, 137, 256, 257, 700] as [Position])
  func `a missing record is found`(position: Position) async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      _ = try transaction.delete(key: LogTables.key(position).span, in: tables.events)
    }
    #expect(found == [Found(table: "events", position: position)])
  }

  @Test func `a run of missing records is one finding`() async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      for position in UInt64(100)...420 {
        _ = try transaction.delete(key: LogTables.key(position).span, in: tables.events)
      }
    }
    #expect(found == [Found(table: "events", position: 100)])
  }

  @Test func `exchanged records are found, though each is sound`() async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      try transaction.exchange(10, 11, in: tables.events)
    }
    #expect(found == [Found(table: "commits", position: 50)])
  }

  @Test(arguments: [3, 300, 690] as [Position])
  func `a forged record is found at its commit, though its checksum is right`(
    position: Position
  ) async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      let forged = Record.encode(note("forged"), time: .testStart)
      try transaction.put(
        forged.span, forKey: LogTables.key(position).span, in: tables.events)
    }
    #expect(found == [Found(table: "commits", position: (position + 49) / 50 * 50)])
  }

  @Test func `a forged record is found at the stored hash, if that comes first`() async throws {
    try await writeLongLog(events: 600, inCommitsOf: 600)
    let found = try damages { (transaction, tables) throws(LMDBError) in
      let forged = Record.encode(note("forged"), time: .testStart)
      try transaction.put(forged.span, forKey: LogTables.key(200).span, in: tables.events)
    }
    #expect(
      found == [Found(table: "tree", position: 256), Found(table: "commits", position: 600)])
  }

  @Test func `a record of another time than its commit is found`() async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      let forged = Record.encode(note("6"), time: Timestamp(milliseconds: 5))
      try transaction.put(forged.span, forKey: LogTables.key(7).span, in: tables.events)
    }
    #expect(
      found == [Found(table: "events", position: 7), Found(table: "commits", position: 50)])
  }

  @Test func `two damages far apart are two findings`() async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      try transaction.flip(LogTables.key(20).span, in: tables.events)
      try transaction.flip(LogTables.key(650).span, in: tables.events)
      // After the first damage roots are compared again, so that this is seen too.
      let forged = Record.encode(note("forged"), time: .testStart)
      try transaction.put(forged.span, forKey: LogTables.key(300).span, in: tables.events)
    }
    #expect(
      found == [
        Found(table: "events", position: 20), Found(table: "commits", position: 300),
        Found(table: "events", position: 650),
      ])
  }

  @Test func `a missing seal is found`() async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      _ = try transaction.delete(key: LogTables.key(100).span, in: tables.commits)
    }
    #expect(found == [Found(table: "commits", position: 150)])
  }

  @Test func `records behind the last seal are found`() async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      _ = try transaction.delete(key: LogTables.key(700).span, in: tables.commits)
    }
    #expect(found == [Found(table: "events", position: 651)])
  }

  @Test func `seals in the wrong place are found`() async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      try transaction.exchange(50, 100, in: tables.commits)
    }
    #expect(
      Set(found).isSuperset(of: [
        Found(table: "commits", position: 50), Found(table: "commits", position: 100),
      ]))
  }

  @Test func `a missing hash of the tree is found, and one too many`() async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      let key = try transaction.reading.firstKey(in: tables.tree) ?? []
      let value = try transaction.reading.value(forKey: key.span, in: tables.tree) ?? []
      _ = try transaction.delete(key: key.span, in: tables.tree)
      var far = key
      far[8] = 200
      try transaction.put(value.span, forKey: far.span, in: tables.tree)
    }
    #expect(found == [Found(table: "tree", position: nil), Found(table: "tree", position: 256)])
  }

  @Test func `exchanged hashes of the tree are found`() async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      let keys = [UInt8(0), 1].map { [8, 0, 0, 0, 0, 0, 0, 0, $0] }
      try transaction.exchange(keys[0], keys[1], in: tables.tree)
    }
    #expect(found == [Found(table: "tree", position: 256), Found(table: "tree", position: 512)])
  }

  @Test func `a missing body is found at every entry that names it`() async throws {
    try await writeSmallLog()
    let (digest, position) = try #require(try firstNamings().min { $0.value < $1.value })
    let found = try damages { (transaction, tables) throws(LMDBError) in
      _ = try transaction.delete(key: digest.span, in: tables.bodies)
    }
    #expect(found.first == Found(table: "bodies", position: position))
    #expect(found.allSatisfy { $0.table == "bodies" })
  }

  @Test func `a body under the digest of another is found`() async throws {
    try await writeSmallLog()
    let naming = try firstNamings().sorted { $0.value < $1.value }
    let found = try damages { (transaction, tables) throws(LMDBError) in
      try transaction.exchange(naming[0].key, naming[1].key, in: tables.bodies)
    }
    #expect(
      found == [
        Found(table: "bodies", position: naming[0].value),
        Found(table: "bodies", position: naming[1].value),
      ])
  }

  @Test func `a broken body that nobody names is found`() async throws {
    try await writeSmallLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      let key = [UInt8](repeating: 7, count: 32)
      try transaction.put(key.span, forKey: key.span, in: tables.bodies)
    }
    #expect(found == [Found(table: "bodies", position: nil)])
  }

  @Test func `keys that are no positions are found`() async throws {
    try await writeLongLog()
    let found = try damages { (transaction, tables) throws(LMDBError) in
      let short: [UInt8] = [0, 0, 1]
      try transaction.put(short.span, forKey: short.span, in: tables.events)
      try transaction.put(short.span, forKey: short.span, in: tables.commits)
    }
    #expect(
      Set(found) == [
        Found(table: "events", position: nil), Found(table: "commits", position: nil),
      ])
  }

  // MARK: Opening

  @Test(arguments: ["events", "commits", "tree"])
  func `a log whose end is damaged is not opened`(table: String) async throws {
    try await writeLongLog()
    _ = try damages { (transaction, tables) throws(LMDBError) in
      switch table {
      case "events": try transaction.flip(LogTables.key(699).span, in: tables.events)
      case "commits": try transaction.flip(LogTables.key(700).span, in: tables.commits)
      default:
        let second: [UInt8] = [8, 0, 0, 0, 0, 0, 0, 0, 1]
        try transaction.flip(second.span, in: tables.tree)
      }
    }
    let error = #expect(throws: LogError.self) { try folder.openLog() }
    guard case .damaged = error else {
      Issue.record("\(error.debugDescription)")
      return
    }
  }

  // MARK: Reporting

  @Test func `progress is told for each stage, up to the end`() async throws {
    try await writeLongLog(events: 25_000, inCommitsOf: 5_000)
    let environment = try openEnvironment()
    var told: [LogVerifier.Progress] = []
    var watch = LogVerifier.Watch()
    watch.progress = { told.append($0) }
    let report = try LogVerifier(environment).verify(watch: watch)
    #expect(report.damages == [])
    #expect(report.head == 25_000)
    #expect(report.records == 25_000)
    #expect(report.commits == 5)
    #expect(!report.isCutShort)
    #expect(told.filter { $0.stage == .records }.map(\.done) == [10_000, 20_000, 25_000])
    for stage in LogVerifier.Stage.allCases {
      let last = try #require(told.last { $0.stage == stage })
      #expect(last.done == last.total)
    }
  }

  @Test func `too much damage cuts the search short, and an empty log has none`() async throws {
    do {
      let log = try folder.openLog()
      defer { log.close() }
      let report = try LogVerifier(log).verify()
      #expect(report.head == 0 && report.damages == [] && !report.isCutShort)
    }
    try await writeLongLog(events: 15_000, inCommitsOf: 5_000)
    _ = try damages { (transaction, tables) throws(LMDBError) in
      for position in UInt64(1)...20 {
        try transaction.flip(LogTables.key(position).span, in: tables.events)
      }
    }
    let report = try LogVerifier(openEnvironment()).verify(limit: 5)
    #expect(report.isCutShort)
    #expect(report.damages.count == 20)
    #expect(report.records == 10_000)
  }

  @Test func `a log is verified while it grows`() async throws {
    try await writeLongLog(events: 21_000, inCommitsOf: 7_000)
    let log = try folder.openLog()
    defer { log.close() }
    let growing = Task {
      for _ in 0..<40 { try await log.append((0..<100).map { note("\($0)") }) }
    }
    let reports = try (0..<3).map { _ in try LogVerifier(log).verify() }
    try await growing.value
    #expect(reports.allSatisfy { $0.damages.isEmpty && $0.records >= 21_000 })
    #expect(try LogVerifier(log).verify().records == 25_000)
  }
}
