package import TollbookEvents

/// Scores of offers against comparables. Pure functions: the same offers, instant and rules give the same verdicts, in
/// whatever order the comparables come.
package enum DealScorer {
  /// The verdict on one offer.
  ///
  /// - Throws: the first field of the rules that is out of its range.
  package static func score(
    _ offer: Offer, against comparables: [Offer], now: Timestamp, rules: DealRules = DealRules()
  ) throws(RuleError) -> DealVerdict {
    try ComparableBook(comparables, now: now, rules: rules).verdict(on: offer)
  }

  /// The verdicts on many offers, which may be among the comparables, in their order.
  ///
  /// - Throws: the first field of the rules that is out of its range.
  package static func score(
    all offers: [Offer], against comparables: [Offer], now: Timestamp,
    rules: DealRules = DealRules()
  ) throws(RuleError) -> [DealVerdict] {
    try ComparableBook(comparables, now: now, rules: rules).verdicts(on: offers)
  }
}
