/// Every threshold of the score. All are conventions and no standard; where no source is named they are our own.
package struct DealRules: Hashable, Sendable {
  /// How many comparables must be kept for a score.
  package var minimumComparables: Int64 = 5
  /// From how many kept ones that were sold the confidence is high.
  package var highConfidenceSold: Int64 = 10
  /// From how many kept ones it is at least medium.
  package var mediumConfidence: Int64 = 5
  /// Above this interquartile range, in thousandths of the fair price, the confidence is one step lower.
  package var widestSpread: Int64 = 350
  /// The discount that gets the full score, in tenths of a percent.
  package var fullDiscount: Int64 = 300
  /// Below this share of the fair price, in tenths of a percent, an offer is too cheap to be believed.
  package var implausibleBelow: Int64 = 400
  /// The highest modified z-score of a comparable, in thousandths.
  package var outlierZScore: Int64 = 3_500
  /// How far Tukey's fences are from the quartiles, in hundredths of the interquartile range.
  package var outlierFence: Int64 = 150
  /// Below this share of good ratings, in hundredths of a percent, ``lowFeedbackPenalty`` counts.
  package var goodFeedback: Int64 = 9_900
  /// Below this number of ratings ``fewRatingsPenalty`` counts.
  package var enoughRatings: Int64 = 50
  /// In tenths of a point, as are the other penalties.
  package var lowFeedbackPenalty: Int64 = 100
  package var fewRatingsPenalty: Int64 = 100
  /// Where the share or the number of ratings is not known.
  package var unknownFeedbackPenalty: Int64 = 50
  package var unknownShippingPenalty: Int64 = 150
  /// How long before its end an auction counts, in milliseconds; earlier its price says nothing.
  package var auctionWindow: Int64 = 3_600_000
  /// How long ago a comparable on offer was seen at most, in milliseconds: a day and half of one, so that a nightly
  /// refresh may be late.
  package var oldestSeen: Int64 = 36 * 3_600_000
  /// How long ago one was sold at most, in milliseconds: 90 days, as eBay's own sales reports.
  package var oldestSale: Int64 = 90 * 86_400_000
  /// Whether an offer without known shipping is a comparable, by its price alone. That makes fair prices too low.
  package var comparesUnknownShipping = false

  /// The rules that hold where nobody says otherwise.
  package init() {}

  var limits: RobustStatistics.Limits {
    var limits = RobustStatistics.Limits()
    limits.zScore = outlierZScore
    limits.fence = outlierFence
    return limits
  }

  /// Checks every field, in the order of their declaration.
  ///
  /// - Throws: the first field that is out of its range.
  package func validate() throws(RuleError) {
    for (field, value, range) in bounds where !range.contains(value) {
      throw RuleError(field: field, value: value, range: range)
    }
    guard highConfidenceSold >= mediumConfidence else {
      throw RuleError(
        field: "high_confidence_sold", value: highConfidenceSold, range: mediumConfidence...100_000)
    }
  }

  private var bounds: [(field: String, value: Int64, range: ClosedRange<Int64>)] {
    let day: Int64 = 86_400_000
    return [
      ("minimum_comparables", minimumComparables, 3...1_000),
      ("high_confidence_sold", highConfidenceSold, 1...100_000),
      ("medium_confidence", mediumConfidence, 1...100_000),
      ("widest_spread", widestSpread, 0...10_000),
      ("full_discount", fullDiscount, 1...1_000),
      ("implausible_below", implausibleBelow, 0...999),
      ("outlier_z_score", outlierZScore, 1_000...100_000),
      ("outlier_fence", outlierFence, 0...1_000),
      ("good_feedback", goodFeedback, 0...10_000),
      ("enough_ratings", enoughRatings, 0...1_000_000),
      ("low_feedback_penalty", lowFeedbackPenalty, 0...1_000),
      ("few_ratings_penalty", fewRatingsPenalty, 0...1_000),
      ("unknown_feedback_penalty", unknownFeedbackPenalty, 0...1_000),
      ("unknown_shipping_penalty", unknownShippingPenalty, 0...1_000),
      ("auction_window", auctionWindow, 0...7 * day),
      ("oldest_seen", oldestSeen, 1...30 * day),
      ("oldest_sale", oldestSale, 1...3 * 366 * day),
    ]
  }
}
