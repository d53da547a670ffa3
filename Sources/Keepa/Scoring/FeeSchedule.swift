/// The fees of one product at every price, so that other prices than today's can be asked about.
package struct FeeSchedule: Hashable, Sendable {
  /// Nil if neither Keepa nor a table tells the referral fee.
  package let referral: ReferralRule?
  /// Without the surcharge; nil if it cannot be told.
  package let fulfilment: PricedFees?
  /// What comes on top of fulfilment; nil if it cannot be told.
  package let surcharge: FeeRate?
  package let closing: Int64

  package init(
    referral: ReferralRule?, fulfilment: PricedFees?, surcharge: FeeRate?, closing: Int64
  ) {
    self.referral = referral
    self.fulfilment = fulfilment
    self.surcharge = surcharge
    self.closing = closing
  }

  /// The fees of a sale, each rounded half up to whole minor units.
  package func fees(at price: Int64) -> FeeBreakdown {
    let base = fulfilment?.fee(at: price)
    return FeeBreakdown(
      referral: referral?.fee(on: price), fulfilment: base,
      surcharge: base.flatMap { surcharge?.share(of: $0) }, closing: closing)
  }

  /// What is left of the price for the seller: below 0 if the fees are higher. Nil if a fee is unknown.
  package func payout(at price: Int64) -> Int64? {
    guard let total = fees(at: price).total else { return nil }
    let (payout, isTooLow) = price.subtractingReportingOverflow(total)
    return isTooLow ? nil : payout
  }

  // MARK: - Other prices and costs

  /// The lowest price at which a sale brings back its cost: a minor unit less, and it would not.
  ///
  /// Inside a price band of the fees the payout never falls as the price rises, since no rate is above 100 %. So the bands
  /// are gone through in order, and the first price inside the first band that can pay is found by halving. Above it a fee
  /// step can still bring a loss: just above $10 fulfilment costs more.
  ///
  /// - Parameter cost: the landed cost of the product.
  /// - Returns: nil if a fee is unknown, or no price up to ``MoneyBounds/maximumPrice`` is enough.
  package func breakEven(cost: Int64) -> Int64? {
    var start: Int64 = 1
    for end in bandEnds {
      guard let most = payout(at: end) else { return nil }
      if most >= cost { return firstPrice(from: start, to: end, cost: cost) }
      start = end + 1
    }
    return nil
  }

  /// The most that the landed cost may be for a return on it, rounded down so that the return is reached.
  ///
  /// - Parameters:
  ///   - price: what it is sold for.
  ///   - targetROI: in tenths of a percent.
  /// - Returns: nil if a fee is unknown, if the sale pays nothing, or for a target of -100 % and less.
  package func maxCost(at price: Int64, targetROI: Int64) -> Int64? {
    guard let payout = payout(at: price), payout > 0, targetROI > -1_000 else { return nil }
    return Int64(clamping: Int128(payout) * 1_000 / (1_000 + Int128(targetROI)))
  }

  /// The last price of each band inside which no fee jumps.
  private var bandEnds: [Int64] {
    let ends = (referral?.bands.map(\.upTo) ?? []) + (fulfilment?.bands.map(\.upTo) ?? [])
    let inside = ends.compactMap(\.self).filter { 1..<MoneyBounds.maximumPrice ~= $0 }
    return Set(inside).sorted() + [MoneyBounds.maximumPrice]
  }

  /// The first price that pays the cost; the last one does.
  private func firstPrice(from start: Int64, to end: Int64, cost: Int64) -> Int64 {
    var low = start
    var high = end
    while low < high {
      let middle = low + (high - low) / 2
      if let payout = payout(at: middle), payout >= cost { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
