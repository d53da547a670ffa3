import Foundation
package import TollbookEvents

/// A limit for each day, week or month of a time zone. Weeks begin on Monday.
package struct CalendarWindow: Hashable, Sendable {
  package enum Span: String, Sendable, CaseIterable {
    case day, week, month
  }

  package let span: Span
  package let limit: Int64
  private let calendar: ZoneCalendar

  /// Nil if there is no time zone of that name.
  package init?(_ span: Span, zone: String, limit: Int64) {
    guard let calendar = ZoneCalendar(zone: zone) else { return nil }
    self.span = span
    self.limit = limit
    self.calendar = calendar
  }

  package var zone: String { calendar.zone }

  /// Such as `day 2026-11-21`, `week 2026-11-16` by its Monday, `month 2026-11`.
  package func window(at now: Timestamp) -> MeterWindow {
    let days = days(around: calendar.day(of: now.withinFourDigitYears))
    let text = ZoneCalendar.text(ofDay: days.lowerBound)
    return MeterWindow(
      name: "\(span.rawValue) \(span == .month ? text.prefix(7) : text[...])",
      ends: calendar.start(ofDay: days.upperBound))
  }

  /// When the window of an instant began.
  func beginning(at now: Timestamp) -> Timestamp {
    calendar.start(ofDay: days(around: calendar.day(of: now.withinFourDigitYears)).lowerBound)
  }

  /// The days of the window in which a day lies.
  private func days(around day: Int64) -> Range<Int64> {
    switch span {
    case .day: return day..<day + 1
    case .week:
      // 1970-01-01 was a Thursday.
      let sinceMonday = ((day + 3) % 7 + 7) % 7
      return day - sinceMonday..<day - sinceMonday + 7
    case .month:
      let first = day - ZoneCalendar.dayOfMonth(day) + 1
      // No month is longer: this lies in the next one.
      let beyond = first + 31
      return first..<beyond - ZoneCalendar.dayOfMonth(beyond) + 1
    }
  }
}

/// When the days of a time zone begin. Days are numbered from 1970-01-01.
struct ZoneCalendar: Hashable, Sendable {
  private static let millisecondsPerDay: Int64 = 86_400_000
  /// No zone is so far from UTC, in milliseconds.
  private static let farthest: Int64 = 26 * 3_600_000

  let zone: String
  private let timeZone: TimeZone

  init?(zone: String) {
    guard let timeZone = TimeZone(identifier: zone) else { return nil }
    self.zone = zone
    self.timeZone = timeZone
  }

  /// Such as `2026-11-21`.
  static func text(ofDay day: Int64) -> String {
    Timestamp(milliseconds: day * millisecondsPerDay).day
  }

  static func dayOfMonth(_ day: Int64) -> Int64 { Int64(text(ofDay: day).suffix(2)) ?? 1 }

  /// The day of an instant. An hour that comes twice, since clocks were set back over midnight, is of the later day.
  func day(of time: Timestamp) -> Int64 {
    let local = time.milliseconds + offset(at: time.milliseconds)
    var day = Timestamp(milliseconds: local).step(of: Self.millisecondsPerDay)
    while start(ofDay: day) > time { day -= 1 }
    while start(ofDay: day + 1) <= time { day += 1 }
    return day
  }

  /// The first instant that is of the day or of a later one: midnight, or where the clocks left midnight out, when they
  /// did.
  func start(ofDay day: Int64) -> Timestamp {
    let midnight = day * Self.millisecondsPerDay
    var before = midnight - Self.farthest
    var after = midnight + Self.farthest
    let offset = offset(at: before)
    let usual = midnight - offset
    guard offset != self.offset(at: after) else { return Timestamp(milliseconds: usual) }
    // The clocks were changed near: when, to the second.
    while after - before > 1_000 {
      let middle = (before + (after - before) / 2) / 1_000 * 1_000
      if self.offset(at: middle) == offset { before = middle } else { after = middle }
    }
    if usual < after { return Timestamp(milliseconds: usual) }
    return Timestamp(milliseconds: max(after, midnight - self.offset(at: after)))
  }

  /// How far the zone is ahead of UTC, in milliseconds.
  private func offset(at milliseconds: Int64) -> Int64 {
    let date = Date(timeIntervalSince1970: Double(milliseconds) / 1_000)
    return Int64(timeZone.secondsFromGMT(for: date)) * 1_000
  }
}
