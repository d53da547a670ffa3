import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP

/// Which products somebody looks for: `POST /api/v1/products/discover`.
///
/// Members: `domain`, 1 if left out; `category`, the id of a category; `bsr_min` and `bsr_max`, the sales rank; `price_min`
/// and `price_max` in whole units of the marketplace's currency, so that 12 is $12.00; `limit`, 1 to 10,000, 50 if left out.
struct DiscoveryRequest: Sendable {
  static let names = [
    "domain", "category", "bsr_min", "bsr_max", "price_min", "price_max", "limit",
  ]
  /// What a finder's page holds at most (fact sheet, section 5).
  static let mostProducts: Int64 = 10_000

  let domain: KeepaDomain
  let category: Int64?
  let ranks: (lowest: Int64?, highest: Int64?)
  /// In minor units.
  let prices: (lowest: Int64?, highest: Int64?)
  let limit: Int

  init(_ fields: JSONFields) throws(Problem) {
    domain = try KeepaDomain(of: fields)
    category = try fields.integer("category", in: 1 ... .max)
    ranks = (
      try fields.integer("bsr_min", in: 1 ... .max), try fields.integer("bsr_max", in: 1 ... .max)
    )
    let digits = domain.currencyDigits
    prices = (
      try fields.amount("price_min", digits: digits), try fields.amount("price_max", digits: digits)
    )
    limit = Int(try fields.integer("limit", in: 1...Self.mostProducts) ?? 50)
    try Self.check(ranks, "bsr_min", "bsr_max")
    try Self.check(prices, "price_min", "price_max")
    guard
      category != nil || ranks.lowest != nil || ranks.highest != nil || prices.lowest != nil
        || prices.highest != nil
    else {
      throw Problem(
        .missingField, "name a category, a sales rank or a price: all products are too many",
        field: "category")
    }
  }

  private static func check(
    _ range: (lowest: Int64?, highest: Int64?), _ lowest: String, _ highest: String
  ) throws(Problem) {
    guard let low = range.lowest, let high = range.highest, low > high else { return }
    throw Problem(
      .invalidField, "\(lowest) is above \(highest): nothing can lie between", field: lowest)
  }

  /// The page of the finder that lists them, the best-selling first. A list of up to 50 is the same for every limit.
  var question: KeepaQuestion? {
    var json = JSONWriter()
    json.object { json in
      if let category { json.array("categories_include", [category]) }
      json.fieldIfPresent("current_SALES_gte", ranks.lowest)
      json.fieldIfPresent("current_SALES_lte", ranks.highest)
      json.fieldIfPresent("current_NEW_gte", prices.lowest)
      json.fieldIfPresent("current_NEW_lte", prices.highest)
      json.field("perPage", max(50, limit))
      json.field("page", 0)
      json.array("sort") { json in json.array(["current_SALES", "asc"]) }
    }
    return try? KeepaQuestion(
      .finder, [("domain", "\(domain.rawValue)"), ("selection", json.string)], body: [])
  }

  /// The best sellers of the category, if they are all that is asked for: 50 tokens for any number, where a page of the
  /// finder costs 10 and one for each hundred.
  var bestSellers: KeepaQuestion? {
    guard let category, ranks == (nil, nil), prices == (nil, nil) else { return nil }
    return try? KeepaQuestion(
      .bestSellers, [("domain", "\(domain.rawValue)"), ("category", "\(category)")], body: [])
  }

  /// Whether the best sellers are the cheaper way to so many.
  var isCheaperByBestSellers: Bool {
    bestSellers != nil && 10 + (Int64(max(50, limit)) + 99) / 100 > 50
  }

  /// Writes the filters that were given, as they were given.
  func write(to json: inout JSONWriter) {
    json.field("domain", domain.rawValue)
    json.fieldIfPresent("category", category)
    json.fieldIfPresent("bsr_min", ranks.lowest)
    json.fieldIfPresent("bsr_max", ranks.highest)
    for (name, price) in [("price_min", prices.lowest), ("price_max", prices.highest)] {
      guard let price else { continue }
      json.rawField(name, Array(Self.decimal(price, digits: domain.currencyDigits).utf8))
    }
  }

  /// An amount in minor units as a JSON number in whole units, exactly.
  static func decimal(_ amount: Int64, digits: Int) -> String {
    guard digits == 2 else { return "\(amount)" }
    let cents = amount % 100
    if cents == 0 { return "\(amount / 100)" }
    let text = cents < 10 ? "0\(cents)" : "\(cents)"
    return "\(amount / 100).\(text.last == "0" ? String(text.dropLast()) : text)"
  }
}

extension JSONFields {
  /// An amount of money in whole units with up to as many decimals as the currency has, in minor units.
  fileprivate func amount(_ name: String, digits: Int) throws(Problem) -> Int64? {
    guard let value = value(name) else { return nil }
    let scale: Double = digits == 2 ? 100 : 1
    guard value.kind == .number, let number = value.double, number >= 0, number < 1e12,
      let amount = Int64(exactly: (number * scale).rounded())
    else {
      throw Problem(
        .invalidField, "\(name) must be a price of 0 or more, such as 12 or 12.5", field: name)
    }
    return amount
  }
}
