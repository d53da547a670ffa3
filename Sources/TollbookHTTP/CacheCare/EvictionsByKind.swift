import Synchronization
import TollbookEvents
import TollbookLog

/// How many entries of each kind were removed since their time to be kept was over.
///
/// No view counts that by kind: it is counted from the events that tell of removals, found by the index, from the first
/// one that the log holds; where the log goes on from a snapshot, what was removed before is not among them. What was
/// counted once is kept in memory, a number for each kind.
final class EvictionsByKind: Sendable {
  private struct State {
    var counts: [String: Int64] = [:]
    /// Of each kind of event, those up to this position are counted.
    var counted: [EventKind: Position] = [:]
    /// Before the first event that the log holds; nil: nobody has looked yet.
    var base: Position?
  }

  /// Events that one look reads.
  private static let portion = 500

  private let shared = Mutex(State())

  /// How many of a kind.
  func count(of kind: String, in log: EventLog) async throws -> Int64 {
    while try goOn(in: log) { await Task.yield() }
    return shared.withLock { $0.counts[kind] ?? 0 }
  }

  /// Counts some more.
  ///
  /// - Returns: whether there may be more.
  private func goOn(in log: EventLog) throws(LogError) -> Bool {
    let (index, reader) = (log.index, log.reader)
    return try shared.withLock { (state) throws(LogError) -> Bool in
      var next = state
      let isMore = try log.read { (transaction) throws(LogError) -> Bool in
        if next.base == nil { next.base = try reader.base(in: transaction)?.position ?? 0 }
        let base = next.base ?? 0
        var isMore = false
        for kind in [EventKind.cacheEvicted, .entriesSwept] {
          let positions = try index.positions(
            of: kind, after: next.counted[kind] ?? base, limit: Self.portion, in: transaction)
          for position in positions {
            if let event = try reader.event(at: position, in: transaction)?.event {
              Self.add(event, to: &next.counts)
            }
          }
          if let last = positions.last { next.counted[kind] = last }
          isMore = isMore || positions.count == Self.portion
        }
        return isMore
      }
      state = next
      return isMore
    }
  }

  private static func add(_ event: Event, to counts: inout [String: Int64]) {
    switch event {
    case .cacheEvicted(let event):
      counts[ResourceKey(stored: event.resource).kind, default: 0] += 1
    case .entriesSwept(let event):
      for entry in event.entries where entry.evicted {
        counts[ResourceKey(stored: entry.resource).kind, default: 0] += 1
      }
    default: break
    }
  }
}
