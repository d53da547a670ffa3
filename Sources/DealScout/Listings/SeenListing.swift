import TollbookEvents

/// A listing as it was seen last in a page that is kept.
package struct SeenListing: Hashable, Sendable {
  let id: EbayItemID
  let title: String
  /// Of the item alone, in minor units.
  let price: Int64
  /// Nil: it is not known what it costs to have it sent.
  let shipping: Int64?
  let currency: EbayCurrency
  let marketplace: EbayMarketplace
  let conditionId: Int?
  /// As eBay calls it.
  let condition: String
  /// The leaf category first.
  let categories: [String]
  let epid: String?
  let feedbackScore: Int64?
  /// In hundredths of a percent.
  let feedbackPercentage: Int64?
  let isAuction: Bool
  let imageURL: String?
  let webURL: String?
  let originAt: Timestamp?
  let endsAt: Timestamp?
  /// When the page was fetched that showed it.
  var seen: Timestamp
  /// What it cost before its price fell, of the item alone; nil: it has not been seen to fall.
  var earlierPrice: Int64?
  /// The version of the index with which it was taken in: the same listing with the same version is unchanged.
  var version: UInt64 = 0
  /// As it is compared with others; nil: it costs nothing, or more than is believed.
  package private(set) var offer: Offer?

  /// Price and shipping together; nil: the shipping is unknown.
  var total: Int64? { shipping.map { price + $0 } }

  /// Nil: it has no price, or one in another currency than the site's that eBay has not converted.
  init?(_ listing: EbayListing, on marketplace: EbayMarketplace, seen: Timestamp) {
    guard let money = listing.currentPrice, money.currency == marketplace.currency else {
      return nil
    }
    id = listing.itemId
    title = listing.title
    price = money.minorUnits
    currency = money.currency
    self.marketplace = listing.marketplace ?? marketplace
    switch listing.shipping {
    case .free: shipping = 0
    case .known(let cost): shipping = cost.currency == money.currency ? cost.minorUnits : nil
    case .unknown: shipping = nil
    }
    conditionId = listing.conditionId
    condition = listing.condition ?? ""
    categories = listing.categories
    epid = listing.epid
    feedbackScore = listing.seller?.feedbackScore
    feedbackPercentage = listing.seller?.feedbackPercentage
    isAuction = listing.isAuction && !listing.buyingOptions.contains(.fixedPrice)
    imageURL = listing.imageURL
    webURL = listing.webURL
    originAt = listing.originAt ?? listing.createdAt
    endsAt = listing.endsAt
    self.seen = seen
    offer = Offer(
      id: id.description, title: title, total: total ?? price,
      isShippingUnknown: shipping == nil, currency: currency.code,
      marketplace: self.marketplace.id, conditionID: conditionId, category: categories.first,
      epid: epid, seller: Self.seller(feedbackScore, feedbackPercentage), isAuction: isAuction,
      endsAt: endsAt, seen: seen)
  }

  /// Nothing is kept that names a seller: those whose ratings are the same count as one.
  private static func seller(_ score: Int64?, _ percentage: Int64?) -> Offer.Seller {
    var token: UInt64?
    // Many have few ratings or none.
    if let score, let percentage, score >= fewRatings {
      token = UInt64(bitPattern: score) &* 10_007 &+ UInt64(bitPattern: percentage)
    }
    return Offer.Seller(token: token, feedbackScore: score, feedbackPercentage: percentage)
  }

  private static let fewRatings: Int64 = 20

  /// Whether it is over at an instant, by what it said of its end.
  func isOver(at now: Timestamp) -> Bool { endsAt.map { $0 <= now } ?? false }
}
