import Synchronization

/// Whether whoever asked is still there. Who works for him learns when he has hung up, and gives up what has not begun.
package final class ClientPresence: Sendable {
  private struct State {
    var isGone = false
    var next = 0
    var watchers: [Int: @Sendable () -> Void] = [:]
    /// How often he is held back at the same time.
    var holds = 0
    /// Whether he was since that was last asked.
    var wasHeldBack = false
  }

  /// That of the client whom this task answers; nil: nobody who can hang up.
  @TaskLocal package static var current: ClientPresence?

  private let state = Mutex(State())

  package init() {}

  package var isGone: Bool { state.withLock(\.isGone) }

  /// How many wait to learn it.
  var watcherCount: Int { state.withLock(\.watchers.count) }

  /// He has hung up: tells all who want to know, once.
  package func leave() {
    let watchers = state.withLock { state in
      state.isGone = true
      defer { state.watchers = [:] }
      return state.watchers.sorted { $0.key < $1.key }.map(\.value)
    }
    for watcher in watchers { watcher() }
  }

  /// Does something when he hangs up; at once if he has.
  ///
  /// - Returns: what ``forget(_:)`` takes.
  func whenGone(_ act: @escaping @Sendable () -> Void) -> Int {
    let (id, isGone) = state.withLock { state in
      state.next += 1
      if !state.isGone { state.watchers[state.next] = act }
      return (state.next, state.isGone)
    }
    if isGone { act() }
    return id
  }

  /// Does something during which the client waits for us, and cannot send what he has to send.
  package static func holdingBack<Value>(_ body: () async -> Value) async -> Value {
    let client = current
    client?.state.withLock { $0.holds += 1 }
    defer {
      client?.state.withLock { state in
        state.holds -= 1
        state.wasHeldBack = true
      }
    }
    return await body()
  }

  /// Whether he is held back, or was since this was last asked.
  package func takeHeldBack() -> Bool {
    state.withLock { state in
      defer { state.wasHeldBack = false }
      return state.holds > 0 || state.wasHeldBack
    }
  }

  func forget(_ watcher: Int) {
    _ = state.withLock { $0.watchers.removeValue(forKey: watcher) }
  }
}
