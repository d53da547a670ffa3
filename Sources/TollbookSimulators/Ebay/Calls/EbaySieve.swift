/// The filters of a search that are right.
struct EbaySieve: Sendable {
  /// Two ends of which each may be missing; both are included.
  struct Ends: Sendable, Equatable {
    var least: Int64?
    var most: Int64?

    func contains(_ value: Int64) -> Bool { value >= least ?? .min && value <= most ?? .max }
  }

  /// In hundredths of the site's currency.
  var price: Ends?
  var grades: Set<Int>?
  /// `NEW` and `USED`.
  var conditionWords: Set<String>?
  /// Nil: those that can be had for a fixed price.
  var options: Set<String>?
  var locationCountry: String?
  var deliveryCountry: String?
  /// In hundredths of the site's currency.
  var maxDelivery: Int64?
  var sellers: Set<String>?
  var otherSellers: Set<String>?
  var otherCategories: Set<String>?
  /// `INDIVIDUAL` and `BUSINESS`.
  var accountTypes: Set<String>?
  var returns: Bool?
  var start: Ends?
  var end: Ends?
  var bidCount: Ends?
  /// The country of a pickup.
  var pickupCountry: String?
  /// When something was last sold; of `item_sales` only.
  var sold: Ends?

  /// Whether only some of the families can have listings that pass.
  func admits(_ family: EbayFamily) -> Bool {
    guard let otherCategories else { return true }
    return !otherCategories.contains(family.category.id)
      && !otherCategories.contains(family.category.parentId)
  }

  /// Whether a listing passes at an instant.
  func admits(_ offer: EbayOffer, _ site: EbaySite, at now: Int64) -> Bool {
    let ask = offer.ask(at: now)
    guard options.map({ !$0.isDisjoint(with: ask.options) }) ?? ask.isFixed else { return false }
    if let price {
      // What is told in a foreign currency alone has no price in the one that was asked for.
      let told = offer.foreign == nil || offer.isConverted
      guard told, price.contains(offer.current(at: now)) else { return false }
    }
    if let grades, !grades.contains(offer.grade.rawValue) { return false }
    if let conditionWords, !conditionWords.contains(offer.grade.word) { return false }
    if let locationCountry, locationCountry != offer.country { return false }
    if let deliveryCountry, deliveryCountry != offer.country, !offer.shipsAbroad,
      deliveryCountry != site.country
    {
      return false
    }
    if let maxDelivery {
      guard let cost = offer.shippingCost(toPlace: false), cost <= maxDelivery,
        offer.foreign == nil || offer.isConverted
      else { return false }
    }
    if let sellers, !sellers.contains(offer.seller.name) { return false }
    if let otherSellers, otherSellers.contains(offer.seller.name) { return false }
    if let accountTypes,
      !accountTypes.contains(offer.seller.isBusiness ? "BUSINESS" : "INDIVIDUAL")
    {
      return false
    }
    if let returns, returns != offer.takesReturns { return false }
    if let start, !start.contains(offer.created) { return false }
    if let end {
      guard offer.tellsEnd, end.contains(offer.ends) else { return false }
    }
    if let bidCount {
      guard let count = ask.bidCount, bidCount.contains(count) else { return false }
    }
    if let pickupCountry {
      guard offer.hasPickup, offer.country == pickupCountry else { return false }
    }
    return true
  }
}
