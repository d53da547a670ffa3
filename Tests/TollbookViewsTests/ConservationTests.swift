import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@Suite struct ConservationTests {
  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func `Law 4: at every prefix nothing is left over and charges sum to the ledger`(
    seed: UInt64
  ) async throws {
    let folder = try TemporaryFolder()
    var history = History(seed: seed)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    var sums = ChargeSums()
    while history.generator.head < 500 {
      for step in history.nextGroup(upTo: 1) {
        for (index, event) in step.events.enumerated() {
          try await log.append(
            [event], bodies: index == 0 ? step.bodies : [],
            prunedBodies: index == 0 ? step.prunedBodies : [])
          sums.add(event)
          try Self.expectBalance(of: log)
        }
      }
      try sums.expect(in: log)
      try Self.expectTerms(of: log, toBe: history.generator.model)
    }
  }

  private static func expectBalance(of log: EventLog) throws {
    let ledger = LedgerView(log)
    let meters = try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try ledger.meters(in: transaction)
    }
    for (key, meter) in meters {
      #expect(meter.residual == 0, "\(key) at position \(log.head)")
    }
  }

  private static func expectTerms(of log: EventLog, toBe model: LogModel) throws {
    let ledger = LedgerView(log)
    let meters = try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try ledger.meters(in: transaction)
    }
    for (key, meter) in meters {
      let terms = model.terms(of: LogModel.MeterName(key))
      for term in LedgerTerm.allCases {
        #expect(meter[term] == terms[term], "\(term) of \(key) at position \(log.head)")
      }
    }
  }

  @Test(arguments: LedgerTerm.allCases)
  func `a term that misses one change shows as a residual`(broken: LedgerTerm) {
    let events = Self.events(seed: 3)
    let moving = events.indices.filter { broken.change(by: events[$0]) != 0 }
    #expect(!moving.isEmpty)
    for missed in moving.prefix(50) {
      var left: Int64 = 0
      for (index, event) in events.enumerated() {
        for term in LedgerTerm.allCases where term != broken || index != missed {
          left += (term == .granted ? 1 : -1) * term.change(by: event)
        }
      }
      #expect(left != 0)
    }
  }

  private static func events(seed: UInt64) -> [Event] {
    var history = History(seed: seed)
    var events: [Event] = []
    while events.count < 2_000 {
      events += history.nextGroup(upTo: 5).flatMap(\.events)
        .filter { MeterKey(of: $0) != nil }
    }
    return events
  }

  @Test(arguments: LedgerTerm.allCases.indices)
  func `a stored term that is wrong shows as a residual until the view is rebuilt`(
    index: Int
  ) async throws {
    let folder = try TemporaryFolder()
    try await Self.fill(folder, breakingTerm: index)
    #expect(try Self.residuals(in: folder).contains { $0 != 0 })

    do {
      let directory = try folder.own()
      _ = try Rebuild.allViews(of: directory, folds: allFolds, options: .scratch) { _, _ in }
    }

    let residuals = try Self.residuals(in: folder)
    #expect(!residuals.isEmpty)
    #expect(residuals.allSatisfy { $0 == 0 })
  }

  private static func fill(_ folder: TemporaryFolder, breakingTerm index: Int) async throws {
    var history = History(seed: 11)
    let log = try folder.openLog(folds: allFolds, time: history.clock)
    defer { log.close() }
    try await history.append(120, to: log)
    try addOne(toTerm: index, in: log)
  }

  private static func addOne(toTerm index: Int, in log: EventLog) throws {
    let table = log.tables(of: LedgerFold.fold)[0]
    try log.environment.withWriteTransaction { (transaction) throws(LMDBError) in
      guard let key = try transaction.reading.firstKey(in: table),
        var row = try transaction.reading.value(forKey: key.span, in: table)
      else { return }
      row[index * 8 + 7] ^= 1
      try transaction.put(row.span, forKey: key.span, in: table)
    }
  }

  private static func residuals(in folder: TemporaryFolder) throws -> [Int64] {
    let log = try folder.openLog(folds: allFolds)
    defer { log.close() }
    let ledger = LedgerView(log)
    return try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try ledger.meters(in: transaction).map(\.meter.residual)
    }
  }
}

/// Charges added up from the events alone, by account, operation and day.
private struct ChargeSums {
  private struct Key: Hashable {
    var window: String
    var slice: LogModel.Slice
  }

  private var tokens: [Key: Int64] = [:]

  mutating func add(_ event: Event) {
    switch event {
    case .tokensCharged(let event):
      if !event.shares.isEmpty {
        #expect(event.shares.reduce(0) { $0 + $1.tokens } == event.tokens)
      }
      add(event.tokens, event.windows, event.account, event.operation)
    case .chargeResolved(let event):
      for doubt in event.doubts {
        add(doubt.settled, event.windows, doubt.account, doubt.operation)
      }
    default: break
    }
  }

  private mutating func add(
    _ amount: Int64, _ windows: [String], _ account: String, _ operation: String
  ) {
    let slice = LogModel.Slice(account: Array(account.utf8), operation: Array(operation.utf8))
    for window in windows + [LedgerFold.allTime] {
      tokens[Key(window: window, slice: slice), default: 0] += amount
    }
  }

  /// Expects the ledger to have these figures and no others.
  func expect(in log: EventLog) throws {
    let ledger = LedgerView(log)
    var found: [Key: Int64] = [:]
    try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      for window in Set(tokens.keys.map(\.window)) {
        for (slice, amount) in try spend(window, ledger, transaction) {
          found[Key(window: window, slice: slice)] = amount.tokens
        }
      }
    }
    #expect(found.filter { $0.value != 0 } == tokens.filter { $0.value != 0 })
  }
}
