import TollbookEvents
import TollbookHTTP

/// What deals are asked for, as it was typed: the parameters of `/deals`.
struct DealsFilter: Hashable, Sendable {
  /// The names of the parameters, in the order of the form.
  static let names = [
    "q", "category", "min_price", "max_price", "condition", "min_score", "confidence",
    "ends_before", "sort", "cursor", "marketplace",
  ]

  var q = ""
  var category = ""
  var minPrice = ""
  var maxPrice = ""
  var condition = ""
  var minScore = ""
  var confidence = ""
  var endsBefore = ""
  var sort = ""
  /// Where the list goes on; empty: at its beginning.
  var cursor = ""
  var marketplace = ""

  /// The address of all deals, whatever the account prefers.
  static let none = OwnPath("/deals", query: [("preferences", "off")]) ?? "/deals"

  init() {}

  /// Reads the parameters of a request; what is left out is empty.
  init(_ query: QueryParameters) {
    q = query["q"] ?? ""
    category = query["category"] ?? ""
    minPrice = query["min_price"] ?? ""
    maxPrice = query["max_price"] ?? ""
    condition = query["condition"] ?? ""
    minScore = query["min_score"] ?? ""
    confidence = query["confidence"] ?? ""
    endsBefore = query["ends_before"] ?? ""
    sort = query["sort"] ?? ""
    cursor = query["cursor"] ?? ""
    marketplace = query["marketplace"] ?? ""
  }

  /// Shows preferences where nothing was typed.
  mutating func show(_ preferences: DealPreferences, _ names: [String]) {
    for name in names {
      switch name {
      case "marketplace": marketplace = preferences.marketplace?.id ?? ""
      case "min_score": minScore = preferences.minimumScore.map { "\($0)" } ?? ""
      case "confidence": confidence = preferences.confidence?.rawValue ?? ""
      case "condition": condition = preferences.condition?.rawValue ?? ""
      case "max_price": maxPrice = preferences.maximumPrice?.plainText ?? ""
      case "sort": sort = preferences.order?.rawValue ?? ""
      default: break
      }
    }
  }

  /// The address of the page that shows the same; the page without filters where it would be too long.
  ///
  /// - Parameter cursor: where the list goes on; nil: where it does now.
  func path(cursor: String? = nil) -> OwnPath {
    let values = [
      q, category, minPrice, maxPrice, condition, minScore, confidence, endsBefore, sort,
      cursor ?? self.cursor, marketplace,
    ]
    return OwnPath("/deals", query: Array(zip(Self.names, values)).map { ($0, $1) }) ?? "/deals"
  }

  /// How many filters are set beside the words and the order.
  var moreCount: Int {
    [category, minPrice, maxPrice, condition, minScore, confidence, endsBefore, marketplace]
      .count { !$0.isEmpty }
  }

  /// Whether anything narrows the list.
  var isEmpty: Bool { moreCount == 0 && q.isEmpty }

  /// The instant that ``endsBefore`` says: RFC 3339, or as a form writes it, `2026-11-21T08:00` with or without seconds,
  /// which is in UTC. Nil if it says none.
  var endsBeforeInstant: Timestamp? {
    if let instant = Timestamp(rfc3339: endsBefore) { return instant }
    return Timestamp(rfc3339: endsBefore + (endsBefore.utf8.count == 16 ? ":00Z" : "Z"))
  }
}
