import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive
@testable import TollbookAudit

/// Days and hours are those of the clock, also while commit times stand still since it was ahead.
@Suite struct WrongClockTests {
  private static let day: Int64 = 86_400_000

  // MARK: A story

  /// Buys once more what was bought before.
  private static func buy(_ log: EventLog, at time: ManualTime) async throws {
    let before = log.head == 0 ? 0 : log.head + 1 - SharedCall.count
    try await log.append(SharedCall(from: log.head + 1, at: time.now, after: before).events)
  }

  /// One purchase under a clock that was ahead by so many days, and one on each of two days under the true one.
  private static func log(
    _ time: ManualTime, ahead days: Int64, in folder: TemporaryFolder
  ) async throws -> EventLog {
    let log = try folder.openLog(folds: allFolds, time: time.source)
    time.setWallClock(to: Timestamp.testStart.advanced(byMilliseconds: days * day))
    for begin in [Timestamp?.none, .testStart, Timestamp.testStart.advanced(byMilliseconds: day)] {
      if let begin { time.setWallClock(to: begin) }
      try await buy(log, at: time)
    }
    return log
  }

  @Test(arguments: [10, 3_653])
  func `what is bought under the true clock stands under its day, by rollups and by events`(
    ahead days: Int64
  ) async throws {
    let (folder, time) = (try TemporaryFolder(), ManualTime())
    let log = try await Self.log(time, ahead: days, in: folder)
    defer { log.close() }
    let ahead = Timestamp.testStart.advanced(byMilliseconds: days * Self.day)
    let future = String("\(ahead)".prefix(10))
    for grouping in [AuditGrouping.day, .hour] {
      for source in [AuditSource.rollups, .events] {
        var query = AuditQuery()
        (query.source, query.grouping) = (source, grouping)
        let report = try #require(try Audit.run(query, in: LogSource(log)))
        let days = ["2026-11-21", "2026-11-22", future]
        #expect(report.groups.compactMap { $0.name?.prefix(10) } == days.map { $0.prefix(10) })
        let sums = Set(report.groups.map { $0.sums["tokens"].certain })
        #expect(sums.count == 1)
        #expect(sums.first ?? 0 > 0)
      }
      var query = AuditQuery()
      query.grouping = grouping
      let proof = try #require(try RollupProof(of: query, in: LogSource(log)))
      #expect(proof.differences == [])
    }
  }

  @Test(arguments: [10, 3_653])
  func `a review of the last day counts what the clock put there`(ahead days: Int64) async throws {
    let (folder, time) = (try TemporaryFolder(), ManualTime())
    let log = try await Self.log(time, ahead: days, in: folder)
    defer { log.close() }
    time.advance(byMilliseconds: 3_600_000)
    let usage = try #require(try Usage(of: LogSource(log), until: time.now))
    let daily = try #require(usage[.daily])
    let each = usage.total["tokens"].certain / 3
    #expect(each > 0)
    // What is dated later than now has happened by now.
    #expect(daily.now.sums["tokens"].certain == 2 * each)
    #expect(daily.before.sums["tokens"].certain == each)
    #expect(daily.now.durations.count == 2)
    #expect(daily.before.durations.count == 1)
    #expect(usage.first ?? time.now <= Timestamp.testStart.advanced(byMilliseconds: 3_600_000))
  }

  @Test func `a day of a stretch in which commit times stood still is audited by itself`()
    async throws
  {
    let (folder, time) = (try TemporaryFolder(), ManualTime())
    let log = try await Self.log(time, ahead: 10, in: folder)
    defer { log.close() }
    let source = LogSource(log)
    let size = log.head / 3
    for (after, through, day) in [
      (0, size, "2026-12-01"), (size, 2 * size, "2026-11-21"), (2 * size, log.head, "2026-11-22"),
    ] {
      var query = AuditQuery()
      (query.after, query.through) = (after, through)
      let proof = try #require(try RollupProof(of: query, in: source))
      #expect(proof.differences == [])
      #expect(proof.report.groups.map(\.name) == [day])
    }
  }

  @Test func `hours that a range shares with what lies outside are read from the events`()
    async throws
  {
    let (folder, time) = (try TemporaryFolder(), ManualTime())
    let log = try folder.openLog(folds: allFolds, time: time.source)
    defer { log.close() }
    // Right, ahead, right again in the hour in which it had been right.
    for offset in [0, 5, 0] as [Int64] {
      time.setWallClock(to: Timestamp.testStart.advanced(byMilliseconds: offset * 3_600_000))
      try await Self.buy(log, at: time)
    }
    let source = LogSource(log)
    let size = log.head / 3
    var query = AuditQuery()
    query.grouping = .hour
    for (after, through, isWhole, names) in [
      (0, 3 * size, true, ["08", "13"]), (0, size, false, ["08"]), (size, 2 * size, true, ["13"]),
      (size, 3 * size, false, ["08", "13"]), (2 * size, 3 * size, false, ["08"]),
    ] as [(Position, Position, Bool, [String])] {
      (query.after, query.through, query.source) = (after, through, .rollups)
      #expect((try Audit.run(query, in: source) != nil) == isWhole, "\(after) to \(through)")
      query.source = .best
      let report = try #require(try Audit.run(query, in: source))
      #expect(report.groups.map(\.name) == names.map { "2026-11-21T\($0):00Z" })
      #expect((report.eventsRead == nil) == isWhole)
      #expect(report.events == through - after)
    }
  }

