/// What fulfilment by Amazon costs on the days of one card, by size tier, weight and price.
package struct FulfilmentCard: Sendable {
  package let name: String
  /// Cubic inches that count as a pound.
  package let dimensionalDivisor: Int64
  /// From the smallest to the largest, which takes everything.
  package let tiers: [SizeTier]
  /// Who confirms the card.
  package let source: String

  /// The tier that a parcel belongs to.
  package func tier(of parcel: PackageSize) -> SizeTier? {
    tiers.first { $0.takes(parcel, divisor: dimensionalDivisor) }
  }

  /// The fee for a parcel at every price.
  package func fees(for parcel: PackageSize) -> PricedFees? {
    tier(of: parcel).map { $0.fees(for: parcel, divisor: dimensionalDivisor) }
  }
}

/// The parcels of one size tier, and what they cost.
package struct SizeTier: Hashable, Sendable {
  /// Which weight counts.
  package enum Weight: String, CaseIterable, Sendable {
    /// What the scale says.
    case unit
    /// That, or what stands for the volume if it is more.
    case shipping
  }

  /// Sides in hundredths of an inch.
  package struct Size: Hashable, Sendable {
    package let longest: Int64
    package let median: Int64
    package let shortest: Int64
    /// Longest side plus twice both others; nil if it is not limited.
    package let lengthAndGirth: Int64?
  }

  package struct Limit: Hashable, Sendable {
    package let ounces: Int64
    /// Which weight must keep to it. The fee fact sheet calls this unsure for 20 and 50 lb: there our data takes the
    /// shipping weight, which never makes a fee too low.
    package let by: Weight
  }

  /// The fees of one weight.
  package struct Row: Hashable, Sendable {
    /// The highest weight; nil for the last row.
    package let upToOunces: Int64?
    /// One for each band of prices.
    package let fees: [Int64]
    /// What is added for a heavier parcel.
    package let step: Step?
  }

  package struct Step: Hashable, Sendable {
    package let over: Int64
    package let every: Int64
    package let fee: Int64
  }

  package let name: String
  package let size: Size?
  package let limit: Limit?
  package let chargedBy: Weight
  /// What the two shorter sides count at least in the volume, in hundredths of an inch.
  package let minimumSide: Int64
  /// The highest price of each band; nil for the last.
  package let prices: [Int64?]
  package let rows: [Row]

  func takes(_ parcel: PackageSize, divisor: Int64) -> Bool {
    if let size, !size.holds(parcel) { return false }
    guard let limit else { return true }
    return weight(of: parcel, by: limit.by, divisor: divisor).isAtMost(limit.ounces)
  }

  func fees(for parcel: PackageSize, divisor: Int64) -> PricedFees {
    let weight = weight(of: parcel, by: chargedBy, divisor: divisor)
    let row = rows.first { row in row.upToOunces.map { weight.isAtMost($0) } ?? true }
    let extra = row?.step.map { step in
      let steps = weight.stepsBegun(over: step.over, every: step.every)
      return Int64(clamping: Int128(steps) * Int128(step.fee))
    }
    let bands = prices.enumerated().map { index, upTo in
      let base = row.flatMap { index < $0.fees.count ? $0.fees[index] : nil } ?? 0
      let fee = min(base + min(extra ?? 0, MoneyBounds.maximum), MoneyBounds.maximum)
      return PricedFees.Band(upTo: upTo, fee: fee)
    }
    return PricedFees(bands: bands)
  }

  private func weight(of parcel: PackageSize, by weight: Weight, divisor: Int64) -> Ounces {
    switch weight {
    case .unit: parcel.unitWeight
    case .shipping:
      max(
        parcel.unitWeight,
        parcel.dimensionalWeight(divisor: divisor, minimumSide: minimumSide))
    }
  }
}

extension SizeTier.Size {
  func holds(_ parcel: PackageSize) -> Bool {
    let girth = 2 * (parcel.median + parcel.shortest)
    return fits(parcel.longest, longest) && fits(parcel.median, median)
      && fits(parcel.shortest, shortest)
      && lengthAndGirth.map { fits(parcel.longest + girth, $0) } ?? true
  }

  /// Whether a length in millimetres is no more than one in hundredths of an inch, of 0.254 mm each.
  private func fits(_ millimetres: Int64, _ hundredths: Int64) -> Bool {
    millimetres * 1_000 <= hundredths * 254
  }
}
