import Foundation
import TollbookEvents
import TollbookLog
import TollbookViews

/// Remove bodies that no entry has named for as long as they were to be kept.
struct PruneBodiesCommand: Sendable {
  /// The most bodies in one decision.
  static let batch = 500
  var now: Timestamp
  /// How long a body is kept after the last entry that named it, in milliseconds.
  var retention: Int64

  /// Those released before it may go.
  var bound: Timestamp { now.advanced(byMilliseconds: -retention) }

  /// - Returns: how many it removes.
  func decide(
    _ cache: CacheView, _ reader: LogReader, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Int> {
    let digests = try cache.bodiesReleased(before: bound, limit: Self.batch, in: state)
    guard !digests.isEmpty else { return Decision(answer: 0) }
    var event = BodiesPruned()
    event.bodies = digests.map { Data($0) }
    for digest in digests {
      // One that was not restored takes nothing.
      let size = try reader.storedBytes(ofBody: digest, in: state)
      event.storedBytes += UInt64(size ?? 0)
    }
    return Decision(
      events: [.bodiesPruned(event)], prunedBodies: digests, answer: digests.count)
  }
}

extension Gateway {
  /// Removes bodies whose time to be kept is over.
  package func pruneBodies() async {
    let cache = CacheView(log)
    let reader = log.reader
    while !Task.isCancelled {
      let command = PruneBodiesCommand(now: log.time.now(), retention: settings.bodyRetention)
      let isDue = try? log.read { (transaction) throws(LogError) in
        try !cache.bodiesReleased(before: command.bound, limit: 1, in: transaction).isEmpty
      }
      guard isDue == true else { return }
      let pruned = try? await log.decide { (state, _) throws(LogError) in
        try command.decide(cache, reader, state)
      }
      guard let pruned, pruned.answer == PruneBodiesCommand.batch else { return }
    }
  }
}
