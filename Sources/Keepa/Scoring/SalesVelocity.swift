/// How fast a product sells.
package struct SalesVelocity: Hashable, Sendable {
  /// What the number of units comes from.
  package enum Source: String, Sendable {
    /// Amazon's badge "bought in past month": a lower bound in steps.
    case monthlySold = "monthly_sold"
    /// How often the sales rank improved in 30 days, times a factor.
    case drops30Days = "sales_rank_drops_30"
    /// The same of 90 days, a third of it.
    case drops90Days = "sales_rank_drops_90"
  }

  /// Whether it sells faster now than in the 90 days.
  package enum Trend: String, Sendable {
    case rising, steady, falling
  }

  /// Units in a month; nil if nothing tells.
  package let monthlyUnits: Int64?
  package let source: Source?
  package let band: VelocityBand?
  package let trend: Trend?

  /// Whether there may well be more units than ``monthlyUnits``.
  package var isAtLeast: Bool { source == .monthlySold }

  /// Fee fact sheet, section 5. The rank itself gives no units, since no public figure says how many a rank is worth:
  /// it only tells the trend where the drops do not.
  package init(_ figures: ProductFigures, configuration: ScoringConfiguration) {
    let factor = Int128(configuration.dropsFactor)
    if let sold = figures.monthlySold {
      (monthlyUnits, source) = (sold, .monthlySold)
    } else if let drops = figures.rankDrops30Days {
      let units = (Int128(drops) * factor).rounded(dividingBy: 1_000)
      (monthlyUnits, source) = (Int64(clamping: units), .drops30Days)
    } else if let drops = figures.rankDrops90Days {
      let units = (Int128(drops) * factor).rounded(dividingBy: 3_000)
      (monthlyUnits, source) = (Int64(clamping: units), .drops90Days)
    } else {
      (monthlyUnits, source) = (nil, nil)
    }
    band = monthlyUnits.map { configuration.bands.band(of: $0) }
    trend = Self.trend(figures, configuration)
  }

  private static func trend(
    _ figures: ProductFigures, _ configuration: ScoringConfiguration
  ) -> Trend? {
    if let month = figures.rankDrops30Days, let quarter = figures.rankDrops90Days, quarter > 0 {
      return trend(of: Int128(month) * 3, to: Int128(quarter), configuration)
    }
    // A lower rank sells more.
    guard let month = figures.rankAverage30Days, let quarter = figures.rankAverage90Days, month > 0
    else { return nil }
    return trend(of: Int128(quarter), to: Int128(month), configuration)
  }

  private static func trend(
    of now: Int128, to before: Int128, _ configuration: ScoringConfiguration
  ) -> Trend {
    if now * 100 >= before * Int128(configuration.risingPercent) { return .rising }
    if now * 100 <= before * Int128(configuration.fallingPercent) { return .falling }
    return .steady
  }
}

/// A class of speeds.
package enum VelocityBand: String, CaseIterable, Sendable {
  case noSales = "none"
  case low, medium, high
  case veryHigh = "very_high"
  case top
}

/// Where each band begins, and its points in the score.
package struct VelocityBands: Hashable, Sendable {
  package struct Entry: Hashable, Sendable {
    package let band: VelocityBand
    /// The fewest units in a month.
    package let from: Int64
    /// 0 to 100.
    package let points: Int64
  }

  /// One for each band, from the slowest, which begins at 0.
  package let entries: [Entry]

  /// Fee fact sheet, section 5: the units are a public tool's tiers, the points our own choice.
  package static let standard = VelocityBands(entries: [
    Entry(band: .noSales, from: 0, points: 0), Entry(band: .low, from: 1, points: 25),
    Entry(band: .medium, from: 10, points: 50), Entry(band: .high, from: 60, points: 70),
    Entry(band: .veryHigh, from: 300, points: 85), Entry(band: .top, from: 3_000, points: 100),
  ])

  package func band(of units: Int64) -> VelocityBand {
    entries.last { $0.from <= units }?.band ?? .noSales
  }

  package func points(of band: VelocityBand) -> Int64 {
    entries.first { $0.band == band }?.points ?? 0
  }
}
