import Bytes
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@Suite struct FoldTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @Test func `events that a fold cannot apply are parked, and appends go on`() async throws {
    let log = try folder.openLog(folds: [CountFold.eachDecision, CountFold.eachCommit])
    defer { log.close() }
    for text in ["a", "impossible", "b", "impossible", "c"] { try await log.append([note(text)]) }

    #expect(log.head == 5)
    let ids = [CountFold.eachCommit.id, CountFold.eachDecision.id]
    #expect(
      try Self.rows(of: log.tables.parked, in: log)
        == ids.flatMap { id in
          [UInt8(2), 4].map { Array(id.utf8) + [0, 0, 0, 0, 0, 0, 0, 0, $0] }
        })
  }

  private static func rows(of table: Table, in log: EventLog) throws -> [[UInt8]] {
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      var keys: [[UInt8]] = []
      try transaction.scan(table) { (key, _) throws(LMDBError) in
        keys.append([UInt8](copying: key))
        return .next
      }
      return keys
    }
  }

  @Test func `a fold that is new catches up in portions, and one that is old in none`()
    async throws
  {
    try await append(50_001, folds: [CountFold.eachDecision])
    let log = try folder.openLog(folds: [CountFold.eachDecision, CountFold.eachCommit])
    defer { log.close() }
    #expect(try Self.runs(of: CountFold.eachDecision, in: log) == [50_001])
    #expect(try Self.runs(of: CountFold.eachCommit, in: log) == [50_000, 1])
  }

  @Test func `a fold that was left out for a while goes on where it stood`() async throws {
    try await append(3, folds: [CountFold.eachCommit])
    try await append(4, folds: [])
    try await append(0, folds: [CountFold.eachCommit])
    try await append(5, folds: [CountFold.eachCommit])
    let log = try folder.openLog(folds: [CountFold.eachCommit])
    defer { log.close() }
    #expect(try Self.runs(of: CountFold.eachCommit, in: log) == [3, 4, 5])
  }

  @Test func `folds that stand at different places each get what they lack`() async throws {
    try await append(3, folds: [CountFold.eachDecision])
    try await append(4, folds: [])
    let log = try folder.openLog(folds: [CountFold.eachDecision, CountFold.eachCommit])
    defer { log.close() }
    #expect(try Self.runs(of: CountFold.eachDecision, in: log) == [3, 4])
    #expect(try Self.runs(of: CountFold.eachCommit, in: log) == [7])
  }

  private func append(_ count: Int, folds: [Fold]) async throws {
    let log = try folder.openLog(folds: folds)
    defer { log.close() }
    try await log.append((0..<count).map { note("\($0)") })
  }

  private static func runs(of fold: Fold, in log: EventLog) throws -> [UInt64] {
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try CountFold.runs(in: log.tables(of: fold)[0], transaction)
    }
  }

  @Test func `a view that is ahead of its log is damage`() async throws {
    try await append(3, folds: [CountFold.eachCommit])
    do {
      let environment = try Environment(directory: "\(folder.path)/data")
      try Self.setCheckpoint(of: CountFold.eachCommit, to: 9, in: environment)
    }
    let error = #expect(throws: LogError.self) {
      try folder.openLog(folds: [CountFold.eachCommit])
    }
    guard case .damaged(let damage) = error else {
      Issue.record("\(error.debugDescription)")
      return
    }
    #expect(damage.table == LogTables.viewsName)
  }

  private static func setCheckpoint(
    of fold: Fold, to position: Position, in environment: Environment
  ) throws {
    let table = try environment.openTables([LogTables.viewsName])[0]
    let key = Array(fold.id.utf8)
    try environment.withWriteTransaction { (transaction) throws(LMDBError) in
      try transaction.put(
        LogTables.key(position).span, forKey: key.span, in: table)
    }
  }

  @Test func `a view is not built over a gap`() async throws {
    try await append(300, folds: [])
    do {
      let environment = try Environment(directory: "\(folder.path)/data")
      try Self.removeEvent(at: 7, from: environment)
    }
    let error = #expect(throws: LogError.self) {
      try folder.openLog(folds: [CountFold.eachCommit])
    }
    guard case .damaged(let damage) = error else {
      Issue.record("\(error.debugDescription)")
      return
    }
    #expect(damage.position == 7)
  }

  private static func removeEvent(at position: Position, from environment: Environment) throws {
    let table = try environment.openTables([LogTables.eventsName])[0]
    try environment.withWriteTransaction { (transaction) throws(LMDBError) in
      _ = try transaction.delete(key: LogTables.key(position).span, in: table)
    }
  }

  @Test(arguments: 1...10 as ClosedRange<UInt64>)
  func `the indexes agree with a linear search`(seed: UInt64) async throws {
    let time = ManualTime()
    let log = try folder.openLog(time: time.source)
    defer { log.close() }
    var generator = EventGenerator(seed: seed)
    while generator.head < 300 {
      time.advance(byMilliseconds: 300_000)
      let step = generator.next(at: time.now)
      try await log.append(step.events, bodies: step.bodies)
    }
    let events = try log.events()
    let index = log.index
    try log.read { (transaction) throws(LogError) in
      for kind in EventKind.allCases {
        let expected = events.filter { $0.event.kind == kind }.map(\.position)
        for (after, limit) in [(0, 1_000), (100, 3), (.max, 5), (7, 0)] as [(Position, Int)] {
          #expect(
            try index.positions(of: kind, after: after, limit: limit, in: transaction)
              == Array(expected.filter { $0 > after }.prefix(limit)))
        }
      }
      let resources = Set(events.flatMap { self.resources(of: $0.event) })
      #expect(resources.count > 5)
      for bytes in resources {
        let expected = events.filter { self.resources(of: $0.event).contains(bytes) }
        let name = String(decoding: bytes, as: UTF8.self)
        #expect(
          try index.positions(of: name, after: 0, limit: .max, in: transaction)
            == expected.map(\.position))
      }
      for event in events {
        guard case .fetchStarted = event.event else { continue }
        #expect(
          try index.positions(ofFetch: event.position, in: transaction)
            == events.filter { fetch(of: $0) == event.position }.map(\.position))
      }
    }
  }

  /// The bytes of the resources that an event is about.
  private func resources(of event: Event) -> [[UInt8]] {
    let names =
      switch event {
      case .cacheWritten(let event): [event.resource]
      case .cacheExpired(let event): [event.resource]
      case .cacheEvicted(let event): [event.resource]
      case .cachePurged(let event): [event.resource]
      case .entriesSwept(let event): event.entries.map(\.resource)
      default: [String]()
      }
    return names.map { Array($0.utf8) }
  }

  @Test func `a sweep is found by each of its resources, and a window's reading by its fetch`()
    async throws
  {
    let log = try folder.openLog()
    defer { log.close() }
    let long = String(repeating: "x", count: 500)
    var sweep = EntriesSwept()
    // Two of one name, and two whose names begin with the same 480 bytes.
    sweep.entries = ["a", "b", "a", long + "1", long + "2"].map { name in
      var entry = SweptEntry()
      entry.resource = name
      return entry
    }
    var reading = WindowObserved()
    reading.fetch = 1
    try await log.append([
      .fetchStarted(FetchStarted()), .entriesSwept(sweep), .windowObserved(reading),
      .windowObserved(WindowObserved()),
    ])
    let index = log.index
    try log.read { (transaction) throws(LogError) in
      for name in ["a", "b", long + "1"] {
        #expect(
          try index.positions(of: name, after: 0, limit: .max, in: transaction) == [2])
      }
      #expect(try index.positions(ofFetch: 1, in: transaction) == [1, 3])
    }
    #expect(try LogVerifier(log).verify().damages == [])
  }

  private func fetch(of recorded: RecordedEvent) -> Position? {
    switch recorded.event {
    case .fetchStarted: recorded.position
    case .fetchAttemptFailed(let event): event.fetch
    case .fetchSucceeded(let event): event.fetch
    case .fetchFailed(let event): event.fetch
    case .cacheWritten(let event): event.fetch
    case .tokensCharged(let event): event.fetch
    case .chargeCorrected(let event): event.fetch
    case .reservationReleased(let event): event.fetch
    case .chargeInDoubt(let event): event.fetch
    case .balanceObserved(let event): event.fetch
    case .windowObserved(let event): event.fetch
    default: nil
    }
  }
}
