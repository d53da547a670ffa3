/// The exponential moving average.
///
/// The first value, at index `length` - 1, is the mean of the first `length` values; then E = E₋₁ + 2/(length+1) · (x -
/// E₋₁), as TA-Lib reckons it. Averages that begin with the first value alone differ at first and come close after some
/// four lengths.
package enum EMA {
  /// - Parameter length: 1 gives the values themselves; below 1 there is no average.
  /// - Returns: one for each value; nil where there are too few.
  package static func series(_ values: [Double], length: Int) -> [Double?] {
    Smoothing.series(values, length: length, factor: Smoothing.exponential(length))
  }
}
