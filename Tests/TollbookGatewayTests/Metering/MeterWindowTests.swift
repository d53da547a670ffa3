import Foundation
import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway

@Suite struct `Windows of meters` {
  private func window(_ rule: MeterRule, _ text: String) -> MeterWindow {
    rule.window(at: instant(text))
  }

  private func calendar(
    _ span: CalendarWindow.Span, _ zone: String
  ) throws -> MeterRule {
    .calendarWindow(try #require(CalendarWindow(span, zone: zone, limit: 10)))
  }

  @Test(arguments: [
    (1_000, "second 2026-11-21T10:03:59Z", "2026-11-21T10:04:00Z"),
    (60_000, "minute 2026-11-21T10:03Z", "2026-11-21T10:04:00Z"),
    (300_000, "5 minutes 2026-11-21T10:00Z", "2026-11-21T10:05:00Z"),
    (3_600_000, "hour 2026-11-21T10:00Z", "2026-11-21T11:00:00Z"),
    (86_400_000, "day 2026-11-21", "2026-11-22T00:00:00Z"),
    (250, "250 milliseconds 2026-11-21T10:03:59.500Z", "2026-11-21T10:03:59.750Z"),
  ])
  func `a clock window is named by its length and its beginning`(
    length: Int64, name: String, ends: String
  ) {
    let rule = MeterRule.clockWindow(ClockWindow(length: length, limit: 1))
    #expect(
      window(rule, "2026-11-21T10:03:59.625Z") == MeterWindow(name: name, ends: instant(ends)))
  }

