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
    var meters: [MeterKey: Meter] = [:]
    try log.environment.withReadTransaction { transaction in
      for recorded in events {
        Self.apply(recorded, to: &meters)
        // Many positions for one meter, in turn; all of them now and then, and around the ends of blocks.
        if recorded.position % 5 == 0,
          let key = meters.keys.sorted(by: precedes).cycled(at: Int(recorded.position))
        {
          let found = try ledger.meter(
            key, asOf: recorded.position, reader: log.reader, in: transaction)
          #expect(found == meters[key], "position \(recorded.position)")
        }
        if recorded.position % 97 == 0 || (recorded.position + 2) % 1_024 < 4 {
          let all = try ledger.meters(
            asOf: recorded.position, reader: log.reader, in: transaction)
          #expect(all.map(\.key) == meters.keys.sorted(by: precedes))
          #expect(all.allSatisfy { $0.meter == meters[$0.key] }, "position \(recorded.position)")
        }
      }
      let now = try ledger.meters(in: transaction)
      #expect(now.map(\.meter) == now.map { meters[$0.key] ?? Meter() })
      #expect(now.contains { $0.meter.lastChange > 1_024 })
    }
    let past = log.tables(of: LedgerFold.fold)[4]
    let rows = try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.count(in: past)
    }
    #expect(rows > 3)
  }

  /// By the events alone.
  private static func apply(_ recorded: RecordedEvent, to meters: inout [MeterKey: Meter]) {
    if case .logRestored = recorded.event {
      for key in meters.keys { meters[key]?.apply(recorded) }
    } else if let key = MeterKey(of: recorded.event) {
      meters[key, default: Meter()].apply(recorded)
    }
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

  private static let key = MeterKey(credential: "main", unit: "tokens")

  private static func fetch(bound: Int64) -> FetchStarted {
    var event = FetchStarted()
    event.credential = key.credential
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

/// In the order of the table.
private func precedes(_ left: MeterKey, _ right: MeterKey) -> Bool {
  Array(left.credential.utf8 + [0] + left.unit.utf8).lexicographicallyPrecedes(
    Array(right.credential.utf8 + [0] + right.unit.utf8))
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
