import Synchronization

/// Calls that stand still at a simulated provider until a test lets them go on.
package final class HeldCalls: Sendable {
  private struct State {
    var isHolding: Bool
    var stopped: [CheckedContinuation<Void, Never>] = []
  }

  private let state: Mutex<State>

  package init(isHolding: Bool = true) { state = Mutex(State(isHolding: isHolding)) }

  /// How many stand still.
  package var count: Int { state.withLock { $0.stopped.count } }

  /// Stands still, unless all were let go.
  package func stop() async {
    await withCheckedContinuation { continuation in
      let isHeld = state.withLock { state in
        if state.isHolding { state.stopped.append(continuation) }
        return state.isHolding
      }
      if !isHeld { continuation.resume() }
    }
  }

  /// Returns when at least that many stand still.
  package func wait(for count: Int) async {
    while self.count < count { await Task.yield() }
  }

  /// Lets those go on that stand still, and holds those that come.
  package func step() {
    let stopped = state.withLock { state in
      defer { state.stopped = [] }
      return state.stopped
    }
    for continuation in stopped { continuation.resume() }
  }

  /// Holds those that come.
  package func hold() { state.withLock { $0.isHolding = true } }

  /// Lets all go on, and holds no more.
  package func letGo() {
    state.withLock { $0.isHolding = false }
    step()
  }
}
