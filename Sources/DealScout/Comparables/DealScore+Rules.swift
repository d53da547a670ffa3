extension DealScore {
  /// - Parameter rules: validated.
  init(_ offer: Offer, _ comparables: Comparables, _ rules: DealRules) {
    let statistics = comparables.statistics
    let fair = statistics.keptMedian.quarters
    let total = 4 * offer.total
    let isImplausible = total * 1_000 < rules.implausibleBelow * fair
    let penalties = Self.penalties(of: offer, rules)
    id = offer.id
    self.total = offer.total
    currency = offer.currency
    self.fair = statistics.keptMedian
    discount = ((fair - total) * 1_000).rounded(by: fair)
    if isImplausible {
      tenths = 0
    } else {
      let whole = ((fair - total) * 1_000_000).rounded(by: fair * rules.fullDiscount)
      let less = penalties.reduce(0) { $0 + $1.tenths }
      tenths = max(0, min(max(whole, 0), 1_000) - less)
    }
    confidence = Self.confidence(comparables, rules)
    var flags: [DealFlag] = []
    if isImplausible { flags.append(.implausiblyCheap) }
    if offer.isShippingUnknown { flags.append(.unknownShipping) }
    if offer.isAuction { flags.append(.auction) }
    self.flags = flags
    self.penalties = penalties
    self.comparables = comparables
  }

  private static func penalties(of offer: Offer, _ rules: DealRules) -> [DealPenalty] {
    var penalties: [DealPenalty] = []
    func add(_ reason: DealPenalty.Reason, _ tenths: Int64) {
      if tenths > 0 { penalties.append(DealPenalty(reason: reason, tenths: tenths)) }
    }
    let (percentage, score) = (offer.seller.feedbackPercentage, offer.seller.feedbackScore)
    if let percentage, percentage < rules.goodFeedback {
      add(.lowFeedback, rules.lowFeedbackPenalty)
    }
    if let score, score < rules.enoughRatings { add(.fewRatings, rules.fewRatingsPenalty) }
    if percentage == nil || score == nil { add(.unknownFeedback, rules.unknownFeedbackPenalty) }
    if offer.isShippingUnknown { add(.unknownShipping, rules.unknownShippingPenalty) }
    return penalties
  }

  /// By the number of kept comparables, high only by those that were sold: what is asked is more than what is paid. One
  /// step lower where they lie far apart.
  private static func confidence(_ comparables: Comparables, _ rules: DealRules) -> Confidence {
    let statistics = comparables.statistics
    let byNumber: Confidence =
      comparables.sold >= rules.highConfidenceSold
      ? .high : statistics.kept >= rules.mediumConfidence ? .medium : .low
    return statistics.isKeptWider(than: rules.widestSpread) ? byNumber.lowered : byNumber
  }
}

extension RobustStatistics {
  /// Whether the interquartile range of what is kept is above a share of its median, in thousandths.
  func isKeptWider(than share: Int64) -> Bool {
    (keptUpperQuartile.quarters - keptLowerQuartile.quarters) * 1_000
      > min(max(share, 0), 100_000) * keptMedian.quarters
  }
}
