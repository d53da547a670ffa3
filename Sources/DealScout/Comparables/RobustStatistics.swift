/// Figures of a sample of amounts that a few wild ones do not move, all exact.
///
/// * Median: the middle of the sorted amounts; of an even number of them, the mean of the two in the middle.
/// * MAD: the median of the distances from the median.
/// * Quartiles: inclusive, at the places (n − 1)/4 and 3(n − 1)/4 of the sorted amounts, with a straight line between
///   two of them (Hyndman and Fan 1996, type 7).
/// * Outliers: the modified z-score 0.6745 · (x − median) / MAD, above 3.5 either way (B. Iglewicz and D. Hoaglin, "How
///   to Detect and Handle Outliers", 1993; NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.H).
/// * If MAD is 0, more than half of the amounts are one, or nearly, and there is no z-score: then what is outside of
///   Tukey's fences, 1.5 interquartile ranges from the quartiles, is dropped. If that range is 0 as well, all is kept.
package struct RobustStatistics: Hashable, Sendable {
  /// By which rule outliers were told.
  package enum Method: String, CaseIterable, Hashable, Sendable {
    case modifiedZScore = "modified_z_score"
    case fences
    case keepAll = "keep_all"
  }

  /// An amount that is an outlier.
  package struct Outlier: Hashable, Sendable {
    package let amount: Int64
    /// Its modified z-score in thousandths, halves away from zero; nil where the fences decided.
    package let zScore: Int64?

    package init(amount: Int64, zScore: Int64?) {
      self.amount = amount
      self.zScore = zScore
    }
  }

  /// Where an amount becomes an outlier.
  package struct Limits: Hashable, Sendable {
    /// The highest modified z-score that is kept, in thousandths; from 0 to 100,000, beyond that the bound counts.
    package var zScore: Int64 = 3_500
    /// How far the fences are from the quartiles, in hundredths of the interquartile range; bounded alike.
    package var fence: Int64 = 150

    package init() {}
  }

  /// The most outliers that are listed, those farthest from the median first.
  package static let mostListed = 20

  /// How many amounts there were.
  package let count: Int
  /// How many of them are no outliers.
  package let kept: Int
  package let method: Method
  /// Of all amounts.
  package let median: QuarterUnits
  /// Of all amounts.
  package let mad: QuarterUnits
  /// Of all amounts.
  package let lowerQuartile: QuarterUnits
  /// Of all amounts.
  package let upperQuartile: QuarterUnits
  package let keptMedian: QuarterUnits
  package let keptLowerQuartile: QuarterUnits
  package let keptUpperQuartile: QuarterUnits
  /// At most ``mostListed``.
  package let outliers: [Outlier]

  package var dropped: Int { count - kept }

  /// The interquartile range of what is kept by its median, in thousandths, halves up; nil if the median is 0.
  package var keptSpread: Int64? {
    let range = keptUpperQuartile.quarters - keptLowerQuartile.quarters
    guard keptMedian.quarters > 0 else { return nil }
    return (range * 1_000).rounded(by: keptMedian.quarters)
  }

  /// - Parameter amounts: in any order; from 0 to ``Offer/mostMinorUnits``, beyond that the bound counts.
  /// - Returns: nil for no amounts.
  package init?(_ amounts: [Int64], limits: Limits = Limits()) {
    let sorted = amounts.map { min(max($0, 0), Offer.mostMinorUnits) }.sorted()
    self.init(SortedAmounts(sorted, without: nil), limits: limits)
  }

  init?(_ sample: SortedAmounts, limits: Limits) {
    self.init(sample, Cut(sample, limits: limits))
  }

  /// Nil for no amounts.
  init?(_ sample: SortedAmounts, _ cut: Cut) {
    guard sample.count > 0 else { return nil }
    let all = 0..<sample.count
    count = sample.count
    kept = cut.kept.count
    method = cut.method
    median = QuarterUnits(quarters: cut.median)
    mad = QuarterUnits(quarters: cut.mad)
    lowerQuartile = QuarterUnits(quarters: sample.quartile(1, of: all))
    upperQuartile = QuarterUnits(quarters: sample.quartile(3, of: all))
    keptMedian = QuarterUnits(quarters: sample.median(of: cut.kept))
    keptLowerQuartile = QuarterUnits(quarters: sample.quartile(1, of: cut.kept))
    keptUpperQuartile = QuarterUnits(quarters: sample.quartile(3, of: cut.kept))
    outliers = cut.kept.count == sample.count ? [] : Self.outliers(of: sample, cut)
  }

  private static func outliers(of sample: SortedAmounts, _ cut: Cut) -> [Outlier] {
    var low = 0
    var high = sample.count - 1
    var listed: [Outlier] = []
    while listed.count < mostListed, low < cut.kept.lowerBound || high >= cut.kept.upperBound {
      let below = low < cut.kept.lowerBound ? cut.median - 4 * sample[low] : -1
      let above = high >= cut.kept.upperBound ? 4 * sample[high] - cut.median : -1
      let amount = above >= below ? sample[high] : sample[low]
      if above >= below { high -= 1 } else { low += 1 }
      listed.append(Outlier(amount: amount, zScore: cut.zScore(of: amount)))
    }
    return listed
  }

  /// What is kept of a sample, and by which rule.
  struct Cut {
    let method: Method
    /// In quarters.
    let median: Int64
    /// In quarters.
    let mad: Int64
    /// The places of what is kept.
    let kept: Range<Int>

    /// For at least one amount. Takes time in proportion to the logarithm of their number.
    init(_ sample: SortedAmounts, limits: Limits) {
      let all = 0..<sample.count
      median = sample.median(of: all)
      mad = sample.medianDistance(from: median)
      if mad > 0 {
        method = .modifiedZScore
        // 0.6745 d / MAD <= limit, in integers.
        let most = min(max(limits.zScore, 0), 100_000) * 10 * mad / 6_745
        kept = sample.places(from: median - most, through: median + most)
        return
      }
      let lower = sample.quartile(1, of: all)
      let upper = sample.quartile(3, of: all)
      guard upper > lower else {
        method = .keepAll
        kept = all
        return
      }
      method = .fences
      let reach = min(max(limits.fence, 0), 100_000) * (upper - lower) / 100
      kept = sample.places(from: lower - reach, through: upper + reach)
    }

    /// In thousandths; nil without a MAD.
    func zScore(of amount: Int64) -> Int64? {
      guard mad > 0 else { return nil }
      return (6_745 * (4 * amount - median)).rounded(by: 10 * mad)
    }
  }
}
