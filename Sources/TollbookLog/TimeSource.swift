package import TollbookEvents

/// Where instants and waiting come from. Everything that asks for the time takes one of these, so that a test decides
/// what time it is.
package struct TimeSource: Sendable {
  /// The wall clock.
  package let now: @Sendable () -> Timestamp
  /// Nanoseconds on a clock that never jumps, from an arbitrary start: for durations.
  package let monotonicNanoseconds: @Sendable () -> Int64
  /// Waits for that many milliseconds; throws when the task is cancelled.
  package let sleep: @Sendable (_ milliseconds: Int64) async throws -> Void

  package init(
    now: @escaping @Sendable () -> Timestamp,
    monotonicNanoseconds: @escaping @Sendable () -> Int64,
    sleep: @escaping @Sendable (_ milliseconds: Int64) async throws -> Void
  ) {
    self.now = now
    self.monotonicNanoseconds = monotonicNanoseconds
    self.sleep = sleep
  }

  /// Milliseconds on the clock that never jumps.
  package var monotonicMilliseconds: Int64 { monotonicNanoseconds() / 1_000_000 }
}
