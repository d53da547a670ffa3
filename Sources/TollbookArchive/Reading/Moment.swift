package import TollbookEvents
package import TollbookLog

/// A point of the log's history, as people name it, in requests and on the command line alike: a position, an instant, or
/// a day.
package enum Moment: Hashable, Sendable {
  case position(Position)
  case time(Timestamp)
  /// The whole day in the zone that goes with it: from its first instant where something begins, to its last one where
  /// something ends.
  case day(CalendarDay)

  /// Reads a position (`1234`), a date (`2026-11-03`) or an instant as in RFC 3339 (`2026-11-03T14:03:00Z`). Nil for
  /// anything else.
  package init?(_ text: String) {
    if let position = Position(text) {
      self = .position(position)
    } else if let day = CalendarDay(text) {
      self = .day(day)
    } else if let time = Timestamp(rfc3339: text) ?? Self.withoutPlus(text) {
      self = .time(time)
    } else {
      return nil
    }
  }

  /// A plus that was not escaped in an address arrives as a blank: `2026-11-03T14:03:00 02:00`.
  private static func withoutPlus(_ text: String) -> Timestamp? {
    let offset = text.suffix(6)
    guard offset.first == " " else { return nil }
    return Timestamp(rfc3339: "\(text.dropLast(6))+\(offset.dropFirst())")
  }

  /// The first instant of it; nil of a position.
  package func start(in calendar: AuditCalendar) -> Timestamp? {
    switch self {
    case .position: nil
    case .time(let time): time
    case .day(let day): calendar.start(of: day)
    }
  }

  /// The last instant of it; nil of a position.
  package func end(in calendar: AuditCalendar) -> Timestamp? {
    guard case .day(let day) = self else { return start(in: calendar) }
    return calendar.start(of: day.next).advanced(byMilliseconds: -1)
  }

  /// The instant as of which something is told: the end of a day, of one that is under way now; nil of a position.
  package func end(in calendar: AuditCalendar, now: Timestamp) -> Timestamp? {
    guard let start = start(in: calendar), let end = end(in: calendar) else { return nil }
    return start <= now ? min(end, max(start, now)) : end
  }

  /// The last position that belongs to it: all events up to there had happened by then.
  ///
  /// - Returns: at most the head.
  /// - Throws: `.beforeBase` if that is before the first event of a log that goes on from a snapshot.
  package func position(
    in source: LogSource, calendar: AuditCalendar = .utc
  ) throws(LogError) -> Position {
    let start = try source.start()
    var position = start
    if case .position(let wanted) = self {
      position = min(wanted, try source.head())
    } else if let time = end(in: calendar) {
      position = try source.position(asOf: time)
    }
    guard position >= start else { throw .beforeBase(start) }
    return position
  }
}
