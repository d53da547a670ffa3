import JSONText
package import TollbookEvents

/// Something that the user sold, as they tell it: one line of one order.
package struct SoldItem: Hashable, Sendable {
  /// The user's own number of the order.
  package let order: String
  /// Which line of the order, from 1.
  package let line: Int
  package let soldOn: CalendarDay
  package let title: String
  /// What the buyer paid, without shipping.
  package let price: EbayMoney
  /// What the buyer paid for shipping; nil: not told, which is not the same as nothing.
  package let shipping: EbayMoney?
  /// What the marketplace kept; nil: not told.
  package let fees: EbayMoney?
  package let condition: ConditionGroup?
  package let gtin: String?
  /// Names it in addresses; empty until it is kept.
  package var id = ""

  static let longestOrder = 100
  static let longestTitle = 300

  init(
    order: String, line: Int, soldOn: CalendarDay, title: String, price: EbayMoney,
    shipping: EbayMoney?, fees: EbayMoney?, condition: ConditionGroup?, gtin: String?
  ) {
    self.order = order
    self.line = line
    self.soldOn = soldOn
    self.title = title
    self.price = price
    self.shipping = shipping
    self.fees = fees
    self.condition = condition
    self.gtin = gtin
  }

  /// Price and shipping in minor units, the price alone where the shipping is not told; nil: they are 0, or more than
  /// prices are compared by.
  var total: Int64? {
    guard let sum = shipping.map({ price.adding($0) }) ?? price,
      1...Offer.mostMinorUnits ~= sum.minorUnits
    else { return nil }
    return sum.minorUnits
  }

  // MARK: As it is kept, and shown

  func writeMembers(to json: inout JSONWriter) {
    json.field("id", id)
    json.field("order_id", order)
    json.field("line", line)
    json.field("date", soldOn.description)
    json.field("title", title)
    json.field("price", price.plainText)
    json.field("currency", price.currency.code)
    json.field("shipping", shipping?.plainText)
    json.field("fees", fees?.plainText)
    json.field("condition", condition?.rawValue)
    json.field("gtin", gtin)
  }

  /// Reads what ``writeMembers(to:)`` wrote; nil: it is not that.
  init?(kept root: JSONValue) {
    guard let id = root["id"]?.string, let order = root["order_id"]?.string,
      let line = root["line"]?.int, let soldOn = root["date"]?.string.flatMap({ CalendarDay($0) }),
      let title = root["title"]?.string,
      let currency = root["currency"]?.string.flatMap({ EbayCurrency($0) }),
      let price = root["price"]?.string.flatMap({ EbayMoney($0, currency) })
    else { return nil }
    self.init(
      order: order, line: line, soldOn: soldOn, title: title, price: price,
      shipping: root["shipping"]?.string.flatMap { EbayMoney($0, currency) },
      fees: root["fees"]?.string.flatMap { EbayMoney($0, currency) },
      condition: root["condition"]?.string.flatMap { ConditionGroup(rawValue: $0) },
      gtin: root["gtin"]?.string)
    self.id = id
  }
}
