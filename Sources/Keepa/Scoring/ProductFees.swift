import TollbookUpstreams

/// The fees of a product on a day: Keepa's own figures where it has them, else the tables.
package struct ProductFees: Sendable {
  package let schedule: FeeSchedule
  /// What does not come from Keepa.
  package let estimated: [Estimate]

  /// - Parameters:
  ///   - price: the price that Keepa's figures are taken to be for.
  ///   - tables: those of the day in the product's marketplace; nil if there are none. Then nothing is estimated: without
  ///     Keepa's own figure a fee is nil.
  package init(_ figures: ProductFigures, price: Int64, tables: DayFees?) {
    let referral = Self.referral(figures, price: price, tables: tables)
    let fulfilment = Self.fulfilment(figures, price: price, tables: tables)
    let closing = Self.closing(figures, tables: tables)
    schedule = FeeSchedule(
      referral: referral.rule, fulfilment: fulfilment.fees, surcharge: fulfilment.surcharge,
      closing: closing.fee)
    estimated =
      referral.estimated + fulfilment.estimated + closing.estimated
      + (Self.isOutdated(tables) ? [.outdatedTables] : [])
  }

  private static func isOutdated(_ tables: DayFees?) -> Bool {
    guard let tables else { return false }
    return [
      tables.referral?.isOutdated, tables.closing?.isOutdated, tables.surcharge?.isOutdated,
      tables.fulfilment?.isOutdated,
    ].contains(true)
  }

  // MARK: - Referral

  /// Keepa's rate first. Our table adds the least fee of the category, and its steps where Keepa's rate shows that the
  /// product really is in that category.
  private static func referral(
    _ figures: ProductFigures, price: Int64, tables: DayFees?
  ) -> (rule: ReferralRule?, estimated: [Estimate]) {
    let table = tables?.referral?.value.rule(for: figures.categories)
    guard let rate = figures.referralRate else {
      return (table, table.map { [.referral(table: $0.category)] } ?? [])
    }
    guard let table else { return (ReferralRule(flat: rate, minimum: 0, category: "keepa"), []) }
    let flat = ReferralRule(flat: rate, minimum: table.minimum, category: table.category)
    let rule = table.style != .flat && table.explains(rate, at: price) ? table : flat
    var estimated: [Estimate] = []
    if rule.style != .flat {
      estimated.append(
        rule.isClose(rate, at: price)
          ? .breakEven(steps: rule.category) : .referral(steps: rule.category))
    }
    if rule.isMinimum(on: price) { estimated.append(.minimumReferral) }
    return (rule, estimated)
  }

  // MARK: - Fulfilment and surcharge

  private static func fulfilment(
    _ figures: ProductFigures, price: Int64, tables: DayFees?
  ) -> (fees: PricedFees?, surcharge: FeeRate?, estimated: [Estimate]) {
    guard let tables else {
      return (figures.fulfilmentFee.map { PricedFees(always: $0) }, FeeRate.zero, [])
    }
    let card = tables.fulfilment?.value
    let tier = figures.parcel.flatMap { card?.tier(of: $0) }
    let own = figures.parcel.flatMap { card?.fees(for: $0) }
    let rate = tables.surcharge?.value.rate
    guard let fee = figures.fulfilmentFee else {
      guard let own, let tier else { return (nil, rate, []) }
      return (own, rate, [.fulfilment(tier: tier.name)] + surcharge(rate))
    }
    let isInside = tables.holdsSurcharge(figures.fulfilmentFeeDay)
    let added = isInside ? FeeRate.zero : rate
    let isEarlier = figures.fulfilmentFeeDay.map { !tables.isOfThisCard($0) } ?? false
    let fees = steps(of: own, through: fee, at: price, surcharge: isInside ? rate : nil)
    return (fees, added, (isEarlier ? [.earlierCard] : []) + surcharge(added))
  }

  private static func surcharge(_ rate: FeeRate?) -> [Estimate] {
    rate.map { $0 > .zero } ?? false ? [.surcharge] : []
  }

  /// Keepa's fee at the price that it is for; at other prices as much more or less as our card says.
  private static func steps(
    of own: PricedFees?, through fee: Int64, at price: Int64, surcharge: FeeRate?
  ) -> PricedFees {
    guard let own else { return PricedFees(always: fee) }
    let charged = own.map { $0 + (surcharge?.share(of: $0) ?? 0) }
    let here = charged.fee(at: price)
    return charged.map { max(0, fee + ($0 - here)) }
  }

  // MARK: - Closing

  private static func closing(
    _ figures: ProductFigures, tables: DayFees?
  ) -> (fee: Int64, estimated: [Estimate]) {
    if let fee = figures.closingFee { return (fee, []) }
    guard let rule = tables?.referral?.value.rule(for: figures.categories),
      let fee = tables?.closing?.value.fee(for: rule.category), fee > 0
    else { return (0, []) }
    return (fee, [.closing])
  }
}

extension ReferralRule {
  /// Whether a rate is what this rule comes to at a price, to a hundredth of a percent.
  fileprivate func isClose(_ rate: FeeRate, at price: Int64) -> Bool {
    effectiveRate(on: price).map { abs($0.hundredths - rate.hundredths) <= 1 } ?? false
  }

  /// Whether a rate can come from this rule: at this price, or as one of its bands at the price that Keepa last knew.
  fileprivate func explains(_ rate: FeeRate, at price: Int64) -> Bool {
    isClose(rate, at: price) || bands.contains { $0.rate == rate }
  }
}
