/// The parts of a score, each 0 to 100, or nil if it cannot be told.
struct ScoreParts {
  let roi: Int64?
  let velocity: Int64?
  let competition: Int64?
  let stability: Int64?
  let estimated: [Estimate]

  init(
    _ figures: ProductFigures, choice: PriceChoice, roi: Int64?, velocity: SalesVelocity,
    configuration: ScoringConfiguration
  ) {
    self.roi = roi.map { configuration.roi.points(at: $0) }
    self.velocity = velocity.band.map { configuration.bands.points(of: $0) }
    let sellers = figures.sellersFBA ?? figures.offersNew
    competition = sellers.map { sellers in
      let points = configuration.competition.points(at: sellers)
      return Self.share(of: points, percent: Self.percent(figures, configuration))
    }
    stability = Self.deviation(of: choice, figures).map { configuration.stability.points(at: $0) }
    var estimated: [Estimate] = []
    if figures.sellersFBA == nil, sellers != nil { estimated.append(.sellersFromOffers) }
    if competition == nil { estimated.append(.scoreWithoutCompetition) }
    if stability == nil { estimated.append(.scoreWithoutStability) }
    self.estimated = estimated
  }

  /// The weighted mean of the parts that are known, to the nearest whole number. Nil without the return or the velocity:
  /// what is left would say nothing about buying.
  func score(_ weights: ScoringConfiguration.Weights) -> Int? {
    guard let roi, let velocity else { return nil }
    var sum = Int128(roi * weights.roi + velocity * weights.velocity)
    var weight = weights.roi + weights.velocity
    for (points, own) in [(competition, weights.competition), (stability, weights.stability)] {
      guard let points else { continue }
      sum += Int128(points * own)
      weight += own
    }
    guard weight > 0 else { return nil }
    return Int(sum.rounded(dividingBy: Int128(weight)))
  }

  private static func percent(
    _ figures: ProductFigures, _ configuration: ScoringConfiguration
  ) -> Int64 {
    if figures.amazonHoldsBuyBox { return configuration.amazonHoldsPercent }
    return figures.amazonOffers ? configuration.besideAmazonPercent : 100
  }

  private static func share(of points: Int64, percent: Int64) -> Int64 {
    Int64(clamping: (Int128(points) * Int128(percent)).rounded(dividingBy: 100))
  }

  /// How far today's price is from its average of 90 days, in percent of that; nil without one.
  private static func deviation(of choice: PriceChoice, _ figures: ProductFigures) -> Int64? {
    let current: Int64? =
      switch choice.kind {
      case .buyBox: figures.buyBox.current
      case .fba: figures.fba.current
      case .new: figures.new.current
      }
    guard let current, let average = choice.average90Days, average > 0 else { return nil }
    let distance = (Int128(current) - Int128(average)).magnitude
    return Int64(clamping: (Int128(distance) * 100).rounded(dividingBy: Int128(average)))
  }
}
