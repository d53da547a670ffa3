import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway

/// What is due, after stops and with clocks that are set.
@Suite struct ScheduleTests {
  private static let minute: Int64 = 60_000
  private static let hour: Int64 = 3_600_000

  private func schedule(_ rule: String, since: String) throws -> Schedule {
    try Schedule("scan_all", standard: ScheduleRule(rule), anchor: instant(since))
  }

  @Test func `a new schedule first runs at its first occurrence`() throws {
    let daily = try schedule("daily 03:00 UTC", since: "2026-11-21T10:00:00Z")
    #expect(daily.due(now: instant("2026-11-22T02:59:59.999Z")) == nil)
    #expect(daily.due(now: instant("2026-11-22T03:00:00Z")) == instant("2026-11-22T03:00:00Z"))
    #expect(daily.next(now: instant("2026-11-21T10:00:00Z")) == instant("2026-11-22T03:00:00Z"))
    let often = try schedule("every 5m", since: "2026-11-21T10:01:00Z")
    #expect(often.due(now: instant("2026-11-21T10:05:59.999Z")) == nil)
    #expect(often.due(now: instant("2026-11-21T10:06:00Z")) == instant("2026-11-21T10:06:00Z"))
  }

  @Test(arguments: [
    ("every 5m", "2026-11-21T09:58:00Z"), ("hourly :15", "2026-11-21T09:15:00Z"),
    ("daily 03:00 America/Los_Angeles", "2026-11-20T11:00:00Z"),
  ])
  func `after a stop of weeks one run makes up for all, and the next is in its place`(
    rule: String, last: String
  ) throws {
    var schedule = try schedule(rule, since: "2026-10-30T12:03:00Z")
    let now = instant("2026-11-21T10:00:00Z")
    #expect(schedule.due(now: now) == instant(last))
    schedule.began(instant(last), at: now)
    #expect(schedule.due(now: now) == nil)
    let next = try ScheduleRule(rule).next(after: instant(last))
    #expect(schedule.next(now: now) == next)
  }

  @Test(arguments: ["hourly :15", "daily 03:00 America/Los_Angeles", "daily 01:30 Europe/Berlin"])
  func `a clock that is set back a day runs no place of the calendar twice`(rule: String) throws {
    for seed in 1...100 as ClosedRange<UInt64> {
      var chance = SeededGenerator(seed: seed)
      var schedule = try schedule(rule, since: "2026-10-20T00:00:00Z")
      var now = instant("2026-10-20T00:00:00Z")
      var latest = now
      var ran: Set<Timestamp> = []
      for _ in 0..<400 {
        now = now.advanced(byMilliseconds: chance.int64(1...2 * Self.hour))
        // One day behind the latest that it showed, and no more.
        latest = max(latest, now)
        let back = now.advanced(byMilliseconds: -24 * Self.hour)
        if chance.chance(5), latest.advanced(byMilliseconds: -25 * Self.hour) < back { now = back }
        schedule.settle(at: now)
        guard let due = schedule.due(now: now) else { continue }
        #expect(due <= now)
        #expect(ran.insert(due).inserted, "seed \(seed): \(due) twice")
        schedule.began(due, at: now)
      }
      #expect(ran.count > 3, "seed \(seed)")
    }
  }

  @Test func `an interval goes on after an interval on a clock that was set back`() throws {
    var schedule = try schedule("every 5m", since: "2026-11-21T10:00:00Z")
    schedule.began(instant("2026-11-21T10:05:00Z"), at: instant("2026-11-21T10:05:00Z"))
    let back = instant("2026-11-20T10:06:00Z")
    #expect(schedule.due(now: back) == nil)
    #expect(schedule.next(now: back) == back.advanced(byMilliseconds: 5 * Self.minute))
    schedule.settle(at: back)
    #expect(schedule.due(now: back.advanced(byMilliseconds: 5 * Self.minute - 1)) == nil)
    #expect(schedule.due(now: back.advanced(byMilliseconds: 5 * Self.minute)) != nil)
  }

  @Test func `a second that a clock is set back runs nothing again`() throws {
    var schedule = try schedule("every 5m", since: "2026-11-21T10:00:00Z")
    schedule.began(instant("2026-11-21T10:05:00Z"), at: instant("2026-11-21T10:05:00.200Z"))
    let back = instant("2026-11-21T10:04:59.200Z")
    schedule.settle(at: back)
    #expect(schedule.due(now: instant("2026-11-21T10:05:00.500Z")) == nil)
    #expect(schedule.next(now: back) == instant("2026-11-21T10:09:59.200Z"))
  }

  @Test func `a clock that was years ahead stops nothing for years`() throws {
    var schedule = try schedule("daily 03:00 UTC", since: "2026-11-20T10:00:00Z")
    let ahead = instant("2031-05-05T10:00:00Z")
    let due = try #require(schedule.due(now: ahead))
    #expect(due == instant("2031-05-05T03:00:00Z"))
    schedule.began(due, at: ahead)
    let right = instant("2026-11-21T10:00:00Z")
    schedule.settle(at: right)
    #expect(schedule.due(now: right) == nil)
    #expect(schedule.next(now: right) == instant("2026-11-22T03:00:00Z"))
    #expect(schedule.due(now: instant("2026-11-22T03:00:01Z")) == instant("2026-11-22T03:00:00Z"))
  }

  @Test func `what fell into a pause or before a move is not made up for`() throws {
    var schedule = try schedule("daily 03:00 UTC", since: "2026-11-20T10:00:00Z")
    schedule.pause(true, at: instant("2026-11-20T11:00:00Z"))
    #expect(schedule.due(now: instant("2026-11-22T10:00:00Z")) == nil)
    #expect(schedule.next(now: instant("2026-11-22T10:00:00Z")) == nil)
    schedule.pause(false, at: instant("2026-11-22T10:00:00Z"))
    #expect(schedule.next(now: instant("2026-11-22T10:00:00Z")) == instant("2026-11-23T03:00:00Z"))

    #expect(!schedule.isMoved)
    schedule.move(to: try ScheduleRule("hourly :15"), at: instant("2026-11-22T12:30:00Z"))
    #expect(schedule.isMoved)
    #expect(schedule.due(now: instant("2026-11-22T12:40:00Z")) == nil)
    #expect(schedule.due(now: instant("2026-11-22T13:20:00Z")) == instant("2026-11-22T13:15:00Z"))
    schedule.move(to: try ScheduleRule("daily 03:00 UTC"), at: instant("2026-11-22T13:30:00Z"))
    #expect(!schedule.isMoved)
  }

  @Test(arguments: ["", "Scan", "scan all", String(repeating: "a", count: 65)])
  func `a name that is no name is refused`(name: String) throws {
    let rule = try ScheduleRule("every 5m")
    let problem = #expect(throws: ScheduleProblem.self) {
      try Schedule(name, standard: rule, anchor: .testStart)
    }
    #expect(problem?.field == "name")
  }
}
