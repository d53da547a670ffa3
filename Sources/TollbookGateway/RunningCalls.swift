import Synchronization

/// Tasks that run apart from the requests that began them, so that a shutdown can wait for them.
final class RunningCalls: Sendable {
  private struct State {
    var isStopping = false
    var count = 0
    var idle: [CheckedContinuation<Void, Never>] = []
  }

  private let state = Mutex(State())

  var isStopping: Bool { state.withLock { $0.isStopping } }

  /// Whether none is running.
  var isIdle: Bool { state.withLock { $0.count == 0 } }

  /// Runs `body` apart from whoever asks for it.
  func begin(_ body: @escaping @Sendable () async -> Void) {
    state.withLock { $0.count += 1 }
    Task {
      await body()
      leave()
    }
  }

  /// Holds a shutdown up until `leave()`, so that what is begun until then is waited for; false if one has begun.
  func enter() -> Bool {
    state.withLock { state in
      guard !state.isStopping else { return false }
      state.count += 1
      return true
    }
  }

  func leave() {
    let waiters: [CheckedContinuation<Void, Never>] = state.withLock { state in
      state.count -= 1
      guard state.count == 0 else { return [] }
      defer { state.idle = [] }
      return state.idle
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Says that no more shall begin and waits until none is running.
  func stop() async {
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        state.isStopping = true
        if state.count > 0 { state.idle.append(continuation) }
        return state.count == 0
      }
      if isIdle { continuation.resume() }
    }
  }
}
