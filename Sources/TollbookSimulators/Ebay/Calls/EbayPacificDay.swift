private import Foundation

/// A day in California: limits begin anew at its midnight. It has 23, 24 or 25 hours.
struct EbayPacificDay: Sendable, Equatable {
  /// Its midnight, milliseconds since 1970.
  let start: Int64
  /// The midnight after it.
  let end: Int64

  /// The day that an instant lies in.
  init(containing now: Int64) {
    var calendar = Calendar(identifier: .gregorian)
    // Without a list of zones California is eight hours behind all year.
    calendar.timeZone =
      TimeZone(identifier: "America/Los_Angeles") ?? TimeZone(secondsFromGMT: -28_800) ?? .gmt
    let midnight = calendar.startOfDay(
      for: Date(timeIntervalSince1970: Double(now.floorDivided(by: 1_000))))
    let next =
      calendar.date(byAdding: .day, value: 1, to: midnight)
      ?? midnight.addingTimeInterval(86_400)
    start = Int64(midnight.timeIntervalSince1970) * 1_000
    end = Int64(next.timeIntervalSince1970) * 1_000
  }

  func contains(_ now: Int64) -> Bool { start <= now && now < end }
}
