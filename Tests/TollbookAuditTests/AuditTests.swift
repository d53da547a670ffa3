import Bytes
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive
@testable import TollbookAudit

/// Law 4: the charges of any slice sum to the ledger's figure for it, exactly.
@Suite struct AuditLawTests {
  /// A generated history in a log.
  private static func log(
    seed: UInt64, events: Position = 500, in folder: TemporaryFolder
  ) async throws -> EventLog {
    var generator = EventGenerator(seed: seed)
    var random = SeededGenerator(seed: ~seed)
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    while generator.head < events {
      time.advance(byMilliseconds: random.int64(0...1_200_000))
      let steps = (0..<random.int(1...8)).map { _ in generator.next(at: time.now) }
      try await log.append(steps.flatMap(\.events), bodies: steps.flatMap(\.bodies))
    }
    return log
  }

  private static func audit(
    _ log: EventLog, after: Position = 0, through: Position = .max,
    by grouping: AuditGrouping = .day
  ) throws -> AuditReport {
    var query = AuditQuery()
    query.after = after
    query.through = through
    query.grouping = grouping
    return try #require(try Audit.run(query, in: LogSource(log)))
  }

  @Test(
    arguments: [
      (1, 3, 3_333), (2, 3, 6_667), (1, 20_000, 1), (1, 20_001, 0), (3, 20_000, 2), (0, 7, 0),
      (7, 7, 10_000), (.max, .max, 10_000), (.max - 1, .max, 10_000), (1, 0, nil), (-1, 2, nil),
    ] as [(Int64, Int64, Int64?)])
  func `a rate is rounded half up to hundredths`(part: Int64, whole: Int64, expected: Int64?) {
    #expect(hundredths(part, of: whole) == expected)
  }

  @Test(arguments: 0..<12)
  func `the sums are the ledger's, in all and in every slice`(seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    let log = try await Self.log(seed: seed, in: folder)
    let ledger = LedgerView(log)
    let (holds, spend) = try log.read { (state) throws(LogError) in
      (try ledger.holds(in: state), try ledger.spend(window: LedgerFold.allTime, in: state))
    }
    func held(_ unit: String, _ state: Hold.State) -> Int64 {
      holds.filter { $0.state == state && !$0.isLimitOnly && $0.meter.unit == unit }
        .reduce(0) { $0 + $1.amount }
    }
    func spent(
      _ unit: String,
      _ isWanted: (_ account: String, _ operation: String) -> Bool = { _, _ in true }
    ) -> Int64 {
      spend.filter { $0.unit == unit && isWanted($0.account, $0.operation) }
        .reduce(0) { $0 + $1.spend.amount }
    }

    for grouping in AuditGrouping.allCases {
      let report = try Self.audit(log, by: grouping)
      #expect(Set(spend.map(\.unit)).isSubset(of: report.units))
      for unit in report.units {
        #expect(report.total[unit].certain == spent(unit), "\(grouping)")
        #expect(report.total[unit].inDoubt == held(unit, .inDoubt), "\(grouping)")
        #expect(report.total[unit].unprovable == held(unit, .unprovable), "\(grouping)")
        #expect(report.total[unit].reserved == held(unit, .reserved), "\(grouping)")
        #expect(report.waste(of: unit).total == report.total[unit].spent.high)
      }
      Self.expectGroups(of: report)
    }
    try Self.expectDays(of: log, try Self.audit(log))
    let operations = try Self.audit(log, by: .operation)
    for name in Set(spend.map { Array($0.operation.utf8) }) {
      let group = operations.groups.first { $0.name.map { Array($0.utf8) } == name }
      for unit in operations.units {
        let exact = spent(unit) { _, operation in Array(operation.utf8) == name }
        #expect(group?.sums[unit].certain ?? 0 == exact)
      }
    }
    for account in Set(spend.map { Array($0.account.utf8) }) {
      var query = AuditQuery()
      query.account = String(decoding: account, as: UTF8.self)
      let report = try #require(try Audit.run(query, in: LogSource(log)))
      for unit in report.units {
        let exact = spent(unit) { name, _ in Array(name.utf8) == account }
        #expect(report.total[unit].certain == exact)
        #expect(report.waste(of: unit).total == report.total[unit].spent.high)
      }
    }
    log.close()
  }

