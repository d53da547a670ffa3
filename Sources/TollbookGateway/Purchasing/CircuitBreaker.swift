/// Whether an upstream is asked at all: after some failures in a row it is left alone for a while, then asked with one
/// probe. A probe that fails makes the next pause longer.
///
/// Times are in milliseconds of the monotonic clock.
struct CircuitBreaker: Hashable, Sendable {
  /// Failures in a row that open it.
  static let failuresToOpen = 5
  static let firstPause: Int64 = 5_000
  static let longestPause: Int64 = 300_000

  private enum State: Hashable {
    case closed(failures: Int)
    case open(until: Int64, pause: Int64)
    /// One call is out, and nobody else's is sent until it has ended.
    case probing(pause: Int64)
  }

  /// What may be sent.
  enum Gate: Hashable {
    case calls
    /// One call.
    case probe
    /// Nothing yet: a probe is out.
    case wait
    /// Nothing until then.
    case closed(until: Int64)
  }

  private var state = State.closed(failures: 0)

  /// When it is asked again; nil: it is asked now, or a probe is out.
  var pausedUntil: Int64? { if case .open(let until, _) = state { until } else { nil } }

  /// Whether the upstream is left alone but for a probe.
  var isOpen: Bool { if case .closed = state { false } else { true } }

  func gate(at now: Int64) -> Gate {
    switch state {
    case .closed: .calls
    case .open(let until, _): now < until ? .closed(until: until) : .probe
    case .probing: .wait
    }
  }

  /// A probe is sent.
  mutating func probe() {
    if case .open(_, let pause) = state { state = .probing(pause: pause) }
  }

  /// A probe that was to be sent is not.
  mutating func cancelProbe(at now: Int64) {
    if case .probing(let pause) = state { state = .open(until: now, pause: pause) }
  }

  /// The upstream answered something that could be read.
  mutating func succeed() { state = .closed(failures: 0) }

  mutating func fail(at now: Int64) {
    switch state {
    case .closed(let failures) where failures + 1 < Self.failuresToOpen:
      state = .closed(failures: failures + 1)
    case .closed: state = .open(until: now + Self.firstPause, pause: Self.firstPause)
    case .probing(let pause):
      let next = min(pause * 2, Self.longestPause)
      state = .open(until: now + next, pause: next)
    // A call that was sent before it opened.
    case .open: break
    }
  }
}
