/// What a marketplace keeps of a sale, as the user states it. Tollbook knows no fees of its own here: they differ by
/// category, country and contract.
package struct SellingFees: Hashable, Sendable {
  /// Of what the buyer pays, shipping included, in hundredths of a percent: 1325 is 13.25 %.
  package let rate: Int64
  /// For each order, in minor units of the sale's currency.
  package let fixed: Int64

  /// - Throws: `rate` outside of 0 to 10,000, or `fixed` outside of 0 to ``Offer/mostMinorUnits``.
  package init(rate: Int64, fixed: Int64) throws(RuleError) {
    let rates: ClosedRange<Int64> = 0...10_000
    guard rates.contains(rate) else { throw RuleError(field: "rate", value: rate, range: rates) }
    let amounts = 0...Offer.mostMinorUnits
    guard amounts.contains(fixed) else {
      throw RuleError(field: "fixed", value: fixed, range: amounts)
    }
    self.rate = rate
    self.fixed = fixed
  }

  /// What is left of a total, before what it costs to send it: below 0 if the fees are higher. The share is rounded to
  /// the nearest minor unit, halves up.
  ///
  /// - Parameter total: from 0 to ``Offer/mostMinorUnits``, beyond that the bound counts.
  package func net(of total: Int64) -> Int64 {
    let bounded = min(max(total, 0), Offer.mostMinorUnits)
    return bounded - (bounded * rate).rounded(by: 10_000) - fixed
  }
}
