package import JSONText
package import TollbookEvents

/// What a product would bring, how fast it sells, and one number for both. A pure function of Keepa's product object, the
/// costs, the tables, the day and the settings.
///
/// Money is in the currency's minor unit; returns and margins are in tenths of a percent, to the nearest, halves away from
/// zero: 672 is 67.2 %. What cannot be told is nil.
package struct ProductScore: Sendable {
  package let asin: KeepaASIN?
  package let title: String?
  package let domain: KeepaDomain?
  /// Nil: the product has no price now, and nothing but its velocity is known.
  package let price: Int64?
  package let priceKind: PriceChoice.Kind?
  package let fees: FeeBreakdown?
  /// What is left of the price after the fees.
  package let payout: Int64?
  /// What is left of the payout after the landed cost.
  package let profit: Int64?
  /// The profit in tenths of a percent of the landed cost; nil also if that is 0.
  package let roi: Int64?
  /// The profit in tenths of a percent of the price.
  package let margin: Int64?
  /// The lowest price that brings the cost back.
  package let breakEven: Int64?
  /// The most that the landed cost may be for the settings' target.
  package let maxCost: Int64?
  package let velocity: SalesVelocity
  /// 0 to 100; nil if the return or the units are not known.
  package let score: Int?
  /// What is neither Keepa's own nor the caller's figure, as `figure:basis`; see ``Estimate``.
  package let estimated: [String]

  package var velocityBand: VelocityBand? { velocity.band }
  package var monthlyUnits: Int64? { velocity.monthlyUnits }

  /// - Parameters:
  ///   - product: Keepa's product object.
  ///   - day: the day of the sale in the marketplace; it decides which fees hold.
  package init(
    product: JSONValue, costs: ProductCosts, tables: FeeTables, day: CalendarDay,
    configuration: ScoringConfiguration
  ) {
    self.init(
      ProductFigures(product), costs: costs, tables: tables, day: day, configuration: configuration)
  }

  package init(
    _ figures: ProductFigures, costs: ProductCosts, tables: FeeTables, day: CalendarDay,
    configuration: ScoringConfiguration
  ) {
    asin = figures.asin
    title = figures.title
    domain = figures.domain
    velocity = SalesVelocity(figures, configuration: configuration)
    var estimated = Self.estimates(of: velocity)
    guard let choice = PriceChoice(figures, isCautious: configuration.isCautious) else {
      (price, priceKind, fees, payout, profit, roi) = (nil, nil, nil, nil, nil, nil)
      (margin, breakEven, maxCost, score) = (nil, nil, nil, nil)
      self.estimated = estimated.map(\.description)
      return
    }
    if choice.isAverage { estimated.append(.priceFromAverage) }
    let day = figures.domain.flatMap { tables.tables(on: day, in: $0) }
    let fees = ProductFees(figures, price: choice.price, tables: day)
    estimated += fees.estimated
    let guess = configuration.buyRatio?.share(of: choice.price)
    if costs.buy == nil, guess != nil { estimated.append(.buyFromRatio) }
    let returns = ProductReturns(
      price: choice.price, schedule: fees.schedule, cost: costs.landed(guess: guess),
      targetROI: configuration.targetROI)
    let parts = ScoreParts(
      figures, choice: choice, roi: returns.roi, velocity: velocity, configuration: configuration)
    price = choice.price
    priceKind = choice.kind
    self.fees = fees.schedule.fees(at: choice.price)
    payout = returns.payout
    profit = returns.profit
    roi = returns.roi
    margin = returns.margin
    breakEven = returns.breakEven
    maxCost = returns.maxCost
    score = parts.score(configuration.weights)
    self.estimated = (estimated + (score == nil ? [] : parts.estimated)).map(\.description)
  }

  private static func estimates(of velocity: SalesVelocity) -> [Estimate] {
    switch velocity.source {
    case .drops30Days: [.unitsFromDrops30]
    case .drops90Days: [.unitsFromDrops90]
    case .monthlySold, nil: []
    }
  }
}

/// What a sale brings.
package struct ProductReturns: Hashable, Sendable {
  package let payout: Int64?
  package let profit: Int64?
  package let roi: Int64?
  package let margin: Int64?
  package let breakEven: Int64?
  package let maxCost: Int64?

  /// - Parameters:
  ///   - price: above 0.
  ///   - cost: the landed cost; nil if it is not known.
  ///   - targetROI: in tenths of a percent.
  package init(price: Int64, schedule: FeeSchedule, cost: Int64?, targetROI: Int64) {
    let payout = schedule.payout(at: price)
    self.payout = payout
    profit = payout.flatMap { payout in cost.map { payout - $0 } }
    roi = profit.flatMap { profit in cost.flatMap { Self.tenths(profit, of: $0) } }
    margin = profit.flatMap { Self.tenths($0, of: price) }
    breakEven = cost.flatMap { schedule.breakEven(cost: $0) }
    maxCost = schedule.maxCost(at: price, targetROI: targetROI)
  }

  /// A part in tenths of a percent of a whole; nil if that is 0.
  private static func tenths(_ part: Int64, of whole: Int64) -> Int64? {
    guard whole > 0 else { return nil }
    return Int64(clamping: (Int128(part) * 1_000).rounded(dividingBy: Int128(whole)))
  }
}
