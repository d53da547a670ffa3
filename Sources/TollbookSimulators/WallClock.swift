private import FoundationEssentials

/// The one place that asks the machine for the time, or lets it go by.
package enum WallClock {
  /// Milliseconds since 1970.
  @Sendable package static func milliseconds() -> Int64 {
    Int64(Date().timeIntervalSince1970 * 1000)
  }

  /// Waits. A cancelled wait is a shorter wait: the call was counted and charged all the same.
  @Sendable package static func sleep(_ milliseconds: Int) async {
    try? await Task.sleep(for: .milliseconds(milliseconds))
  }
}
