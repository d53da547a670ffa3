import DequeModule
import Synchronization
import TollbookEvents

/// Counts what was bought ahead, and how much of it was read: since the process began, not from the log.
package final class AheadReads: Sendable {
  package struct Counts: Hashable, Sendable {
    /// Entries that were bought ahead.
    package var bought: UInt64 = 0
    /// Of those, the ones that somebody has read since.
    package var used: UInt64 = 0
  }

  private struct State {
    var counts = Counts()
    /// Bought ahead and not read yet, by the positions that wrote them.
    var unread: Set<Position> = []
    /// In the order in which they were bought; those that were read meanwhile too.
    var order: Deque<Position> = []
  }

  /// What a call that is made ahead bears in the ledger.
  package static let tag = "refresh:ahead"
  /// So many are remembered until they are read; the oldest is forgotten first.
  static let mostUnread = 100_000

  private let state = Mutex(State())

  package var counts: Counts { state.withLock { $0.counts } }

  func bought(_ positions: [Position]) {
    guard !positions.isEmpty else { return }
    state.withLock { state in
      state.counts.bought += UInt64(positions.count)
      for position in positions {
        state.unread.insert(position)
        state.order.append(position)
      }
      while state.order.count > Self.mostUnread {
        state.unread.remove(state.order.removeFirst())
      }
    }
  }

  /// Somebody was answered with an entry.
  func read(_ position: Position) {
    state.withLock { state in
      if state.unread.remove(position) != nil { state.counts.used += 1 }
    }
  }
}
