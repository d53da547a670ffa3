/// Moving average convergence/divergence: how far a fast average is above a slow one, and the average of that.
///
/// Seeded as in TA-Lib: both averages begin at index `slow` - 1, the fast one with the mean of the `fast` values that
/// end there. The average of the line begins with the mean of its first `signal` values. The line is told only from
/// there on: with 12, 26 and 9 from index 33.
package enum MACD {
  /// The three figures at one candle, in the unit of the price.
  package struct Value: Hashable, Sendable {
    /// The fast average minus the slow one.
    package let line: Double
    /// The exponential average of the line.
    package let signal: Double
    /// Line minus signal.
    package let histogram: Double
  }

  /// - Parameters:
  ///   - fast: at least 1 and below `slow`.
  ///   - signal: at least 1.
  /// - Returns: one for each value; nil where there are too few, and everywhere for lengths that are not as told above.
  package static func series(
    _ values: [Double], fast: Int = 12, slow: Int = 26, signal: Int = 9
  ) -> [Value?] {
    guard fast >= 1, fast < slow, signal >= 1 else { return values.map { _ in nil } }
    let quick = Smoothing.series(
      values, from: slow - fast, length: fast, factor: Smoothing.exponential(fast))
    let calm = EMA.series(values, length: slow)
    // Where there is no line, the signal must not have one either: `nan` stays in an average for good.
    let lines = zip(quick, calm).map { quick, calm in
      if let quick, let calm { quick - calm } else { Double.nan }
    }
    let signals = Smoothing.series(
      lines, from: slow - 1, length: signal, factor: Smoothing.exponential(signal))
    return zip(lines, signals).map { line, signal in
      guard let signal, let line = line.ifFinite, let histogram = (line - signal).ifFinite else {
        return nil
      }
      return Value(line: line, signal: signal, histogram: histogram)
    }
  }
}
