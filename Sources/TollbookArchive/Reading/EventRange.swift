package import TollbookEvents
import TollbookLog

/// Why two moments are no range of events.
package enum EventRangeProblem: Error, Hashable, Sendable, CustomStringConvertible {
  /// The end comes before the beginning.
  case backwards(from: Moment, to: Moment)
  /// It begins beyond the head.
  case beyondHead(Position, head: Position)

  package var description: String {
    switch self {
    case .backwards(let start, let end):
      "“from” is \(start) and “to” is \(end): the end lies before the beginning"
    case .beyondHead(let position, let head):
      "there is no event at position \(position): the log ends at \(head)"
    }
  }
}

/// The events between two moments, both included, as positions of a log.
package struct EventRange: Hashable, Sendable {
  /// The last position that does not belong to it any more, before its beginning.
  package let after: Position
  /// The last position that belongs to it; `after` if none does.
  package let through: Position

  /// - Parameters:
  ///   - start: an event, the first instant, or the first day; nil: from the first event that the log has.
  ///   - end: an event, the last instant, or the last day; nil: up to the head.
  ///   - calendar: of which zone the days are.
  /// - Throws: `EventRangeProblem`, or `LogError`: `.beforeBase` if the beginning is not in a log that goes on from a
  ///   snapshot.
  package init(
    from start: Moment?, to end: Moment?, in source: LogSource, calendar: AuditCalendar = .utc
  ) throws {
    try Self.check(from: start, to: end, calendar: calendar)
    let base = try source.start()
    let head = try source.head()
    if case .position(let position)? = start {
      guard position <= head || position <= 1 else {
        throw EventRangeProblem.beyondHead(position, head: head)
      }
      after = position - min(position, 1)
    } else if let time = start?.start(in: calendar) {
      after = try source.position(asOf: time.advanced(byMilliseconds: -1))
    } else {
      after = base
    }
    guard after >= base else { throw LogError.beforeBase(base) }
    let last: Position
    if case .position(let position)? = end {
      last = min(position, head)
    } else if let time = end?.end(in: calendar) {
      last = try source.position(asOf: time)
    } else {
      last = head
    }
    guard last >= base else { throw LogError.beforeBase(base) }
    if let start, let end, last <= after, last < head,
      Self.isBackwards(start, end, after: after, last: last)
    {
      throw EventRangeProblem.backwards(from: start, to: end)
    }
    through = max(last, after)
  }

  /// Refuses a position that the log has not come to.
  ///
  /// - Throws: `EventRangeProblem`, or `LogError`.
  package static func check(_ position: Position, in source: LogSource) throws {
    let head = try source.head()
    guard position <= head else { throw EventRangeProblem.beyondHead(position, head: head) }
  }

  /// Refuses what is backwards whatever the log holds.
  package static func check(
    from start: Moment?, to end: Moment?, calendar: AuditCalendar = .utc
  ) throws(EventRangeProblem) {
    guard let start, let end else { return }
    let isBackwards: Bool
    switch (start, end) {
    case (.position(let first), .position(let last)): isBackwards = first > last
    case (.day(let first), .day(let last)): isBackwards = first > last
    default:
      guard let first = start.start(in: calendar), let last = end.end(in: calendar) else { return }
      isBackwards = first > last
    }
    if isBackwards { throw .backwards(from: start, to: end) }
  }

  /// Whether an empty range names an event and an instant in the wrong order. Two instants may have nothing between them.
  private static func isBackwards(
    _ start: Moment, _ end: Moment, after: Position, last: Position
  ) -> Bool {
    switch (start, end) {
    case (.position, .time), (.position, .day): true
    case (.time, .position), (.day, .position): last < after
    default: false
    }
  }
}

extension Moment: CustomStringConvertible {
  package var description: String {
    switch self {
    case .position(let position): "position \(position)"
    case .time(let time): "\(time)"
    case .day(let day): "\(day)"
    }
  }
}