  @Test(arguments: [
    // Midnight does not exist: the day begins at one o'clock.
    ("America/Santiago", "2026-09-06T04:00:00Z", "day 2026-09-06", "2026-09-07T03:00:00Z"),
    ("America/Santiago", "2026-09-06T03:59:59.999Z", "day 2026-09-05", "2026-09-06T04:00:00Z"),
    // The last hour of the day comes twice.
    ("America/Santiago", "2026-04-05T03:30:00Z", "day 2026-04-04", "2026-04-05T04:00:00Z"),
    // 23 and 25 hours.
    ("Europe/Berlin", "2026-03-28T23:00:00Z", "day 2026-03-29", "2026-03-29T22:00:00Z"),
    ("Europe/Berlin", "2026-10-24T22:00:00Z", "day 2026-10-25", "2026-10-25T23:00:00Z"),
    // A day that the zone left out.
    ("Pacific/Apia", "2011-12-30T10:00:00Z", "day 2011-12-31", "2011-12-31T10:00:00Z"),
    ("UTC", "2026-11-21T00:00:00Z", "day 2026-11-21", "2026-11-22T00:00:00Z"),
  ])
  func `a day is that of its zone, also where the clocks change`(
    zone: String, at: String, name: String, ends: String
  ) throws {
    #expect(
      window(try calendar(.day, zone), at) == MeterWindow(name: name, ends: instant(ends)))
  }

  @Test func `weeks begin on Monday`() throws {
    let rule = try calendar(.week, "Europe/Berlin")
    let week = MeterWindow(name: "week 2026-11-16", ends: instant("2026-11-22T23:00:00Z"))
    #expect(window(rule, "2026-11-15T23:00:00Z") == week)
    #expect(window(rule, "2026-11-22T22:59:59.999Z") == week)
    #expect(window(rule, "2026-11-22T23:00:00Z").name == "week 2026-11-23")
  }

  @Test(arguments: [
    ("2028-02-29T12:00:00Z", "month 2028-02", "2028-03-01T00:00:00Z"),
    ("2026-02-28T23:59:59Z", "month 2026-02", "2026-03-01T00:00:00Z"),
    ("2026-12-31T23:59:59Z", "month 2026-12", "2027-01-01T00:00:00Z"),
    ("2026-04-01T00:00:00Z", "month 2026-04", "2026-05-01T00:00:00Z"),
  ])
  func `a month has the days that it has`(at: String, name: String, ends: String) throws {
    #expect(
      window(try calendar(.month, "UTC"), at) == MeterWindow(name: name, ends: instant(ends)))
  }

  @Test func `there is no calendar of an unknown zone`() {
    #expect(CalendarWindow(.day, zone: "Europe/Atlantis", limit: 1) == nil)
  }

  @Test func `an anchored window ends where the provider said, and then each length later`() {
    let named = instant("2026-11-22T08:00:00Z")
    let rule = AnchoredWindow(length: day, endingAt: named, limit: 1)
    #expect(
      rule.window(at: instant("2026-11-21T08:00:00Z"))
        == MeterWindow(name: "until 2026-11-22T08:00:00.000Z", ends: named))
    #expect(rule.window(at: named).name == "until 2026-11-23T08:00:00.000Z")
    #expect(
      rule.window(at: instant("2026-11-21T07:59:59Z")).ends == instant("2026-11-21T08:00:00Z"))
  }

  @Test func `a rolling window is made of 60 parts and one that reaches in`() {
    let rule = MeterRule.rollingWindow(RollingWindow(length: hour, limit: 1))
    let windows = rule.windows(at: instant("2026-11-21T10:03:30Z"))
    #expect(windows.count == 61)
    #expect(windows.first?.name == "minute 2026-11-21T09:03Z")
    #expect(windows.last == window(rule, "2026-11-21T10:03:30Z"))
    #expect(windows.map(\.name) == windows.map(\.name).sorted())
  }

  @Test(arguments: [
    "UTC", "Europe/Berlin", "America/Santiago", "America/St_Johns", "Pacific/Apia",
    "Asia/Kathmandu", "Africa/Casablanca", "Australia/Lord_Howe", "America/Havana",
  ])
  func `names sort as time goes, and a window ends where the next one begins`(zone: String) throws {
    var random = SeededGenerator(seed: 7)
    for span in CalendarWindow.Span.allCases {
      let rule = try calendar(span, zone)
      var last = ""
      var now = Timestamp(milliseconds: 0)
      while now < instant("2031-01-01T00:00:00Z") {
        let window = rule.window(at: now)
        let ends = try #require(window.ends)
        #expect(window.name >= last)
        #expect(ends > now)
        #expect(rule.window(at: ends).name > window.name)
        #expect(rule.window(at: ends.advanced(byMilliseconds: -1)) == window)
        last = window.name
        now = now.advanced(byMilliseconds: random.int64(1...(60 * day)))
      }
    }
  }

  @Test(arguments: ["UTC", "Europe/Berlin", "America/Santiago", "Asia/Kathmandu"])
  func `days, weeks and months are those of another calendar`(zone: String) throws {
    var calendar = Calendar(identifier: .iso8601)
    calendar.timeZone = try #require(TimeZone(identifier: zone))
    var random = SeededGenerator(seed: 11)
    for _ in 0..<500 {
      let now = Timestamp(milliseconds: random.int64(0...1_900_000_000_000))
      let date = Date(timeIntervalSince1970: Double(now.milliseconds) / 1_000)
      let parts = calendar.dateComponents([.year, .month, .day], from: date)
      let text = { (number: Int?) in String((number ?? 0) + 100).suffix(2) }
      let month = "\(parts.year ?? 0)-\(text(parts.month))"
      #expect(try self.calendar(.month, zone).window(at: now).name == "month \(month)")
      #expect(
        try self.calendar(.day, zone).window(at: now).name == "day \(month)-\(text(parts.day))")
      // 1 is Sunday.
      let sinceMonday = (calendar.component(.weekday, from: date) + 5) % 7
      let monday = try #require(calendar.date(byAdding: .day, value: -sinceMonday, to: date))
      let mondays = calendar.dateComponents([.year, .month, .day], from: monday)
      #expect(
        try self.calendar(.week, zone).window(at: now).name
          == "week \(mondays.year ?? 0)-\(text(mondays.month))-\(text(mondays.day))")
    }
  }

  @Test(arguments: [Int64.min, -1, 0, Int64.max], [Int64.min, 1, 7, 60_000, Int64.max])
  func `no clock and no length makes a sum overflow`(milliseconds: Int64, length: Int64) throws {
    let now = Timestamp(milliseconds: milliseconds)
    let rules: [MeterRule] = [
      .clockWindow(ClockWindow(length: length, limit: .max)),
      .rollingWindow(RollingWindow(length: length, limit: .max)),
      .anchoredWindow(AnchoredWindow(length: length, endingAt: now, limit: .max)),
      .anchoredWindow(
        AnchoredWindow(length: length, endingAt: Timestamp(milliseconds: .min), limit: .max)),
      try calendar(.month, "America/Santiago"), .total(limit: .max),
    ]
    for rule in rules {
      let use = MeterUse.of(rule, .max, .max)
      let admission = Admission(on: [PagedPaper().standing(use, at: now)])
      #expect(admission.admitted == (rule.limit == .max ? 1 : 0))
      // The second fits into the next window, if there is one.
      let isForNext = rule.limit == .max && rule.window(at: now).ends != nil
      #expect((admission.retryAt != nil) == isForNext)
    }
  }
}
