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
  ///   - start: an event, or the first instant; nil: from the first event that the log has.
  ///   - end: an event, or the last instant; nil: up to the head.
  /// - Throws: `EventRangeProblem`, or `LogError`: `.beforeBase` if the beginning is not in a log that goes on from a
  ///   snapshot.
  package init(from start: Moment?, to end: Moment?, in source: LogSource) throws {
    try Self.check(from: start, to: end)
    let base = try source.start()
    let head = try source.head()
    switch start {
    case nil: after = base
    case .position(let position)?:
      guard position <= head || position <= 1 else {
        throw EventRangeProblem.beyondHead(position, head: head)
      }
      after = position - min(position, 1)
    case .time(let time)?: after = try source.position(asOf: time.advanced(byMilliseconds: -1))
    }
    guard after >= base else { throw LogError.beforeBase(base) }
    let last: Position
    switch end {
    case nil: last = head
    case .position(let position)?: last = min(position, head)
    case .time(let time)?: last = try source.position(asOf: time)
    }
    guard last >= base else { throw LogError.beforeBase(base) }
    if let start, let end, last <= after, last < head,
      Self.isBackwards(start, end, after: after, last: last)
    {
      throw EventRangeProblem.backwards(from: start, to: end)
    }
    through = max(last, after)
  }

  /// Refuses what is backwards whatever the log holds.
  package static func check(from start: Moment?, to end: Moment?) throws(EventRangeProblem) {
    guard let start, let end else { return }
    switch (start, end) {
    case (.position(let first), .position(let last)) where first > last:
      throw .backwards(from: start, to: end)
    case (.time(let first), .time(let last)) where first > last:
      throw .backwards(from: start, to: end)
    default: return
    }
  }

  /// Whether an empty range names an event and an instant in the wrong order. Two instants may have nothing between them.
  private static func isBackwards(
    _ start: Moment, _ end: Moment, after: Position, last: Position
  ) -> Bool {
    switch (start, end) {
    case (.position, .time): true
    case (.time, .position): last < after
    default: false
    }
  }
}

extension Moment: CustomStringConvertible {
  package var description: String {
    switch self {
    case .position(let position): "position \(position)"
    case .time(let time): "\(time)"
    }
  }
}
