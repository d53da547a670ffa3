import Bytes
import Foundation
import LMDB
import Synchronization
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// Views that are rebuilt while the log is open.
@Suite(.timeLimit(.minutes(30))) struct RebuildTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private static let folds = allFolds + [EventIndex.fold]

  /// Small portions, so that a short history has many.
  private static var pace: RebuildPace {
    var pace = RebuildPace()
    pace.firstPortion = 20
    pace.largestPortion = 60
    pace.scratchPortion = 100
    pace.tail = 200
    return pace
  }

  /// Rows of the tables that are read, by the fold's name for them.
  private static func views(of log: EventLog) throws -> [String: TableDump] {
    let dump = try log.environment.dump()
    var found = dump.filter { $0.key == LogTables.parkedName }
    for fold in folds {
      for (name, table) in zip(fold.tables, log.tables(of: fold)) { found[name] = dump[table.name] }
    }
    return found
  }

  /// Tables that nobody reads and that are not empty, and rows in `views` beside those of the folds.
  private static func leftovers(of log: EventLog) throws -> [String] {
    let live = Set(folds.flatMap { log.tables(of: $0).map(\.name) })
    let names = Set(folds.flatMap { $0.tables(ofGeneration: 0) + $0.tables(ofGeneration: 1) })
    let dump = try log.environment.dump()
    let tables = names.filter { !live.contains($0) && dump[$0]?.rows != 0 }
    let rows = dump["views"]?.rows ?? 0
    return tables.sorted() + (rows == folds.count ? [] : ["views: \(rows)"])
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `after a rebuild every table holds what it held`(seed: UInt64) async throws {
    var history = History(seed: seed)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    for round in 1...2 {
      try await history.append(500, to: log)
      let before = try Self.views(of: log)
      let report = try await log.rebuildViews(pace: Self.pace)
      #expect(report.isEqual)
      #expect(report.position == log.head)
      #expect(report.views.map(\.view) == Self.folds.map(\.id))
      #expect(differences(before, try Self.views(of: log)) == [])
      #expect(try Self.leftovers(of: log) == [])
      let generations = try Self.folds.map { fold in
        try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
          try ViewRow.of(fold, log.tables.views, in: transaction)?.generation
        }
      }
      #expect(generations == Self.folds.map { _ in UInt8(round % 2) })
      try expectViews(of: log, toBe: history.generator.model)
    }
  }

  @Test(arguments: 1...4 as ClosedRange<UInt64>)
  func `while views are rebuilt nobody reads an older state, or two at once`(
    seed: UInt64
  ) async throws {
    var history = History(seed: seed)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(800, to: log)
    let start = log.head
    let isDone = Counter()
    let readers = (0..<2).map { _ in
      Task.detached { try await Self.read(from: log, until: isDone) }
    }
    var rounds = 0
    let appending = Task { [history] in
      var history = history
      while isDone.value == 0 { try await history.append(40, to: log) }
      return history
    }
    for _ in 0..<3 {
      let report = try await log.rebuildViews(pace: Self.pace)
      #expect(report.isEqual)
      rounds += 1
    }
    isDone.add()
    history = try await appending.value
    // On a busy machine a reader may come to read but once.
    for reader in readers { #expect(try await reader.value > 0) }
    #expect(log.head > start)
    try expectViews(of: log, toBe: history.generator.model)
    #expect(try Self.leftovers(of: log) == [])
  }

  /// Reads again and again: every view stands where the log stands, and that never goes back.
  private static func read(from log: EventLog, until isDone: Counter) async throws -> Int {
    let metrics = MetricsView(log)
    let ledger = LedgerView(log)
    let cache = CacheView(log)
    let index = log.index
    var last: Position = 0
    var reads = 0
    repeat {
      try log.environment.withReadTransaction { transaction in
        let head = try log.reader.head(in: transaction)
        #expect(head >= last)
        last = head
        for fold in folds {
          let row = try ViewRow.of(fold, log.tables.views, in: transaction)
          #expect(row?.position == head)
        }
        let totals = try metrics.totals(in: transaction)
        #expect(EventKind.allCases.reduce(0) { $0 + totals[$1] } == Int64(head))
        #expect(try ledger.meters(in: transaction).allSatisfy { $0.meter.residual == 0 })
        let page = try cache.page(after: nil, limit: .max, in: transaction) { _ in true }
        #expect(try cache.count(in: transaction) == page.entries.count)
        let written = try index.positions(
          of: .cacheWritten, after: 0, limit: .max, in: transaction)
        #expect(Int64(written.count) == totals[EventKind.cacheWritten])
        #expect(page.entries.allSatisfy { written.contains($0.written) })
      }
      reads += 1
      await Task.yield()
    } while isDone.value == 0
    return reads
  }

  @Test func `a damaged view is named and repaired`() async throws {
    var history = History(seed: 11)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(1_500, to: log)
    let sound = try Self.views(of: log)
    let entries = log.tables(of: CacheFold.fold)[0]
    let meters = log.tables(of: LedgerFold.fold)[0]
    let totals = log.tables(of: MetricsFold.fold)[0]
    let first = try #require(try Self.firstKey(of: entries, log))
    let meter = try #require(try Self.firstKey(of: meters, log))
    try Self.change(log) { (transaction) throws(LMDBError) in
      let row = [UInt8](repeating: 1, count: 8)
      _ = try transaction.delete(key: first.span, in: entries)
      let value = try transaction.reading.withValue(forKey: meter.span, in: meters) {
        [UInt8](copying: $0)
      }
      var other = value ?? []
      other[0] ^= 1
      try transaction.put(other.span, forKey: meter.span, in: meters)
      let key: [UInt8] = [7, 7]
      try transaction.put(row.span, forKey: key.span, in: totals)
    }
    try Self.park(log, "index@1", 3)

    let report = try await log.rebuildViews(pace: Self.pace)
    #expect(
      report.views.compactMap(\.difference) == [
        RebuildReport.Difference(table: "\(CacheFold.fold.id).entries", key: first),
        RebuildReport.Difference(table: "\(LedgerFold.fold.id).meters", key: meter),
        RebuildReport.Difference(table: "\(MetricsFold.fold.id).totals", key: [7, 7]),
        RebuildReport.Difference(
          table: "parked", key: LogTables.parkedKey(fold: "index@1", position: 3)),
      ])
    #expect(!report.isEqual)
    #expect(differences(sound, try Self.views(of: log)) == [])
    #expect(try await log.rebuildViews(pace: Self.pace).isEqual)
  }

  private static func firstKey(of table: Table, _ log: EventLog) throws -> [UInt8]? {
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.firstKey(in: table)
    }
  }

  private static func change(
    _ log: EventLog, _ body: (inout WriteTransaction) throws(LMDBError) -> Void
  ) throws {
    try log.environment.withWriteTransaction { (transaction) throws(LMDBError) in
      try body(&transaction)
    }
  }

  private static func park(_ log: EventLog, _ fold: String, _ position: Position) throws {
    let key = LogTables.parkedKey(fold: fold, position: position)
    try log.environment.withWriteTransaction { (transaction) throws(LMDBError) in
      try transaction.put(key.span, forKey: key.span, in: log.tables.parked)
    }
  }

  @Test func `a crash after any portion of work leaves views that are whole`() async throws {
    var history = History(seed: 5)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(700, to: log)
    let sound = try Self.views(of: log)
    let path = folder.path
    let copies = Counter()
    var pace = Self.pace
    // Rows, and not whole tables.
    pace.largestDrop = 0
    pace.afterPortion = { _ in
      // What is on the disk now is what a process finds that begins after a crash.
      let copy = copies.add()
      do {
        try FileManager.default.createDirectory(
          atPath: "\(path)/crash-\(copy)", withIntermediateDirectories: true)
        for name in ["data.mdb", "tollbook.format"] {
          try FileManager.default.copyItem(
            atPath: "\(path)/data/\(name)", toPath: "\(path)/crash-\(copy)/\(name)")
        }
      } catch { Issue.record(error) }
    }
    _ = try await log.rebuildViews(pace: pace)
    let count = copies.value
    #expect(count > 20)
    var generations: Set<UInt8> = []
    for copy in 1...count {
      let crashed = try folder.openLog("crash-\(copy)", folds: allFolds, time: history.clock)
      defer { crashed.close() }
      #expect(differences(sound, try Self.views(of: crashed)) == [], "portion \(copy)")
      #expect(try Self.leftovers(of: crashed) == [], "portion \(copy)")
      try await crashed.append([.serviceStarted(ServiceStarted())])
      generations.insert(
        try crashed.environment.withReadTransaction { (transaction) throws(LMDBError) in
          try ViewRow.of(CacheFold.fold, crashed.tables.views, in: transaction)?.generation ?? 0
        })
    }
    // Some before the switch, some after it.
    #expect(generations == [0, 1])
  }

  @Test func `one that is cancelled ends early, and leaves the views as they were`() async throws {
    var history = History(seed: 6)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(700, to: log)
    let sound = try Self.views(of: log)
    let task = Mutex<Task<Void, any Error>?>(nil)
    let portions = Counter()
    var pace = Self.pace
    pace.afterPortion = { _ in
      _ = portions.add()
      task.withLock { $0?.cancel() }
    }
    task.withLock { [pace] task in
      task = Task { _ = try await log.rebuildViews(pace: pace) }
    }
    let running = try #require(task.withLock { $0 })
    await #expect(throws: RebuildError.cancelled) { try await running.value }
    #expect(differences(sound, try Self.views(of: log)) == [])
    #expect(try Self.leftovers(of: log) == [])
    #expect(try await log.rebuildViews(pace: Self.pace).isEqual)
  }

  /// The signal comes with the last of so many portions; a short history has some forty.
  @Test(arguments: [1, 2, 9, 17, 24, 31, 38])
  func `a process killed in a rebuild leaves views that are whole`(portion: Int) async throws {
    let path = folder.path
    await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, portion] in
      let folder = TemporaryFolder(keeping: path)
      let log = try folder.openLog(folds: allFolds)
      var history = History(seed: 6)
      try await history.append(700, to: log)
      let count = Counter()
      var pace = Self.pace
      pace.afterPortion = { _ in if count.add() == portion { kill(getpid(), SIGKILL) } }
      try await log.rebuildViews(pace: pace)
    }
    let scratch = try folder.openLog("other", folds: allFolds)
    defer { scratch.close() }
    var history = History(seed: 6)
    try await history.append(700, to: scratch)
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    #expect(differences(try Self.views(of: scratch), try Self.views(of: log)) == [])
    #expect(try Self.leftovers(of: log) == [])
    #expect(!FileManager.default.fileExists(atPath: "\(path)/data/rebuild.scratch"))
    #expect(try await log.rebuildViews(pace: Self.pace).isEqual)
  }

  @Test func `one rebuild at a time`() async throws {
    var history = History(seed: 3)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(300, to: log)
    let gate = WriterGate()
    await gate.close(log)
    let first = Task { try await log.rebuildViews(pace: Self.pace) }
    while true {
      let second = Task { () throws(RebuildError) in try await log.rebuildViews(pace: Self.pace) }
      // The first one waits at the gate.
      if case .failure(let error) = await second.result {
        #expect(error as? RebuildError == .underWay)
        break
      }
    }
    gate.open()
    #expect(try await first.value.isEqual)
  }

  @Test func `what parked stays parked`() async throws {
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    var charge = TokensCharged()
    charge.fetch = 77
    charge.reserved = 3
    try await log.append([.tokensCharged(charge), .serviceStarted(ServiceStarted())])
    let before = try Self.views(of: log)
    #expect(before["parked"]?.rows == 1)
    // Folded in the scratch environment, and in the tables themselves.
    for tail in [0, Self.pace.tail] {
      var pace = Self.pace
      pace.tail = tail
      #expect(try await log.rebuildViews(pace: pace).isEqual)
    }
    #expect(differences(before, try Self.views(of: log)) == [])
  }

  // MARK: Based logs

  @Test func `a log that goes on from a snapshot begins with the rows of it`() async throws {
    var history = History(seed: 9)
    let (rows, base) = try await Self.source(in: folder, &history, events: 1_500)
    let log = try folder.openLog("based", folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(900, to: log)
    let before = try Self.views(of: log)
    let refused = await #expect(throws: RebuildError.self) { try await log.rebuildViews() }
    #expect(refused == .withoutBase(base, reason: "nobody can read it here"))
    #expect(differences(before, try Self.views(of: log)) == [])

    let report = try await log.rebuildViews(
      pace: Self.pace,
      baseRows: { _, take in
        for (view, tables) in rows {
          for (index, rows) in tables.enumerated() { try take(view, .rows(table: index, rows)) }
        }
        return Set(rows.keys)
      })
    #expect(report.isEqual)
    #expect(differences(before, try Self.views(of: log)) == [])
    try expectViews(of: log, toBe: history.generator.model)

    let other = await #expect(throws: RebuildError.self) {
      try await log.rebuildViews(baseRows: { _, _ in [CacheFold.fold.id] })
    }
    #expect("\(try #require(other))".contains("a.snapshot has no view \(LedgerFold.fold.id)"))
    #expect(differences(before, try Self.views(of: log)) == [])
    #expect(try Self.leftovers(of: log) == [])
  }

  /// Makes a log, and one that goes on from its end.
  private static func source(
    in folder: TemporaryFolder, _ history: inout History, events: UInt64
  ) async throws -> (rows: [String: [[(key: [UInt8], value: [UInt8])]]], base: Position) {
    let log = try folder.openLog("source", folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(events, to: log)
    var rows: [String: [[(key: [UInt8], value: [UInt8])]]] = [:]
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      for fold in allFolds {
        for table in log.tables(of: fold) {
          var found: [(key: [UInt8], value: [UInt8])] = []
          try transaction.scan(table) { (key, value) throws(LMDBError) in
            found.append(([UInt8](copying: key), [UInt8](copying: value)))
            return .next
          }
          rows[fold.id, default: []].append(found)
        }
      }
    }
    let found = try log.read { (transaction) throws(LogError) -> LogBase? in
      guard let commit = try log.reader.lastCommit(in: transaction) else { return nil }
      let frontier = try log.reader.frontier(size: commit.last, in: transaction)
      do throws(Damage) {
        return try LogBase(commit: commit, frontier: frontier, snapshot: "a.snapshot")
      } catch { throw .damaged(error) }
    }
    let base = try #require(found)
    let importer = try LogImporter(folder.own("based"), options: .scratch)
    try importer.begin(
      LogOrigin(
        position: log.head, restored: .testStart, isWithoutBodies: true, base: base))
    for fold in allFolds {
      for (index, table) in (rows[fold.id] ?? []).enumerated() {
        try importer.load(table, table: index, of: fold)
      }
      try importer.finish(fold, at: log.head, parked: [])
    }
    return (rows, log.head)
  }

  // MARK: Versions

  private static func counting(_ version: Int) -> Fold {
    Fold(name: "counting", version: version, tables: ["seen"], cadence: .eachCommit) {
      (events, tables, transaction) throws(LMDBError) in
      for event in events {
        try transaction.put(
          LogTables.key(event.position).span, forKey: LogTables.key(event.position).span,
          in: tables[0])
      }
      return events.map { Fold.Parked(position: $0.position, reason: "so") }
    }
  }

  @Test func `a newer version of a view leaves nothing of the older one`() async throws {
    for version in [9, 10] {
      let log = try folder.openLog(folds: [Self.counting(version)])
      defer { log.close() }
      try await log.append([.serviceStarted(ServiceStarted())])
    }
    let log = try folder.openLog(folds: [Self.counting(10)])
    defer { log.close() }
    let dump = try log.environment.dump()
    #expect(dump.keys.filter { $0.hasPrefix("counting@9") } == [])
    #expect(dump["counting@10.seen"]?.rows == 2)
    // Two events that it parked, its row and that of the index.
    #expect(dump["parked"]?.rows == 2)
    #expect(dump["views"]?.rows == 2)
  }

  @Test func `a view that a log's base does not have is refused, and nothing is lost`()
    async throws
  {
    var history = History(seed: 12)
    let (_, base) = try await Self.source(in: folder, &history, events: 400)
    do {
      let log = try folder.openLog("based", folds: allFolds, time: history.clock)
      defer { log.close() }
      try await history.append(100, to: log)
    }
    #expect(throws: LogError.viewNotInBase("counting@1", base)) {
      try folder.openLog("based", folds: allFolds + [Self.counting(1)], time: history.clock)
    }
    let log = try folder.openLog("based", folds: allFolds, time: history.clock)
    defer { log.close() }
    try expectViews(of: log, toBe: history.generator.model)
  }

  @Test func `beside the owner the tables in force are found too`() async throws {
    var history = History(seed: 4)
    do {
      let log = try folder.openLog(folds: allFolds, time: history.clock)
      defer { log.close() }
      try await history.append(500, to: log)
      try await log.rebuildViews(pace: Self.pace)
    }
    let environment = try Environment(
      directory: "\(folder.path)/data",
      options: EnvironmentOptions(mapSize: 1 << 30, isReadOnly: true))
    let metrics = MetricsView(try ViewTables(of: MetricsFold.fold, in: environment))
    let totals = try environment.withReadTransaction { (transaction) throws(LogError) in
      try metrics.totals(in: transaction)
    }
    #expect(
      EventKind.allCases.reduce(0) { $0 + totals[$1] } == Int64(history.generator.head))
  }
}

/// A number that tasks share.
private final class Counter: Sendable {
  private let count = Atomic(0)

  var value: Int { count.load(ordering: .sequentiallyConsistent) }

  @discardableResult
  func add() -> Int { count.add(1, ordering: .sequentiallyConsistent).newValue }
}
