import Synchronization

/// Whether whoever asked is still there. Who works for him learns when he has hung up, and gives up what has not begun.
package final class ClientPresence: Sendable {
  private struct State {
    var isGone = false
    var next = 0
    var watchers: [Int: @Sendable () -> Void] = [:]
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

  func forget(_ watcher: Int) {
    _ = state.withLock { $0.watchers.removeValue(forKey: watcher) }
  }
}
