import Synchronization
package import TollbookEvents
package import TollbookLog

/// Clocks that stand still until a test moves them.
package final class ManualTime: Sendable {
  private struct Sleeper {
    var due: Int64
    var continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var now: Timestamp
    var monotonic: Int64 = 0
    var sleepers: [Int: Sleeper] = [:]
    var nextSleeper = 0
    /// Cancelled before they had begun to sleep.
    var cancelled: Set<Int> = []
  }

  private let state: Mutex<State>

  package init(_ start: Timestamp = .testStart) { state = Mutex(State(now: start)) }

  /// The wall clock.
  package var now: Timestamp { state.withLock { $0.now } }

  /// How many tasks sleep on it.
  package var sleeperCount: Int { state.withLock { $0.sleepers.count } }

  /// To be handed to what is tested.
  package var source: TimeSource {
    TimeSource(
      now: { self.now },
      monotonicNanoseconds: { self.state.withLock { $0.monotonic * 1_000_000 } },
      sleep: { try await self.sleep($0) })
  }

  /// Moves both clocks and wakes whoever has slept long enough, the most overdue first.
  package func advance(byMilliseconds delta: Int64) {
    let woken = state.withLock { state in
      state.now = state.now.advanced(byMilliseconds: delta)
      state.monotonic += delta
      let due = state.sleepers.filter { $0.value.due <= state.monotonic }
        .sorted { ($0.value.due, $0.key) < ($1.value.due, $1.key) }
      for (id, _) in due { state.sleepers[id] = nil }
      return due.map(\.value.continuation)
    }
    for continuation in woken { continuation.resume() }
  }

  /// Sets the wall clock alone, also back, as an administrator or NTP does.
  package func setWallClock(to time: Timestamp) { state.withLock { $0.now = time } }

  /// Returns when at least that many tasks sleep.
  package func waitForSleepers(_ count: Int) async {
    while sleeperCount < count { await Task.yield() }
  }

  private func sleep(_ milliseconds: Int64) async throws {
    let id = state.withLock { state in
      defer { state.nextSleeper += 1 }
      return state.nextSleeper
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome: Result<Void, any Error>? = state.withLock { state in
          if state.cancelled.remove(id) != nil { return .failure(CancellationError()) }
          if milliseconds <= 0 { return .success(()) }
          state.sleepers[id] = Sleeper(
            due: state.monotonic + milliseconds, continuation: continuation)
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let sleeper = state.withLock { state in
        let sleeper = state.sleepers.removeValue(forKey: id)
        if sleeper == nil { state.cancelled.insert(id) }
        return sleeper
      }
      sleeper?.continuation.resume(throwing: CancellationError())
    }
  }
}

extension Timestamp {
  /// When tests begin, unless they say otherwise: 2026-11-21T08:00:00Z.
  package static let testStart = Timestamp(milliseconds: 1_795_248_000_000)
}
