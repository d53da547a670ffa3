import Testing
import TollbookEvents

@testable import TollbookArchive

@Suite struct MomentTests {
  @Test func `a point of history is a position, a day or an instant`() {
    #expect(Moment("1234") == .position(1_234))
    #expect(Moment("2026-11-03") == CalendarDay("2026-11-03").map { .day($0) })
    #expect(Moment("2026-11-03T14:03:00Z") == .time(Timestamp(milliseconds: 1_793_714_580_000)))
    #expect(Moment("2026-11-03T00:00:00Z") == .time(Timestamp(milliseconds: 1_793_664_000_000)))
    for text in ["", "-1", "yesterday", "2026-13-01", "12 "] { #expect(Moment(text) == nil) }
  }

  @Test func `a plus that arrives as a blank is read as one`() {
    let expected = Moment("2026-11-03T14:03:00+02:00")
    #expect(expected != nil)
    #expect(Moment("2026-11-03T14:03:00 02:00") == expected)
    #expect(Moment("2026-11-03 14:03:00 02:00") == expected)
    #expect(Moment("2026-11-03 14:03") == nil)
  }

  @Test(arguments: [
    ("UTC", "2026-11-30", "2026-11-30T00:00:00.000Z", "2026-11-30T23:59:59.999Z"),
    ("Europe/Berlin", "2026-11-30", "2026-11-29T23:00:00.000Z", "2026-11-30T22:59:59.999Z"),
    // Days of 23 and 25 hours.
    ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00:00.000Z", "2026-03-29T21:59:59.999Z"),
    ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00:00.000Z", "2026-10-25T22:59:59.999Z"),
    // Midnight does not exist: the clocks go from 23:59:59 to 01:00.
    ("America/Santiago", "2026-09-06", "2026-09-06T04:00:00.000Z", "2026-09-07T02:59:59.999Z"),
    ("America/Santiago", "2026-09-05", "2026-09-05T04:00:00.000Z", "2026-09-06T03:59:59.999Z"),
    // The last hour of the day comes twice.
    ("America/Santiago", "2026-04-04", "2026-04-04T03:00:00.000Z", "2026-04-05T03:59:59.999Z"),
    ("Asia/Kathmandu", "2026-11-30", "2026-11-29T18:15:00.000Z", "2026-11-30T18:14:59.999Z"),
    // A day that was left out is empty, at the end of the one before it.
    ("Pacific/Apia", "2011-12-29", "2011-12-29T10:00:00.000Z", "2011-12-30T09:59:59.999Z"),
    ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00:00.000Z", "2011-12-30T09:59:59.999Z"),
    ("Pacific/Kiritimati", "2026-11-30", "2026-11-29T10:00:00.000Z", "2026-11-30T09:59:59.999Z"),
  ])
  func `a day is all of it in its zone`(
    zone: String, text: String, start: String, end: String
  ) throws {
    let calendar = try #require(AuditCalendar(zone: zone))
    let day = try #require(Moment(text))
    #expect(day.start(in: calendar)?.description == start)
    #expect(day.end(in: calendar)?.description == end)
  }

  @Test(arguments: ["America/Santiago", "Europe/Berlin", "America/St_Johns", "Africa/Cairo"])
  func `the days of a zone follow each other without a gap, and an audit calls them so`(
    zone: String
  ) throws {
    let calendar = try #require(AuditCalendar(zone: zone))
    var day = try #require(CalendarDay("2026-01-01"))
    while day.description < "2027-01-01" {
      let start = calendar.start(of: day)
      #expect(
        Moment.day(day).end(in: calendar)?.advanced(byMilliseconds: 1)
          == calendar.start(of: day.next))
      #expect(AuditCalendar.name(ofDay: calendar.dayNumber(of: start)) == day.description)
      let before = start.advanced(byMilliseconds: -1)
      #expect(AuditCalendar.name(ofDay: calendar.dayNumber(of: before)) < day.description)
      day = day.next
    }
  }

  @Test func `an instant is itself whatever the zone, and a day under way ends now`() throws {
    let berlin = try #require(AuditCalendar(zone: "Europe/Berlin"))
    let instant = try #require(Moment("2026-11-01T00:00:00Z"))
    #expect(instant.start(in: berlin)?.description == "2026-11-01T00:00:00.000Z")
    #expect(instant.end(in: berlin)?.description == "2026-11-01T00:00:00.000Z")
    #expect(Moment.position(5).start(in: berlin) == nil)
    let now = try #require(Timestamp(rfc3339: "2026-11-03T14:03:00Z"))
    let today = try #require(Moment("2026-11-03"))
    #expect(today.end(in: .utc, now: now) == now)
    #expect(
      Moment("2026-11-02")?.end(in: .utc, now: now)?.description == "2026-11-02T23:59:59.999Z")
  }
}

extension AuditCalendar {
  fileprivate func dayNumber(of time: Timestamp) -> Int64 {
    var calendar = self
    return calendar.day(of: time)
  }
}
