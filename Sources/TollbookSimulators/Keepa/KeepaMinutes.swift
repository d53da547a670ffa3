/// Keepa's clock: minutes since 2011-01-01 00:00 UTC, the unit of every time inside its objects.
package enum KeepaMinutes {
  /// Minutes between 1970 and 2011.
  package static let offset = 21_564_000

  /// The Keepa minute that holds a moment.
  package static func containing(milliseconds: Int64) -> Int {
    let minutes = milliseconds / 60_000 - (milliseconds % 60_000 < 0 ? 1 : 0)
    return Int(minutes) - offset
  }

  /// The moment at which a Keepa minute begins.
  package static func milliseconds(_ minute: Int) -> Int64 {
    Int64(minute + offset) * 60_000
  }

  /// The first Keepa minute of a day of the Gregorian calendar.
  package static func dayStart(year: Int, month: Int, day: Int) -> Int {
    // Days since 1970, the year counted from March.
    let years = month <= 2 ? year - 1 : year
    let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
    let days = 365 * years + years / 4 - years / 100 + years / 400 + dayOfYear - 719_468
    return days * 1440 - offset
  }
}
