import Hummingbird
import TollbookArchive
package import TollbookEvents
package import TollbookLog

/// The point of the log's history that a read shall show: the parameter `as_of`, a position, an instant or a day, which
/// means its end.
package struct AsOf: Sendable {
  /// All events up to there had happened.
  package let position: Position
  /// By which freshness and ages are told: the instant that was asked for, or what the clock said at that position's
  /// commit.
  package let time: Timestamp

  /// What a request asks for; nil if it asks for the present.
  ///
  /// - Throws: a problem for what is no moment, for one that the log has not come to, and for one before the first event
  ///   of a log that goes on from a snapshot.
  package init?(_ query: QueryParameters, _ log: EventLog) throws {
    guard let moment = try query.moment("as_of") else { return nil }
    let head = log.head
    let now = log.time.now()
    switch moment {
    case .position(let position):
      guard position <= head else {
        throw query.invalid(
          "as_of", "\(position)", "at most \(head), which is the position that the log has come to")
      }
    case .time, .day:
      guard let start = moment.start(in: .utc), start <= now else {
        throw query.invalid(
          "as_of", query["as_of"] ?? "", "in the past; the log has come to position \(head)")
      }
    }
    position = try moment.position(in: LogSource(log))
    if let time = moment.end(in: .utc, now: now) {
      self.time = time
    } else {
      time = try Self.time(of: position, log)
    }
  }

  private static func time(of position: Position, _ log: EventLog) throws(LogError) -> Timestamp {
    let reader = log.reader
    return try log.read { (transaction) throws(LogError) in
      // At the start there is no commit: then nothing was there that had an age.
      try reader.commit(holding: max(1, position), in: transaction)?.wall ?? log.time.now()
    }
  }

  /// Refuses to show a whole view as it was, which takes a replay.
  package static func refuse(_ query: QueryParameters, view: String) throws(Problem) {
    guard let text = query["as_of"] else { return }
    throw Problem(
      .invalidParameter,
      "the whole of it as it was then takes a replay:"
        + " `tollbook replay --until \(text.prefix(100)) --view \(view)` shows it; single rows take"
        + " as_of here",
      field: "as_of")
  }
}
