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
  /// What they need to take together at the most: one that is reached is the last. Counted as the data file holds them.
  var mostSpace = Int.max

  /// Those released before it may go.
  var bound: Timestamp { now.advanced(byMilliseconds: -retention) }

  struct Answer: Hashable, Sendable {
    /// How many it removes.
    var bodies = 0
    /// What they took of the data file.
    var space = 0
  }

  func decide(
    _ cache: CacheView, _ reader: LogReader, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Answer> {
    let found = try cache.bodiesReleased(before: bound, limit: Self.batch, in: state)
    var answer = Answer()
    var event = BodiesPruned()
    var digests: [[UInt8]] = []
    for digest in found where answer.space < mostSpace {
      digests.append(digest)
      event.bodies.append(Data(digest))
      // One that was not restored takes nothing.
      guard let size = try reader.storedBytes(ofBody: digest, in: state) else { continue }
      event.storedBytes += UInt64(size)
      answer.space += Body.space(ofRow: size)
    }
    guard !digests.isEmpty else { return Decision(answer: answer) }
    answer.bodies = digests.count
    return Decision(events: [.bodiesPruned(event)], prunedBodies: digests, answer: answer)
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
      guard let pruned, pruned.answer.bodies == PruneBodiesCommand.batch else { return }
    }
  }
}
