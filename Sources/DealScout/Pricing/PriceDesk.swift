import TollbookEvents
import TollbookGateway
import TollbookLog

/// What prices are suggested to an account by, as it stands at one moment. Nothing is bought for it.
struct PriceDesk: Sendable {
  let sales: [SoldItem]
  /// Nil: nothing permits any.
  let comparables: LicensedComparables?
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
        question, sales: sales, comparables: comparables, fees: fees),
      condition: condition, marketplace: marketplace)
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
      comparables: try await scout?.comparables(gateway, at: now), now: now)
  }
}

extension Scout {
  /// The listings that were seen, of the searches of all accounts, as far as prices may be judged by them; nil: they may
  /// not.
  fileprivate func comparables(
    _ gateway: Gateway, at now: Timestamp
  ) async throws -> LicensedComparables? {
    guard judges else { return nil }
    try await fill(gateway)
    return LicensedComparables(
      index.all.listings.compactMap(\.offer),
      licence: gateway.isSimulated ? .simulated : .consent, now: now)
  }
}
