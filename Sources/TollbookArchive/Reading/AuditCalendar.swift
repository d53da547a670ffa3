import Foundation
package import TollbookEvents

/// Days and hours of a time zone.
package struct AuditCalendar: Sendable {
  private static let millisecondsPerDay: Int64 = 86_400_000
  private static let millisecondsPerHour: Int64 = 3_600_000
  /// Zones change their offset at multiples of a quarter of an hour.
  private static let step: Int64 = 900_000

  private let zone: TimeZone?
  package let name: String
  /// The quarter of an hour that was asked for last, and its offset: events come in the order of time.
  private var known: (quarter: Int64, offset: Int64) = (.min, 0)

  package static let utc = AuditCalendar()

  private init() {
    zone = nil
    name = "UTC"
  }

  /// The calendar of a zone such as `Europe/Berlin`; nil if there is no zone of that name.
  package init?(zone name: String) {
    if name == "UTC" {
      self = .utc
      return
    }
    guard let zone = TimeZone(identifier: name) else { return nil }
    self.zone = zone
    self.name = name
  }

  /// How far the zone is ahead of UTC at an instant, in milliseconds.
  private mutating func offset(at milliseconds: Int64) -> Int64 {
    guard let zone else { return 0 }
    let quarter = milliseconds.roundedDown(to: Self.step)
    if quarter != known.quarter {
      let date = Date(timeIntervalSince1970: Double(quarter) / 1_000)
      known = (quarter, Int64(zone.secondsFromGMT(for: date)) * 1_000)
    }
    return known.offset
  }

  /// Numbers the days: how many are between 1970-01-01 and the day of an instant.
  package mutating func day(of time: Timestamp) -> Int64 {
    let local = time.milliseconds &+ offset(at: time.milliseconds)
    return local.roundedDown(to: Self.millisecondsPerDay) / Self.millisecondsPerDay
  }

  /// The hour of an instant: when it began, in milliseconds since 1970. Where a clock is set back there are two hours of
  /// the same name, and they are two.
  package mutating func hour(of time: Timestamp) -> Int64 {
    let offset = offset(at: time.milliseconds)
    return (time.milliseconds &+ offset).roundedDown(to: Self.millisecondsPerHour) &- offset
  }

  /// Such as `2026-11-21`.
  package static func name(ofDay day: Int64) -> String {
    Timestamp(milliseconds: day * millisecondsPerDay).day
  }

  /// Such as `2026-11-21T09:00+01:00`.
  package mutating func name(ofHour hour: Int64) -> String {
    let offset = offset(at: hour)
    let local = Timestamp(milliseconds: hour &+ offset).description.prefix(16)
    guard zone != nil else { return "\(local)Z" }
    let minutes = abs(offset) / 60_000
    let (hours, rest) = minutes.quotientAndRemainder(dividingBy: 60)
    return "\(local)\(offset < 0 ? "-" : "+")\(hours < 10 ? "0" : "")\(hours):"
      + "\(rest < 10 ? "0" : "")\(rest)"
  }

  /// The first instant of a day, which is not midnight where the clocks are set forward then. Of a day that the zone left
  /// out it is that of the next one.
  package func start(of day: CalendarDay) -> Timestamp {
    let midnight = Timestamp(startOf: day).milliseconds
    guard zone != nil else { return Timestamp(milliseconds: midnight) }
    var calendar = self
    // No zone was ever further away from UTC.
    var quarter = midnight &- 16 * Self.millisecondsPerHour
    while quarter <= midnight &+ 16 * Self.millisecondsPerHour {
      let start = max(quarter, midnight &- calendar.offset(at: quarter))
      quarter &+= Self.step
      if start < quarter { return Timestamp(milliseconds: start) }
    }
    return Timestamp(milliseconds: midnight)
  }
}

extension Int64 {
  fileprivate func roundedDown(to step: Int64) -> Int64 {
    let rest = self % step
    return self &- (rest < 0 ? rest + step : rest)
  }
}
