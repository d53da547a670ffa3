import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway

/// When something recurs, and how people write it.
@Suite struct ScheduleRuleTests {
  private static let day: Int64 = 86_400_000

  private func rule(_ text: String) throws -> ScheduleRule { try ScheduleRule(text) }

  @Test(arguments: [
    "every 1m", "every 5m", "every 90s", "every 2h", "every 1d", "every 61s", "hourly :00",
    "hourly :15", "hourly :59", "daily 00:00 UTC", "daily 03:00 America/Los_Angeles",
    "daily 23:59 Australia/Lord_Howe",
  ])
  func `a rule is printed as it is read`(text: String) throws {
    #expect("\(try rule(text))" == text)
    #expect(try rule("\(try rule(text))") == rule(text))
  }

  @Test(arguments: [
    ("every 300s", "every 5m"), ("every  60m", "every 1h"), ("every 24h", "every 1d"),
  ]
  )
  func `an interval is printed in its largest unit`(text: String, printed: String) throws {
    #expect("\(try rule(text))" == printed)
  }

  @Test(arguments: [
    ("", "rule is empty"), ("  ", "rule is empty"), ("weekly", "“weekly” begins no rule"),
    ("EVERY 5m", "“EVERY” begins no rule"), ("every", "every is followed by an interval"),
    ("every 5 m", "every is followed by an interval"), ("every 5", "“5” is no interval"),
    ("every m", "“m” is no interval"), ("every -5m", "“-5m” is no interval"),
    ("every 5w", "“5w” is no interval"), ("every 1.5h", "“1.5h” is no interval"),
    ("every 99999999999999999999m", "is no interval"),
    ("every 59s", "an interval of 59 s is not accepted; it is 60 s to 86400 s"),
    ("every 0m", "an interval of 0 s"), ("every 25h", "an interval of 90000 s"),
    ("every 999999999d", "an interval of 86399999913600 s"),
    ("daily 03:00", "daily is followed by a time and a time zone"),
    ("daily 24:00 UTC", "“24:00” is no time of day"), ("daily 03:60 UTC", "“03:60”"),
    ("daily 3:00 UTC", "“3:00” is no time of day"), ("daily 03:00:00 UTC", "“03:00:00”"),
    ("daily 03:00 Mars/Olympus", "there is no time zone “Mars/Olympus”"),
    ("daily 03:00 a\u{1B}b", "there is no time zone “a b”"),
    ("hourly 15", "“15” is no minute of an hour"), ("hourly :60", "there is no minute 60"),
    ("hourly :5", "“:5” is no minute"), ("hourly", "hourly is followed by a minute"),
  ])
  func `what is no rule is refused, and the error names what is wrong`(
    text: String, message: String
  ) {
    let problem = #expect(throws: ScheduleProblem.self) { try rule(text) }
    #expect(problem?.field == "rule")
    #expect(problem?.description.contains(message) == true, "\(problem?.description ?? "")")
  }

