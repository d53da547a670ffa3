import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookArchive
@testable import TollbookAudit
@testable import TollbookGateway

/// The law of the rollups as audits see it: of whole hours they say what all events say, to the unit.
@Suite struct RollupAuditLawTests {
  private static let groupings = AuditGrouping.allCases.filter(\.isInRollups)

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `an audit of whole hours by the rollups is that by the events`(seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    let log = try await Self.log(seed: seed, in: folder)
    defer { log.close() }
    try Self.expectAgreement(in: LogSource(log), random: seed)
  }

  @Test func `chance leaves calls open at the end of whole hours`() async throws {
    var open = 0
    for seed in 0..<10 as Range<UInt64> {
      let folder = try TemporaryFolder()
      let log = try await Self.log(seed: seed, in: folder)
      defer { log.close() }
      for end in try LogSource(log).endsOfHours().dropFirst() {
        var query = AuditQuery()
        (query.through, query.source) = (end, .rollups)
        let total = try #require(try Audit.run(query, in: LogSource(log))).total
        if total.amounts.contains(where: { $0.value.reserved > 0 }) { open += 1 }
      }
    }
    #expect(open > 2)
  }

  @Test(arguments: 0..<4 as Range<UInt64>)
  func `so is one of what a gateway wrote`(seed: UInt64) async throws {
    let world = try await Self.world(seed: seed)
    try Self.expectAgreement(in: world.source, random: seed)
  }

  /// Compares all ranges of whole hours, each by one grouping, and the whole log by all.
  private static func expectAgreement(in source: LogSource, random seed: UInt64) throws {
    let ends = try source.endsOfHours()
    #expect(ends.count > 3)
    var random = SeededGenerator(seed: seed)
    for (index, start) in ends.enumerated() {
      for end in ends.dropFirst(index + 1) {
        let isAll = index == 0 && end == ends.last
        for grouping in isAll ? groupings : [random.pick(groupings)] {
          var query = AuditQuery()
          (query.after, query.through, query.grouping) = (start, end, grouping)
          let proof = try #require(try RollupProof(of: query, in: source))
          #expect(proof.differences == [], "after \(start) through \(end) by \(grouping)")
          #expect(proof.report.events == end - start)
        }
      }
    }
  }

  /// A generated history in a log, over about a day.
  private static func log(seed: UInt64, in folder: TemporaryFolder) async throws -> EventLog {
    var generator = EventGenerator(seed: seed, formats: .second)
    var random = SeededGenerator(seed: ~seed)
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    while generator.head < 400 {
      time.advance(byMilliseconds: random.int64(0...1_200_000))
      let steps = (0..<random.int(1...8)).map { _ in generator.next(at: time.now) }
      try await log.append(steps.flatMap(\.events), bodies: steps.flatMap(\.bodies))
    }
    return log
  }

  /// A gateway that was asked again and again for some products, with windows of minutes, so that all is bought anew.
  private static func world(seed: UInt64) async throws -> WhatIfWorld {
    var random = SeededGenerator(seed: seed)
    let minute: Int64 = 60_000
    let policy = FreshnessPolicy.windows(
      fresh: 20 * minute, grace: random.pick([0, 60 * minute]), errorGrace: 60 * minute,
      absent: 20 * minute)
    let world = try await WhatIfWorld(
      policy, isIdle: { $0.purchasers.first?.isIdle != false })
    var at: Int64 = 10_000
    let names = (0..<4).map { "B00000000\($0)" }
    let demand = (0..<30).map { _ in
      at += random.int64(5_000...(25 * minute))
      return WhatIfDemand(
        at: at, asins: Array(names.shuffled(using: &random).prefix(random.int(1...2))))
    }
    try await world.live(demand)
    return world
  }
}

extension LogSource {
  /// The start, and the last position of each hour in which something happened.
  fileprivate func endsOfHours() throws -> [Position] {
    var ends: [Position] = [try start()]
    var last: (position: Position, hour: UInt64)?
    try scanRecords(after: ends[0]) { (position, record) throws(LogError) in
      let hour = RollupKey.hour(of: Record.time(of: record))
      if let last, last.hour != hour { ends.append(last.position) }
      last = (position, hour)
      return .next
    }
    if let last { ends.append(last.position) }
    return ends
  }
}

/// Which audits the rollups answer, and what later events do to earlier hours.
@Suite struct RollupAuditTests {
  private let folder: TemporaryFolder
  private let time = ManualTime()
  private let log: EventLog

  init() throws {
    folder = try TemporaryFolder()
    log = try folder.openLog(folds: allFolds, time: time.source)
  }

