import TollbookEvents
import TollbookGateway
import TollbookLog

/// What prices are suggested to an account by, as it stands at one moment. Nothing is bought for it.
struct PriceDesk: Sendable {
  let sales: [SoldItem]
  /// What was seen, of the searches of all accounts, and by what right prices are judged by it; nil: by none.
  let seen: (listings: [SeenListing], licence: LicensedComparables.Licence)?
  let now: Timestamp

  /// Work for a processor: it runs on no executor that requests share.
  @concurrent
  func price(
    of title: String, gtin: String?, epid: String? = nil, _ condition: ConditionGroup?,
    on marketplace: EbayMarketplace, fees: SellingFees? = nil
  ) async throws(RuleError) -> SuggestedPrice {
    let question = PricingQuestion(
      title: title, gtin: gtin, epid: epid, condition: condition,
      currency: marketplace.currency.code, marketplace: marketplace.id, today: now.calendarDay)
    return SuggestedPrice(
      answer: try PriceAdvisor.answer(
        question, sales: sales, comparables: comparables(condition, marketplace), fees: fees),
      condition: condition, marketplace: marketplace)
  }

  /// Offers are made of those listings alone that may count.
  private func comparables(
    _ condition: ConditionGroup?, _ marketplace: EbayMarketplace
  ) -> LicensedComparables? {
    seen.map { seen in
      let offers = seen.listings.lazy
        .filter { $0.conditionGroup == condition && $0.marketplace == marketplace }
        .compactMap(\.offer)
      return LicensedComparables(Array(offers), licence: seen.licence, now: now)
    }
  }

  /// The same of what a model has found in photos.
  func price(
    of finding: SnapFinding, on marketplace: EbayMarketplace
  ) async throws(RuleError) -> SuggestedPrice {
    try await price(of: finding.title, gtin: finding.gtin, finding.condition, on: marketplace)
  }
}

extension SellerDesk {
  /// What prices are suggested to an account by.
  @concurrent
  func priceDesk(of account: String) async throws -> PriceDesk {
    let now = gateway.log.time.now()
    return PriceDesk(
      sales: try sales.sales(of: account),
      seen: try await scout?.judged(gateway), now: now)
  }
}

extension Scout {
  /// The listings that prices may be judged by, and by what right; nil: by none.
  fileprivate func judged(
    _ gateway: Gateway
  ) async throws -> (listings: [SeenListing], licence: LicensedComparables.Licence)? {
    guard judges else { return nil }
    try await fill(gateway)
    return (index.all.listings, gateway.isSimulated ? .simulated : .consent)
  }
}