  @Test func `a rule of thousands of bytes is refused by its length`() {
    let problem = #expect(throws: ScheduleProblem.self) {
      try rule(String(repeating: "every ", count: 1_000))
    }
    #expect(problem?.description == "rule has 6000 bytes; 100 are allowed")
  }

  @Test(arguments: [
    // Winter, summer.
    ("2026-01-10T00:00:00Z", "2026-01-10T11:00:00Z"),
    ("2026-07-10T00:00:00Z", "2026-07-10T10:00:00Z"),
    // An occurrence is not after itself.
    ("2026-07-10T10:00:00Z", "2026-07-11T10:00:00Z"),
    ("2026-07-10T09:59:59.999Z", "2026-07-10T10:00:00Z"),
    // The days of both changes of 2026: 8 March and 1 November.
    ("2026-03-07T11:00:00Z", "2026-03-08T10:00:00Z"),
    ("2026-10-31T10:00:00Z", "2026-11-01T11:00:00Z"),
    ("2026-12-31T11:00:00Z", "2027-01-01T11:00:00Z"),
  ])
  func `three in the morning in Los Angeles is three in the morning all year`(
    after: String, next: String
  ) throws {
    #expect(
      try rule("daily 03:00 America/Los_Angeles").next(after: instant(after)) == instant(next))
  }

  @Test(arguments: [
    // Clocks go from 02:00 to 03:00: half past two does not exist.
    ("America/Los_Angeles", "02:30", "2026-03-08T00:00:00Z", "2026-03-08T10:00:00Z"),
    ("America/Los_Angeles", "02:00", "2026-03-08T00:00:00Z", "2026-03-08T10:00:00Z"),
    ("America/Los_Angeles", "01:59", "2026-03-08T00:00:00Z", "2026-03-08T09:59:00Z"),
    // From 02:00 back to 01:00: half past one comes twice, and the first counts.
    ("America/Los_Angeles", "01:30", "2026-11-01T00:00:00Z", "2026-11-01T08:30:00Z"),
    ("America/Los_Angeles", "01:30", "2026-11-01T08:30:00Z", "2026-11-02T09:30:00Z"),
    ("Europe/Berlin", "02:30", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "02:30", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z"),
    // Half an hour only.
    ("Australia/Lord_Howe", "02:15", "2026-10-03T12:00:00Z", "2026-10-03T15:30:00Z"),
    ("Australia/Lord_Howe", "01:45", "2026-04-04T12:00:00Z", "2026-04-04T14:45:00Z"),
    // Midnight itself is left out.
    ("America/Santiago", "00:00", "2026-09-05T12:00:00Z", "2026-09-06T04:00:00Z"),
    // The whole of 30 December 2011 is left out; the last day before and the first after are there.
    ("Pacific/Apia", "12:00", "2011-12-29T00:00:00Z", "2011-12-29T22:00:00Z"),
  ])
  func `a time that is left out runs after the gap, and one that comes twice runs once`(
    zone: String, time: String, after: String, next: String
  ) throws {
    #expect(try rule("daily \(time) \(zone)").next(after: instant(after)) == instant(next))
  }

  @Test func `every day of ten years in zones that change their clocks runs once, on its own day`()
    throws
  {
    let zones = [
      "America/Los_Angeles", "Europe/Berlin", "Australia/Lord_Howe", "America/Santiago",
      "Asia/Kathmandu", "UTC",
    ]
    for zone in zones {
      let calendar = try #require(ZoneCalendar(zone: zone))
      for time in ["00:00", "01:30", "02:30", "03:00", "23:59"] {
        let rule = try rule("daily \(time) \(zone)")
        var at = instant("2020-01-01T12:00:00Z")
        let first = calendar.day(of: rule.next(after: at))
        for number in 0..<3_650 {
          let next = rule.next(after: at)
          #expect(
            calendar.day(of: next) == first + Int64(number), "daily \(time) \(zone): \(next)")
          // It is the one that is due from then on, and no other one is until the next.
          #expect(rule.latest(after: at, until: next) == next)
          #expect(
            rule.latest(after: next, until: rule.next(after: next).advanced(byMilliseconds: -1))
              == nil)
          at = next
        }
      }
    }
  }

  @Test(arguments: [
    ("hourly :15", "2026-11-21T10:00:00Z", "2026-11-21T10:15:00Z"),
    ("hourly :15", "2026-11-21T10:15:00Z", "2026-11-21T11:15:00Z"),
    ("hourly :00", "2026-11-21T23:30:00Z", "2026-11-22T00:00:00Z"),
    ("every 5m", "2026-11-21T10:01:30Z", "2026-11-21T10:06:30Z"),
  ])
  func `hours and intervals`(text: String, after: String, next: String) throws {
    #expect(try rule(text).next(after: instant(after)) == instant(next))
  }

  @Test func `the last occurrence is the next one of some instant, and nothing lies between`()
    throws
  {
    for seed in 1...200 as ClosedRange<UInt64> {
      var chance = SeededGenerator(seed: seed)
      let text = chance.pick([
        "every \(chance.int(60...86_400))s", "hourly :\(chance.int(10...59))",
        "daily \(chance.int(10...23)):\(chance.int(10...59)) America/Los_Angeles",
        "daily 0\(chance.int(0...4)):\(chance.int(10...59)) Europe/Berlin",
      ])
      let rule = try rule(text)
      let last = Timestamp(milliseconds: chance.int64(1_500_000_000_000...2_500_000_000_000))
      let now = last.advanced(byMilliseconds: chance.int64(-2 * Self.day...10 * Self.day))
      guard let found = rule.latest(after: last, until: now) else {
        #expect(rule.next(after: last) > now, "seed \(seed): \(text)")
        continue
      }
      #expect(found > last && found <= now, "seed \(seed): \(text)")
      #expect(rule.next(after: found) > now, "seed \(seed): \(text)")
    }
  }

  @Test(arguments: ["every 1m", "hourly :15", "daily 03:00 America/Los_Angeles"])
  func `instants at the ends of time break nothing`(text: String) throws {
    let rule = try rule(text)
    let ends = [Timestamp(milliseconds: .min), Timestamp(milliseconds: .max)]
    for end in ends { _ = rule.next(after: end) }
    #expect(rule.latest(after: ends[1], until: ends[0]) == nil)
    #expect(rule.latest(after: ends[0], until: ends[1]) != nil)
  }
}
