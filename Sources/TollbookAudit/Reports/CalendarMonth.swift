package import TollbookEvents

/// A month of the calendar, such as `2026-11`.
package struct CalendarMonth: Hashable, Sendable, CustomStringConvertible {
  package let description: String
  package let first: CalendarDay

  /// Nil for anything but a year and a month.
  package init?(_ text: String) {
    guard text.utf8.count == 7, let first = CalendarDay(text + "-01") else { return nil }
    description = text
    self.first = first
  }

  /// The first day of the next month.
  package var end: CalendarDay {
    // No month is longer than 31 days, and none is shorter than 28.
    let beyond = CalendarDay(number: first.number + 31)
    return CalendarDay("\(beyond.description.prefix(7))-01") ?? beyond
  }
}
