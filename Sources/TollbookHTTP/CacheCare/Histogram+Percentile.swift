import TollbookLog

extension Histogram {
  /// How many values there are.
  var total: UInt64 { counts.reduce(0, +) }

  /// The mean; nil without values.
  var mean: Double? { total == 0 ? nil : sum / Double(total) }

  /// The value that a part of all values does not exceed; nil without values.
  ///
  /// Values of a class are taken to be spread evenly over it, so that it is an estimate within the class, and never
  /// below or above it. Those above the last bound are told as that bound.
  ///
  /// - Parameter part: above 0, up to 1.
  func percentile(_ part: Double) -> Double? {
    let total = total
    guard total > 0 else { return nil }
    let rank = max(1, (part * Double(total)).rounded(.up))
    var below = 0.0
    for (index, count) in counts.enumerated() where count > 0 {
      if below + Double(count) >= rank {
        guard index < bounds.count else { return bounds.last }
        let lower = index == 0 ? 0 : bounds[index - 1]
        let share = (rank - below) / Double(count)
        return min(bounds[index], lower + (bounds[index] - lower) * share)
      }
      below += Double(count)
    }
    return bounds.last
  }
}

extension Double {
  /// Seconds as milliseconds, to two decimals.
  var inMilliseconds: Double { (self * 100_000).rounded() / 100 }
}
