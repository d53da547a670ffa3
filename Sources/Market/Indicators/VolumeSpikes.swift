/// Which candles traded much more than those before them.
package struct VolumeSpikes: Hashable, Sendable {
  /// A candle that did.
  package struct Spike: Hashable, Sendable {
    /// When it opened, in milliseconds since 1970-01-01 00:00 UTC.
    package let openTime: Int64
    /// Its volume over the mean of the candles before.
    package let relative: Double
  }

  /// How many candles before a candle it is held against.
  package let window: Int
  /// From which relative volume on a candle spikes.
  package let threshold: Double
  /// The volume of the last candle over the mean of the `window` candles before; nil if they are too few, or that is 0.
  package let relative: Double?
  /// How many deviations the last candle is above that mean; nil if they are too few, or all the same.
  package let zScore: Double?
  /// Every candle that spikes, the oldest first.
  package let spikes: [Spike]

  /// Whether the last candle spikes: ``relative`` is at least ``threshold``. Nil if ``relative`` is. The z-score has no
  /// part in it: volumes are skewed, so deviations say little about how rare a volume is.
  package var isSpike: Bool? { relative.map { $0 >= threshold } }

  /// What makes a candle spike, for people.
  package var rule: String {
    "a candle spikes if its volume is at least \(threshold) times the mean volume of the "
      + "\(window) candles before it, itself not counted"
  }

  /// - Parameters:
  ///   - candles: all that are looked at; the first `window` of them cannot be told of.
  ///   - window: at least 1.
  ///   - threshold: 2 is notable and 3 is strong, by custom.
  package init(_ candles: [CandleFigures], window: Int = 20, threshold: Double = 3) {
    let series = RelativeVolume.series(candles.map(\.volume), window: window)
    self.window = window
    self.threshold = threshold
    relative = series.last?.relative
    zScore = series.last?.zScore
    spikes = zip(candles, series).compactMap { candle, volume in
      guard let relative = volume.relative, relative >= threshold else { return nil }
      return Spike(openTime: candle.openTime, relative: relative)
    }
  }
}