  /// Of each unit, and of what is counted once for each resource, the groups sum to the whole.
  private static func expectGroups(of report: AuditReport) {
    let grouping = report.query.grouping
    let groups = report.groups.reduce(AuditSums.zero) { $0 + $1.sums }
    for unit in report.units {
      var (left, right) = (groups[unit], report.total[unit])
      // A charge counts in each group that it touches.
      if grouping.divides { (left.charges, right.charges) = (0, 0) }
      #expect(left == right, "\(unit) by \(grouping)")
    }
    #expect(groups.counts.reads == report.total.counts.reads, "\(grouping)")
    #expect(groups.counts.refused == report.total.counts.refused, "\(grouping)")
    #expect(groups.counts.bought == report.total.counts.bought, "\(grouping)")
    if !grouping.divides { #expect(groups == report.total, "\(grouping)") }
  }

  private static func expectDays(of log: EventLog, _ report: AuditReport) throws {
    let ledger = LedgerView(log)
    for group in report.groups {
      let day = try #require(group.name)
      let spend = try log.read { (state) throws(LogError) in
        try ledger.spend(window: "day \(day)", in: state)
      }
      for unit in report.units {
        let exact = spend.filter { $0.unit == unit }.reduce(0) { $0 + $1.spend.amount }
        #expect(group.sums[unit].certain == exact, "\(day)")
      }
    }
  }

  @Test(arguments: 0..<12)
  func `slices sum to the whole, group by group`(seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    let log = try await Self.log(seed: seed, in: folder)
    var random = SeededGenerator(seed: seed)
    for grouping in AuditGrouping.allCases {
      let middle = Position(random.int(0...Int(log.head)))
      let whole = try Self.audit(log, by: grouping)
      let first = try Self.audit(log, through: middle, by: grouping)
      let second = try Self.audit(log, after: middle, by: grouping)
      #expect(
        Booked(first.total + second.total) == Booked(whole.total), "\(grouping) at \(middle)")
      #expect(Self.sums(first, second) == Self.sums(whole), "\(grouping) at \(middle)")
      for report in [first, second, whole] {
        let reserved = try log.reserved(in: report)
        for unit in Set(report.units).union(reserved.keys) {
          #expect(report.waste(of: unit).total == report.total[unit].spent.high)
          #expect(
            report.total[unit].reserved == reserved[unit] ?? 0, "\(grouping) at \(middle)")
        }
      }
    }
    log.close()
  }

  /// Sums without what is reserved: that is of the end of a slice, and slices end at different places.
  private struct Booked: Equatable {
    let counts: AuditCounts
    let amounts: [String: UnitAmounts]

    init(_ sums: AuditSums) {
      counts = sums.counts
      var amounts: [String: UnitAmounts] = [:]
      for element in sums.amounts {
        amounts[element.unit] = element.value
        amounts[element.unit]?.reserved = 0
      }
      self.amounts = amounts.filter { $0.value != .zero }
    }
  }

  private static func sums(_ reports: AuditReport...) -> [[UInt8]: Booked] {
    var sums: [[UInt8]: AuditSums] = [:]
    for group in reports.flatMap(\.groups) {
      sums[Array((group.name ?? "?").utf8), default: .zero] += group.sums
    }
    return sums.mapValues(Booked.init).filter { $0.value != Booked(.zero) }
  }

  @Test func `what the ledger could not apply is left out and told`() async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds)
    var story = AuditStory()
    story.buy("A")
    story.charge(1, [("A", 7)])
    try await log.append(story.events.map(\.event))
    let report = try Self.audit(log)
    #expect(report.parked == 1)
    #expect(report.total["tokens"].certain == 1)
    #expect(report.waste(of: "tokens").total == 1)
    log.close()
  }

  @Test func `a stopped audit has no report`() async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds)
    var story = AuditStory()
    for _ in 0..<17_000 { story.read("A", fresh: 1) }
    try await log.append(story.events.map(\.event))
    let report = try Audit.run(AuditQuery(), in: LogSource(log)) { done, end in
      #expect(done == 16_384 && end == 17_000)
      return .stop
    }
    #expect(report == nil)
    log.close()
  }
}

