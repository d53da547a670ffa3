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
