import Synchronization
package import TollbookEvents

/// Tells those who wait that the log has grown. Costs the writer a lock and, for each of them, putting a task in a queue.
final class CommitSignal: Sendable {
  private struct State {
    var head: Position = 0
    var isClosed = false
    var waiting: [UInt64: (after: Position, continuation: CheckedContinuation<Void, Never>)] = [:]
    var next: UInt64 = 0
    /// Cancelled before they had begun to wait.
    var cancelled: Set<UInt64> = []
  }

  private let state = Mutex(State())

  /// Wakes everybody who waits for a position up to `head`.
  func tell(_ head: Position) { wake { $0.head = max($0.head, head) } }

  /// Wakes everybody, now and for ever.
  func close() { wake { $0.isClosed = true } }

  private func wake(_ change: (inout State) -> Void) {
    let woken = state.withLock { state in
      change(&state)
      let ready = state.waiting.filter { state.isClosed || $0.value.after < state.head }
      for id in ready.keys { state.waiting[id] = nil }
      return ready.values.map(\.continuation)
    }
    for continuation in woken { continuation.resume() }
  }

  /// Returns when there are events after a position, or when there never will be: the log is closed, or the task was
  /// cancelled.
  func wait(after position: Position) async {
    let id = state.withLock { state in
      defer { state.next += 1 }
      return state.next
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          if state.cancelled.remove(id) != nil || state.isClosed || position < state.head {
            return true
          }
          state.waiting[id] = (position, continuation)
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      let waiting = state.withLock { state in
        let waiting = state.waiting.removeValue(forKey: id)
        if waiting == nil { state.cancelled.insert(id) }
        return waiting
      }
      waiting?.continuation.resume()
    }
    // Cancelled after it was woken: nobody else will take this away.
    state.withLock { _ = $0.cancelled.remove(id) }
  }
}

extension EventLog {
  /// Returns when there are events after a position: at once, or with the commit that brings them.
  ///
  /// - Returns: the head. It is not above `position` if the log was closed.
  /// - Throws: `CancellationError`
  package func waitForCommit(after position: Position) async throws(CancellationError) -> Position {
    await commits.wait(after: position)
    if Task.isCancelled { throw CancellationError() }
    return head
  }
}
