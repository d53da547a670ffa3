import JSONText
import TollbookEvents
import TollbookHTTP

/// What a client asks a price for.
struct PricingOrder: Sendable {
  /// The longest body, in bytes.
  static let mostBytes = 16 << 10
  private static let names = [
    "title", "product", "gtin", "epid", "condition", "marketplace", "account", "fee_percent",
    "fee_fixed",
  ]

  let title: String
  let gtin: String?
  let epid: String?
  let condition: ConditionGroup
  let marketplace: EbayMarketplace
  let account: String?
  /// Nil: none are stated.
  let fees: SellingFees?

  /// - Throws: a `Problem` that names the field.
  init(_ bytes: [UInt8]) throws(Problem) {
    let fields = try JSONFields(bytes, names: Self.names, mostValues: 40)
    title = try Self.title(fields)
    gtin = try fields.string("gtin").map { (text) throws(Problem) in
      guard let checked = GTIN.checked(text) else {
        throw DraftOrder.wrongGTIN(text)
      }
      return checked
    }
    epid = try fields.string("epid").map { (text) throws(Problem) in
      guard EbayText.isDigits(text, 1...20) else {
        throw DraftOrder.wrong(
          "epid", "is \(DraftOrder.quoted(text)); it must be a number of eBay's catalogue")
      }
      return text
    }
    let word = try JSONFields.require(
      fields.string("condition"), "condition", "one of \(ConditionGroup.words)")
    guard let condition = ConditionGroup(rawValue: word) else {
      throw DraftOrder.wrong(
        "condition", "is \(DraftOrder.quoted(word)); it is one of \(ConditionGroup.words)")
    }
    self.condition = condition
    let site = try fields.string("marketplace") ?? EbayMarketplace.unitedStates.id
    do throws(EbayRequestFault) { marketplace = try EbayMarketplace(id: site) } catch {
      throw Problem(error)
    }
    account = try fields.string("account")
    fees = try Self.fees(fields, marketplace.currency)
  }

  private static func title(_ fields: JSONFields) throws(Problem) -> String {
    let (title, product) = (try fields.string("title"), try fields.string("product"))
    guard title == nil || product == nil else {
      throw DraftOrder.wrong("product", "stands beside title; send one of them")
    }
    let name = product == nil ? "title" : "product"
    let text = try JSONFields.require(title ?? product, name, "what is to be sold, in words")
    let line = ListingTitle.oneLine(text)
    guard 1...SoldItem.longestTitle ~= line.unicodeScalars.count else {
      throw DraftOrder.wrong(
        name,
        "has \(line.unicodeScalars.count) characters; it must have 1 to"
          + " \(SoldItem.longestTitle)")
    }
    return line
  }

  /// What the marketplace keeps, as the user states it.
  private static func fees(
    _ fields: JSONFields, _ currency: EbayCurrency
  ) throws(Problem) -> SellingFees? {
    let rate = try decimal(fields, "fee_percent", 2, "a share in percent such as 13.25")
    let fixed = try decimal(
      fields, "fee_fixed", currency.exponent, "an amount of \(currency) such as 0.40")
    guard rate != nil || fixed != nil else { return nil }
    do throws(RuleError) {
      return try SellingFees(rate: rate ?? 0, fixed: fixed ?? 0)
    } catch {
      throw error.field == "rate"
        ? DraftOrder.wrong("fee_percent", "is above 100; it is a share in percent such as 13.25")
        : DraftOrder.wrong("fee_fixed", "is more than prices are compared by")
    }
  }

  /// A text of digits, or a number whose digits are taken as they are written.
  private static func decimal(
    _ fields: JSONFields, _ name: String, _ exponent: Int, _ what: String
  ) throws(Problem) -> Int64? {
    guard let value = fields.value(name) else { return nil }
    let text =
      value.kind == .number
      ? String(decoding: value.bytes.prefix(60), as: UTF8.self) : value.string
    guard let units = text.flatMap({ EbayMoney.minorUnits($0, exponent: exponent) }) else {
      let shown = text.map { "is \(DraftOrder.quoted($0)); it " } ?? ""
      throw DraftOrder.wrong(name, "\(shown)must be \(what)")
    }
    return units
  }
}
