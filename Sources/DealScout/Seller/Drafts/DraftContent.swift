import JSONText
import TollbookEvents

/// What a listing says.
struct DraftContent: Hashable, Sendable {
  /// The longest description, in bytes of UTF-8.
  static let longestDescription = 20_000
  static let quantities: ClosedRange<Int64> = 1...9_999

  /// The snap that it comes from; nil: none.
  var snap: Position?
  var title: String
  var description: String?
  var condition: ConditionGroup
  /// The number of a category of eBay's.
  var category: String?
  var gtin: String?
  var price: EbayMoney
  var quantity: Int
  var marketplace: EbayMarketplace
  /// The digests of its photos, in the order in which they are shown, none twice.
  var photos: [String]

  /// What it still needs to be a listing.
  var missing: [String] {
    var missing: [String] = []
    if category == nil { missing.append("category") }
    if photos.isEmpty { missing.append("photos") }
    if description == nil { missing.append("description") }
    return missing
  }
}

extension DraftContent: JSONWritable {
  func write(to json: inout JSONWriter) { json.object(writeMembers) }

  func writeMembers(to json: inout JSONWriter) {
    json.field("snap", snap.map { "\($0)" })
    json.field("title", title)
    json.field("description", description)
    json.field("condition", condition.rawValue)
    json.field("category", category)
    json.field("gtin", gtin)
    json.object("price") { json in
      json.field("amount", price.plainText)
      json.field("currency", price.currency.code)
    }
    json.field("quantity", quantity)
    json.field("marketplace", marketplace.id)
    json.array("photos", photos)
  }

  /// Reads what ``write(to:)`` wrote; nil: it is not that.
  init?(kept root: JSONValue) {
    guard let title = root["title"]?.string,
      let condition = root["condition"]?.string.flatMap({ ConditionGroup(rawValue: $0) }),
      let currency = root["price"]?["currency"]?.string.flatMap({ EbayCurrency($0) }),
      let price = root["price"]?["amount"]?.string.flatMap({ EbayMoney($0, currency) }),
      let quantity = root["quantity"]?.int,
      let marketplace = root["marketplace"]?.string.flatMap({ EbayMarketplace(rawValue: $0) })
    else { return nil }
    self.title = title
    self.condition = condition
    self.price = price
    self.quantity = quantity
    self.marketplace = marketplace
    snap = root["snap"]?.string.flatMap { Position($0) }
    description = root["description"]?.string
    category = root["category"]?.string
    gtin = root["gtin"]?.string
    photos = root["photos"]?.array?.compactMap(\.string) ?? []
  }
}
