/// Something that goes wrong on purpose with calls that are right.
package struct EbayFault: CountedFault, Sendable, Equatable, Codable {
  /// What goes wrong. Refusals (401, 429) are not counted against the limits; all else is.
  package enum Kind: String, Sendable, Codable, CaseIterable {
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
  }

  /// What goes wrong.
  package var kind: Kind
  /// It happens only to calls of this route; nil: to all that it can happen to.
  package var route: EbayRoute?
  /// It happens to the next so many calls; counts down. Nil: `probability` decides.
  package var next: Int?
  /// It happens to each call with this probability, repeatably by `seed`.
  package var probability: Double?
  /// The seed of `probability`.
  package var seed: UInt64?
  /// How long an answer is late, 15 s unless it is told.
  package var milliseconds: Int?
  /// How many calls it was asked about.
  var draws: Int?

  /// A fault that happens to the next calls.
  package init(_ kind: Kind, next: Int, of route: EbayRoute? = nil, milliseconds: Int? = nil) {
    self.kind = kind
    self.route = route
    self.next = next
    self.milliseconds = milliseconds
  }

  /// A fault that happens now and then.
  package init(
    _ kind: Kind, probability: Double, seed: UInt64, of route: EbayRoute? = nil,
    milliseconds: Int? = nil
  ) {
    self.kind = kind
    self.route = route
    self.probability = probability
    self.seed = seed
    self.milliseconds = milliseconds
  }

  /// The longest that a fault can make a call wait, in milliseconds.
  static let longestDelay = 3_600_000

  /// How long an answer is late, in milliseconds: at most an hour.
  package var delay: Int {
    switch kind {
    case .timeout, .slow: min(Self.longestDelay, max(0, milliseconds ?? 15_000))
    default: 0
    }
  }
}

/// All faults in force. The first that strikes a call is the one that happens to it.
package typealias EbayFaults = FaultRules<EbayFault>

extension EbayFaults {
  /// The fault that happens to one more call.
  mutating func strike(_ route: EbayRoute) -> EbayFault? {
    strike { $0.kind.happens(to: route) && $0.route ?? route == route }
  }
}