@Suite struct AuditRangeTests {
  private let folder: TemporaryFolder
  private let log: EventLog

  init() async throws {
    folder = try TemporaryFolder()
    let time = ManualTime()
    log = try folder.openLog(folds: allFolds, time: time.source)
    var story = AuditStory()
    for _ in 0..<3 {
      let before = story.events.count
      story.buy("A", body: UInt8(before + 1))
      try await log.append(story.events.dropFirst(before).map(\.event))
      time.advance(byMilliseconds: 3_600_000)
    }
  }

  private func charges(
    _ from: String?, _ to: String?, zone: String = "UTC"
  ) throws -> Int64 {
    var query = AuditQuery()
    query.setRange(
      try EventRange(
        from: from.flatMap { Moment($0) }, to: to.flatMap { Moment($0) }, in: LogSource(log),
        calendar: try #require(AuditCalendar(zone: zone))))
    return try #require(try Audit.run(query, in: LogSource(log))).total.counts.charges
  }

  @Test func `both ends of a range are part of it`() throws {
    #expect(try charges(nil, nil) == 3)
    #expect(try charges("4", "4") == 1)
    #expect(try charges("5", "12") == 2)
    #expect(try charges("5", "11") == 1)
    #expect(try charges("0", "99") == 3)
    #expect(try charges("2026-11-21T09:00:00Z", nil) == 2)
    #expect(try charges("2026-11-21T09:00:00.001Z", nil) == 1)
    #expect(try charges(nil, "2026-11-21T08:59:59.999Z") == 1)
    #expect(try charges("2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z") == 2)
    #expect(try charges("2026-11-21", "2026-11-22") == 3)
    #expect(try charges("2026-11-21", "2026-11-21") == 3)
    #expect(try charges(nil, "2026-11-21") == 3)
    #expect(try charges(nil, "2026-11-20") == 0)
    #expect(try charges("5", "2026-11-21") == 2)
    #expect(try charges("2026-11-21T09:00:00Z", "2026-11-21") == 2)
    // The calls were at 8, 9 and 10 o'clock in UTC; in these zones the day begins in between.
    #expect(try charges("2026-11-21", "2026-11-21", zone: "Pacific/Pitcairn") == 3)
    #expect(try charges("2026-11-22", nil, zone: "Pacific/Kiritimati") == 1)
    #expect(try charges(nil, "2026-11-21", zone: "Pacific/Kiritimati") == 2)
    #expect(try charges(nil, "2026-11-20", zone: "America/Anchorage") == 1)
    // An instant is no day, whatever the zone.
    #expect(try charges("2026-11-21T00:00:00Z", nil, zone: "America/Anchorage") == 3)
    #expect(try charges("2026-11-22", nil) == 0)
  }
}

@Suite struct AuditFigureTests {
  @Test func `what the cache avoided is what the entries that answered had cost`() throws {
    var story = AuditStory()
    let fetch = story.start(["A", "B"])
    story.succeed(fetch)
    story.write("A", of: fetch, tokens: 2)
    story.write("B", of: fetch, tokens: 1)
    story.charge(fetch, [("A", 2), ("B", 1)])
    story.read("A", fresh: 3, stale: 1)
    story.read("B", joined: 2, account: "other")
    story.read("C", fresh: 9)
    let sums = try story.fold().total
    let tokens = sums["tokens"]
    #expect(tokens.avoided == 8)
    #expect(tokens.avoidedByJoining == 2)
    #expect(sums.counts.readsOfUnknownCost == 9)
    #expect(tokens.certain == 3, "never mixed with what was spent")
    #expect(sums.counts.readsBought == 2)
    #expect(sums.counts.hits == 15)
    #expect(sums.counts.hitRate == 8_824)
    #expect(tokens.hitRate == 7_692)
    #expect(sums.counts.calls == 1)
    #expect(sums.counts.bought == 2)
    let byAccount = try story.fold(by: .account).groups
    #expect(byAccount.sums.map(\.sums.counts.readsJoined) == [0, 2])
    let byCredential = try story.fold(by: .credential).sumsOfGroups
    #expect(byCredential.map { $0["tokens"].avoided } == [8, 0])
  }

  @Test func `refreshes behind are no reads, retries are calls, refusals are counted`() throws {
    var story = AuditStory()
    let fetch = story.start(["A", "B"], behind: true)
    story.fail(fetch, next: 2)
    story.release(fetch, 2)
    story.fail(fetch, attempt: 2)
    var refused = SpendRefused()
    refused.account = AuditStory.account
    refused.resources = 3
    refused.refused = [AuditStory.resource("A")]
    story.add(.spendRefused(refused))
    let fold = try story.fold(by: .resource)
    #expect(fold.groups.total.counts.readsBought == 0)
    #expect(fold.groups.total.counts.calls == 2)
    #expect(fold.groups.total.counts.retries == 1)
    #expect(fold.groups.total.counts.refused == 3)
    #expect(fold.groups.sums.map(\.sums.counts.refused) == [1, 0, 2])
    #expect(fold.groups.sums.map(\.sums.counts.calls) == [2, 2, 0])
  }

  @Test func `a doubt counts when it began, what it cost when that was found`() throws {
    var story = AuditStory()
    let fetch = story.start(["A"])
    story.doubt(fetch, 5)
    story.fail(fetch)
    story.wait(seconds: 86_400)
    let open = story.head
    story.resolve(fetch, 5, settled: 3)
    let days = try story.fold(through: open).sumsOfGroups.map { $0["tokens"] }
    #expect(days.map(\.spent) == [AmountInterval(low: 0, high: 5)])
    let later = try story.fold().sumsOfGroups.map { $0["tokens"] }
    #expect(later.map(\.spent) == [AmountInterval(0), AmountInterval(3)])
    let slice = try story.fold(after: open).sumsOfGroups.map { $0["tokens"] }
    #expect(slice.map(\.inDoubt) == [-5, 0])
    #expect(slice.map(\.certain) == [0, 3])
  }

  @Test func `a reading that nobody explains lies between two, with the calls of that time`()
    throws
  {
    var story = AuditStory()
    story.observe(100, predicted: 100...100, isFirst: true)
    story.buy("A")
    story.observe(99, predicted: 99...99)
    let calm = story.head
    story.wait(seconds: 60)
    story.buy("B")
    let fetch = story.start(["C"])
    story.observe(90, predicted: 97...98, unexplained: 7)
    story.observe(50, predicted: 90...90, unexplained: 40, isRestoreGap: true)
    let found = try story.fold().reconciliation
    #expect(found.readings == 4)
    #expect(found.driftCount == 1)
    #expect(found["tokens"].unexplained == 7)
    #expect(found.drifts.first?.after?.position == calm)
    #expect(found.drifts.first?.calls == [calm + 1, fetch])
    #expect(found.drifts.first?.meter == MeterKey(owner: AuditStory.credential, unit: "tokens"))
    #expect(found["tokens"].restoreGap == 40)
    #expect(found.restoreGaps.count == 1)
    #expect(!found.isClean)
    #expect(try story.fold(through: calm).reconciliation.isClean)
  }

  @Test func `charges that the price list does not explain are listed`() throws {
    var story = AuditStory()
    let fetch = story.start(["A"])
    story.charge(fetch, [("A", 7)], expected: 2)
    story.charge(fetch, attempt: 2, [("A", 1)], expected: 2)
    let found = try story.fold().reconciliation
    #expect(found["tokens"].aboveList == 5)
    #expect(found["tokens"].belowList == 1)
    #expect(found.priceDriftCount == 2)
    #expect(found.priceDrifts.map(\.amount) == [7, 1])
  }

  @Test(arguments: 0..<20)
  func `fields are read as the whole message is`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for recorded in AuditStory.generated(seed: seed, count: 300).events {
      var bytes = Record.encode(recorded.event, time: recorded.time)
      Self.expectSame(recorded.event, bytes.span.bytes)
      // Nonsense is refused or read; nothing is read beyond its end.
      let payload = Record.payload(of: bytes.span.bytes)
      for _ in 0..<5 {
        bytes[random.int(0...bytes.count - 1)] ^= UInt8(1 << random.int(0...7))
        let end = random.int(payload.lowerBound...payload.upperBound)
        for kind in EventKind.allCases {
          Self.readAll(bytes.span.bytes, payload.lowerBound..<end, kind)
        }
      }
    }
  }

  @Test(
    arguments: [
      [0x08], [0x08, 0x80], [0x80], [0x0A, 5, 1], [0x09, 1, 2], [0x0D, 1], [0x0B], [0x00, 0x01],
      [0x08] + [UInt8](repeating: 0x80, count: 10) + [0],
    ] as [[UInt8]])
  func `what ends in the middle is no message`(bytes: [UInt8]) {
    #expect(EndedFields(bytes.span.bytes, 0..<bytes.count, kind: .fetchFailed) == nil)
    #expect(EndedFields(bytes.span.bytes, 0..<0, kind: .fetchFailed) != nil)
  }

  private static func readAll(_ bytes: RawSpan, _ payload: Range<Int>, _ kind: EventKind) {
    _ = StartedFields(bytes, payload, withResources: true)
    _ = EndedFields(bytes, payload, kind: kind)
    _ = WrittenFields(bytes, payload)
    _ = SweptFields(bytes, payload)
    _ = TallyFields(bytes, payload)
    _ = ObservedFields(bytes, payload)
    guard let charged = ChargedFields(bytes, payload, withShares: true) else { return }
    for (number, move) in charged.moves.enumerated() {
      guard charged.isWhole(move, number) else { continue }
      for share in charged.shares { _ = charged.amount(of: share, move: number) }
    }
  }

  private static func expectSame(_ event: Event, _ bytes: RawSpan) {
    let payload = Record.payload(of: bytes)
    func text(_ range: Range<Int>) -> [UInt8] { bytes.bytes(in: range) }
    switch event {
    case .fetchStarted(let event): expectSame(event, bytes)
    case .tokensCharged(let event): expectSame(event, bytes)
    case .cacheWritten(let event):
      let read = WrittenFields(bytes, payload)
      #expect(read.map { text($0.resource) } == Array(event.resource.utf8))
      #expect(read.map { text($0.body) } == Array(event.body))
      #expect(read?.contentSet == event.contentSet)
      #expect(read?.presence == UInt64(event.presence.rawValue))
      #expect(read?.fetch == event.fetch)
      #expect(read?.fetched == event.fetchedMs)
      #expect(read?.freshUntil == event.freshUntilMs)
      #expect(read?.upstreamUpdated == event.upstreamUpdatedMs)
      let costs = read?.costs.map { Amount($0.amount, $0.unit.map { word(text($0)) } ?? "tokens") }
      #expect(costs?.filter { $0.count != 0 } == event.amounts.filter { $0.count != 0 })
    case .readsTallied(let event):
      var rows: [TallyFields] = []
      var fields = WireFields(payload)
      while let field = fields.next(in: bytes) {
        if field.number == 1, let row = TallyFields(bytes, field.range) { rows.append(row) }
      }
      #expect(rows.map(\.written) == event.rows.map(\.written))
      #expect(rows.map(\.contentSet) == event.rows.map(\.contentSet))
      #expect(rows.map { word(text($0.operation)) } == event.rows.map(\.operation))
      #expect(rows.map { $0.costs.map(\.amount) } == event.rows.map { $0.costs.map(\.amount) })
    case .balanceObserved(let event):
      let read = ObservedFields(bytes, payload)
      let meter =
        event.hasMeter ? event.meter : MeterName(quotaGroup: event.credential, unit: event.unit)
      #expect(read.map { text($0.meter.owner) } == Array(meter.owner.utf8))
      #expect(read.map { text($0.meter.unit) } == Array(meter.unit.utf8))
      #expect(read?.balance == event.reading.balance)
      #expect(read?.hasPrevious == event.hasPrevious)
      #expect(read?.unexplained == event.unexplained)
      #expect(read?.isRestoreGap == event.restoreGap)
    case .fetchAttemptFailed(let event):
      let read = EndedFields(bytes, payload, kind: .fetchAttemptFailed)
      #expect(read?.fetch == event.fetch && read?.attempt == event.attempt)
      #expect(read?.nextAttempt == event.nextAttempt)
    default: break
    }
  }

  private static func word(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  private static func expectSame(_ event: FetchStarted, _ bytes: RawSpan) {
    func text(_ range: Range<Int>) -> [UInt8] { bytes.bytes(in: range) }
    let read = StartedFields(bytes, Record.payload(of: bytes), withResources: true)
    #expect(read.map { text($0.operation) } == Array(event.operation.utf8))
    #expect(read.map { text($0.credential) } == Array(event.credential.utf8))
    #expect(read?.resources.map(text) == event.resources.map { Array($0.utf8) })
    #expect(read?.resourceCount == event.resources.count)
    #expect(read?.contentSet == event.contentSet)
    let demands = event.allDemands
    #expect(read?.demands.map { text($0.account) } == demands.map { Array($0.account.utf8) })
    #expect(read?.demands.map(\.contentSet) == demands.map(\.contentSet))
    #expect(read?.demands.map(\.ageBasis) == demands.map(\.ageBasis))
    #expect(read?.demands.map(\.isBehind) == demands.map(\.isBehind))
    #expect(
      read?.demands.map(\.maximumAge)
        == demands.map { $0.hasMaxAgeSeconds ? $0.maxAgeSeconds : nil })
    #expect(read?.demandOf == event.demandOf.map { Int64($0) })
    #expect(read?.weights == event.weights)
    #expect(read?.tellsDemands == !event.demands.isEmpty)
    let postings = Event.fetchStarted(event).postings(at: 1)
    #expect(read?.moves.map { text($0.meter.owner) } == postings.map { Array($0.page.owner.utf8) })
    #expect(read?.moves.map { text($0.meter.unit) } == postings.map { Array($0.page.unit.utf8) })
  }

  private static func expectSame(_ event: TokensCharged, _ bytes: RawSpan) {
    func text(_ range: Range<Int>) -> [UInt8] { bytes.bytes(in: range) }
    guard let read = ChargedFields(bytes, Record.payload(of: bytes), withShares: true) else {
      Issue.record("no message")
      return
    }
    #expect(text(read.operation) == Array(event.operation.utf8))
    #expect(text(read.credential) == Array(event.credential.utf8))
    #expect(read.fetch == event.fetch && read.attempt == event.attempt)
    let postings = Event.tokensCharged(event).postings(at: 1)
    #expect(read.moves.map { text($0.meter.owner) } == postings.map { Array($0.page.owner.utf8) })
    #expect(read.moves.map { text($0.meter.unit) } == postings.map { Array($0.page.unit.utf8) })
    #expect(read.moves.map(\.isLimitOnly) == postings.map(\.isLimitOnly))
    #expect(read.moves.map(\.expected) == postings.map(\.expected))
    #expect(
      read.moves.map { Posting.Change.charged($0.amount, of: $0.reserved) }
        == postings.map(\.change))
    #expect(
      read.payers.map { text($0.account) } == postings[0].payers.map { Array($0.account.utf8) })
    #expect(read.payers.map(\.weight) == postings[0].payers.map(\.weight))
    #expect(read.shares.map { text($0.resource) } == event.shares.map { Array($0.resource.utf8) })
    #expect(read.shares.map(\.use) == event.shares.map(\.use))
    #expect(read.shares.map(\.written) == event.shares.map(\.written))
    #expect(read.shares.map(\.payer) == event.shares.map { Int($0.payer) })
    let told = read.moves.filter { !$0.isLimitOnly }
    for (number, move) in told.enumerated() where !event.shares.isEmpty {
      #expect(read.isWhole(move, number))
      #expect(
        read.shares.map { read.amount(of: $0, move: number) }
          == event.shares.map { event.moves.isEmpty ? $0.tokens : $0.amounts[number] })
    }
  }
}

