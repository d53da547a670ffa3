import Synchronization

/// How many requests each access key has made in the minute of now, where it may not make any number.
final class RequestRates: Sendable {
  private static let minute: Int64 = 60_000

  private struct State {
    var minute: Int64 = 0
    var counts: [String: UInt32] = [:]
  }

  private let state = Mutex(State())

  /// What is left of a minute's requests after this one.
  enum Answer: Hashable, Sendable {
    case left(UInt32, resets: Int64)
    /// There is none; more in so many milliseconds.
    case refused(resets: Int64)
  }

  /// - Parameter now: by the monotonic clock, in milliseconds.
  func count(_ key: String, limit: UInt32, at now: Int64) -> Answer {
    state.withLock { state in
      let minute = now / Self.minute
      // Nothing of an earlier minute is kept: so there are never more than keys that asked in this one.
      if minute != state.minute { state = State(minute: minute) }
      let resets = (minute + 1) * Self.minute - now
      let count = state.counts[key] ?? 0
      guard count < limit else { return .refused(resets: resets) }
      state.counts[key] = count + 1
      return .left(limit - count - 1, resets: resets)
    }
  }
}
