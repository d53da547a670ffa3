/// A candle's volume held against that of the candles before it. The candle itself is not among them: it would dampen
/// what it is measured by.
package struct RelativeVolume: Hashable, Sendable {
  /// Its volume over the mean of the `window` candles before; 1 is as usual. Nil if there are fewer, or the mean is 0.
  package let relative: Double?
  /// How many deviations its volume is above the mean of the `window` candles before. The deviation is the
  /// population's. Nil if there are fewer, or the deviation is 0.
  package let zScore: Double?

  /// - Parameter window: how many candles before count; below 1 nothing can be told.
  /// - Returns: one for each volume.
  package static func series(_ volumes: [Double], window: Int) -> [RelativeVolume] {
    var before: Moments?
    return zip(volumes, Moments.rolling(volumes, window: window)).map { volume, upTo in
      defer { before = upTo }
      return RelativeVolume(volume, against: before)
    }
  }

  private init(_ volume: Double, against moments: Moments?) {
    guard let moments, moments.mean.isFinite else {
      (relative, zScore) = (nil, nil)
      return
    }
    // Divided by 0, no number is finite.
    relative = (volume / moments.mean).ifFinite
    zScore = moments.deviation.flatMap { ((volume - moments.mean) / $0).ifFinite }
  }
}