@Suite struct AuditCalendarTests {
  @Test func `days and hours follow the zone, also where clocks are set back`() throws {
    var berlin = try #require(AuditCalendar(zone: "Europe/Berlin"))
    func day(_ text: String) throws -> String {
      AuditCalendar.name(ofDay: berlin.day(of: try #require(Timestamp(rfc3339: text))))
    }
    func hour(_ text: String) throws -> String {
      berlin.name(ofHour: berlin.hour(of: try #require(Timestamp(rfc3339: text))))
    }
    #expect(try day("2026-11-20T23:30:00Z") == "2026-11-21")
    #expect(try day("2026-11-20T22:59:59Z") == "2026-11-20")
    #expect(try day("2026-06-20T22:00:00Z") == "2026-06-21")
    #expect(try hour("2026-10-25T00:30:00Z") == "2026-10-25T02:00+02:00")
    #expect(try hour("2026-10-25T01:30:00Z") == "2026-10-25T02:00+01:00")
    #expect(try hour("2026-03-29T00:59:00Z") == "2026-03-29T01:00+01:00")
    #expect(try hour("2026-03-29T01:00:00Z") == "2026-03-29T03:00+02:00")
    var india = try #require(AuditCalendar(zone: "Asia/Kolkata"))
    let time = try #require(Timestamp(rfc3339: "2026-11-21T08:45:00Z"))
    #expect(india.name(ofHour: india.hour(of: time)) == "2026-11-21T14:00+05:30")
    var utc = AuditCalendar.utc
    #expect(utc.name(ofHour: utc.hour(of: time)) == "2026-11-21T08:00Z")
    let local = try #require(CalendarDay("2026-06-21"))
    #expect(berlin.start(of: local).description == "2026-06-20T22:00:00.000Z")
  }

  @Test func `a zone that does not exist is none`() {
    for name in ["Mars/Base", "", "Europe/berlin", "../etc/passwd"] {
      #expect(AuditCalendar(zone: name) == nil, "\(name)")
    }
  }
}

@Suite struct TokenPriceTests {
  @Test func `a price is read exactly`() {
    #expect(TokenPrice("0.0412 EUR") == TokenPrice(nanoUnits: 41_200_000, currency: "EUR"))
    #expect(TokenPrice("1 USD")?.nanoUnits == 1_000_000_000)
    #expect(TokenPrice("0.000000001 EUR")?.nanoUnits == 1)
    #expect(TokenPrice("0.0412 EUR")?.description == "0.0412 EUR")
    #expect(TokenPrice("0.000000001 EUR")?.description == "0.000000001 EUR")
    #expect(TokenPrice("2 EUR")?.description == "2 EUR")
    for text in [
      "", "0.04", "EUR", "0,04 EUR", "-1 EUR", "0.0000000001 EUR", "1 eur", "1 EURO", ".5 EUR",
      "1. EUR", "1e3 EUR", "9999999999 EUR",
    ] { #expect(TokenPrice(text) == nil, "\(text)") }
  }

  @Test func `money is exact and only what people read is rounded`() throws {
    let price = try #require(TokenPrice("0.0412 EUR"))
    #expect(price.nanoUnits(of: 50) == 2_060_000_000)
    #expect(price.amount(of: 50) == "2.06 EUR")
    #expect(price.amount(of: 3) == "0.12 EUR")
    #expect(price.amount(of: -50) == "-2.06 EUR")
    #expect(price.amount(of: 100_000_000) == "4,120,000.00 EUR")
    #expect(price.nanoUnits(of: .max) == .max)
    #expect(TokenPrice("0.005 EUR")?.amount(of: 1) == "0.01 EUR")
    #expect(TokenPrice("0.004999 EUR")?.amount(of: -1) == "0.00 EUR")
    #expect(price.isOf("tokens") && !price.isOf("requests") && !price.isOf("EUR"))
  }

  @Test func `an amount of money is written exactly, other units are counted`() {
    #expect(Amount(1_234_500_000, "EUR").text == "1.2345 EUR")
    #expect(Amount(1_234_500_000, "EUR").figure == "1.2345 EUR")
    #expect(Amount(-20_000_000, "EUR").text == "-0.02 EUR")
    #expect(Amount(1, "USD").text == "0.000000001 USD")
    #expect(Amount(0, "EUR").text == "0.00 EUR")
    #expect(Amount(1_234_567_000_000_000, "EUR").text == "1,234,567.00 EUR")
    #expect(Amount(.min, "EUR").text == "-9,223,372,036.854775808 EUR")
    #expect(Amount(1_234, "tokens").text == "1,234 tokens")
    #expect(Amount(2, "daily_requests").text == "2 daily requests")
    #expect(Amount(1, "daily_requests").text == "1 daily request")
    #expect(Amount(1_234_500_000, "EUR").number == "1.2345")
    #expect(Amount(1_234, "tokens").number == "1,234")
    #expect(Amount(-1_234, "tokens").figure == "-1,234")
  }
}
