/// The bands of John Bollinger: the mean of the last `length` closes, and as many deviations above and below it.
///
/// The deviation is the population's: squares are divided by `length`, not by one less.
package enum Bollinger {
  /// The bands at one candle.
  package struct Bands: Hashable, Sendable {
    /// In the unit of the price.
    package let upper: Double
    package let middle: Double
    package let lower: Double
    /// Where the close is: 0 at the lower band, 1 at the upper one, beyond outside of them. Nil if the bands are one
    /// line.
    package let percentB: Double?
    /// How far the bands are apart, as a share of the middle: 0.1 is 10 %. Nil if the middle is 0.
    package let width: Double?
  }

  /// - Parameters:
  ///   - length: of how many closes; below 1 there are no bands.
  ///   - deviations: how many deviations each band is away from the middle.
  /// - Returns: one for each close; nil where there are too few.
  package static func series(
    _ closes: [Double], length: Int = 20, deviations: Double = 2
  ) -> [Bands?] {
    zip(closes, Moments.rolling(closes, window: length)).map { close, moments in
      moments.flatMap { bands(close, $0, deviations) }
    }
  }

  private static func bands(_ close: Double, _ moments: Moments, _ deviations: Double) -> Bands? {
    guard let deviation = moments.deviation,
      let upper = (moments.mean + deviations * deviation).ifFinite,
      let lower = (moments.mean - deviations * deviation).ifFinite,
      let spread = (upper - lower).ifFinite
    else { return nil }
    return Bands(
      upper: upper, middle: moments.mean, lower: lower,
      percentB: ((close - lower) / spread).ifFinite, width: (spread / moments.mean).ifFinite)
  }
}
