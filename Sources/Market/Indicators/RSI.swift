/// The relative strength index of J. Welles Wilder, from 0 to 100.
///
/// G and D are the averages of what closes rose and fell from one candle to the next. The first, at index `length`, are
/// the means of the first `length` changes; then G = (G₋₁(length-1) + g) / length. RSI = 100 · G / (G + D).
package enum RSI {
  /// - Parameter length: at least 2, as in TA-Lib; below there is no value.
  /// - Returns: one for each close; nil where there are too few. Nil, too, where G + D is 0, since no close has changed
  ///   yet and there is nothing to compare. TA-Lib answers 0 there.
  package static func series(_ closes: [Double], length: Int) -> [Double?] {
    guard length >= 2 else { return closes.map { _ in nil } }
    var (gains, losses) = ([Double](), [Double]())
    gains.reserveCapacity(closes.count)
    losses.reserveCapacity(closes.count)
    var before = closes.first ?? 0
    for close in closes {
      gains.append(max(close - before, 0))
      losses.append(max(before - close, 0))
      before = close
    }
    let factor = Smoothing.wilder(length)
    let rising = Smoothing.series(gains, from: 1, length: length, factor: factor)
    let falling = Smoothing.series(losses, from: 1, length: length, factor: factor)
    return zip(rising, falling).map { gain, loss in
      guard let gain, let loss, let both = (gain + loss).ifFinite, both > 0 else { return nil }
      return 100 * (gain / both)
    }
  }
}
