import DequeModule
import Synchronization
package import TollbookEvents

/// Counts what was bought ahead, and how much of it was read: since the process began, not from the log.
package final class AheadReads: Sendable {
  package struct Counts: Hashable, Sendable {
    /// Entries that were bought ahead.
    package var bought: UInt64 = 0
    /// Of those, the ones that somebody has read since.
    package var used: UInt64 = 0
    /// Of those, the ones that stopped being fresh before anybody read them, as far as was looked. The rest may still be
    /// read.
    package var wasted: UInt64 = 0
  }

  private struct State {
    var counts = Counts()
    /// Bought ahead and not read yet, by the positions that wrote them: until when they are fresh.
    var unread: [Position: Timestamp] = [:]
    /// In the order in which they were bought; those that were read meanwhile too.
    var order: Deque<Position> = []
    /// Purchases whose positions are not known yet.
    var underWay = 0
    /// Positions later than this may be of such a purchase.
    var floor: Position = 0
    /// Those that were read meanwhile.
    var early: Set<Position> = []
  }

  /// What a call that is made ahead bears in the ledger.
  package static let tag = "refresh:ahead"
  /// So many are remembered until they are read; the oldest is given up first, and counts as wasted.
  static let mostUnread = 100_000
  /// The most that are remembered of what is read while a purchase is under way.
  static let mostEarly = 10_000

  private let state = Mutex(State())

  package var counts: Counts { state.withLock { $0.counts } }

  /// The same, after a look at what has stopped being fresh by now.
  package func counts(at now: Timestamp) -> Counts {
    state.withLock { state in
      let over = state.unread.filter { $0.value <= now }
      for position in over.keys { state.unread[position] = nil }
      state.counts.wasted += UInt64(over.count)
      if state.unread.isEmpty { state.order = [] }
      return state.counts
    }
  }

  /// A purchase begins. Whoever joins it may be answered before ``bought(_:)`` tells of it.
  ///
  /// - Parameter head: what is written by now.
  func begin(after head: Position) {
    state.withLock { state in
      if state.underWay == 0 { state.floor = head }
      state.underWay += 1
    }
  }

  /// It has ended.
  ///
  /// - Parameter entries: what it brought, by the positions that wrote it: until when it is fresh.
  func bought(_ entries: [Position: Timestamp]) {
    state.withLock { state in
      state.counts.bought += UInt64(entries.count)
      for (position, freshUntil) in entries.sorted(by: { $0.key < $1.key }) {
        if state.early.remove(position) != nil {
          state.counts.used += 1
          continue
        }
        state.unread[position] = freshUntil
        state.order.append(position)
      }
      state.underWay = max(0, state.underWay - 1)
      if state.underWay == 0 { state.early = [] }
      while state.order.count > Self.mostUnread {
        if state.unread.removeValue(forKey: state.order.removeFirst()) != nil {
          state.counts.wasted += 1
        }
      }
    }
  }

  /// Somebody was answered with an entry.
  func read(_ position: Position) {
    state.withLock { state in
      if state.unread.removeValue(forKey: position) != nil {
        state.counts.used += 1
      } else if state.underWay > 0, position > state.floor, state.early.count < Self.mostEarly {
        state.early.insert(position)
      }
    }
  }
}
