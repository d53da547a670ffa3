package import TollbookEvents
package import TollbookGateway
import TollbookUpstreams

/// Keepa's products, bought with one key: calls of up to 100 products of one marketplace, on the key's token bucket.
package struct KeepaUpstream: Upstream {
  package static let name = "keepa"
  package static let product = "keepa.product"
  package static let unit = "tokens"

  private let api: any KeepaAPI
  private let credential: String
  private let bucket: RefillBucket
  private let freshness: FreshnessPolicy

  /// - Parameter credential: the id of the key.
  package init(
    _ api: any KeepaAPI, credential: String, overdraft: GatewaySettings.Overdraft = .never,
    freshness: FreshnessPolicy = FreshnessPolicy()
  ) {
    self.api = api
    self.credential = credential
    bucket = Self.bucket(overdraft)
    self.freshness = freshness
  }

  /// The bucket of a key: refilled once a minute up to what 60 refills bring, on a grid of 60.2 s that was measured on one
  /// key; later is safe.
  package static func bucket(
    _ overdraft: GatewaySettings.Overdraft = .never
  ) -> RefillBucket {
    RefillBucket(tick: 60_200, ticksToFill: 60, overdraft: overdraft)
  }

  package var name: String { Self.name }
  package var title: String { "Keepa" }
  package var credentials: [String] { [credential] }
  package var meter: MeterKey { MeterKey(owner: credential, unit: Self.unit) }

  package var meters: [UpstreamMeter] {
    [UpstreamMeter(meter, .refillBucket(bucket), doubt: .ownReadings)]
  }

  package var kinds: [ResourceKind] {
    [ResourceKind(Self.product, freshness: freshness, summary: .public)]
  }

  /// Under which name a product stands in the cache.
  package static func resource(_ asin: KeepaASIN, _ domain: KeepaDomain) -> ResourceKey {
    ResourceKey(shared: product, path: "\(domain.rawValue)/\(asin)")
  }

  /// What a name in the cache stands for; nil: for no product.
  package static func product(of resource: ResourceKey) -> (domain: KeepaDomain, asin: KeepaASIN)? {
    guard resource.kind == product else { return nil }
    let parts = resource.path.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let number = Int(parts[0]), let domain = KeepaDomain(rawValue: number),
      let asin = KeepaASIN(parts[1]), Self.resource(asin, domain) == resource
    else { return nil }
    return (domain, asin)
  }

  package func callSize(of operation: String, parts: UInt64) -> Int {
    KeepaPriceList.maximumProducts(for: ContentSet(keepa: parts))
  }

  package func plan(_ needs: [Need]) -> [PlannedCall] {
    var calls: [(domain: KeepaDomain, places: [Int])] = []
    for (place, need) in needs.enumerated() {
      guard let product = need.resource.flatMap(Self.product) else { continue }
      let size = callSize(of: need.operation, parts: need.parts)
      if let open = calls.lastIndex(where: { $0.domain == product.domain }),
        calls[open].places.count < size
      {
        calls[open].places.append(place)
      } else {
        calls.append((product.domain, [place]))
      }
    }
    return calls.map { call in
      let needs = call.places.map { needs[$0] }
      let sets = needs.map { ContentSet(keepa: $0.parts) }
      let use = MeterUse(
        meter, .refillBucket(bucket),
        bounds: PrefixCosts(each: sets.map { KeepaPriceList.bound($0) }),
        expected: PrefixCosts(each: sets.map(KeepaPriceList.expected)))
      return PlannedCall(needs: needs, places: call.places, uses: [use])
    }
  }

  package func perform(
    _ call: PlannedCall, with credential: String, within limit: Duration
  ) async -> Exchange {
    let products = call.needs.compactMap { $0.resource.flatMap(Self.product) }
    guard let domain = products.first?.domain, let parts = call.needs.first?.parts else {
      let failure = UpstreamFailure(.notSent, detail: "a call for nothing", charge: .none)
      return Exchange(.failure(failure), charges: [meter: .notSent], duration: .zero)
    }
    let question = KeepaProductRequest(
      domain: domain, asins: products.map(\.asin), contentSet: ContentSet(keepa: parts))
    let answer = await api.products(question, within: limit)
    return exchange(answer, readings: { $0.reading }, charge: { $0.charge }) {
      Self.delivery($0, asked: question)
    }
  }

  package func readMeters(within limit: Duration) async -> Exchange? {
    exchange(await api.balance(within: limit), readings: { $0 }, charge: { _ in .known(0) }) { _ in
      Delivery([])
    }
  }

  private func exchange<Answer>(
    _ call: UpstreamCall<Answer>, readings: (Answer) -> UpstreamReading?,
    charge: (Answer) -> UpstreamCharge, delivery: (Answer) -> Delivery
  ) -> Exchange {
    let reading: UpstreamReading?
    let cost: UpstreamCharge
    switch call.result {
    case .success(let answer): (reading, cost) = (readings(answer), charge(answer))
    case .failure(let failure): (reading, cost) = (failure.reading, failure.charge)
    }
    return Exchange(
      call.result.map(delivery), charges: [meter: MeterCharge(cost)],
      readings: reading.map { [MeterReading(meter, .balance($0))] } ?? [],
      duration: call.duration, receivedBytes: call.receivedBytes, isSimulated: call.isSimulated)
  }

  private static func delivery(
    _ answer: KeepaProductAnswer, asked: KeepaProductRequest
  ) -> Delivery {
    var writes = (answer.products + answer.unasked).map { product in
      Write(
        resource(product.asin, asked.domain), body: product.body,
        parts: product.contentSet.rawValue, summary: product.summary.bytes,
        upstreamUpdated: product.lastUpdateMilliseconds)
    }
    writes += answer.absent.map {
      Write(resource($0, asked.domain), body: nil, parts: asked.contentSet.rawValue)
    }
    guard !answer.unasked.isEmpty else { return Delivery(writes) }
    let others = answer.unasked.prefix(3).map(\.asin.description).joined(separator: ", ")
    let silence = answer.unanswered.map {
      (resource($0, asked.domain), "Keepa answered with another product instead: \(others)")
    }
    return Delivery(writes, silence: Dictionary(silence, uniquingKeysWith: { first, _ in first }))
  }
}

extension MeterCharge {
  fileprivate init(_ charge: UpstreamCharge) {
    switch charge {
    case .none: self = .notSent
    case .known(let tokens): self = .told(tokens)
    case .unknown: self = .unknown()
    }
  }
}