  // MARK: By chance

  /// A generated history under a clock that is set ahead and back.
  private static func log(seed: UInt64, in folder: TemporaryFolder) async throws -> EventLog {
    var generator = EventGenerator(seed: seed, formats: .second)
    var random = SeededGenerator(seed: ~seed)
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    while generator.head < 400 {
      time.advance(byMilliseconds: random.int64(0...1_200_000))
      if random.chance(25) {
        time.setWallClock(to: time.now.advanced(byMilliseconds: random.clockJump()))
      }
      let steps = (0..<random.int(1...8)).map { _ in generator.next(at: time.now) }
      try await log.append(steps.flatMap(\.events), bodies: steps.flatMap(\.bodies))
    }
    return log
  }

  private static func commits(of log: EventLog) throws -> [CommitClock] {
    var found: [CommitClock] = []
    try log.read { (transaction) throws(LogError) in
      try log.reader.scanClocks(after: 0, in: transaction) { (clock) throws(LogError) in
        found.append(clock)
        return .next
      }
    }
    return found
  }

  @Test(arguments: 0..<12 as Range<UInt64>)
  func `whatever the clock does, rollups say what the events say, or nothing`(
    seed: UInt64
  ) async throws {
    let folder = try TemporaryFolder()
    let log = try await Self.log(seed: seed, in: folder)
    defer { log.close() }
    let source = LogSource(log)
    let commits = try Self.commits(of: log)
    #expect(commits.contains { $0.wall < $0.time.advanced(byMilliseconds: -3_600_000) })
    var random = SeededGenerator(seed: seed)
    let ends = [0] + commits.map(\.events.upperBound)
    var answered = 0
    for number in 0..<120 {
      var query = AuditQuery()
      query.after = number == 0 ? 0 : random.pick(ends)
      query.through = number == 0 ? log.head : random.pick(ends.filter { $0 >= query.after })
      query.grouping = random.pick([.day, .hour, .account, .operation, .kind])
      let range = "after \(query.after) through \(query.through) by \(query.grouping)"
      query.source = .rollups
      let rollups = try Audit.run(query, in: source)
      if number == 0 { #expect(rollups != nil, "all of it is whole") }
      guard let rollups else { continue }
      answered += 1
      query.source = .events
      let events = try #require(try Audit.run(query, in: source))
      #expect(rollups.differences(from: events) == [], "\(range)")
      // Which hours are whole is told by the clocks alone.
      let inside = Set(
        commits.filter {
          $0.events.lowerBound > query.after && $0.events.upperBound <= query.through
        }
        .map { RollupKey.hour(of: $0.wall) })
      let outside = Set(
        commits.filter {
          $0.events.lowerBound <= query.after || $0.events.upperBound > query.through
        }
        .map { RollupKey.hour(of: $0.wall) })
      #expect(inside.isDisjoint(with: outside), "\(range)")
    }
    #expect(answered > 0)
  }

  @Test func `chance finds parts of a log that are whole hours`() async throws {
    var answered = 0
    for seed in 0..<6 as Range<UInt64> where answered < 2 {
      let folder = try TemporaryFolder()
      let log = try await Self.log(seed: seed, in: folder)
      defer { log.close() }
      let ends = [0] + (try Self.commits(of: log)).map(\.events.upperBound)
      for after in ends.dropFirst() {
        var query = AuditQuery()
        (query.after, query.through, query.source) = (after, log.head, .rollups)
        if after < log.head, try Audit.run(query, in: LogSource(log)) != nil { answered += 1 }
      }
    }
    #expect(answered > 1)
  }

  @Test(arguments: 0..<6 as Range<UInt64>)
  func `each hour has what was charged when the clock said it`(seed: UInt64) async throws {
    let folder = try TemporaryFolder()
    let log = try await Self.log(seed: seed, in: folder)
    defer { log.close() }
    var charged: [String: Int64] = [:]
    for clock in try Self.commits(of: log) {
      for position in clock.events {
        let event = try log.read { (transaction) throws(LogError) in
          try log.reader.event(at: position, in: transaction)
        }
        #expect(event?.wall == clock.wall)
        #expect(event?.time == clock.time)
        let hour = RollupKey.start(ofHour: RollupKey.hour(of: clock.wall))
        switch event?.event {
        case .tokensCharged(let charge)?:
          for move in charge.moves where move.meter.unit == "tokens" && !move.limitOnly {
            charged["\(hour)", default: 0] += move.amount
          }
        case .chargeResolved(let resolved)? where resolved.meter.unit == "tokens":
          // What is left of a doubt is charged when that is found.
          for doubt in resolved.doubts where !doubt.limitOnly {
            charged["\(hour)", default: 0] += doubt.settled
          }
        case .chargeCorrected(let correction)?:
          for move in correction.moves where move.meter.unit == "tokens" && !move.limitOnly {
            charged["\(hour)", default: 0] += move.amount
          }
        default: break
        }
      }
    }
    var query = AuditQuery()
    query.grouping = .hour
    let report = try #require(try Audit.run(query, in: LogSource(log)))
    #expect(report.eventsRead == nil)
    for group in report.groups {
      let began = try #require(group.began)
      #expect(group.sums["tokens"].certain == charged["\(began)"] ?? 0)
    }
    #expect(charged.count > 2)
  }
}
