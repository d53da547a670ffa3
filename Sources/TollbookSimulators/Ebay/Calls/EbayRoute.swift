/// What a call is for.
package enum EbayRoute: String, Sendable, Codable, CaseIterable {
  case token
  case authorize
  case search
  case item
  case items = "get_items"
  case legacyItem = "get_item_by_legacy_id"
  case sales = "item_sales"
  case rateLimit = "rate_limit"
  case userRateLimit = "user_rate_limit"

  /// A count of calls of an application that begins anew each day.
  package enum Resource: String, Sendable, Codable, CaseIterable {
    /// The Browse API but for `getItems`.
    case browse = "buy.browse"
    /// `getItems`.
    case items = "buy.browse.item.bulk"
    case insights = "buy.marketplaceinsight"
    case analytics = "developer.analytics.app_rate_limit"
  }

  /// What a call is counted under; nil: it is counted by tokens, or not at all.
  package var resource: Resource? {
    switch self {
    case .token, .authorize: nil
    case .search, .item, .legacyItem: .browse
    case .items: .items
    case .sales: .insights
    case .rateLimit, .userRateLimit: .analytics
    }
  }

  /// A way to a call by its method and the path of its URL, percent-encoded.
  struct Target: Sendable, Equatable {
    let route: EbayRoute
    /// The last step of the path of `item`, decoded.
    var itemId = ""
  }

  private static let itemPath = "/buy/browse/v1/item/"

  /// Nil: there is nothing at this path.
  static func target(method: String, path: String) -> Target? {
    if path == "/identity/v1/oauth2/token" {
      return method == "POST" ? Target(route: .token) : nil
    }
    guard method == "GET" else { return nil }
    switch path {
    case "/oauth2/authorize": return Target(route: .authorize)
    case "/buy/browse/v1/item_summary/search": return Target(route: .search)
    case "/buy/browse/v1/item", itemPath, itemPath + "get_items": return Target(route: .items)
    case itemPath + "get_item_by_legacy_id": return Target(route: .legacyItem)
    case "/buy/marketplace_insights/v1_beta/item_sales/search": return Target(route: .sales)
    case "/developer/analytics/v1_beta/rate_limit/", "/developer/analytics/v1_beta/rate_limit":
      return Target(route: .rateLimit)
    case "/developer/analytics/v1_beta/user_rate_limit/",
      "/developer/analytics/v1_beta/user_rate_limit":
      return Target(route: .userRateLimit)
    default:
      guard path.hasPrefix(itemPath) else { return nil }
      let step = path.dropFirst(itemPath.count)
      guard !step.contains("/") else { return nil }
      return Target(route: .item, itemId: QueryText.decoded(step, plusIsSpace: false))
    }
  }
}
