/// An instant: milliseconds since 1970-01-01 00:00 UTC, without leap seconds.
package struct Timestamp: Hashable, Comparable, Sendable {
  package let milliseconds: Int64

  package init(milliseconds: Int64) { self.milliseconds = milliseconds }

  package static func < (left: Timestamp, right: Timestamp) -> Bool {
    left.milliseconds < right.milliseconds
  }

  /// The instant that many milliseconds later; the ends of the range hold it.
  package func advanced(byMilliseconds delta: Int64) -> Timestamp {
    let (sum, overflow) = milliseconds.addingReportingOverflow(delta)
    return Timestamp(milliseconds: overflow ? (delta < 0 ? .min : .max) : sum)
  }
}

// MARK: Text. Days from the civil date and back follow the Gregorian rules, in integers.

extension Timestamp {
  private static let millisecondsPerDay: Int64 = 86_400_000

  /// The first instant of a day in UTC.
  package init(startOf day: CalendarDay) {
    self.init(milliseconds: day.number &* Self.millisecondsPerDay)
  }

  /// The day in UTC.
  package var calendarDay: CalendarDay {
    CalendarDay(number: milliseconds.flooredQuotient(by: Self.millisecondsPerDay))
  }

  /// The day in UTC as `2026-11-21`. Years outside of 0 to 9999, which RFC 3339 does not know, carry a sign.
  package var day: String { calendarDay.description }

  /// RFC 3339 in UTC with milliseconds: `2026-11-21T08:30:00.125Z`.
  package var description: String {
    let remainder = milliseconds % Self.millisecondsPerDay
    let inDay = remainder < 0 ? remainder + Self.millisecondsPerDay : remainder
    let (seconds, millisecond) = inDay.quotientAndRemainder(dividingBy: 1_000)
    let hour = (seconds / 3_600).padded(to: 2)
    let minute = (seconds / 60 % 60).padded(to: 2)
    return "\(day)T\(hour):\(minute):\((seconds % 60).padded(to: 2))"
      + ".\(millisecond.padded(to: 3))Z"
  }

  /// Reads RFC 3339: a date, `T` or a blank, a time with optional fraction, and `Z` or an offset such as `+02:00`. Nil for
  /// anything else, an impossible date included, and for a date alone, which is a `CalendarDay` and no instant.
  package init?(rfc3339 text: some StringProtocol) {
    var fields = TimestampFields(text)
    guard let day = fields.day(), let time = fields.timeOfDay(), let offset = fields.offset(),
      fields.isAtEnd
    else { return nil }
    self.init(milliseconds: day.number * Self.millisecondsPerDay + time - offset)
  }
}

extension Timestamp: CustomStringConvertible {}

/// A day of the calendar, in whatever zone: how many days after 1970-01-01 it comes.
package struct CalendarDay: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let number: Int64

  package init(number: Int64) { self.number = number }

  /// Reads a date such as `2026-11-21`. Nil for anything else, an impossible date included.
  package init?(_ text: some StringProtocol) {
    var fields = TimestampFields(text)
    guard let day = fields.day(), fields.isAtEnd else { return nil }
    self = day
  }

  /// Nil if there is no such date.
  fileprivate init?(year: Int64, month: Int64, day: Int64) {
    guard (1...12).contains(month), (1...Self.daysIn(month: month, year: year)).contains(day)
    else { return nil }
    number = Self.days(year: year, month: month, day: day)
  }

  package var next: CalendarDay { CalendarDay(number: number &+ 1) }

  package static func < (left: CalendarDay, right: CalendarDay) -> Bool {
    left.number < right.number
  }

  /// As `2026-11-21`. Years outside of 0 to 9999, which RFC 3339 does not know, carry a sign.
  package var description: String {
    let (year, month, day) = Self.civil(daysSince1970: number)
    let sign = year < 0 ? "-" : year > 9_999 ? "+" : ""
    return "\(sign)\(abs(year).padded(to: 4))-\(month.padded(to: 2))-\(day.padded(to: 2))"
  }

  private static func civil(daysSince1970 days: Int64) -> (Int64, Int64, Int64) {
    // Years are counted from 1 March of year 0, so that the leap day is the last day of a year.
    let shifted = days + 719_468
    let era = shifted.flooredQuotient(by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
      (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    let day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    let month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
  }

  private static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
    let marchYear = month <= 2 ? year - 1 : year
    let era = marchYear.flooredQuotient(by: 400)
    let yearOfEra = marchYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }

  private static func daysIn(month: Int64, year: Int64) -> Int64 {
    switch month {
    case 2: year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28
    case 4, 6, 9, 11: 30
    default: 31
    }
  }
}

/// The fields of an RFC 3339 text, read from left to right.
private struct TimestampFields {
  private var rest: ArraySlice<UInt8>

  init(_ text: some StringProtocol) { rest = ArraySlice(Array(text.utf8)) }

  var isAtEnd: Bool { rest.isEmpty }

  mutating func skip(_ characters: String) -> Bool {
    guard let first = rest.first, characters.utf8.contains(first) else { return false }
    rest.removeFirst()
    return true
  }

  mutating func number(digits: Int) -> Int64? {
    guard rest.count >= digits else { return nil }
    var value: Int64 = 0
    for byte in rest.prefix(digits) {
      guard (48...57).contains(byte) else { return nil }
      value = value * 10 + Int64(byte - 48)
    }
    rest.removeFirst(digits)
    return value
  }

  /// `2026-11-21`; nil also for a date that does not exist.
  mutating func day() -> CalendarDay? {
    guard let year = number(digits: 4), skip("-"), let month = number(digits: 2), skip("-"),
      let day = number(digits: 2)
    else { return nil }
    return CalendarDay(year: year, month: month, day: day)
  }

  /// `T08:30:00` with an optional fraction, in milliseconds; more digits than three are cut.
  mutating func timeOfDay() -> Int64? {
    guard skip("Tt "), let hour = number(digits: 2), skip(":"), let minute = number(digits: 2),
      skip(":"), let second = number(digits: 2), hour < 24, minute < 60, second < 60
    else { return nil }
    var milliseconds = ((hour * 60 + minute) * 60 + second) * 1_000
    if skip(".") {
      let digits = rest.prefix { (48...57).contains($0) }
      guard !digits.isEmpty else { return nil }
      var unit: Int64 = 100
      for digit in digits.prefix(3) {
        milliseconds += Int64(digit - 48) * unit
        unit /= 10
      }
      rest.removeFirst(digits.count)
    }
    return milliseconds
  }

  /// `Z` or `+hh:mm`, in milliseconds east of UTC.
  mutating func offset() -> Int64? {
    if skip("Zz") { return 0 }
    let sign: Int64
    if skip("+") { sign = 1 } else if skip("-") { sign = -1 } else { return nil }
    guard let hour = number(digits: 2), skip(":"), let minute = number(digits: 2),
      hour < 24, minute < 60
    else { return nil }
    return sign * (hour * 60 + minute) * 60_000
  }
}

extension Int64 {
  /// The quotient rounded down, also for negative values.
  fileprivate func flooredQuotient(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }

  fileprivate func padded(to width: Int) -> String {
    let digits = String(self)
    return String(repeating: "0", count: Swift.max(0, width - digits.count)) + digits
  }
}
