package import TollbookEvents
package import TollbookGateway
import TollbookUpstreams

/// Keepa, bought from with one key, on the token bucket of the key's quota group: products in calls of up to 100 of one
/// marketplace, and what else it answers, a call each.
package struct KeepaUpstream: Upstream {
  package static let name = "keepa"
  package static let product = "keepa.product"
  /// Which products a code (UPC, EAN, ISBN-13) stands for.
  package static let code = "keepa.code"
  package static let unit = "tokens"

  let api: any KeepaAPI
  /// Empty: there is no key, and nothing is bought.
  private let credential: String
  private let quotaGroup: String
  private let bucket: RefillBucket
  private let freshness: [String: FreshnessPolicy]

  /// - Parameters:
  ///   - credential: the id of the key; empty: there is none, and nothing is bought until one is put in.
  ///   - quotaGroup: whose token bucket it uses; nil: its own.
  ///   - freshness: by kind; of the others ``standardFreshness(of:)``.
  package init(
    _ api: any KeepaAPI, credential: String, quotaGroup: String? = nil,
    overdraft: GatewaySettings.Overdraft = .never,
    freshness: [String: FreshnessPolicy] = [:]
  ) {
    self.api = api
    self.credential = credential
    self.quotaGroup = quotaGroup ?? credential
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
  package var keySetting: String { "KEEPA_API_KEY" }
  package var credentials: [String] { credential.isEmpty ? [] : [credential] }
  package var meter: MeterKey { MeterKey(owner: quotaGroup, unit: Self.unit) }

  package var meters: [UpstreamMeter] {
    credential.isEmpty
      ? [] : [UpstreamMeter(meter, .refillBucket(bucket), doubt: .ownReadings)]
  }

  package var kinds: [ResourceKind] { Self.kinds(freshness) }

  package func with(_ lease: CredentialLease) -> (any Upstream)? {
    api.with(lease).map { api in
      KeepaUpstream(
        api, credential: lease.id, quotaGroup: lease.quotaGroup, overdraft: bucket.overdraft,
        freshness: freshness)
    }
  }

  /// Two minutes, in milliseconds. Keepa collects some data only when it is asked, and charges for a call that was given up
  /// (fact sheet, sections 1 and 10).
  package static let callLimit: Int64 = 120_000
  package var callLimit: Int64? { Self.callLimit }

  /// Its kinds with their windows.
  ///
  /// - Parameter freshness: by kind; of the others ``standardFreshness(of:)``.
  package static func kinds(_ freshness: [String: FreshnessPolicy]) -> [ResourceKind] {
    let kept = KeepaEndpoint.allCases.filter(\.isKept).map(\.operation) + [code]
    return ([product] + kept).map { name in
      let hasSummary = name == product || name == KeepaEndpoint.finder.operation
      return ResourceKind(
        name, freshness: freshness[name] ?? standardFreshness(of: name),
        summary: hasSummary ? .public : .none)
    }
  }

  /// How long entries of a kind may answer if nobody sets it.
  package static func standardFreshness(of kind: String) -> FreshnessPolicy {
    var policy = FreshnessPolicy()
    let day: Int64 = 86_400_000
    let fresh: Int64
    switch kind {
    case product: return policy
    case code: fresh = 30 * day
    default:
      guard let endpoint = KeepaEndpoint(operation: kind) else { return policy }
      fresh = endpoint.fresh
    }
    policy.present = FreshnessWindows(
      fresh: fresh, grace: 0, errorGrace: 7 * day, keep: max(fresh, 30 * day))
    policy.absent = FreshnessWindows(
      fresh: min(fresh, day), grace: 0, errorGrace: 0, keep: 7 * day)
    return policy
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
    switch operation {
    case Self.product, Self.code:
      KeepaPriceList.maximumProducts(for: ContentSet(keepa: parts))
    default: KeepaEndpoint(operation: operation)?.list?.most ?? 1
    }
  }

  package func plan(_ needs: [Need]) -> [PlannedCall] {
    guard needs.first?.operation == Self.product, needs.first?.request == nil else {
      return planCalls(needs)
    }
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
      return PlannedCall(
        needs: needs, places: call.places,
        uses: use(
          bounds: PrefixCosts(
            each: needs.map {
              KeepaPriceList.bound(ContentSet(keepa: $0.parts), isLive: $0.isLive)
            }),
          expected: PrefixCosts(
            each: needs.map { KeepaPriceList.expected(ContentSet(keepa: $0.parts)) })))
    }
  }

  /// A product is asked for by its name; what stands for other entries only the request that bought them tells.
  package func renewal(of resource: ResourceKey, parts: UInt64) -> Need? {
    Self.product(of: resource).map { _ in Need(Self.product, resource, parts: parts) }
  }

  /// What a call takes of the bucket.
  func use(bounds: PrefixCosts, expected: PrefixCosts) -> [MeterUse] {
    [MeterUse(meter, .refillBucket(bucket), bounds: bounds, expected: expected)]
  }

  package func perform(
    _ call: PlannedCall, with credential: String, within limit: Duration
  ) async -> Exchange {
    guard let first = call.needs.first else { return Self.nothing(meter) }
    guard first.operation == Self.product, first.request == nil else {
      return await performCall(call, first, within: limit)
    }
    let products = call.needs.compactMap { $0.resource.flatMap(Self.product) }
    guard let domain = products.first?.domain else { return Self.nothing(meter) }
    let question = KeepaProductRequest(
      domain: domain, asins: products.map(\.asin), contentSet: ContentSet(keepa: first.parts),
      updateHours: first.isLive ? 0 : nil)
    let answer = await api.products(question, within: limit)
    return exchange(answer, readings: { $0.reading }, charge: { $0.charge }) {
      Self.delivery($0, asked: question)
    }
  }

  private static func nothing(_ meter: MeterKey) -> Exchange {
    let failure = UpstreamFailure(.notSent, detail: "a call for nothing", charge: .none)
    return Exchange(.failure(failure), charges: [meter: .notSent], duration: .zero)
  }

  package func readMeters(within limit: Duration) async -> Exchange? {
    exchange(await api.balance(within: limit), readings: { $0 }, charge: { _ in .known(0) }) { _ in
      Delivery([])
    }
  }

  func exchange<Answer>(
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
    var writes = (answer.products + answer.unasked).map { $0.write(in: asked.domain) }
    writes += answer.absent.map {
      Write(resource($0, asked.domain), body: nil, parts: asked.contentSet.rawValue)
    }
    guard !answer.unasked.isEmpty else { return Delivery(writes) }
    let others = answer.unasked.prefix(3).map(\.asin.description).joined(separator: ", ")
    let detail = "Keepa answered with another product instead: \(others)"
    if answer.unasked.count == 1, answer.unanswered.count == 1 {
      // A redirect: the other one is kept under its own name, and goes to who asked as it came.
      let other = answer.unasked[0]
      writes.append(
        Write(
          resource(answer.unanswered[0], asked.domain), body: other.body, cuts: other.cuts,
          parts: other.contentSet.rawValue, disposition: .handOn(.unasked, detail: detail)))
      return Delivery(writes)
    }
    let silence = answer.unanswered.map { (resource($0, asked.domain), detail) }
    return Delivery(writes, silence: Dictionary(silence, uniquingKeysWith: { first, _ in first }))
  }
}

extension KeepaProduct {
  /// As the gateway keeps it.
  func write(in domain: KeepaDomain) -> Write {
    Write(
      KeepaUpstream.resource(asin, domain), body: body, cuts: cuts, parts: contentSet.rawValue,
      summary: summary.bytes, upstreamUpdated: lastUpdateMilliseconds)
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
