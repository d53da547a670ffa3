import Foundation
import LMDB
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

  /// - Parameter bodies: the table that holds them.
  /// - Returns: how many it removes.
  func decide(
    _ cache: CacheView, bodies: Table, _ state: borrowing ReadTransaction
  ) throws(LMDBError) -> Decision<Int> {
    let digests = try cache.bodiesReleased(before: bound, limit: Self.batch, in: state)
    guard !digests.isEmpty else { return Decision(answer: 0) }
    var event = BodiesPruned()
    event.bodies = digests.map { Data($0) }
    for digest in digests {
      // One that was not restored takes nothing.
      let size = try state.withValue(forKey: digest.span, in: bodies) { $0.byteCount }
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
    let bodies = log.tables.bodies
    while !Task.isCancelled {
      let command = PruneBodiesCommand(now: log.time.now(), retention: settings.bodyRetention)
      let isDue = try? log.read { (transaction) throws(LogError) in
        do throws(LMDBError) {
          return try !cache.bodiesReleased(before: command.bound, limit: 1, in: transaction).isEmpty
        } catch { throw .storage(error) }
      }
      guard isDue == true else { return }
      let pruned = try? await log.decide { (state, _) throws(LMDBError) in
        try command.decide(cache, bodies: bodies, state)
      }
      guard let pruned, pruned.answer == PruneBodiesCommand.batch else { return }
    }
  }
}
