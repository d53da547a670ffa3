/// What Keepa answers beside products and the balance.
package enum KeepaEndpoint: String, CaseIterable, Sendable {
  case bestSellers = "bestsellers"
  case finder = "query"
  case category, search
  case deals = "deal"
  case seller
  case graph = "graphimage"
  case topSellers = "topseller"
  case lightningDeals = "lightningdeal"
  case tracking

  /// What buys it, and which kind its answers are of.
  package var operation: String { "\(KeepaUpstream.name).\(rawValue)" }

  var path: String { "/\(rawValue)" }

  /// Whether its answers are cached. Of the others one is asked once a day, one is stale after ten minutes, and one
  /// changes something.
  var isKept: Bool {
    switch self {
    case .topSellers, .lightningDeals, .tracking: false
    default: true
    }
  }

  init?(operation: String) {
    guard let found = Self.allCases.first(where: { $0.operation == operation }) else { return nil }
    self = found
  }

  /// How long its answers are fresh, in milliseconds. Keepa's own caches are shorter or as long (fact sheet, section 7).
  package var fresh: Int64 {
    let minute: Int64 = 60_000
    return switch self {
    case .category: 7 * 24 * 60 * minute
    case .deals: 10 * minute
    case .graph: 90 * minute
    default: 24 * 60 * minute
    }
  }

  /// What the answer holds, if it is no JSON.
  var contentType: String { self == .graph ? "image/png" : "application/json" }

  /// The parameters that it knows, each with the value that says the same as leaving it out; nil: there is none.
  var parameters: [String: String?] {
    switch self {
    case .bestSellers:
      [
        "domain": nil, "category": nil, "range": "0", "month": nil, "year": nil,
        "variations": "0", "sublist": "0",
      ]
    case .finder: ["domain": nil, "selection": nil, "stats": "0"]
    case .category: ["domain": nil, "category": nil, "parents": "0"]
    case .search:
      [
        "domain": nil, "type": nil, "term": nil, "page": nil, "asins-only": "0", "stats": nil,
        "update": nil, "history": nil, "rating": "0", "parents": "0",
      ]
    case .deals: ["domain": nil, "selection": nil]
    case .seller: ["domain": nil, "seller": nil, "storefront": "0", "update": nil]
    case .graph:
      [
        "domain": nil, "asin": nil, "range": nil, "yzoom": nil, "width": nil, "height": nil,
        "title": nil, "amazon": nil, "new": nil, "used": nil, "salesrank": nil, "bb": nil,
        "bbu": nil, "fba": nil, "fbm": nil, "ld": nil, "wd": nil, "pe": nil,
      ]
    case .topSellers: ["domain": nil]
    case .lightningDeals: ["domain": nil, "asin": nil, "state": nil]
    case .tracking:
      [
        "type": nil, "asin": nil, "asins-only": nil, "page": nil, "perPage": nil, "since": nil,
        "revise": nil, "url": nil, "list": nil,
      ]
    }
  }

  /// Whether a parameter is one of its own. Colours of a graph begin with c.
  func knows(_ name: String) -> Bool {
    parameters.keys.contains(name) || (self == .graph && name.hasPrefix("c"))
  }

  /// What must be given.
  var required: [String] {
    switch self {
    case .bestSellers, .category: ["domain", "category"]
    case .finder: ["domain", "selection"]
    case .search: ["domain", "type", "term"]
    case .deals: ["selection"]
    case .seller: ["domain", "seller"]
    case .graph: ["domain", "asin"]
    case .topSellers, .lightningDeals: ["domain"]
    case .tracking: ["type"]
    }
  }

  /// The parameter that names several things which are kept one by one, and how many one call takes (fact sheet,
  /// section 5).
  var list: (name: String, most: Int)? {
    switch self {
    case .category: ("category", 10)
    case .seller: ("seller", 100)
    default: nil
    }
  }

  /// The member of the answer that holds them by their names.
  var map: String? {
    switch self {
    case .category: "categories"
    case .seller: "sellers"
    default: nil
    }
  }
}

/// What calls other than for products cost in tokens: the fact sheet, section 5. Keepa's `tokensConsumed` beats it.
extension KeepaEndpoint {
  /// The most and the likely cost of a call with these parameters, for so many things of a list.
  func price(
    _ parameters: [String: String], selection: KeepaSelection?, count: Int, bodyItems: Int
  ) -> (bound: Int64, expected: Int64) {
    func isOn(_ name: String) -> Bool { parameters[name] == "1" }
    switch self {
    case .bestSellers, .topSellers: return (50, 50)
    case .finder:
      let pages = Int64((selection?.perPage ?? 50) + 99) / 100
      // With statistics 30 more, and one for each million of matches: nobody sells more than a few hundred millions.
      let statistics: Int64 = isOn("stats") ? 30 : 0
      return (10 + pages + (isOn("stats") ? statistics + 500 : 0), 10 + pages + statistics)
    case .category: return (isOn("parents") ? 2 : 1, 1)
    case .search:
      guard parameters["type"] == "product" else { return (isOn("parents") ? 2 : 1, 1) }
      // Without a page the first forty come; one source says for ten tokens.
      let rating: Int64 = isOn("rating") ? 5 : 0
      return (parameters["page"] == nil ? 40 + rating : 10 + rating, 10 + rating)
    case .deals: return (5, 5)
    case .seller:
      guard isOn("storefront") else { return (Int64(count), Int64(count)) }
      return parameters["update"] == nil ? (10, 10) : (50, 10)
    case .graph: return (1, 1)
    case .lightningDeals: return parameters["asin"] == nil ? (500, 500) : (1, 1)
    case .tracking:
      return parameters["type"] == "add" ? (Int64(bodyItems), Int64(bodyItems)) : (0, 0)
    }
  }
}
