package import TollbookEvents
package import TollbookLog

/// A point of the log's history, as people name it: a position, or an instant.
package enum Moment: Hashable, Sendable {
  case position(Position)
  case time(Timestamp)

  /// Reads a position (`1234`) or RFC 3339 (`2026-11-03T14:03:00Z`; a date alone is its first instant in UTC). Nil for
  /// anything else.
  package init?(_ text: String) {
    if let position = Position(text) {
      self = .position(position)
    } else if let time = Timestamp(rfc3339: text) {
      self = .time(time)
    } else {
      return nil
    }
  }

  /// The last position that belongs to it: all events up to there had happened by then.
  ///
  /// - Returns: at most the head.
  /// - Throws: `.beforeBase` if that is before the first event of a log that goes on from a snapshot.
  package func position(in source: LogSource) throws(LogError) -> Position {
    let start = try source.start()
    let position: Position
    switch self {
    case .position(let wanted): position = min(wanted, try source.head())
    case .time(let time): position = try source.position(asOf: time)
    }
    guard position >= start else { throw .beforeBase(start) }
    return position
  }
}
