import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive
@testable import TollbookAudit

@Suite struct AccountMonthTests {
  @Test func `a month is a year and a month`() throws {
    #expect(try #require(CalendarMonth("2026-11")).end.description == "2026-12-01")
    #expect(try #require(CalendarMonth("2026-12")).end.description == "2027-01-01")
    #expect(try #require(CalendarMonth("2028-02")).end.description == "2028-03-01")
    for text in ["2026-13", "2026-1", "2026", "november", "2026-11-01", "+026-11"] {
      #expect(CalendarMonth(text) == nil)
    }
  }

  private func month(
    _ account: String, _ text: String = "2026-11", zone: String = "UTC", in log: EventLog
  ) throws -> AccountMonth {
    try AccountMonth(
      of: account, try #require(CalendarMonth(text)), try #require(AuditCalendar(zone: zone)),
      in: LogSource(log))
  }

  /// What was charged, in doubt and unprovable in all rows, by unit.
  private func sums(_ month: AccountMonth) -> [String: [Int64]] {
    month.rows.reduce(into: [:]) { sums, row in
      let amounts = [row.spent.low, row.inDoubt, row.unprovable]
      guard !row.unit.isEmpty else { return }
      sums[row.unit] = zip(sums[row.unit] ?? [0, 0, 0], amounts).map { $0 &+ $1 }
    }
  }

  @Test(arguments: 0..<8 as Range<UInt64>)
  func `its sums and calls are those of an audit of the account`(seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    var generator = EventGenerator(seed: seed, formats: .second)
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    defer { log.close() }
    var corrections = 0
    while generator.head < 400 || corrections < 4 {
      time.advance(byMilliseconds: 300_000)
      let step = generator.next(at: time.now)
      corrections += step.events.count { event in
        guard case .chargeCorrected(let event) = event else { return false }
        return event.payers.contains { ["acme", "zeta"].contains($0.account) && $0.weight > 0 }
          && event.moves.contains { !$0.limitOnly && $0.amount != 0 }
      }
      try await log.append(step.events, bodies: step.bodies, prunedBodies: step.prunedBodies)
    }
    var isCorrected = false
    for account in ["acme", "zeta"] {
      var query = AuditQuery()
      (query.account, query.source) = (account, .events)
      let audit = try #require(try Audit.run(query, in: LogSource(log))).total
      let found = try month(account, in: log)
      var expected: [String: [Int64]] = [:]
      for element in audit.amounts {
        let value = element.value
        let amounts = [value.certain, value.inDoubt, value.unprovable]
        if amounts != [0, 0, 0] { expected[element.unit] = amounts }
      }
      #expect(sums(found).filter { $0.value != [0, 0, 0] } == expected)
      isCorrected = isCorrected || found.rows.contains { $0.corrected != 0 }
      #expect(found.position == log.head)
      #expect(found.root?.count == 32)
      #expect(try month(account, "2026-10", in: log).rows == [])
    }
    #expect(isCorrected)
  }

  /// A purchase of one account, for three tokens, in the first format that knows tags.
  private func buy(_ account: String, tags: [String], _ log: EventLog) async throws -> Position {
    var demand = Demand()
    (demand.account, demand.tags) = (account, tags)
    var move = Move()
    move.meter = MeterKey(owner: AuditStory.credential, unit: "tokens").name
    move.amount = 3
    var started = FetchStarted()
    started.operation = "keepa.product"
    started.resources = [AuditStory.resource("A")]
    (started.demands, started.moves) = ([demand], [move])
    try await log.append([.fetchStarted(started)])
    var charged = TokensCharged()
    (charged.fetch, charged.attempt) = (log.head, 1)
    charged.operation = "keepa.product"
    move.reserved = 3
    charged.moves = [move]
    charged.payers = [Payer(account: account, tags: tags, kind: "keepa.product", weight: 1)]
    try await log.append([.tokensCharged(charged)])
    return log.head
  }

  private func correct(_ charge: Position, by amount: Int64, _ log: EventLog) async throws {
    let event = try log.read { (reading) throws(LogError) in
      try log.reader.event(at: charge, in: reading)
    }
    guard case .tokensCharged(let charged)? = event?.event else { return }
    var correction = ChargeCorrected()
    (correction.charge, correction.fetch, correction.attempt) = (charge, charged.fetch, 1)
    (correction.operation, correction.payers) = (charged.operation, charged.payers)
    correction.moves = charged.moves
    correction.moves[0].amount = amount
    try await log.append([.chargeCorrected(correction)])
  }