  private var source: LogSource { LogSource(log) }

  private static func query(
    after: Position = 0, through: Position = .max, by grouping: AuditGrouping = .hour
  ) -> AuditQuery {
    var query = AuditQuery()
    (query.after, query.through, query.grouping) = (after, through, grouping)
    return query
  }

  private func report(_ query: AuditQuery, from: AuditSource) throws -> AuditReport? {
    var query = query
    query.source = from
    return try Audit.run(query, in: source)
  }

  private static func started(format: UInt32 = 2) -> Event {
    var event = ServiceStarted()
    event.format = format
    return .serviceStarted(event)
  }

  private static func move(_ amount: Int64, expected: Int64? = nil) -> Move {
    var move = Move()
    move.meter = MeterName(quotaGroup: "main", unit: "tokens")
    (move.amount, move.reserved, move.expected) = (amount, amount, expected ?? amount)
    return move
  }

  /// A call for a product that nobody waits for: begun, and answered with an entry that costs 7.
  private static func refresh(_ fetch: Position) -> [Event] {
    let resource = "shared/keepa.product/1/A"
    let payer = Payer(account: "acme", kind: "keepa.product")
    var started = FetchStarted()
    started.operation = "keepa.product"
    started.resources = [resource]
    var demand = Demand()
    (demand.account, demand.refresh) = ("acme", .grace)
    started.demands = [demand]
    started.moves = [move(7)]
    var succeeded = FetchSucceeded()
    (succeeded.fetch, succeeded.attempt, succeeded.found) = (fetch, 1, 1)
    (succeeded.operation, succeeded.payers) = ("keepa.product", [payer])
    var written = CacheWritten()
    (written.resource, written.contentSet, written.fetch) = (resource, 1, fetch)
    written.presence = .absent
    written.freshUntilMs = Timestamp.testStart.milliseconds + 86_400_000
    written.keepUntilMs = written.freshUntilMs
    written.costs = [Cost(Amount(7, "tokens"))]
    var share = Share()
    (share.resource, share.amounts, share.use) = (resource, [7], .refreshed)
    share.written = fetch + 2
    var charged = TokensCharged()
    (charged.fetch, charged.attempt, charged.operation) = (fetch, 1, "keepa.product")
    (charged.moves, charged.payers, charged.shares) = ([move(7)], [payer], [share])
    return [
      .fetchStarted(started), .fetchSucceeded(succeeded), .cacheWritten(written),
      .tokensCharged(charged),
    ]
  }

  private static func read(_ written: Position) -> Event {
    var row = ReadTally()
    (row.resource, row.contentSet, row.written) = ("shared/keepa.product/1/A", 1, written)
    (row.account, row.operation, row.fresh) = ("acme", "keepa.product", 2)
    row.costs = [Cost(Amount(7, "tokens"))]
    var event = ReadsTallied()
    event.rows = [row]
    return .readsTallied(event)
  }

  @Test func `a refresh that is read in a later hour was of use in the hour of its charge`()
    async throws
  {
    try await log.append([Self.started()] + Self.refresh(2))
    time.advance(byMilliseconds: 3_600_000)
    try await log.append([Self.started()])
    for source in [AuditSource.rollups, .events] {
      let waste = try #require(try report(Self.query(through: 5), from: source)).waste(of: "tokens")
      #expect(waste[.live] == 7)
    }
    try await log.append([Self.read(4)])
    for source in [AuditSource.rollups, .events] {
      let first = try #require(try report(Self.query(through: 5), from: source))
      #expect(first.waste(of: "tokens")[.refreshed] == 7)
      #expect(first.total.counts.hits == 0)
      let second = try #require(try report(Self.query(after: 5), from: source))
      #expect(second.waste(of: "tokens").total == 0)
      #expect(second.total["tokens"].avoided == 14)
    }
    log.close()
  }

