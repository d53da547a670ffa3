/// The referral fee of a fee category: a share of the price that depends on the price.
package struct ReferralRule: Hashable, Sendable {
  /// How the bands are meant (fee fact sheet, section 2).
  package enum Style: String, CaseIterable, Sendable {
    /// One rate for every price.
    case flat
    /// The rate of the band that the price is in, for the whole of the price.
    case whole
    /// The rate of each band for the part of the price that is in it.
    case marginal
  }

  package struct Band: Hashable, Sendable {
    /// The highest price of the band; nil for the last.
    package let upTo: Int64?
    package let rate: FeeRate
  }

  /// The name of the fee category.
  package let category: String
  package let style: Style
  /// The least fee of an item.
  package let minimum: Int64
  /// In rising order; at least one, and only the last is open.
  package let bands: [Band]

  /// One rate whatever the price.
  package init(flat rate: FeeRate, minimum: Int64, category: String) {
    self.init(
      category: category, style: .flat, minimum: minimum, bands: [Band(upTo: nil, rate: rate)])
  }

  init(category: String, style: Style, minimum: Int64, bands: [Band]) {
    self.category = category
    self.style = style
    self.minimum = minimum
    self.bands = bands
  }

  /// The fee for a price, rounded half up once. 0 for no price.
  package func fee(on price: Int64) -> Int64 {
    guard price > 0 else { return 0 }
    let share = exactShare(of: price).rounded(dividingBy: Int128(FeeRate.whole))
    return max(minimum, Int64(clamping: share))
  }

  /// Whether the minimum, and not the share, is the fee for a price.
  package func isMinimum(on price: Int64) -> Bool {
    price > 0
      && exactShare(of: price).rounded(dividingBy: Int128(FeeRate.whole)) < Int128(minimum)
  }

  /// What the share comes to as one rate, without the minimum; nil for no price.
  package func effectiveRate(on price: Int64) -> FeeRate? {
    guard price > 0 else { return nil }
    return FeeRate(
      hundredths: Int64(clamping: exactShare(of: price).rounded(dividingBy: Int128(price))))
  }

  /// The share without the minimum, in ten-thousandths of a minor unit.
  private func exactShare(of price: Int64) -> Int128 {
    guard style == .marginal else { return Int128(price) * Int128(rate(of: price)) }
    var share: Int128 = 0
    var start: Int64 = 0
    for band in bands where price > start {
      let end = min(price, band.upTo ?? price)
      share += Int128(end - start) * Int128(band.rate.hundredths)
      start = end
    }
    return share
  }

  private func rate(of price: Int64) -> Int64 {
    let band = bands.first { band in band.upTo.map { price <= $0 } ?? true }
    return band?.rate.hundredths ?? 0
  }
}

/// The referral fees of a marketplace.
package struct ReferralTable: Sendable {
  /// Each fee category's rule, by its name.
  package let rules: [String: ReferralRule]
  /// The fee category of everything that no name finds.
  package let fallback: ReferralRule
  /// The fee category that a name in Keepa's category tree means; names in lower case.
  let categories: [String: String]
  /// Who confirms the rates.
  package let source: String

  /// The rule for a product.
  ///
  /// - Parameter names: the names of its categories, the most particular one first.
  package func rule(for names: [String]) -> ReferralRule {
    for name in names {
      if let rule = categories[name.lowercased()].flatMap({ rules[$0] }) { return rule }
    }
    return fallback
  }
}
