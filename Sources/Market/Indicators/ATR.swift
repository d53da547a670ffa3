/// The average true range of J. Welles Wilder: how far prices move within a candle, gaps between candles included.
package enum ATR {
  /// The average true range at one candle.
  package struct Value: Hashable, Sendable {
    /// In the unit of the price.
    package let range: Double
    /// The same in percent of the close: 2 is 2 %. Nil if the close is 0.
    package let percent: Double?
  }

  /// The true range is the largest of high - low, |high - close before| and |low - close before|; the first candle has
  /// none. The first average, at index `length`, is the mean of the first `length` true ranges; then A = (A₋₁(length-1)
  /// + range) / length, as TA-Lib reckons it.
  ///
  /// - Parameter length: below 1 there is no value.
  /// - Returns: one for each candle; nil where there are too few.
  package static func series(_ candles: [CandleFigures], length: Int = 14) -> [Value?] {
    var ranges: [Double] = []
    ranges.reserveCapacity(candles.count)
    var before = candles.first?.close ?? 0
    for candle in candles {
      ranges.append(
        max(candle.high - candle.low, abs(candle.high - before), abs(candle.low - before)))
      before = candle.close
    }
    let averages = Smoothing.series(
      ranges, from: 1, length: length, factor: Smoothing.wilder(length))
    return zip(candles, averages).map { candle, average in
      average.map { Value(range: $0, percent: (100 * ($0 / candle.close)).ifFinite) }
    }
  }
}
