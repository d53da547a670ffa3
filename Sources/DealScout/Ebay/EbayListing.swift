package import TollbookEvents

/// What it costs to have an item sent.
package enum EbayShipping: Hashable, Sendable {
  /// The cheapest option whose cost is told.
  case known(EbayMoney)
  /// No option is told, or none with a cost, as with `CALCULATED` before the buyer's place is known. Not nothing.
  case unknown
  case free
}

/// How buyers rate a seller. Names of sellers are not kept: eBay's licence forbids it.
package struct EbaySellerRating: Hashable, Sendable {
  package let feedbackScore: Int64?
  /// Positive feedback in hundredths of a percent, 0 to 10,000: 9,940 of `99.4`.
  package let feedbackPercentage: Int64?
  /// What the caller's own keyed digest makes of the name, to tell one seller from another; nil: it makes none.
  package let digest: String?
}

/// Which group of variations a listing stands for, such as the colours of a shirt. Its price need not be that of each.
package struct EbayItemGroup: Hashable, Sendable {
  /// eBay's number of the group; nil: it is not told.
  package let id: String?
  /// Such as `SELLER_DEFINED_VARIATIONS`; nil: it is not told.
  package let type: String?
}

/// A listing as a search shows it (`itemSummaries[]`).
package struct EbayListing: Hashable, Sendable {
  package let itemId: EbayItemID
  package let title: String
  /// The fixed price; of an auction without one, where the bidding began.
  package let price: EbayMoney?
  /// Of an auction, what is bid.
  package let currentBid: EbayMoney?
  package let bidCount: Int64?
  /// Those that are known here, sorted, each once.
  package let buyingOptions: [EbayBuyingOption]
  /// In the words of the category and the language.
  package let condition: String?
  /// Such as 3000; see ``EbayCondition``. eBay may add others.
  package let conditionId: Int?
  package let shipping: EbayShipping
  package let seller: EbaySellerRating?
  /// Category ids, each once: the leaf categories, then those above them as far as they are told.
  package internal(set) var categories: [String]
  package let epid: String?
  /// Two capitals.
  package let country: String?
  package let imageURL: String?
  /// The listing's page.
  package let webURL: String?
  /// When this listing began.
  package let createdAt: Timestamp?
  /// When the first of its relistings began.
  package let originAt: Timestamp?
  /// Nil: it goes on until it is sold or ended.
  package let endsAt: Timestamp?
  package internal(set) var group: EbayItemGroup?
  /// Nil: it is not told, or it is a site that is not known here.
  package let marketplace: EbayMarketplace?
  package let isAdultOnly: Bool
  /// Whether the seller paid for its place.
  package let isPromoted: Bool

  package var isAuction: Bool { buyingOptions.contains(.auction) }

  /// What has to be paid today for the item alone: the fixed price, or of an auction without one what is bid, or
  /// where the bidding begins. Nil: neither is told.
  package var currentPrice: EbayMoney? {
    isAuction && !buyingOptions.contains(.fixedPrice) ? currentBid ?? price : price ?? currentBid
  }

  /// Price and shipping together; nil: the shipping is unknown, or the two have different currencies.
  package var totalPrice: EbayMoney? {
    guard let currentPrice else { return nil }
    switch shipping {
    case .free: return currentPrice
    case .known(let cost): return currentPrice.adding(cost)
    case .unknown: return nil
    }
  }
}
