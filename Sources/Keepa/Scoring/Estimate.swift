/// A figure that is neither Keepa's own nor the caller's, and what it comes from. As text `figure:basis`, for example
/// `fulfilment:size_tier.large_standard`.
package struct Estimate: Hashable, Sendable, CustomStringConvertible {
  package let description: String

  private init(_ description: String) { self.description = description }

  /// The average of 90 days stands for today's price.
  static let priceFromAverage = Estimate("price:average_90_days")
  /// The buying price is a share of the price.
  static let buyFromRatio = Estimate("buy:ratio")
  /// The least fee of a fee category, from our table.
  static let minimumReferral = Estimate("referral:minimum_fee")
  /// Keepa's fee is from an earlier card than the day's.
  static let earlierCard = Estimate("fulfilment:keepa_earlier_card")
  static let surcharge = Estimate("surcharge:table")
  static let closing = Estimate("closing:table")
  /// A table that has ended is used for want of a later one.
  static let outdatedTables = Estimate("tables:outdated")
  static let unitsFromDrops30 = Estimate("monthly_units:sales_rank_drops_30")
  static let unitsFromDrops90 = Estimate("monthly_units:sales_rank_drops_90")
  /// All new offers stand for the sellers whom Amazon fulfils.
  static let sellersFromOffers = Estimate("competition:all_new_offers")
  /// Parts of the score that are not known have no weight in it.
  static let scoreWithoutCompetition = Estimate("score:without_competition")
  static let scoreWithoutStability = Estimate("score:without_stability")

  /// The whole referral fee comes from our table.
  static func referral(table category: String) -> Estimate {
    Estimate("referral:table.\(category)")
  }
  /// Keepa's rate is one of a category with steps; which step it is, our table says.
  static func referral(steps category: String) -> Estimate {
    Estimate("referral:steps.\(category)")
  }
  /// At other prices our table's steps count.
  static func breakEven(steps category: String) -> Estimate {
    Estimate("break_even:steps.\(category)")
  }
  static func fulfilment(tier: String) -> Estimate { Estimate("fulfilment:size_tier.\(tier)") }
}
