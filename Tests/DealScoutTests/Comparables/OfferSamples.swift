import DealScout
import TollbookEvents
import TollbookTestSupport

/// Invented offers of one invented headphone.
enum Samples {
  static let now = Timestamp(milliseconds: 1_795_000_000_000)
  static let hour: Int64 = 3_600_000
  static let day: Int64 = 24 * hour
  static let title = "Sonora WH-1000 headphones"

  static func after(_ milliseconds: Int64) -> Timestamp {
    now.advanced(byMilliseconds: milliseconds)
  }

  static func offer(
    _ id: String, _ total: Int64, title: String = title, shippingUnknown: Bool = false,
    currency: String = "USD", marketplace: String = "EBAY_US", condition: Int? = 3000,
    category: String? = "9355", gtin: String? = nil, epid: String? = nil, seller: UInt64? = nil,
    score: Int64? = 812, percentage: Int64? = 9_940, auction: Bool = false,
    endsAt: Timestamp? = nil, soldAt: Timestamp? = nil, seen: Timestamp = now
  ) -> Offer {
    Offer(
      id: id, title: title, total: total, isShippingUnknown: shippingUnknown, currency: currency,
      marketplace: marketplace, conditionID: condition, category: category, gtin: gtin, epid: epid,
      seller: Offer.Seller(token: seller, feedbackScore: score, feedbackPercentage: percentage),
      isAuction: auction, endsAt: endsAt, soldAt: soldAt, seen: seen)!
  }

  /// Each from a seller of its own.
  static func offers(_ totals: [Int64]) -> [Offer] {
    totals.enumerated().map { offer("c\($0)", $1, seller: UInt64($0) + 1_000) }
  }

  /// The sheet's comparables, in cents.
  static let golden: [Int64] = [
    4_100, 4_350, 4_400, 4_500, 4_600, 4_750, 4_800, 4_900, 5_200, 12_000,
  ]

  static func verdict(
    _ offer: Offer, _ comparables: [Offer], rules: DealRules = DealRules()
  ) throws -> DealVerdict {
    try DealScorer.score(offer, against: comparables, now: now, rules: rules)
  }
}
