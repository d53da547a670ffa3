import Crypto
import TollbookEvents
import TollbookGateway
import TollbookLog

/// What is bought of eBay, and what it is called in the cache.
enum EbayNeed: Hashable, Sendable {
  /// A page of a search, for what has come or gone.
  case search(EbaySearch)
  /// A page of a search, for prices to compare with.
  case comparables(EbaySearch)
  case item(EbayItemID)
  /// The same by the number of its page, which is that of an item without variations.
  case legacy(EbayItemID)
  /// A token of the application. What is kept of it is how long it lasts.
  case token
  /// What is left of the calls.
  case limits

  /// A longer name of a search is kept as its digest.
  private static let longestName = 300

  var operation: String {
    switch self {
    case .search, .comparables: EbayUpstream.search
    case .item, .legacy: EbayUpstream.item
    case .token: EbayUpstream.token
    case .limits: EbayUpstream.limits
    }
  }

  var resource: ResourceKey {
    switch self {
    case .search(let search):
      ResourceKey(shared: EbayUpstream.searchKind, path: Self.name(search.key))
    case .comparables(let search):
      ResourceKey(shared: EbayUpstream.comparablesKind, path: Self.name(search.key))
    case .item(let id), .legacy(let id):
      ResourceKey(shared: EbayUpstream.itemKind, path: id.description)
    case .token: ResourceKey(shared: EbayUpstream.tokenKind, path: "application")
    case .limits: ResourceKey(shared: EbayUpstream.limitsKind, path: "browse")
    }
  }

  private static func name(_ key: String) -> String {
    guard key.utf8.count > longestName else { return key }
    return "digest-\(Array(SHA256.hash(data: Array(key.utf8))).hexadecimal)"
  }

  /// What is searched for; nil: it is no search.
  var search: EbaySearch? {
    switch self {
    case .search(let search), .comparables(let search): search
    case .item, .legacy, .token, .limits: nil
    }
  }

  /// What is sent.
  var request: PassedRequest {
    switch self {
    case .search(let search), .comparables(let search):
      PassedRequest(path: search.pathAndQuery, headers: search.headers)
    case .item(let id): PassedRequest(path: EbayItemRequest.item(id).pathAndQuery)
    case .legacy(let id):
      PassedRequest(
        path: EbayItemRequest.legacy(id.legacyItemId, variation: nil).pathAndQuery)
    case .token: PassedRequest(path: EbayTokenRequest.path)
    case .limits: PassedRequest(path: EbayRateLimits.pathAndQuery())
    }
  }

  var need: Need { Need(operation, resource, request: request) }

  /// A demand for it alone.
  func demand(age: AgeLimit = .windows) -> ResourceDemand {
    var demand = ResourceDemand(operation, [resource], age: age)
    demand.request = request
    return demand
  }

  /// A demand for several items, twenty of them in a call. Their names say what is sent.
  static func demand(items ids: [EbayItemID]) -> ResourceDemand {
    ResourceDemand(EbayUpstream.items, ids.map { EbayNeed.item($0).resource })
  }

  /// The item that a resource is; nil: it is none.
  static func item(_ resource: ResourceKey) -> EbayItemID? {
    resource.kind == EbayUpstream.itemKind ? EbayItemID(String(resource.path)) : nil
  }
}
