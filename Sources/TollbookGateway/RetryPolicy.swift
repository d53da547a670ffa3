import TollbookEvents
import TollbookUpstreams

/// When a failed attempt is made again. In milliseconds.
package struct RetryPolicy: Sendable, Hashable {
  /// Attempts in all.
  package var attempts: UInt32 = 3
  /// The longest wait before the second attempt; it doubles with each further one.
  package var firstDelay: Int64 = 250
  package var longestDelay: Int64 = 10_000
  /// An attempt is given up after that, if its upstream says nothing else.
  package var attemptTimeout: Int64 = 30_000
  /// No further attempt of a fetch is begun after that, and all of them together are given up after that or after the
  /// time of one attempt, whichever is longer.
  package var totalTimeout: Int64 = 60_000
  /// No attempt is begun that would have less time than that: it would be paid for and given up.
  package var shortestAttempt: Int64 = 1_000

  package init() {}

  /// Whether the upstream itself is in trouble.
  static func isFault(_ reason: FailureReason) -> Bool {
    switch reason {
    case .notSent, .timedOut, .connectionLost, .unreadable, .upstreamError: true
    default: false
    }
  }

  /// Whether another credential may get what this one did not.
  static func isOfCredential(_ reason: FailureReason) -> Bool {
    reason == .keyRejected || reason == .insufficientTokens
  }

  /// Whether another attempt may get what this one did not. An answer that came and cannot be read would be paid for again.
  static func isWorthRetrying(_ failure: UpstreamFailure) -> Bool {
    isFault(failure.reason) && failure.reason != .unreadable
  }

  /// The wait after attempt number `attempt`: anywhere between nothing and a limit that doubles (full jitter), so that
  /// callers who failed together do not come back together.
  ///
  /// - Parameters:
  ///   - left: how long somebody still waits for what it brings. Nothing is paid for again that nobody waits for.
  ///   - random: from 0 up to, not including, 1.
  /// - Returns: nil if no attempt is left or the time for the fetch is over.
  func delay(
    after attempt: UInt32, elapsed: Int64, left: Int64 = .max, random: Double
  ) -> Int64? {
    guard attempt < attempts else { return nil }
    let doublings = min(attempt - 1, 30)
    let limit = min(longestDelay, firstDelay << Int64(doublings))
    let delay = Int64(Double(limit + 1) * random)
    return isInTime(elapsed: elapsed + delay, left: left - delay) ? delay : nil
  }

  /// Whether an attempt that begins now has the time that it needs.
  ///
  /// - Parameter left: how long somebody still waits for what it brings.
  func isInTime(elapsed: Int64, left: Int64) -> Bool {
    elapsed + shortestAttempt <= totalTimeout && shortestAttempt <= left
  }

  /// How long the next attempt may take.
  ///
  /// - Parameters:
  ///   - callLimit: how long one may take at this upstream; nil: it says nothing.
  ///   - asked: how long one may take by the word of who asks; nil: they say nothing.
  ///   - elapsed: since the first attempt began.
  func attemptLimit(_ callLimit: Int64?, asked: Int64? = nil, elapsed: Int64) -> Int64 {
    let longest = callLimit ?? attemptTimeout
    let limit = min(asked ?? longest, longest)
    return min(limit, max(totalTimeout, limit) - elapsed)
  }
}
