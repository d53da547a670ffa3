private import FoundationEssentials

/// The one place that asks the machine for the time.
package enum WallClock {
  /// Milliseconds since 1970.
  @Sendable package static func milliseconds() -> Int64 {
    Int64(Date().timeIntervalSince1970 * 1000)
  }
}
