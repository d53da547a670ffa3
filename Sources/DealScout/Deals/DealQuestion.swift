import JSONText
import TollbookEvents
package import TollbookHTTP

/// What `GET /buyer/deals` asks for: filters, an order, and where the page begins.
package struct DealQuestion: Sendable {
  static let names = [
    "q", "category", "min_price", "max_price", "condition", "min_score", "confidence",
    "ends_before", "sort", "cursor", "limit", "account", "marketplace", "preferences",
  ]
  static let mostRows = 200

  /// The orders. The raw values are part of the HTTP API.
  enum Order: String, CaseIterable, Sendable {
    /// The best first; those without a score last.
    case score
    /// The lowest total first; an unknown shipping counts as none.
    case price
    case highest = "-price"
    /// The last that began first.
    case newest
    /// The next that ends first; those without an end last.
    case ending

    /// What rows are ordered by, the lowest first.
    func key(of row: DealBoard.Row, _ facts: DealTable.Facts) -> Int64 {
      switch self {
      case .score: -facts.tenths
      case .price: facts.total
      case .highest: -facts.total
      case .newest: -(row.listing.originAt?.milliseconds ?? 0)
      case .ending: facts.ends
      }
    }
  }

  /// Where a page begins: behind the last row of the one before.
  struct Cursor: Hashable, Sendable {
    var key: Int64
    var id: EbayItemID
  }

  /// Words that the title must all have, in small letters.
  var words: [String] = []
  var category: String?
  var marketplace: EbayMarketplace?
  /// Of the total, in minor units of the listing's own currency.
  var minimum: Int64?
  var maximum: Int64?
  var condition: ConditionGroup?
  /// In tenths of a point.
  var minimumScore: Int64?
  var confidence: Confidence?
  var endsBefore: Timestamp?
  var order = Order.score
  var cursor: Cursor?
  var limit: Int
  /// The preferences that hold since the query says nothing, by the names of their parameters.
  private(set) var preferred: [String] = []

  package init(_ query: QueryParameters) throws(Problem) {
    limit = try query.limit()
    limit = min(limit, Self.mostRows)
    if let text = query["q"] {
      guard text.utf8.count <= 400 else {
        throw Problem(.invalidParameter, "q has more than 400 bytes", field: "q")
      }
      words = text.lowercased().split(whereSeparator: \.isWhitespace).map(String.init)
    }
    if let text = query["category"] {
      guard EbaySearch.isCategory(text) else {
        throw Problem(
          .invalidParameter,
          "category is “\(text.inOneLine(atMost: 50))”; it is a number of eBay's",
          field: "category")
      }
      category = text
    }
    minimum = try Self.amount(query, "min_price")
    maximum = try Self.amount(query, "max_price")
    if let minimum, let maximum, minimum > maximum {
      throw Problem(.invalidParameter, "min_price is above max_price", field: "min_price")
    }
    condition = try query.choice(
      "condition", of: ConditionGroup.allCases.map(\.rawValue), ConditionGroup.init(rawValue:))
    confidence = try query.choice(
      "confidence", of: Confidence.allCases.map(\.rawValue), Confidence.init(rawValue:))
    if let text = query["min_score"] {
      guard let score = Int64(text), 0...100 ~= score else {
        throw Problem(
          .invalidParameter,
          "min_score is “\(text.inOneLine(atMost: 50))”; it is a whole number from 0 to 100",
          field: "min_score")
      }
      minimumScore = score * 10
    }
    if let text = query["ends_before"] {
      guard let instant = DealsFilter(query).endsBeforeInstant else {
        throw Problem(
          .invalidParameter,
          "ends_before is “\(text.inOneLine(atMost: 50))”; it is an instant such as"
            + " 2026-11-22T08:00:00Z", field: "ends_before")
      }
      endsBefore = instant
    }
    order =
      try query.choice("sort", of: Order.allCases.map(\.rawValue), Order.init(rawValue:)) ?? .score
    if let text = query["cursor"], !text.isEmpty { cursor = try Self.cursor(text) }
    if let id = query["marketplace"] {
      do throws(EbayRequestFault) { marketplace = try EbayMarketplace(id: id) } catch {
        throw Problem(.invalidParameter, error.description, field: "marketplace")
      }
    }
  }

  /// Takes preferences where a query says nothing.
  ///
  /// - Parameter judges: whether there are scores: without, none are asked for.
  mutating func prefer(_ preferences: DealPreferences, _ query: QueryParameters, judges: Bool) {
    func take<Value>(
      _ name: String, _ value: Value?, _ place: WritableKeyPath<DealQuestion, Value?>
    ) {
      guard query[name] == nil, let value else { return }
      self[keyPath: place] = value
      preferred.append(name)
    }
    take("marketplace", preferences.marketplace, \.marketplace)
    if judges {
      take("min_score", preferences.minimumScore.map { $0 * 10 }, \.minimumScore)
      take("confidence", preferences.confidence, \.confidence)
    }
    take("condition", preferences.condition, \.condition)
    // Below what the query asks for at least there would be nothing.
    if let most = preferences.maximumPrice?.minorUnits, minimum.map({ $0 <= most }) ?? true {
      take("max_price", most, \.maximum)
    }
    if query["sort"] == nil, let preferred = preferences.order {
      order = preferred
      self.preferred.append("sort")
    }
  }

  private static func amount(
    _ query: QueryParameters, _ name: String
  ) throws(Problem) -> Int64? {
    guard let text = query[name] else { return nil }
    // In a currency of two decimals, as most of eBay's sites have.
    guard let money = EbayMoney(text, .dollar) else {
      throw Problem(
        .invalidParameter,
        "\(name) is “\(text.inOneLine(atMost: 50))”; it is an amount such as 19.90", field: name)
    }
    return money.minorUnits
  }

  /// What a page said of its next one.
  static func cursor(_ text: String) throws(Problem) -> Cursor {
    let parts = text.split(separator: "~", maxSplits: 1).map(String.init)
    guard parts.count == 2, let key = Int64(parts[0]), let id = EbayItemID(parts[1]) else {
      throw Problem(
        .invalidParameter, "cursor is none that Tollbook gave out", field: "cursor")
    }
    return Cursor(key: key, id: id)
  }
}
