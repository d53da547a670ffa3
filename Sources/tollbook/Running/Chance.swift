/// The one place that rolls dice: for the jitter of retries, where nothing depends on the outcome.
enum Chance {
  /// A number from 0 up to, not including, 1.
  @Sendable static func fraction() -> Double { .random(in: 0..<1) }
}
