package import TollbookEvents

/// Something that the user sold, as they tell it.
package struct OwnSale: Hashable, Sendable {
  /// The user's own number of the sale; nil: none is told.
  package let id: String?
  package let title: String
  package let key: ProductKey?
  /// Why it is not one whole product; nil: it seems to be one.
  package let exclusion: ListingExclusion?
  package let condition: ConditionGroup
  /// What the buyer paid, without shipping, in minor units.
  package let price: Int64
  /// What the buyer paid for shipping; nil: not told, which is not the same as nothing.
  package let shipping: Int64?
  /// What the marketplace kept; nil: not told.
  package let fees: Int64?
  package let currency: String
  package let soldOn: CalendarDay

  /// - Returns: nil if price and shipping together are not from 1 to ``Offer/mostMinorUnits``, or an amount is negative
  ///   or above it.
  package init?(
    id: String? = nil, title: String, gtin: String? = nil, epid: String? = nil,
    condition: ConditionGroup, price: Int64, shipping: Int64? = nil, fees: Int64? = nil,
    currency: String, soldOn: CalendarDay
  ) {
    let amounts = 0...Offer.mostMinorUnits
    guard amounts ~= price, amounts ~= shipping ?? 0, amounts ~= fees ?? 0,
      1...Offer.mostMinorUnits ~= price + (shipping ?? 0)
    else { return nil }
    let words = TitleWords(title)
    self.id = id
    self.title = title
    key = ProductKey(gtin: gtin, epid: epid, words: words)
    exclusion = condition == .parts ? .parts : ListingExclusion(words)
    self.condition = condition
    self.price = price
    self.shipping = shipping
    self.fees = fees
    self.currency = currency
    self.soldOn = soldOn
  }

  /// Price and shipping; the price alone where the shipping is not told.
  package var total: Int64 { price + (shipping ?? 0) }
}
