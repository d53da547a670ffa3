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
          try Self.expectBalance(of: log, after: event)
        }
      }
      try sums.expect(in: log)
      let model = history.generator.model.ledger
      try Self.expectTerms(of: log, toBe: model, on: model.openPages)
    }
    let model = history.generator.model.ledger
    try Self.expectTerms(of: log, toBe: model, on: Set(model.pages.keys))
    #expect(model.openPages.count < model.pages.count)
  }

  /// Of every open page, and of those that the event moved, which may be closed again already.
  private static func expectBalance(of log: EventLog, after event: Event) throws {
    let ledger = LedgerView(log)
    try log.read { (transaction) throws(LogError) in
      for (key, meter) in try ledger.meters(in: transaction) {
        #expect(meter.residual == 0, "\(key) at position \(log.head)")
      }
      for posting in event.postings(at: log.head) {
        let meter = try ledger.meter(posting.page, in: transaction)
        #expect(meter.residual == 0, "\(posting.page) at position \(log.head)")
        #expect(meter.lastChange == log.head)
      }
    }
  }

  private static func expectTerms(
    of log: EventLog, toBe model: LogModel.Ledger, on pages: Set<LogModel.Page>
  ) throws {
    let ledger = LedgerView(log)
    try log.read { (transaction) throws(LogError) in
      for page in pages {
        let key = MeterKey(page)
        let meter = try ledger.meter(key, in: transaction)
        let terms = model.terms(of: page)
        for term in LedgerTerm.allCases {
          #expect(meter[term] == terms[term], "\(term) of \(key) at position \(log.head)")
        }
        #expect(meter.residual == 0, "\(key) at position \(log.head)")
      }
    }
  }

  @Test(arguments: LedgerTerm.allCases)
  func `a term that misses one change shows as a residual`(broken: LedgerTerm) {
    let postings = Self.postings(seed: 3)
    let moving = postings.indices.filter { broken.change(by: postings[$0]) != 0 }
    #expect(!moving.isEmpty)
    for missed in moving.prefix(50) {
      var left: Int64 = 0
      for (index, posting) in postings.enumerated() {
        for term in LedgerTerm.allCases where term != broken || index != missed {
          let change = term.change(by: posting)
          left = term == .granted ? left &+ change : left &- change
        }
      }
      #expect(left != 0)
    }
  }

  private static func postings(seed: UInt64) -> [Posting] {
    var history = History(seed: seed)
    var postings: [Posting] = []
    var position: Position = 0
    while postings.count < 2_000 {
      for event in history.nextGroup(upTo: 5).flatMap(\.events) {
        position += 1
        postings += event.postings(at: position)
      }
    }
    return postings
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
    return try log.read { (transaction) throws(LogError) in
      try ledger.meters(in: transaction).map(\.meter.residual)
    }
  }
}

/// Charges added up from the events alone, by account, operation, unit and window.
private struct ChargeSums {
  private struct Key: Hashable {
    var window: String
    var slice: LogModel.Slice
  }

  private var amounts: [Key: Int64] = [:]

  mutating func add(_ event: Event) {
    switch event {
    case .tokensCharged(let event):
      if event.moves.isEmpty {
        addFirst(event)
      } else {
        addMoves(of: event)
      }
    case .chargeResolved(let event):
      for doubt in event.doubts where !doubt.limitOnly {
        let unit = event.hasMeter ? event.meter.unit : event.unit
        guard !doubt.payers.isEmpty else {
          add(doubt.settled, unit, event.windows, doubt.account, doubt.operation)
          continue
        }
        let parts = allot(doubt.settled, over: doubt.payers.map(\.weight))
        for (payer, part) in zip(doubt.payers, parts) {
          add(part, unit, event.windows, payer.account, doubt.operation)
        }
      }
    case .chargeCorrected(let event):
      for move in event.moves where !move.limitOnly {
        let sizes = allot(abs(move.amount), over: event.payers.map(\.weight))
        for (payer, size) in zip(event.payers, sizes) {
          let part = move.amount < 0 ? -size : size
          add(part, move.meter.unit, event.windows, payer.account, event.operation)
        }
      }
    default: break
    }
  }

  private mutating func addFirst(_ event: TokensCharged) {
    if !event.shares.isEmpty {
      #expect(event.shares.reduce(0) { $0 &+ $1.tokens } == event.tokens)
    }
    add(event.tokens, event.unit, event.windows, event.account, event.operation)
  }

  /// What only limits a cost is no spend.
  private mutating func addMoves(of event: TokensCharged) {
    for (index, move) in event.moves.filter({ !$0.limitOnly }).enumerated() {
      let unit = move.meter.unit
      guard !event.shares.isEmpty else {
        let parts = allot(move.amount, over: event.payers.map(\.weight))
        for (payer, part) in zip(event.payers, parts) {
          add(part, unit, event.windows, payer.account, event.operation)
        }
        continue
      }
      #expect(event.shares.reduce(0) { $0 &+ $1.amounts[index] } == move.amount)
      for share in event.shares {
        let account = event.payers[Int(share.payer)].account
        add(share.amounts[index], unit, event.windows, account, event.operation)
      }
    }
  }

  private mutating func add(
    _ amount: Int64, _ unit: String, _ windows: [String], _ account: String, _ operation: String
  ) {
    let slice = LogModel.Slice(
      account: Array(account.utf8), operation: Array(operation.utf8), unit: Array(unit.utf8))
    for window in windows + [LedgerFold.allTime] {
      amounts[Key(window: window, slice: slice), default: 0] &+= amount
    }
  }

  /// Expects the ledger to have these figures and no others.
  func expect(in log: EventLog) throws {
    let ledger = LedgerView(log)
    var found: [Key: Int64] = [:]
    try log.read { (transaction) throws(LogError) in
      for window in Set(amounts.keys.map(\.window)) {
        for (slice, spent) in try spend(window, ledger, transaction) {
          found[Key(window: window, slice: slice)] = spent.amount
        }
      }
    }
    #expect(found.filter { $0.value != 0 } == amounts.filter { $0.value != 0 })
  }
}
