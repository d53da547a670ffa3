/// The 36 kinds of history in a product's `csv`, in Keepa's order.
package enum HistoryType: Int, CaseIterable, Sendable {
  case amazon
  case new
  case used
  case sales
  case listPrice
  case collectible
  case refurbished
  case newFBMShipping
  case lightningDeal
  case warehouse
  case newFBA
  case countNew
  case countUsed
  case countRefurbished
  case countCollectible
  case extraInfoUpdates
  case rating
  case countReviews
  case buyBoxShipping
  case usedNewShipping
  case usedVeryGoodShipping
  case usedGoodShipping
  case usedAcceptableShipping
  case collectibleNewShipping
  case collectibleVeryGoodShipping
  case collectibleGoodShipping
  case collectibleAcceptableShipping
  case refurbishedShipping
  case ebayNewShipping
  case ebayUsedShipping
  case tradeIn
  case rent
  case buyBoxUsedShipping
  case primeExclusive
  case countNewFBA
  case countNewFBM

  /// Integers per change: `[time, value]`, or `[time, price, shipping]`.
  package var stride: Int {
    switch self {
    case .newFBMShipping, .buyBoxShipping, .buyBoxUsedShipping, .ebayNewShipping,
      .ebayUsedShipping, .refurbishedShipping:
      3
    default: (19...26).contains(rawValue) ? 3 : 2
    }
  }

  /// Whether the values are money.
  package var isPrice: Bool {
    switch self {
    case .sales, .countNew, .countUsed, .countRefurbished, .countCollectible, .extraInfoUpdates,
      .rating, .countReviews, .countNewFBA, .countNewFBM:
      false
    default: true
    }
  }

  /// Whether the history is given to somebody who asked for these parts.
  package func isOpen(to parts: PaidParts) -> Bool {
    switch self {
    case .rating, .countReviews: parts.rating || parts.offers != nil
    case .buyBoxShipping, .buyBoxUsedShipping, .extraInfoUpdates: parts.showsBuyBox
    case .newFBMShipping, .warehouse, .newFBA, .refurbishedShipping, .rent: parts.offers != nil
    default: (19...26).contains(rawValue) ? parts.offers != nil : true
    }
  }
}

/// The parts of a product that cost more than the product.
package struct PaidParts: Sendable, Equatable {
  /// `rating=1`
  package var rating = false
  /// `buybox=1`
  package var buybox = false
  /// `offers=20…100`
  package var offers: Int?

  /// Nothing beyond the base.
  package init() {}

  /// Buy box data comes with offers too.
  package var showsBuyBox: Bool { buybox || offers != nil }
}
