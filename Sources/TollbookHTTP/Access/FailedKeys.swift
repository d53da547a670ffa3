import Synchronization

/// Slows down who tries keys: each failure from an address is answered later than the one before. A right key is answered
/// at once, from whatever address.
final class FailedKeys: Sendable {
  /// Addresses that are remembered. Who comes beyond takes the place of the one that failed longest ago.
  static let mostAddresses = 1_000
  /// Answers that may be held back at once. Beyond, they are given at once, as 429.
  static let mostWaiting = 256
  /// After which failures are forgotten, in milliseconds.
  static let memory: Int64 = 600_000
  static let longestDelay: Int64 = 2_000
  private static let firstDelay: Int64 = 50

  private struct State {
    var failures: [String: (count: Int, last: Int64)] = [:]
    var waiting = 0
    var total: UInt64 = 0
  }

  private let state = Mutex(State())

  /// How many failures there were since the process began.
  var total: UInt64 { state.withLock { $0.total } }

  /// Notes a failure.
  ///
  /// - Parameter now: by the monotonic clock, in milliseconds.
  /// - Returns: how long its answer is to be held back; nil: too many are. Of a delay that was given `end` tells the end.
  func begin(from address: String, at now: Int64) -> Int64? {
    state.withLock { state in
      state.total &+= 1
      var known = state.failures[address] ?? (0, now)
      if now - known.last > Self.memory { known.count = 0 }
      known = (known.count + 1, now)
      if state.failures[address] == nil, state.failures.count >= Self.mostAddresses,
        let oldest = state.failures.min(by: { $0.value.last < $1.value.last })
      {
        state.failures[oldest.key] = nil
      }
      state.failures[address] = known
      guard state.waiting < Self.mostWaiting else { return nil }
      state.waiting += 1
      return min(Self.longestDelay, Self.firstDelay << min(known.count - 1, 10))
    }
  }

  func end() { state.withLock { $0.waiting -= 1 } }
}