  @Test func `a doubt that is closed in a later hour is gone from the hour in which it began`()
    async throws
  {
    let payer = Payer(account: "acme", kind: "keepa.product")
    let started = Self.refresh(2)[0]
    var doubt = ChargeInDoubt()
    (doubt.fetch, doubt.attempt, doubt.operation) = (2, 1, "keepa.product")
    (doubt.moves, doubt.payers) = ([Self.move(7)], [payer])
    try await log.append([Self.started(), started, .chargeInDoubt(doubt)])
    let began = time.now
    time.advance(byMilliseconds: 3_600_000)
    var closing = ResolvedDoubt()
    (closing.fetch, closing.attempt, closing.operation) = (2, 1, "keepa.product")
    (closing.tokens, closing.settled, closing.released) = (7, 3, 4)
    (closing.sinceMs, closing.payers) = (began.milliseconds, [payer])
    var resolved = ChargeResolved()
    resolved.meter = MeterName(quotaGroup: "main", unit: "tokens")
    resolved.doubts = [closing]
    for source in [AuditSource.rollups, .events] {
      let open = try #require(try report(Self.query(through: 3), from: source))
      #expect(open.total["tokens"].spent == AmountInterval(low: 0, high: 7))
    }
    try await log.append([.chargeResolved(resolved)])
    for source in [AuditSource.rollups, .events] {
      let first = try #require(try report(Self.query(through: 3), from: source))
      #expect(first.total["tokens"].spent == .zero)
      let second = try #require(try report(Self.query(after: 3), from: source))
      #expect(second.total["tokens"].spent == AmountInterval(3))
      #expect(second.waste(of: "tokens")[.failed] == 3)
    }
    log.close()
  }

  @Test func `rollups answer for whole hours alone`() async throws {
    try await log.append([Self.started()] + Self.refresh(2))
    time.advance(byMilliseconds: 3_600_000)
    try await log.append(Self.refresh(6))
    for (after, through, isWhole) in [
      (0, .max, true), (0, 5, true), (5, .max, true), (5, 9, true), (0, 4, false), (0, 8, false),
      (1, 5, false), (6, .max, false), (9, .max, false),
    ] as [(Position, Position, Bool)] {
      let found = try report(Self.query(after: after, through: through), from: .rollups)
      #expect((found != nil) == isWhole, "after \(after) through \(through)")
      #expect(try report(Self.query(after: after, through: through), from: .best) != nil)
    }
    for grouping in AuditGrouping.allCases {
      let found = try report(Self.query(by: grouping), from: .rollups)
      #expect((found != nil) == grouping.isInRollups, "\(grouping)")
    }
    var query = Self.query()
    query.account = "acme"
    #expect(try report(query, from: .rollups) == nil)
    query = Self.query()
    query.calendar = try #require(AuditCalendar(zone: "Europe/Berlin"))
    #expect(try report(query, from: .rollups) != nil)
    query.calendar = try #require(AuditCalendar(zone: "Asia/Kolkata"))
    #expect(try report(query, from: .rollups) == nil, "its hours begin amid those of UTC")
    query.grouping = .account
    #expect(try report(query, from: .rollups) != nil)
    log.close()
  }

  @Test func `rollups answer for what came after the last event of format 1`() async throws {
    try await log.append([Self.started(format: 0)] + AuditStory.purchase)
    time.advance(byMilliseconds: 3_600_000)
    let before = log.head
    try await log.append([Self.started()])
    #expect(try report(Self.query(), from: .rollups) == nil)
    #expect(try report(Self.query(after: before), from: .rollups) != nil)
    log.close()
  }

  @Test func `rollups are silent where an event could not be applied`() async throws {
    try await log.append([Self.started()] + Self.refresh(2))
    #expect(try report(Self.query(), from: .rollups) != nil)
    // The charge of a call that has been charged.
    try await log.append([Self.refresh(2)[3]])
    #expect(try report(Self.query(), from: .rollups) == nil)
    let events = try #require(try report(Self.query(), from: .best))
    #expect(events.total["tokens"].certain == 7)
    log.close()
  }

  @Test func `what the cache holds is told at the head`() async throws {
    try await log.append([Self.started()] + Self.refresh(2))
    time.advance(byMilliseconds: 3 * 86_400_000)
    try await log.append([Self.started()])
    for source in [AuditSource.rollups, .events] {
      let found = try #require(try report(Self.query(), from: source))
      #expect(found.liveEntries == 1)
      #expect(found.overdueEntries == 1)
    }
    log.close()
  }

  @Test func `a difference is told by its field`() async throws {
    try await log.append([Self.started()] + Self.refresh(2))
    let hour = try #require(try report(Self.query(), from: .rollups))
    let kind = try #require(try report(Self.query(by: .kind), from: .rollups))
    #expect(hour.differences(from: hour) == [])
    #expect(
      hour.differences(from: kind) == [
        "groups: [\"2026-11-21T08:00Z\"] by the rollups, [\"keepa.product\"] by the events"
      ])
    log.close()
  }
}

extension AuditStory {
  /// A purchase as events of format 1 tell it.
  fileprivate static var purchase: [Event] {
    var story = AuditStory([
      RecordedEvent(position: 1, time: .testStart, event: .serviceStarted(.init()))
    ])
    story.buy("A", body: 1)
    return story.events.dropFirst().map(\.event)
  }
}
