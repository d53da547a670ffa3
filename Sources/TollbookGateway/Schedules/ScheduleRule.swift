package import TollbookEvents

/// When something recurs.
///
/// An interval is a distance from the occurrence before. The other rules are places on the calendar.
package struct ScheduleRule: Hashable, Sendable {
  enum Kind: Hashable, Sendable {
    /// In seconds.
    case every(Int64)
    /// Minutes after midnight, as clocks of the zone show them.
    case daily(Int64, ZoneCalendar)
    /// Minutes after the full hour of UTC.
    case hourly(Int64)
  }

  /// Seconds that an interval may have.
  package static let intervals: ClosedRange<Int64> = 60...86_400

  let kind: Kind

  /// - Parameter seconds: 60 to 86,400.
  package static func every(seconds: Int64) throws(ScheduleProblem) -> ScheduleRule {
    guard intervals.contains(seconds) else {
      throw ScheduleProblem(
        "rule", "an interval of \(seconds) s is not accepted; it is 60 s to 86400 s, which is 1 day"
      )
    }
    return ScheduleRule(kind: .every(seconds))
  }

  /// Each day at a time that clocks of a zone show. On a day on which they leave it out, at the first instant after the
  /// gap; on a day on which they show it twice, at the first of both.
  package static func daily(
    hour: Int64, minute: Int64, zone: String
  ) throws(ScheduleProblem) -> ScheduleRule {
    guard 0..<24 ~= hour, 0..<60 ~= minute else {
      throw ScheduleProblem("rule", "\(hour):\(minute) is no time of day; 00:00 to 23:59 are")
    }
    guard let calendar = ZoneCalendar(zone: zone) else {
      throw ScheduleProblem(
        "rule",
        "there is no time zone “\(zone.inOneLine(atMost: 60))”; name one such as"
          + " America/Los_Angeles or UTC")
    }
    return ScheduleRule(kind: .daily(hour * 60 + minute, calendar))
  }

  /// Each hour of UTC.
  package static func hourly(minute: Int64) throws(ScheduleProblem) -> ScheduleRule {
    guard 0..<60 ~= minute else {
      throw ScheduleProblem("rule", "there is no minute \(minute) in an hour; :00 to :59 are")
    }
    return ScheduleRule(kind: .hourly(minute))
  }

  /// Whether it is a distance, and no place on the calendar.
  package var isInterval: Bool { if case .every = kind { true } else { false } }
}

// MARK: Occurrences

extension ScheduleRule {
  private static let minute: Int64 = 60_000
  private static let hour: Int64 = 3_600_000

  /// The first occurrence after an instant. Of an interval it is one interval later.
  package func next(after instant: Timestamp) -> Timestamp {
    let instant = instant.withinFourDigitYears
    switch kind {
    case .every(let seconds): return instant.advanced(byMilliseconds: seconds * 1_000)
    case .hourly(let minute):
      return Self.hourly(minute, instant.step(of: Self.hour, since: minute * Self.minute) + 1)
    case .daily(let minute, let calendar):
      // Where clocks left a day out, or an hour around midnight came twice, the neighbours tell.
      let day = calendar.day(of: instant)
      let days = (day - 1...day + 3).lazy.map {
        calendar.instant(ofDay: $0, at: minute * Self.minute)
      }
      return days.first { $0 > instant } ?? instant.advanced(byMilliseconds: 24 * Self.hour)
    }
  }

  /// The last occurrence that is after one instant and not after another one.
  ///
  /// - Parameters:
  ///   - last: the occurrence before; of an interval all later ones are counted from it.
  /// - Returns: nil if there is none, as when the clock was set back.
  package func latest(after last: Timestamp, until now: Timestamp) -> Timestamp? {
    let (last, now) = (last.withinFourDigitYears, now.withinFourDigitYears)
    guard last < now else { return nil }
    let found: Timestamp?
    switch kind {
    case .every(let seconds):
      let length = seconds * 1_000
      let count = now.step(of: length, since: last.milliseconds)
      found = last.advanced(byMilliseconds: count * length)
    case .hourly(let minute):
      found = Self.hourly(minute, now.step(of: Self.hour, since: minute * Self.minute))
    case .daily(let minute, let calendar):
      let day = calendar.day(of: now)
      found = (day - 3...day + 1).reversed().lazy
        .map { calendar.instant(ofDay: $0, at: minute * Self.minute) }
        .first { $0 <= now }
    }
    return found.flatMap { $0 > last ? $0 : nil }
  }

  /// An hour by its number since 1970.
  private static func hourly(_ minute: Int64, _ number: Int64) -> Timestamp {
    Timestamp(milliseconds: number * hour + minute * Self.minute)
  }
}
