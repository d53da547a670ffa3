import TollbookEvents

/// A listing as it was seen last in a page that is kept.
///
/// Hundreds of thousands are held. So there is one object for each, however many tables it stands in, its texts are in one
/// piece of memory, and what can be told from the rest is made when it is asked for.
package final class SeenListing: Sendable {
  let id: EbayItemID
  private let texts: ListingTexts
  /// What the title tells of the product.
  private let reading: Offer.Reading
  let isAuction: Bool
  /// That was searched: prices are in its currency.
  private let site: EbayMarketplace
  let marketplace: EbayMarketplace
  private let knownCondition: ConditionGroup?
  /// In hundredths of a percent.
  private let feedbackPercentage: Int16?
  /// Of the item alone, in minor units.
  let price: Int64
  /// Nil: it is not known what it costs to have it sent.
  let shipping: Int64?
  let conditionId: Int32?
  /// What it cost before its price fell, of the item alone; nil: it has not been seen to fall.
  let earlierPrice: Int64?
  private let feedbackScore: Int32?
  let originAt: Timestamp?
  let endsAt: Timestamp?
  /// When the page was fetched that showed it.
  let seen: Timestamp

  /// Nil: it has no price, or one in another currency than the site's that eBay has not converted.
  ///
  /// - Parameter known: as it was seen before.
  init?(
    _ listing: EbayListing, on site: EbayMarketplace, seen: Timestamp,
    after known: SeenListing? = nil
  ) {
    guard let money = listing.currentPrice, money.currency == site.currency else { return nil }
    id = listing.itemId
    texts = ListingTexts(listing)
    price = money.minorUnits
    self.site = site
    marketplace = listing.marketplace ?? site
    switch listing.shipping {
    case .free: shipping = 0
    case .known(let cost): shipping = cost.currency == money.currency ? cost.minorUnits : nil
    case .unknown: shipping = nil
    }
    conditionId = listing.conditionId.map { Int32(clamping: $0) }
    knownCondition = listing.conditionId.flatMap { ConditionGroup(id: $0) }
    reading = Offer.Reading(listing.title, knownCondition, epid: listing.epid)
    feedbackScore = listing.seller?.feedbackScore.map { Int32(clamping: $0) }
    feedbackPercentage = listing.seller?.feedbackPercentage.map { Int16(clamping: $0) }
    isAuction = listing.isAuction && !listing.buyingOptions.contains(.fixedPrice)
    originAt = listing.originAt ?? listing.createdAt
    endsAt = listing.endsAt
    self.seen = seen
    // Prices of two sites are in two currencies.
    let known = known.flatMap { $0.currency == site.currency ? $0 : nil }
    earlierPrice = known.flatMap { [price] in price < $0.price ? $0.price : $0.earlierPrice }
  }

  /// Whether it costs less than it did.
  func isCheaper(than known: SeenListing) -> Bool {
    currency == known.currency && price < known.price
  }

  /// Whether it is over at an instant, by what it said of its end.
  func isOver(at now: Timestamp) -> Bool { endsAt.map { $0 <= now } ?? false }

  var currency: EbayCurrency { site.currency }

  /// Price and shipping together; nil: the shipping is unknown.
  var total: Int64? { shipping.map { price + $0 } }

  // MARK: Texts

  var title: String { texts[.title] }
  /// As eBay calls it.
  var condition: String { texts[.condition] }
  var imageURL: String? { texts.address(.image) }
  var webURL: String? { texts.address(.page) }
  /// The leaf category first.
  var categories: [String] { texts[.categories].split(separator: " ").map(String.init) }
  /// The title, as words are looked for in it.
  var searchedTitle: SearchedText { texts.searchedTitle }

  // MARK: Comparing

  /// Whether its price is compared with others: it costs something, and no more than is believed.
  private var isCompared: Bool { Offer.totals ~= total ?? price }

  /// Nil as well where its price is not compared.
  var conditionGroup: ConditionGroup? { isCompared ? knownCondition : nil }

  /// The offers of one family are compared with each other.
  var family: ProductFamily { ProductFamily(isCompared ? reading.key : nil) }

  /// As it is compared with others; nil: it is not. Made anew each time.
  package var offer: Offer? {
    guard isCompared else { return nil }
    return Offer(
      id: id.description, title: title, total: total ?? price,
      isShippingUnknown: shipping == nil, currency: currency.code, marketplace: marketplace.id,
      condition: knownCondition, category: categories.first, seller: seller,
      isAuction: isAuction, endsAt: endsAt, soldAt: nil, seen: seen, reading: reading)
  }

  /// Nothing is kept that names a seller: those whose ratings are the same count as one.
  private var seller: Offer.Seller {
    let score = feedbackScore.map { Int64($0) }
    let percentage = feedbackPercentage.map { Int64($0) }
    var token: UInt64?
    // Many have few ratings or none.
    if let score, let percentage, score >= Self.fewRatings {
      token = UInt64(bitPattern: score) &* 10_007 &+ UInt64(bitPattern: percentage)
    }
    return Offer.Seller(token: token, feedbackScore: score, feedbackPercentage: percentage)
  }

  private static let fewRatings: Int64 = 20
}
