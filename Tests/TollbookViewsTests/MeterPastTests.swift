import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@Suite struct MeterPastTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Over several blocks of positions.
  @Test(.timeLimit(.minutes(30)), arguments: 1...4 as ClosedRange<UInt64>)
  func `a meter as of any position is the fold of the events up to there`(
    seed: UInt64
  ) async throws {
    var history = History(seed: seed)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(3_000, to: log)
    let events = try log.allEvents()

    let ledger = LedgerView(log)
    var books = Books()
    try log.environment.withReadTransaction { transaction in
      for recorded in events {
        books.apply(recorded)
        let position = recorded.position
        // Many positions for one page, in turn, whether its window is over or not; all of them now and then, and around
        // the ends of blocks.
        if position % 5 == 0, let key = books.keys.cycled(at: Int(position)) {
          let found = try ledger.meter(key, asOf: position, reader: log.reader, in: transaction)
          #expect(Books.Page(found) == books.pages[key], "position \(position)")
        }
        if position % 97 == 0 || (position + 2) % 1_024 < 4 {
          let all = try ledger.meters(asOf: position, reader: log.reader, in: transaction)
          books.expectOpen(all, at: position)
        }
      }
      let now = try ledger.meters(in: transaction)
      #expect(now.map(\.key) == books.keys.filter { books.open.contains($0) })
      #expect(now.allSatisfy { Books.Page($0.meter) == books.pages[$0.key] })
      #expect(now.contains { $0.meter.lastChange > 1_024 })
      // Windows that are over, as of a time when they were not used yet.
      for key in books.keys where !books.open.contains(key) {
        let opened = try #require(books.pages[key]).opened
        let before = try ledger.meter(
          key, asOf: opened - 1, reader: log.reader, in: transaction)
        #expect(before == Meter())
      }
    }
    #expect(books.keys.count > books.open.count)
    let past = log.tables(of: LedgerFold.fold)[4]
    let rows = try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.count(in: past)
    }
    #expect(rows > 3)
  }

  @Test func `an event that was parked is not part of the past either`() async throws {
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    try await log.append([
      .fetchStarted(Self.fetch(bound: 5)), .fetchStarted(Self.fetch(bound: -7)),
    ])
    try await log.append([.fetchStarted(Self.fetch(bound: 2))])
    let reserved = try log.environment.withReadTransaction { transaction in
      try (1...3 as ClosedRange<Position>).map { position in
        try LedgerView(log).meter(
          Self.key, asOf: position, reader: log.reader, in: transaction)[.reserved]
      }
    }
    #expect(reserved == [5, 5, 7])
  }

  private static let key = MeterKey(owner: "main", unit: "tokens")

  private static func fetch(bound: Int64) -> FetchStarted {
    var event = FetchStarted()
    event.credential = key.owner
    event.unit = key.unit
    event.bound = bound
    return event
  }

  @Test func `after a restore meters wait for a reading`() async throws {
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    var reading = BalanceObserved()
    reading.credential = "main"
    reading.unit = "tokens"
    try await log.append([.balanceObserved(reading)])
    try await log.append([.logRestored(LogRestored())])
    try await log.append([.balanceObserved(reading)])
    let waits = try log.environment.withReadTransaction { transaction in
      try (1...3 as ClosedRange<Position>).map { position in
        try LedgerView(log).meter(
          Self.key, asOf: position, reader: log.reader, in: transaction
        ).awaitsRestoreGap
      }
    }
    #expect(waits == [false, true, false])
  }
}

/// All pages, by the events alone.
private struct Books {
  /// What of a page can be compared: an event that is applied here does not say where it stands.
  struct Page: Equatable {
    var terms: [Int64]
    var reading: Meter.LastReading?
    var use: Meter.WindowReading?
    var lastDoubtSent: Timestamp?
    var awaitsRestoreGap: Bool
    var windowEnds: Timestamp?
    var lastChange: Position
    var opened: Position

    init(_ meter: Meter) { self.init(meter, lastChange: meter.lastChange, opened: meter.opened) }

    init(_ meter: Meter, lastChange: Position, opened: Position) {
      terms = LedgerTerm.allCases.map { meter[$0] }
      reading = meter.reading
      use = meter.use
      lastDoubtSent = meter.lastDoubtSent
      awaitsRestoreGap = meter.awaitsRestoreGap
      windowEnds = meter.windowEnds
      self.lastChange = lastChange
      self.opened = opened
    }
  }

  private var meters: [MeterKey: Meter] = [:]
  private(set) var pages: [MeterKey: Page] = [:]
  /// Those whose window is not over.
  private(set) var open: Set<MeterKey> = []
  /// In the order of the table.
  private(set) var keys: [MeterKey] = []

  mutating func apply(_ recorded: RecordedEvent) {
    if case .logRestored = recorded.event {
      for key in keys where key.window.isEmpty { apply(recorded, to: key) }
      return
    }
    let touched = Set(recorded.event.postings(at: recorded.position).map(\.page))
    for key in touched { apply(recorded, to: key) }
    for key in touched where !key.window.isEmpty {
      let windows = open.filter { !$0.window.isEmpty && $0.meterBytes == key.meterBytes }
      let last = windows.max()
      for other in windows where other != last && !isHolding(other) { open.remove(other) }
    }
  }

  private mutating func apply(_ recorded: RecordedEvent, to key: MeterKey) {
    if meters[key] == nil { keys.insert(key, at: keys.firstIndex { $0 > key } ?? keys.endIndex) }
    meters[key, default: Meter()].apply(recorded.event, to: key)
    open.insert(key)
    guard let meter = meters[key] else { return }
    let opened = pages[key]?.opened ?? (key.window.isEmpty ? 0 : recorded.position)
    pages[key] = Page(meter, lastChange: recorded.position, opened: opened)
  }

  private func isHolding(_ key: MeterKey) -> Bool {
    guard let meter = meters[key] else { return false }
    return meter[.reserved] != 0 || meter[.inDoubt] != 0
  }

  /// Expects these to be the open pages.
  func expectOpen(_ found: [(key: MeterKey, meter: Meter)], at position: Position) {
    #expect(found.map(\.key) == found.map(\.key).sorted())
    #expect(open == Set(found.map(\.key)), "position \(position)")
    #expect(found.allSatisfy { Page($0.meter) == pages[$0.key] }, "position \(position)")
  }
}

extension Array {
  fileprivate func cycled(at index: Int) -> Element? { isEmpty ? nil : self[index % count] }
}

extension EventLog {
  fileprivate func allEvents() throws(LogError) -> [RecordedEvent] {
    try read { (transaction) throws(LogError) in
      var found: [RecordedEvent] = []
      try reader.scan(after: 0, in: transaction) { (event) throws(LogError) in
        found.append(event)
        return .next
      }
      return found
    }
  }
}
