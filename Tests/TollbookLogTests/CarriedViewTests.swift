import Bytes
import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

/// Views that begin with the rows of the version before them.
@Suite struct CarriedViewTests {
  private static let texts = ["b", "impossible", "a", "", "b", "impossible", "longer"]

  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func marker(_ name: String = "data") throws -> String {
    try String(contentsOfFile: "\(folder.path)/\(name)/tollbook.format", encoding: .utf8)
  }

  private func mark(_ name: String = "data", _ words: String) throws {
    try "tollbook \(words)\n".write(
      toFile: "\(folder.path)/\(name)/tollbook.format", atomically: false, encoding: .utf8)
  }

  /// Makes a log of format 1 that a version kept with these folds.
  private func append(
    _ texts: [String] = texts, to name: String = "data", folds: [Fold] = [TextFold.first],
    rebuilding: Bool = false
  ) async throws {
    let log = try folder.openLog(name, folds: folds)
    defer { log.close() }
    for text in texts { try await log.append([note(text)]) }
    if rebuilding { try await log.rebuildViews() }
    try mark(name, "format 1 simulated")
  }

  /// The rows of the third version's tables, and what it has parked.
  private static func rows(of log: EventLog) throws -> [String: TableDump] {
    let dump = try log.environment.dump()
    let fold = TextFold.third()
    var found = [LogTables.parkedName: dump[LogTables.parkedName]].compactMapValues(\.self)
    for (name, table) in zip(fold.tables, log.tables(of: fold)) { found[name] = dump[table.name] }
    return found
  }

  /// What the third version gives that was there from the first event on.
  private func expected(_ texts: [String] = texts) async throws -> [String: TableDump] {
    let scratch = try folder.openLog("scratch-\(texts.count)", folds: [TextFold.third()])
    defer { scratch.close() }
    for text in texts { try await scratch.append([note(text)]) }
    return try Self.rows(of: scratch)
  }

  // MARK: Opening

