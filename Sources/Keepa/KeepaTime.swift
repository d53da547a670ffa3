/// Keepa's time: minutes since 2011-01-01 00:00 UTC (fact sheet, section 1).
package enum KeepaTime {
  /// Minutes from 1970 to 2011.
  package static let epochMinutes: Int64 = 21_564_000

  /// A Keepa minute in milliseconds since 1970 UTC; 0, meaning unknown, for 0 and negative values,
  /// and for those beyond any time.
  package static func milliseconds(minutes: Int64) -> Int64 {
    guard minutes > 0, minutes < 1 << 40 else { return 0 }
    return (minutes + epochMinutes) * 60_000
  }

  /// The Keepa minute that an instant falls into.
  package static func minutes(milliseconds: Int64) -> Int64 {
    let minutes = milliseconds >= 0 ? milliseconds / 60_000 : (milliseconds - 59_999) / 60_000
    return minutes - epochMinutes
  }
}
