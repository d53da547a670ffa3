package import TollbookEvents
package import TollbookUpstreams
package import TollbookViews

/// A question for products of one marketplace.
package struct ProductsRequest: Sendable {
  /// In the order in which they are to be bought if not all can be; duplicates are answered once.
  package var asins: [KeepaASIN]
  package var domain: KeepaDomain
  /// The paid parts that must be in the answer.
  package var contentSet: ContentSet
  /// The oldest data that will do, in milliseconds; nil: what the kind's windows say.
  package var maximumAge: Int64?
  /// How long to go on buying as refills arrive, in milliseconds.
  package var wait: Int64
  /// The most that the request may cost; nil for no limit of its own.
  package var maximumTokens: Int64?
  /// Who pays.
  package var account: String
  /// Set if nobody waits for the answer.
  var behind: Behind?

  /// What a refresh behind an answer is for.
  struct Behind: Sendable, Hashable {
    /// When the reader was answered.
    var asked: Timestamp
    /// The oldest data that would have done for the reader, in milliseconds.
    var maximumAge: Int64?
  }

  /// The age that the reader demanded, whoever waits now.
  var demandedAge: Int64? { behind.map(\.maximumAge) ?? maximumAge }

  package init(
    asins: [KeepaASIN], domain: KeepaDomain = .unitedStates, contentSet: ContentSet = .plain,
    maximumAge: Int64? = nil, wait: Int64 = 0, maximumTokens: Int64? = nil,
    account: String = "default"
  ) {
    self.asins = asins
    self.domain = domain
    self.contentSet = contentSet
    self.maximumAge = maximumAge
    self.wait = wait
    self.maximumTokens = maximumTokens
    self.account = account
  }
}

/// What became of one ASIN of a request.
package struct ProductOutcome: Sendable {
  /// Where the answer comes from. The raw values are part of the HTTP API.
  package enum Source: String, Sendable {
    /// Bought for this request, or by one that was already at it.
    case keepa
    case cache
    /// From the cache, past its time, because nothing better could be had.
    case stale
    case none
  }

  package let asin: KeepaASIN
  package let source: Source
  /// The entry that answers; for a product that Keepa does not know, an entry that is not present.
  package let entry: CacheEntry?
  /// This request's share of what the call that brought it has cost; 0 for who joined.
  package let tokens: Int64
  /// Whether another request was already buying it.
  package let isJoined: Bool
  /// Why there is no answer, or only a stale one.
  package let problem: PurchaseProblem?
  /// Its share of attempts that brought nothing; 0 for who joined.
  package var lost = 0 as Int64
  /// What may have been spent on attempts that brought nothing.
  package var inDoubt = 0 as Int64

  /// All that the request has paid for it.
  package var paid: Int64 { tokens + lost }
}

/// The answer to a `ProductsRequest`.
package struct ProductsAnswer: Sendable {
  /// One for each different ASIN, in request order.
  package let outcomes: [ProductOutcome]
  /// The meter after the request.
  package let meter: Meter
  /// What the answer reflects.
  package let position: Position
  /// When it was put together.
  package let now: Timestamp
}

/// How an upstream stands.
package struct UpstreamStatus: Sendable, Hashable {
  /// The raw values are part of the HTTP API.
  package enum State: String, Sendable {
    /// No key is set.
    case notConfigured = "not_configured"
    /// Nothing was heard yet.
    case unknown
    case ready
    case keyRejected = "key_rejected"
    /// The last call got no usable answer.
    case unreachable
    /// Too many calls in a row got none: it is left alone for a while.
    case paused
    /// A simulator answers in its place, and the log holds real data. Nothing is taken from it.
    case simulator
  }

  package var isConfigured: Bool
  package var state: State
  /// Whether its last answer said that a simulator gave it; nil: it has not answered yet.
  package var isSimulated: Bool?
  /// What the upstream said last, where it is not ready; never a secret.
  package var detail: String
  package var credential: String?
  /// When it is asked again, if it is left alone.
  package var pausedUntil: Timestamp?
}
