/// Something that goes wrong on purpose with calls that are right. Refusals (401, 429) are not counted against the limits;
/// all else is. A fault can be limited to a route.
package enum EbayFaultKind: String, FaultKind, CaseIterable {
  package static let targetMember = FaultMember.route

  /// 500 with 12000.
  case http500
  /// 503.
  case http503
  /// 401 with 1001 although the token is good; of the token endpoint `invalid_client`.
  case http401
  /// 429 with 2001 although there are calls left; of the token endpoint its limit.
  case http429
  /// A page with status 200 instead of JSON.
  case html
  /// Nothing for a long time, then the connection closes.
  case timeout
  /// The connection closes without an answer.
  case drop
  /// Everything is as it should be, but late.
  case slow
  /// `Content-Length` promises more than arrives before the connection closes.
  case cutBody = "cut_body"
  /// All counts of the application begin anew just before this call.
  case quotaReset = "quota_reset"
  /// A search loses its filters, with warning 12002.
  case filterDropped = "filter_dropped"
  /// A search loses its filters without a word.
  case filterIgnored = "filter_ignored"
  /// Items that are asked for by id are gone.
  case itemEnded = "item_ended"

  /// Whether it can happen to calls of a route; to others it does not.
  package func happens(to route: EbayRoute) -> Bool {
    switch self {
    case .quotaReset: route.resource != nil
    case .filterDropped, .filterIgnored: route == .search
    case .itemEnded: [.item, .items, .legacyItem].contains(route)
    case .http401, .http429: route != .authorize
    default: true
    }
  }

  package var isLate: Bool { [.timeout, .slow].contains(self) }
}

/// What goes wrong with a call to the simulated eBay.
package typealias EbayFault = SimulatorFault<EbayFaultKind>
/// Which calls to it go wrong, and how.
package typealias EbayFaults = FaultRules<EbayFaultKind>
