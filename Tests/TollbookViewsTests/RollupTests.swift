import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// The law of the rollups: the sums of every hour equal the fold over all events, to the unit, at every prefix.
@Suite struct RollupTests {
  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func `rollups are the sums over all events, at every prefix`(seed: UInt64) throws {
    let events = RollupEvents(seed: seed, count: 120).events
    let lab = try RollupLab()
    for (index, event) in events.enumerated() {
      #expect(try lab.apply([event]) == [])
      try lab.found().expect(RollupModel(events[...index]), "after event \(index + 1)")
    }
  }

  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func `runs may be cut anywhere`(seed: UInt64) throws {
    let events = RollupEvents(seed: seed, count: 250).events
    let (whole, cut) = (try RollupLab(), try RollupLab())
    try whole.apply(events)
    var random = SeededGenerator(seed: seed)
    var rest = events[...]
    while !rest.isEmpty {
      let run = rest.prefix(random.int(1...20))
      try cut.apply(run)
      rest = rest.dropFirst(run.count)
    }
    #expect(differences(try whole.dump(), try cut.dump()) == [])
    try whole.found().expect(RollupModel(events))
  }

  @Test func `random events reach every column, and every fate of a refresh`() throws {
    var reached: Set<RollupColumn> = []
    for seed in UInt64(1)...20 {
      let rows = RollupModel(RollupEvents(seed: seed, count: 200).events).rows
      for columns in rows.values { reached.formUnion(columns.keys) }
    }
    #expect(RollupColumn.allCases.filter { !reached.contains($0) } == [])
  }

  @Test(arguments: 1...30 as ClosedRange<UInt64>)
  func `rollups of a log are the sums over its events, live and replayed, whatever the clock does`(
    seed: UInt64
  ) async throws {
    let folder = try TemporaryFolder()
    let live = try await Self.live(in: folder, seed: seed)
    let directory = try folder.own()
    _ = try Rebuild.allViews(of: directory, folds: allFolds, options: .scratch) { _, _ in }
    let replayed = try Environment(directory: directory.path).dump()
    for table in RollupFold.fold.tables { #expect(live[table] == replayed[table]) }
  }

  private static func live(
    in folder: TemporaryFolder, seed: UInt64
  ) async throws -> [String: TableDump] {
    var history = History(seed: seed, hasJumps: true)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    for _ in 0..<4 {
      try await history.append(100, to: log)
      let model = RollupModel(try events(of: log))
      try log.read { (transaction) throws(LogError) in
        try FoundRollups(RollupView(log), in: transaction)
      }.expect(model)
    }
    return try log.environment.dump()
  }

  private static func events(of log: EventLog) throws -> [RecordedEvent] {
    var events: [RecordedEvent] = []
    try log.read { (transaction) throws(LogError) in
      try log.reader.scan(after: 0, in: transaction) { (recorded) throws(LogError) in
        events.append(recorded)
        return .next
      }
    }
    return events
  }

  @Test func `over a log of format 1 rollups begin empty`() throws {
    let events: [Event] = [
      .serviceStarted(ServiceStarted()),
      .fetchStarted(
        filled(FetchStarted()) {
          ($0.account, $0.operation, $0.resources) = ("acme", "keepa.product", ["shared/a/1"])
        }),
      .tokensCharged(filled(TokensCharged()) { ($0.account, $0.tokens) = ("acme", 7) }),
    ]
    let lab = try RollupLab.of(events)
    #expect(try lab.found().since == nil)
    #expect(try lab.dump().values.allSatisfy { $0.rows == 0 })
    let second = Event.serviceStarted(filled(ServiceStarted()) { $0.format = 2 })
    try lab.apply([RecordedEvent(position: 9, time: .testStart, event: second)])
    #expect(try lab.found().since == 9)

    // Whoever goes back to an older version writes format 1 once more.
    try lab.apply([RecordedEvent(position: 10, time: .testStart, event: events[2])])
    #expect(try lab.found().since == nil)
  }
}
