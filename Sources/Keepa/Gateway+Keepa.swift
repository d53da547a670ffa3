package import TollbookEvents
package import TollbookGateway
package import TollbookLog
package import TollbookUpstreams
import TollbookViews

extension Gateway {
  /// A gateway to Keepa alone.
  ///
  /// - Parameters:
  ///   - keepa: nil if no key is configured: then only the cache answers.
  ///   - random: as of the gateway.
  package convenience init(
    log: EventLog, keepa: (api: any KeepaAPI, credential: String)?, settings: GatewaySettings,
    random: @escaping @Sendable () -> Double
  ) {
    self.init(
      log: log, upstreams: [.keepa(keepa, settings)], settings: settings, random: random)
  }

  /// The meter of Keepa's key; of no key if none is configured.
  package var keepaMeter: MeterKey {
    MeterKey(
      owner: status(of: KeepaUpstream.name)?.credential ?? KeepaUpstream.name,
      unit: KeepaUpstream.unit)
  }

  /// Answers from the cache what is fresh enough, buys the rest, and falls back to what is stale.
  package func products(_ request: ProductsRequest) async -> ProductsAnswer {
    products(of: await answer(request.demand))
  }

  /// Answers from the cache whatever is there, however old. Counts as a read, and never buys.
  package func storedProducts(_ request: ProductsRequest) async -> ProductsAnswer {
    var demand = request.demand
    demand.age = .neverBuy
    return products(of: await answer(demand))
  }

  private func products(of answer: DemandAnswer) -> ProductsAnswer {
    ProductsAnswer(
      outcomes: answer.outcomes.compactMap { outcome in
        KeepaUpstream.product(of: outcome.resource).map { ProductOutcome($0.asin, outcome) }
      }, meter: page(keepaMeter), position: answer.position, now: answer.now)
  }

  /// The stored body of a product. Counts as a read, and never buys.
  package func product(
    _ asin: KeepaASIN, in domain: KeepaDomain, covering wanted: ContentSet = .plain,
    by principal: Principal = Principal(account: "default")
  ) throws(LogError) -> StoredResource {
    try stored(
      KeepaUpstream.resource(asin, domain), parts: wanted.rawValue,
      operation: KeepaUpstream.product, by: principal)
  }
}

extension GatewaySettings {
  /// Freshness of products.
  package var products: FreshnessPolicy {
    get { freshness[KeepaUpstream.product] ?? FreshnessPolicy() }
    set { freshness[KeepaUpstream.product] = newValue }
  }
}

extension RegisteredUpstream {
  /// Keepa, with a key or without.
  package static func keepa(
    _ keepa: (api: any KeepaAPI, credential: String)?, _ settings: GatewaySettings
  ) -> RegisteredUpstream {
    RegisteredUpstream(
      KeepaUpstream.name,
      keepa.map { keepa in
        KeepaUpstream(
          keepa.api, credential: keepa.credential, overdraft: settings.overdraft,
          freshness: settings.freshness)
      }, absence: "no key for Keepa is set (KEEPA_API_KEY)", jobKinds: [.warmKeepa, .batchKeepa],
      kinds: KeepaUpstream.kinds(settings.freshness), units: [KeepaUpstream.unit])
  }
}
