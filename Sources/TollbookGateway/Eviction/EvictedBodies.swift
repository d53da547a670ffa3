import Synchronization
import TollbookLog

/// Bodies of entries that went to make room: for readers who had found the entry just before.
final class EvictedBodies: Sendable {
  /// The most bytes that it keeps; those go first that came first.
  static let mostBytes = 16 << 20

  private struct State {
    /// With the instant on the monotonic clock at which they came, in milliseconds; the last ones came last.
    var order: [(digest: [UInt8], came: Int64)] = []
    var bodies: [[UInt8]: Body] = [:]
    var bytes = 0

    mutating func dropFirst(_ count: Int) {
      for (digest, _) in order.prefix(count) {
        bytes -= bodies.removeValue(forKey: digest)?.compressedBytes ?? 0
      }
      order.removeFirst(count)
    }
  }

  private let state = Mutex(State())

  func keep(_ bodies: [Body], at now: Int64) {
    state.withLock { state in
      for body in bodies where state.bodies[body.digest] == nil {
        state.order.append((body.digest, now))
        state.bodies[body.digest] = body
        state.bytes += body.compressedBytes
      }
      var (count, bytes) = (0, state.bytes)
      while bytes > Self.mostBytes, count < state.order.count {
        bytes -= state.bodies[state.order[count].digest]?.compressedBytes ?? 0
        count += 1
      }
      state.dropFirst(count)
    }
  }

  /// Forgets those that came before an instant.
  func forget(before instant: Int64) {
    state.withLock { state in state.dropFirst(state.order.prefix { $0.came < instant }.count) }
  }

  subscript(digest: [UInt8]) -> Body? { state.withLock { $0.bodies[digest] } }
}