  @Test func `each operation and tags has a row, with its calls and corrections`() async throws {
    let folder = try TemporaryFolder()
    let log = try folder.openLog(folds: allFolds, time: ManualTime().source)
    defer { log.close() }
    let north = try await buy("acme", tags: ["branch=north"], log)
    _ = try await buy("acme", tags: ["branch=north"], log)
    _ = try await buy("acme", tags: [], log)
    _ = try await buy("zeta", tags: [], log)
    try await correct(north, by: -2, log)
    let rows = try month("acme", in: log).rows
    #expect(rows.map(\.tags) == [[], ["branch=north"]])
    #expect(rows.map(\.calls) == [1, 2])
    #expect(rows.map(\.charged) == [3, 6])
    #expect(rows.map(\.corrected) == [0, -2])
    #expect(rows.map(\.spent) == [AmountInterval(3), AmountInterval(4)])
  }

  @Test(arguments: [
    // The night in which a month begins in Berlin, and half an hour off in Calcutta.
    ("Europe/Berlin", "2026-11-30T22:59:59.999Z", "2026-11-30T23:00:00Z"),
    ("Asia/Kolkata", "2026-11-30T18:29:59.999Z", "2026-11-30T18:30:00Z"),
    ("America/New_York", "2026-12-01T04:59:59.999Z", "2026-12-01T05:00:00Z"),
  ])
  func `a month ends with its last instant in the account's zone`(
    zone: String, last: String, next: String
  ) async throws {
    let folder = try TemporaryFolder()
    let time = ManualTime(try #require(Timestamp(rfc3339: last)))
    let log = try folder.openLog(folds: allFolds, time: time.source)
    defer { log.close() }
    _ = try await buy("acme", tags: ["in"], log)
    time.setWallClock(to: try #require(Timestamp(rfc3339: next)))
    _ = try await buy("acme", tags: ["out"], log)
    #expect(try month("acme", zone: zone, in: log).rows.map(\.tags) == [["in"]])
    #expect(try month("acme", "2026-12", zone: zone, in: log).rows.map(\.tags) == [["out"]])
  }

  // MARK: Weeks

  @Test(arguments: [
    // Clocks are set back on 2026-10-25, and forward on 2026-03-29: those weeks have an hour more and an hour less.
    ("2026-10-30T12:00:00Z", "2026-10-22T22:00:00.000Z", "2026-10-29T23:00:00.000Z", 169),
    ("2026-04-02T12:00:00Z", "2026-03-25T23:00:00.000Z", "2026-04-01T22:00:00.000Z", 167),
    ("2026-06-10T12:00:00Z", "2026-06-02T22:00:00.000Z", "2026-06-09T22:00:00.000Z", 168),
  ])
  func `the week of an account is of whole days of its zone, also where clocks change`(
    now: String, start: String, end: String, hours: Int64
  ) async throws {
    let first = try #require(Timestamp(rfc3339: start))
    let last = try #require(Timestamp(rfc3339: end))
    let folder = try TemporaryFolder()
    let time = ManualTime(first.advanced(byMilliseconds: -1))
    let log = try folder.openLog(folds: allFolds, time: time.source)
    defer { log.close() }
    _ = try await buy("acme", tags: [], log)
    for instant in [first, last.advanced(byMilliseconds: -1), last] {
      time.setWallClock(to: instant)
      _ = try await buy("acme", tags: [], log)
      _ = try await buy("zeta", tags: [], log)
    }
    let part = Usage.Part("acme", try #require(AuditCalendar(zone: "Europe/Berlin")))
    let noon = try #require(Timestamp(rfc3339: now))
    let usage = try #require(try Usage(of: LogSource(log), until: noon, of: part))
    let weekly = try #require(usage[.weekly])
    #expect("\(weekly.start)" == start)
    #expect("\(usage.end)" == end)
    #expect((usage.end.milliseconds - weekly.start.milliseconds) == hours * 3_600_000)
    #expect(weekly.now.sums["tokens"].certain == 6)
    #expect(weekly.before.sums["tokens"].certain == 3)
  }

  @Test func `errors of others are in no review of an account`() async throws {
    let folder = try TemporaryFolder()
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    defer { log.close() }
    var story = AuditStory()
    let own = story.start(["A"], account: "acme")
    story.fail(own)
    let other = story.start(["B"], account: "zeta")
    story.fail(other)
    try await log.append(story.events.map(\.event))
    time.advance(byMilliseconds: 86_400_000)
    let part = Usage.Part("acme", .utc)
    let usage = try #require(try Usage(of: LogSource(log), until: time.now, of: part))
    #expect(usage[.weekly]?.now.failedAttempts == 1)
    #expect(usage[.weekly]?.now.failedFetches == 1)
    #expect(usage.failures.map(\.fetch) == [own])
    let all = try #require(try Usage(of: LogSource(log), until: time.now))
    #expect(all[.weekly]?.now.failedAttempts == 2)
  }
}
