package import TollbookEvents
package import TollbookGateway
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
  /// Who asks, and pays.
  package var principal: Principal

  package init(
    asins: [KeepaASIN], domain: KeepaDomain = .unitedStates, contentSet: ContentSet = .plain,
    maximumAge: Int64? = nil, wait: Int64 = 0, maximumTokens: Int64? = nil,
    principal: Principal = Principal(account: "default")
  ) {
    self.asins = asins
    self.domain = domain
    self.contentSet = contentSet
    self.maximumAge = maximumAge
    self.wait = wait
    self.maximumTokens = maximumTokens
    self.principal = principal
  }

  /// As the engine takes it.
  package var demand: ResourceDemand {
    var demand = ResourceDemand(
      KeepaUpstream.product, asins.map { KeepaUpstream.resource($0, domain) },
      parts: contentSet.rawValue, age: AgeLimit(maximumAge: maximumAge), wait: wait,
      limit: maximumTokens)
    demand.principal = principal
    return demand
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
  package let lost: Int64
  /// What may have been spent on attempts that brought nothing.
  package let inDoubt: Int64

  /// All that the request has paid for it.
  package var paid: Int64 { tokens + lost }

  init(_ asin: KeepaASIN, _ outcome: ResourceOutcome) {
    self.asin = asin
    if case .handOn(_, let detail)? = outcome.handedOn?.disposition {
      // It is about another product.
      source = .none
      problem = PurchaseProblem(.upstreamUnavailable, detail)
    } else {
      source = Source(outcome.source)
      problem = outcome.problem?.reason == .incomplete ? Self.incomplete : outcome.problem
    }
    entry = outcome.entry
    tokens = outcome.cost
    isJoined = outcome.isJoined
    lost = outcome.lost
    inDoubt = outcome.inDoubt
  }

  private static let incomplete = PurchaseProblem(
    .incomplete,
    "Keepa could not collect the offers, and answered without them and what comes with them")
}

extension ProductOutcome.Source {
  init(_ source: ResourceOutcome.Source) {
    self =
      switch source {
      case .upstream: .keepa
      case .cache: .cache
      case .stale: .stale
      case .none: .none
      }
  }
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
