import JSONText
import Testing

@testable import DealScout

/// Answers of eBay's with invented data.
enum EbaySamples {
  /// A listing at a fixed price, with a seller and a shipping cost.
  static let listing = """
    {"itemId":"v1|110000000001|0","legacyItemId":"110000000001","title":"Widget 3000 boxed",\
    "leafCategoryIds":["9355"],"categories":[{"categoryId":"9355","categoryName":"Gadgets"}],\
    "image":{"imageUrl":"https://i.example/1.jpg"},\
    "price":{"value":"31.99","currency":"USD"},\
    "itemHref":"https://api.ebay.com/buy/browse/v1/item/v1%7C110000000001%7C0",\
    "itemWebUrl":"https://www.ebay.com/itm/110000000001",\
    "seller":{"username":"demo_seller","feedbackPercentage":"99.4","feedbackScore":812},\
    "condition":"Used","conditionId":"3000","buyingOptions":["FIXED_PRICE","BEST_OFFER"],\
    "shippingOptions":[{"shippingCostType":"FIXED",\
    "shippingCost":{"value":"5.50","currency":"USD"}}],\
    "itemLocation":{"postalCode":"191**","country":"US"},\
    "itemCreationDate":"2026-11-20T08:15:00.000Z","itemOriginDate":"2026-11-20T08:15:00.000Z",\
    "listingMarketplaceId":"EBAY_US","priorityListing":false,"adultOnly":false,\
    "topRatedBuyingExperience":false}
    """

  /// The listing with other members in place of its own, or without those that are nil.
  static func listing(_ changes: [String: String?]) throws -> [UInt8] {
    let members = try #require(JSONDocument(Array(listing.utf8)).root.members)
    var json = JSONWriter()
    json.object { json in
      for member in members {
        guard let change = changes[member.name] else {
          json.rawField(member.name, member.value.bytes)
          continue
        }
        if let change { json.rawField(member.name, change.utf8) }
      }
      let known = members.map(\.name)
      for (name, change) in changes.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
        if let change { json.rawField(name, change.utf8) }
      }
    }
    return json.bytes
  }

  static func read(_ changes: [String: String?] = [:]) throws -> EbayListing {
    try EbayListing(JSONDocument(try listing(changes)).root)
  }

  static func page(_ items: [String], _ rest: String = "") -> [UInt8] {
    let rest = rest.isEmpty ? "" : rest + ","
    let items = items.joined(separator: ",")
    return Array(
      (#"{"href":"https://x","total":37,"limit":1,"offset":0,"# + rest
        + #""itemSummaries":[\#(items)]}"#).utf8)
  }

  static func money(_ value: String, _ currency: String = "USD") -> String {
    #"{"value":"\#(value)","currency":"\#(currency)"}"#
  }

  static func shipping(_ cost: String?, type: String = "FIXED", _ currency: String = "USD")
    -> String
  {
    let cost = cost.map { #","shippingCost":\#(money($0, currency))"# } ?? ""
    return #"{"shippingCostType":"\#(type)"\#(cost)}"#
  }
}

extension EbayMoney {
  /// An amount that is one.
  static func sample(_ text: String, _ code: String = "USD") throws -> EbayMoney {
    let currency = try #require(EbayCurrency(code))
    return try #require(EbayMoney(text, currency))
  }
}
