/// Averages in which older values weigh less and less: the exponential one and Wilder's, which differ in the factor
/// only.
enum Smoothing {
  /// The factor of an exponential moving average of that length.
  static func exponential(_ length: Int) -> Double { 2 / (Double(length) + 1) }

  /// The factor of J. Welles Wilder ("New Concepts in Technical Trading Systems", 1978): (A₋₁(n-1) + x) / n is
  /// A₋₁ + (x - A₋₁) / n.
  static func wilder(_ length: Int) -> Double { 1 / Double(length) }

  /// The first average is the mean of `length` values from index `start` on, and stands at the last of them. Then
  /// A = A₋₁ + factor · (x - A₋₁).
  ///
  /// - Returns: as many as there are values; nil before the first average, from the first that is not finite on, and
  ///   everywhere if the values are too few or the length is below 1.
  static func series(
    _ values: [Double], from start: Int = 0, length: Int, factor: Double
  ) -> [Double?] {
    var series = [Double?](repeating: nil, count: values.count)
    guard start >= 0, start <= values.count, length >= 1, length <= values.count - start else {
      return series
    }
    let first = start + length - 1
    var average = Moments(of: values[start...first]).mean
    series[first] = average.ifFinite
    for index in values.indices.dropFirst(first + 1) {
      average += factor * (values[index] - average)
      series[index] = average.ifFinite
    }
    return series
  }
}
