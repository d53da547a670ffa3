import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive
@testable import TollbookAudit

@Suite struct UsageTests {
  @Test func `each stretch has its own figures, and those of the stretch before`() async throws {
    let folder = try TemporaryFolder()
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    var story = AuditStory()
    func wait(seconds: Int64) {
      time.advance(byMilliseconds: seconds * 1_000)
      story.wait(seconds: seconds)
    }
    func append(_ change: (inout AuditStory) -> Void) async throws {
      let before = story.events.count
      change(&story)
      try await log.append(story.events.dropFirst(before).map(\.event))
    }
    let day: Int64 = 86_400
    try await append { $0.buy("A") }
    wait(seconds: 70 * day)
    try await append { $0.buy("B") }
    wait(seconds: 8 * day)
    try await append { story in
      let fetch = story.start(["C"])
      story.fail(fetch, next: 2, bound: 4)
      story.release(fetch, 1)
      story.charge(fetch, attempt: 2, [("C", 4)])
      story.fail(fetch, attempt: 2)
    }
    wait(seconds: day / 2)
    try await append { story in
      story.buy("D")
      story.read("D", fresh: 3)
      story.observe(1, predicted: 1...1, unexplained: 6)
    }
    wait(seconds: day / 2 + 1)

    let usage = try #require(try Usage(of: LogSource(log), until: time.now))
    let daily = try #require(usage[.daily])
    #expect(daily.now.sums["tokens"].certain == 1)
    #expect(daily.now.sums.counts.hits == 3)
    #expect(daily.now.unexplained["tokens"]?.amount == 6)
    #expect(daily.now.durations.count == 1)
    #expect(daily.before.sums["tokens"].certain == 4)
    #expect(daily.before.failedAttempts == 2)
    #expect(daily.isWhole)
    let weekly = try #require(usage[.weekly])
    #expect(weekly.now.sums["tokens"].certain == 5)
    #expect(weekly.now.sums.counts.retries == 1)
    #expect(weekly.now.failedFetches == 1)
    #expect(weekly.before.sums["tokens"].certain == 1)
    let monthly = try #require(usage[.monthly])
    #expect(monthly.now.sums["tokens"].certain == 6)
    #expect(monthly.before.sums["tokens"].certain == 0)
    #expect(monthly.dailyHundredths(of: "tokens") == 20)
    #expect(usage.total["tokens"].certain == 7)
    #expect(usage.units == ["tokens"])
    #expect(usage.failures.count == 2)
    #expect(usage.liveEntries == 3)
    #expect(usage.overdue == 2, "nobody swept A and B, D has just been read")
    log.close()
  }

  @Test func `what was bought ahead is counted where it was written, and what of it was read`()
    async throws
  {
    let folder = try TemporaryFolder()
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    func buy(_ names: [String], _ refresh: RefreshReason) async throws -> [Position] {
      var demand = Demand()
      demand.account = AuditStory.account
      demand.refresh = refresh
      var started = FetchStarted()
      started.operation = "keepa.product"
      started.resources = names.map(AuditStory.resource)
      started.demands = [demand]
      try await log.append([.fetchStarted(started)])
      let fetch = log.head
      var positions: [Position] = []
      for name in names {
        var written = CacheWritten()
        written.resource = AuditStory.resource(name)
        written.presence = .absent
        written.fetch = fetch
        try await log.append([.cacheWritten(written)])
        positions.append(log.head)
      }
      return positions
    }
    func read(_ name: String, _ written: Position) async throws {
      var row = ReadTally()
      row.resource = AuditStory.resource(name)
      row.written = written
      row.fresh = 2
      var event = ReadsTallied()
      event.rows = [row]
      try await log.append([.readsTallied(event)])
    }
    let ahead = try await buy(["A", "B", "C"], .ahead)
    time.advance(byMilliseconds: 2 * 86_400_000)
    let today = try await buy(["D"], .ahead)
    let behind = try await buy(["E"], .grace)
    for (name, written) in [("A", ahead[0]), ("A", ahead[0]), ("D", today[0]), ("E", behind[0])] {
      try await read(name, written)
    }
    time.advance(byMilliseconds: 1)
    let usage = try #require(try Usage(of: LogSource(log), until: time.now))
    #expect(usage[.daily]?.now.boughtAhead == 1)
    #expect(usage[.daily]?.now.readAhead == 1)
    #expect(usage[.weekly]?.now.boughtAhead == 4)
    #expect(usage[.weekly]?.now.readAhead == 2)
    log.close()
  }

  @Test func `what a clock that was ahead has dated is no stretch of the future`() async throws {
    let folder = try TemporaryFolder()
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    defer { log.close() }
    time.setWallClock(to: time.now.advanced(byMilliseconds: 10 * 365 * 86_400_000))
    var story = AuditStory()
    story.buy("A")
    try await log.append(story.events.map(\.event))
    time.setWallClock(to: .testStart)
    let before = story.events.count
    story.buy("B")
    try await log.append(story.events.dropFirst(before).map(\.event))
    let usage = try #require(try Usage(of: LogSource(log), until: time.now))
    #expect(usage[.daily]?.now.sums["tokens"].certain == 2)
    #expect(usage[.daily]?.now.durations.count == 2)
    #expect(usage[.daily]?.before.sums["tokens"].certain == 0)
  }

  @Test func `durations are told to a fifth`() {
    var durations = Durations()
    #expect(durations.milliseconds(ofPercent: 50) == nil)
    for milliseconds in 1...1_000 as ClosedRange<UInt32> {
      durations.add(milliseconds: milliseconds)
    }
    for (percent, exact) in [(50, 500), (95, 950), (100, 1_000)] as [(Int, Int64)] {
      let told = durations.milliseconds(ofPercent: percent) ?? 0
      #expect(told >= exact && told * 5 <= exact * 7, "\(percent): \(told)")
    }
    for edge in [0, 1, 3, 4, 5, 7, 8, 1_023, 1_024, UInt32.max] {
      var one = Durations()
      one.add(milliseconds: edge)
      let told = one.milliseconds(ofPercent: 50) ?? -1
      #expect(told >= Int64(edge) && told <= Int64(edge) * 5 / 4 + 1, "\(edge): \(told)")
    }
  }
}
