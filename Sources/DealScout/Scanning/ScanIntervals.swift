/// How the calls of an hour are shared out: how long each search waits between two scans.
///
/// Where new listings come by chance at a rate, what a scan every g hours leaves unseen for is g / 2 on the average.
/// The sum of rate · g / 2 over all searches is least, for a given number of calls, where g grows with the root of
/// calls / rate (Lagrange). The ends are cut: no search is scanned before its last answer has expired, and each is
/// after the longest gap.
struct ScanIntervals: Hashable, Sendable {
  /// One search.
  struct Share: Hashable, Sendable {
    /// Calls of a scan, on the average.
    let calls: Double
    /// New listings in an hour, above 0.
    let rate: Double
  }

  /// In milliseconds, one for each search.
  let lengths: [Int64]
  /// Whether the calls are enough to scan every search within the longest gap.
  let isEnough: Bool

  /// - Parameters:
  ///   - range: milliseconds that an interval may have.
  ///   - callsPerHour: what all together may take.
  init(_ shares: [Share], in range: ClosedRange<Int64>, callsPerHour: Double) {
    let (shortest, longest) = (Double(range.lowerBound), Double(range.upperBound))
    let roots = shares.map { ($0.calls / $0.rate).squareRoot() }
    /// Calls in an hour, with intervals of that many milliseconds for a root of 1.
    func demand(_ scale: Double) -> Double {
      zip(shares, roots).reduce(0) { sum, share in
        sum + share.0.calls * 3_600_000 / min(max(share.1 * scale, shortest), longest)
      }
    }
    let least = shares.reduce(0) { $0 + $1.calls } * 3_600_000 / longest
    guard least <= callsPerHour else {
      isEnough = false
      // All wait longer, by the same factor; a year, if there is nothing.
      let factor = callsPerHour > 0 ? least / callsPerHour : .infinity
      let length = Int64(min(longest * factor, 31_536_000_000))
      lengths = Array(repeating: length, count: shares.count)
      return
    }
    isEnough = true
    // The demand falls as the scale grows: halve the distance between one that is too small and one that is not.
    var low = 0.0
    var high = longest / (roots.min() ?? 1)
    for _ in 0..<40 {
      let middle = low + (high - low) / 2
      if demand(middle) > callsPerHour { low = middle } else { high = middle }
    }
    lengths = roots.map { Int64(min(max($0 * high, shortest), longest)) }
  }
}