  @Test(arguments: [false, true])
  func `rows go through all versions in between, whichever set of tables is in force`(
    rebuilding: Bool
  ) async throws {
    try await append(rebuilding: rebuilding)
    let expected = try await expected()
    #expect(expected["texts@3.lengths"]?.rows == 5)
    #expect(expected["texts@3.texts"]?.rows == 5)
    #expect(expected[LogTables.parkedName]?.rows == 2)

    let seen = SeenEvents()
    do {
      let log = try folder.openLog(folds: [TextFold.third(seen: seen)])
      defer { log.close() }
      #expect(differences(expected, try Self.rows(of: log)) == [])
      #expect(seen.count == 0)
      let row = try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
        try ViewRow.of(TextFold.third(), log.tables.views, in: transaction)
      }
      #expect(row == ViewRow(position: 7))
      // Its row and that of the index.
      #expect(try log.environment.dump()["views"]?.rows == 2)
      try await log.append([note("more")])
      #expect(seen.count == 1)
    }
    let log = try folder.openLog(folds: [TextFold.third()])
    defer { log.close() }
    let more = try await self.expected(Self.texts + ["more"])
    #expect(differences(more, try Self.rows(of: log)) == [])
    #expect(try await log.rebuildViews().isEqual)
    #expect(try log.environment.dump().keys.filter { $0.hasPrefix("texts@1") } == [])
  }

  @Test func `what came after the older version's last event is folded`() async throws {
    try await append()
    try await append(["alone"], folds: [])
    let seen = SeenEvents()
    let log = try folder.openLog(folds: [TextFold.third(seen: seen)])
    defer { log.close() }
    #expect(seen.count == 1)
    #expect(
      differences(try await expected(Self.texts + ["alone"]), try Self.rows(of: log)) == [])
  }

  @Test func `an upgrade in two steps comes to the same`() async throws {
    try await append()
    try await append([], folds: [TextFold.second])
    let seen = SeenEvents()
    let log = try folder.openLog(folds: [TextFold.third(seen: seen)])
    defer { log.close() }
    #expect(seen.count == 0)
    #expect(differences(try await expected(), try Self.rows(of: log)) == [])
  }

  @Test func `what a beginning that was cut short has left is not taken for its rows`()
    async throws
  {
    try await append()
    try leaveHalf()
    let seen = SeenEvents()
    let log = try folder.openLog(folds: [TextFold.third(seen: seen)])
    defer { log.close() }
    #expect(seen.count == 0)
    #expect(differences(try await expected(), try Self.rows(of: log)) == [])
  }

  /// Rows in the new tables, and a parked event, without a row that says what they contain.
  private func leaveHalf() throws {
    let environment = try Environment(
      directory: "\(folder.path)/data", options: EnvironmentOptions(mapSize: 1 << 30))
    let names = TextFold.third().tables + [LogTables.parkedName]
    let tables = try environment.openTables(names)
    let parked = LogTables.parkedKey(fold: TextFold.third().id, position: 3)
    try environment.withWriteTransaction { (transaction) throws(LMDBError) in
      for table in tables {
        try transaction.put(parked.span, forKey: parked.span, in: table)
      }
    }
  }

  @Test func `tables of many portions are carried whole`() async throws {
    let texts = (0..<45_000).map { "\($0)" }
    do {
      let log = try folder.openLog(folds: [TextFold.first])
      defer { log.close() }
      try await log.append(texts.map(note))
    }
    let seen = SeenEvents()
    let log = try folder.openLog(folds: [TextFold.third(seen: seen)])
    defer { log.close() }
    #expect(seen.count == 0)
    let rows = try Self.rows(of: log)
    #expect(rows["texts@3.lengths"]?.rows == texts.count)
    #expect(rows["texts@3.texts"]?.rows == texts.count)
    #expect(try await log.rebuildViews().isEqual)
  }

  // MARK: Formats

  @Test
  func `an older directory is marked as one of this format, and what it rests on stays noted`()
    async throws
  {
    try await append()
    #expect(try marker() == "tollbook format 1 simulated\n")
    try folder.openLog(folds: [TextFold.third()]).close()
    #expect(try marker() == "tollbook format \(DataDirectory.format) simulated\n")
    try mark("data", "format 1 simulated base 7 a.snapshot")
    try folder.openLog(folds: [TextFold.third()]).close()
    #expect(
      try marker() == "tollbook format \(DataDirectory.format) simulated base 7 a.snapshot\n")
    #expect(
      try DataDirectory.base(of: "\(folder.path)/data")
        == .init(position: 7, snapshot: "a.snapshot"))
  }

  /// A fold over events that no log of format 1 has.
  private static func young(_ seen: SeenEvents) -> Fold {
    Fold(name: "young", version: 1, tables: ["seen"], cadence: .eachCommit, sinceFormat: 2) {
      (events, _, _) throws(LMDBError) in
      seen.add(events.count)
      return []
    }
  }

  @Test func `a view of a later format begins empty where an older log ends`() async throws {
    try await append()
    let seen = SeenEvents()
    do {
      let log = try folder.openLog(folds: [TextFold.first, Self.young(seen)])
      defer { log.close() }
      #expect(seen.count == 0)
      try await log.append([note("new")])
      #expect(seen.count == 1)
    }
    // In a log of its format it is built like any other.
    let late = SeenEvents()
    try folder.openLog("late", folds: []).close()
    do {
      let log = try folder.openLog("late")
      defer { log.close() }
      try await log.append([note("a"), note("b")])
    }
    try folder.openLog("late", folds: [Self.young(late)]).close()
    #expect(late.count == 2)
  }

  // MARK: Logs that go on from a snapshot

  /// Makes a log of format 1 that goes on from the end of another, with the first version's rows unless told otherwise.
  private func based(
    with fold: Fold? = TextFold.first
  ) async throws -> (base: LogBase, rows: [(key: [UInt8], value: [UInt8])]) {
    let log = try folder.openLog("source", folds: [TextFold.first])
    defer { log.close() }
    for text in Self.texts { try await log.append([note(text)]) }
    let base = try log.read { (transaction) throws(LogError) in
      let commit = try log.reader.lastCommit(in: transaction)
      let frontier = try log.reader.frontier(size: log.head, in: transaction)
      do throws(Damage) {
        return try commit.map { (commit) throws(Damage) in
          try LogBase(commit: commit, frontier: frontier, snapshot: "a.snapshot")
        }
      } catch { throw .damaged(error) }
    }
    var rows: [(key: [UInt8], value: [UInt8])] = []
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.scan(log.tables(of: TextFold.first)[0]) { (key, value) throws(LMDBError) in
        rows.append(([UInt8](copying: key), [UInt8](copying: value)))
        return .next
      }
    }
    let found = try #require(base)
    let importer = try LogImporter(folder.own("based"), options: .scratch)
    try importer.begin(
      LogOrigin(
        position: found.position, restored: .testStart, isWithoutBodies: true, base: found))
    if let fold {
      try importer.load(rows, table: 0, of: fold)
      try importer.finish(fold, at: found.position, parked: Self.parked)
    }
    try mark("based", "format 1 simulated")
    return (found, rows)
  }

  private static let parked = [2, 6].map { Fold.Parked(position: $0, reason: "it says so") }

  @Test func `a log that rests on an older snapshot is carried over, and rebuilt from it`()
    async throws
  {
    let (base, rows) = try await based()
    let log = try folder.openLog("based", folds: [TextFold.third()])
    defer { log.close() }
    #expect(differences(try await expected(), try Self.rows(of: log)) == [])
    try await log.append([note("more"), note("impossible")])
    let report = try await log.rebuildViews(baseRows: Self.baseRows(rows))
    #expect(report.isEqual)
    #expect(
      differences(
        try await expected(Self.texts + ["more", "impossible"]), try Self.rows(of: log)) == [])
    let refused = await #expect(throws: RebuildError.self) {
      try await log.rebuildViews(baseRows: { _, _ in ["texts@0"] })
    }
    #expect(
      refused == .withoutBase(base.position, reason: "a.snapshot has no view texts@3"))
  }

  @Test func `a rebuild of a log that nobody has open takes an older snapshot's rows too`()
    async throws
  {
    let (base, rows) = try await based()
    do {
      let directory = try folder.own("based")
      #expect(try directory.writtenFormat() == 1)
      let head = try Rebuild.allViews(
        of: directory, folds: [TextFold.third(), Self.young(SeenEvents())], options: .scratch,
        baseRows: Self.baseRows(rows)
      ) { _, _ in }
      #expect(head == base.position)
      // Older versions refuse it from now on, rather than complain about views they do not know.
      #expect(try directory.writtenFormat() == DataDirectory.format)
    }
    let seen = SeenEvents()
    let log = try folder.openLog("based", folds: [TextFold.third(seen: seen)])
    defer { log.close() }
    #expect(seen.count == 0)
    #expect(differences(try await expected(), try Self.rows(of: log)) == [])
  }

  private static func baseRows(_ rows: [(key: [UInt8], value: [UInt8])]) -> BaseRows {
    { _, take in
      for row in rows { try take("texts@1", .rows(table: 0, [row])) }
      try take("texts@1", .parked(parked))
      return ["texts@1"]
    }
  }

  @Test func `where a view cannot be had nothing is changed`() async throws {
    let (base, _) = try await based(with: nil)
    #expect(throws: LogError.viewNotInBase("texts@3", base.position)) {
      try folder.openLog("based", folds: [TextFold.third()])
    }
    #expect(try marker("based") == "tollbook format 1 simulated\n")
    // One of a later format begins empty at the snapshot.
    let seen = SeenEvents()
    let log = try folder.openLog("based", folds: [Self.young(seen)])
    defer { log.close() }
    try await log.append([note("new")])
    #expect(seen.count == 1)
  }

  // MARK: Versions that read the events otherwise

  /// Texts in capitals: what version 1 kept is not what the events give.
  private static func loud(
    _ seen: SeenEvents = SeenEvents(), exactness: Fold.Exactness = .never
  ) -> Fold {
    Fold(
      name: "texts", version: 2, tables: ["texts"], cadence: .eachDecision,
      predecessors: [
        Fold.Predecessor(name: "texts", version: 1, tables: ["texts"], exactness: exactness) {
          _, key, value in
          [CarriedRow(table: 0, key: [UInt8](copying: key), value: [UInt8](copying: value))]
        }
      ]
    ) { (events, tables, transaction) throws(LMDBError) in
      seen.add(events.count)
      for event in events {
        guard let text = text(of: event.event) else { continue }
        try transaction.put(
          Array(text.uppercased().utf8).span, forKey: LogTables.key(event.position).span,
          in: tables[0])
      }
      return []
    }
  }

  private static func texts(of log: EventLog) throws -> [String] {
    var texts: [String] = []
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.scan(log.tables(of: loud())[0]) { (_, value) throws(LMDBError) in
        texts.append(String(decoding: [UInt8](copying: value), as: UTF8.self))
        return .next
      }
    }
    return texts
  }

  @Test func `a version that reads the events otherwise is built from them where all are there`()
    async throws
  {
    try await append(["a", "b"])
    let seen = SeenEvents()
    let log = try folder.openLog(folds: [Self.loud(seen)])
    defer { log.close() }
    #expect(seen.count == 2)
    #expect(try Self.texts(of: log) == ["A", "B"])
    #expect(try await log.rebuildViews().isEqual)
  }

  @Test(arguments: [0, 1, -1])
  func `a version that only reads the clock otherwise is built anew after a clock was ahead alone`(
    step: Int64
  ) async throws {
    let time = ManualTime()
    do {
      let log = try folder.openLog(folds: [TextFold.first], time: time.source)
      defer { log.close() }
      for text in ["a", "b"] {
        try await log.append([note(text)])
        time.setWallClock(to: time.now.advanced(byMilliseconds: step))
      }
      try mark("data", "format 1 simulated")
    }
    let seen = SeenEvents()
    let log = try folder.openLog(folds: [Self.loud(seen, exactness: .underRightClocks)])
    defer { log.close() }
    #expect(seen.count == (step < 0 ? 2 : 0))
    #expect(try Self.texts(of: log) == (step < 0 ? ["A", "B"] : ["a", "b"]))
  }

  @Test func `where they are not it begins with what the snapshot says, if that can be read`()
    async throws
  {
    let (_, rows) = try await based()
    let old = Self.texts.filter { $0 != "impossible" }
    try await append(["late"], to: "based")
    let without = SeenEvents()
    do {
      let copy = "\(folder.path)/copy"
      try FileManager.default.copyItem(atPath: "\(folder.path)/based", toPath: copy)
      let log = try folder.openLog("copy", folds: [Self.loud(without)])
      defer { log.close() }
      #expect(without.count == 0)
      #expect(try Self.texts(of: log) == old + ["late"])
    }
    let seen = SeenEvents()
    let log = try folder.openLog(
      "based", folds: [Self.loud(seen)], baseRows: Self.baseRows(rows))
    defer { log.close() }
    #expect(seen.count == 1)
    #expect(try Self.texts(of: log) == old + ["LATE"])
    #expect(try await log.rebuildViews(baseRows: Self.baseRows(rows)).isEqual)
    #expect(throws: Never.self) { try LogVerifier(log).verify() }
  }

  // MARK: Reading

  @Test func `who only reads is told what to do for a view of another version`() async throws {
    try await append()
    let environment = try Environment(
      directory: "\(folder.path)/data",
      options: EnvironmentOptions(mapSize: 1 << 30, isReadOnly: true))
    let error = #expect(throws: LogError.noView("texts@3")) {
      try ViewTables(of: TextFold.third(), in: environment)
    }
    #expect("\(try #require(error))".contains("tollbook serve"))
    _ = try ViewTables(of: TextFold.first, in: environment)
    #expect(try LogVerifier(environment).verify().damages == [])
  }
}
