/// A listing that is far below what its kind is worth, put there to be found.
package struct EbayPlantedDeal: Sendable, Equatable, Codable {
  /// Such as `v1|110000000001|0`.
  package var itemId: String
  /// Such as `EBAY_US`.
  package var marketplace: String
  /// Words that find the listings of its family and of no other one.
  package var family: String
  package var categoryId: String
  package var conditionId: Int
  /// When it is listed, milliseconds since 1970.
  package var from: Int64
  /// When it is sold, milliseconds since 1970; at this instant it is gone.
  package var until: Int64
  /// Price and shipping together, in hundredths of the currency.
  package var total: Int64
  /// What such an item is worth with shipping, in hundredths of the currency.
  package var fair: Int64
  package var currency: String

  private enum CodingKeys: String, CodingKey {
    case family, from, until, total, fair, currency, marketplace
    case itemId = "item_id"
    case categoryId = "category_id"
    case conditionId = "condition_id"
  }
}
