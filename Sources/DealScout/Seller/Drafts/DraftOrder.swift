import JSONText
import TollbookEvents
import TollbookHTTP

/// What a client posts to make a draft, read and checked as far as that is possible without what is kept.
///
/// What it does not say comes from the snap that it names.
struct DraftOrder: Sendable {
  /// The longest body, in bytes.
  static let mostBytes = 64 << 10
  private static let names = [
    "snap", "title", "description", "condition", "category", "gtin", "price", "quantity",
    "marketplace", "photos",
  ]

  let snap: Position?
  private let title: String?
  private let description: String?
  private let condition: ConditionGroup?
  private let category: String?
  private let gtin: String?
  private let quantity: Int
  private let marketplace: EbayMarketplace?
  private let amount: (text: String, currency: String)
  private let photos: [String]?

  /// - Throws: a `Problem` that names the field.
  init(_ bytes: [UInt8]) throws(Problem) {
    let fields = try JSONFields(bytes, names: Self.names, mostValues: 200)
    if let text = try fields.string("snap") {
      guard let number = Position(text) else { throw Self.wrong("snap", "is no id of a snap") }
      snap = number
    } else {
      snap = nil
    }
    if let text = try fields.string("title") {
      title = ListingTitle.oneLine(text)
    } else {
      title = nil
    }
    if let text = try fields.string("description") {
      guard text.utf8.count <= DraftContent.longestDescription else {
        throw Self.wrong(
          "description", "may have up to \(DraftContent.longestDescription) bytes of UTF-8")
      }
      description = Self.cleaned(text)
    } else {
      description = nil
    }
    condition = try fields.string("condition").map { (text) throws(Problem) in
      guard let known = ConditionGroup(rawValue: text) else {
        throw Self.wrong(
          "condition", "is “\(text.inOneLine(atMost: 40))”; it is one of \(ConditionGroup.words)")
      }
      return known
    }
    category = try fields.string("category").map { (text) throws(Problem) in
      guard EbayText.isDigits(text, 1...10) else {
        throw Self.wrong(
          "category", "is \(Self.quoted(text)); it must be the number of a category of eBay's")
      }
      return text
    }
    gtin = try fields.string("gtin").map { (text) throws(Problem) in
      guard let checked = GTIN.checked(text) else {
        throw Self.wrongGTIN(text)
      }
      return checked
    }
    quantity = Int(try fields.integer("quantity", in: DraftContent.quantities) ?? 1)
    if let text = try fields.string("marketplace") {
      do throws(EbayRequestFault) { marketplace = try EbayMarketplace(id: text) } catch {
        throw Problem(error)
      }
    } else {
      marketplace = nil
    }
    amount = try Self.amount(fields)
    photos = try fields.strings("photos", limit: PhotoBook.mostTogether)
    for (index, digest) in (photos ?? []).enumerated() {
      guard PhotoStore.isDigest(digest) else {
        throw Self.wrong("photos[\(index)]", "must be the digest of a photo, 64 digits of 0-9a-f")
      }
      guard photos?.firstIndex(of: digest) == index else {
        throw Self.wrong("photos[\(index)]", "stands twice")
      }
    }
  }

  static func wrong(_ field: String, _ what: String) -> Problem {
    Problem(.invalidField, "\(field) \(what)", field: field)
  }

  static func wrongGTIN(_ text: String) -> Problem {
    wrong(
      "gtin",
      "is \(quoted(text)); it must be 8, 12, 13 or 14 digits with the right check digit")
  }

  static func quoted(_ text: String) -> String { "“\(text.inOneLine(atMost: 40))”" }

  /// Without control characters other than line breaks.
  private static func cleaned(_ text: String) -> String? {
    let lines = text.split(omittingEmptySubsequences: false) { $0.isNewline }
    let cleaned = lines.map { $0.inOneLine() }.joined(separator: "\n")
    return cleaned.allSatisfy(\.isWhitespace) ? nil : cleaned
  }

  /// `{"amount": "12.50", "currency": "USD"}`; the amount may be a number, whose digits are taken as they are written.
  private static func amount(
    _ fields: JSONFields
  ) throws(Problem) -> (text: String, currency: String) {
    let price = try JSONFields.require(
      fields.value("price"), "price", #"such as {"amount":"12.50","currency":"USD"}"#)
    guard let members = price.members else {
      throw wrong("price", "must be an object with amount and currency, not \(price.kind)")
    }
    var found: [String: JSONValue] = [:]
    for member in members {
      let name = member.name.inOneLine(atMost: 40)
      guard ["amount", "currency"].contains(name) else {
        throw wrong("price.\(name)", "is not known here; there are amount and currency")
      }
      guard found.updateValue(member.value, forKey: name) == nil else {
        throw wrong("price.\(name)", "stands twice")
      }
    }
    guard let amount = found["amount"], let currency = found["currency"] else {
      let name = found["amount"] == nil ? "price.amount" : "price.currency"
      throw Problem(.missingField, "\(name) is missing", field: name)
    }
    let text =
      amount.kind == .number
      ? String(decoding: amount.bytes.prefix(60), as: UTF8.self) : amount.string
    guard let text else { throw wrong("price.amount", "must be an amount such as 12.50") }
    guard let code = currency.string else {
      throw wrong("price.currency", "must be three capitals such as USD")
    }
    return (text, code)
  }

  // MARK: With what is kept

  /// - Parameters:
  ///   - snap: the one that it names, which has found something.
  ///   - isKnown: whether a photo of the account is there.
  func content(
    _ snap: Snap?, isKnown: (_ digest: String) throws -> Bool
  ) throws -> DraftContent {
    let found = snap?.finding
    let title = try JSONFields.require(
      title ?? found?.title, "title", "give it, or a snap that has found something")
    guard ListingTitle.fits(title) else {
      throw Self.wrong(
        "title", "has \(title.utf16.count) characters; it must have 1 to \(ListingTitle.longest)")
    }
    let condition = try JSONFields.require(
      condition ?? found?.condition, "condition", "one of \(ConditionGroup.words)")
    let marketplace = marketplace ?? snap?.subject?.marketplace ?? .unitedStates
    guard amount.currency == marketplace.currency.code else {
      let shown = amount.currency.inOneLine(atMost: 20)
      throw Self.wrong(
        "price.currency",
        "is “\(shown)”; listings of \(marketplace.id) are in \(marketplace.currency)")
    }
    guard let price = EbayMoney(amount.text, marketplace.currency), !price.isZero else {
      throw Self.wrong(
        "price.amount",
        "is \(Self.quoted(amount.text)); it must be an amount of \(marketplace.currency) above 0,"
          + " such as 12.50")
    }
    let photos = photos ?? snap?.subject?.photos ?? []
    for (index, digest) in photos.enumerated() {
      guard try isKnown(digest) else {
        throw Self.wrong("photos[\(index)]", "is no photo that is there: send it in with a snap")
      }
    }
    return DraftContent(
      snap: self.snap, title: title, description: description, condition: condition,
      category: category, gtin: gtin ?? found?.gtin, price: price, quantity: quantity,
      marketplace: marketplace, photos: photos)
  }
}
