import JSONText
package import TollbookEvents
package import TollbookGateway
package import TollbookUpstreams

/// eBay's Browse API, bought from with the key of one application.
///
/// 1. Calls count for a day, up to the instant that eBay names, all sites together. Its answers tell nothing of it: who
///    searches asks before how the limits stand, once in ten minutes (Analytics API, `rate_limit`).
/// 2. Each call costs one call, whatever it brings. What others use of the same key is unexplained, and counts at once.
/// 3. A token is minted before the first call and renewed five minutes before its end. Tokens are in memory alone; those of
///    users who consented are passed through, and kept elsewhere.
/// 4. Where eBay warns that it left out a part of a question, its answer is that of another question: it is not kept.
/// 5. Nothing is kept that names a seller.
package struct EbayUpstream: Upstream {
  package static let name = "ebay"
  static let unit = "calls"
  static let search = "ebay.search"
  static let item = "ebay.item"
  static let items = "ebay.items"
  static let token = "ebay.token"
  static let limits = "ebay.limits"
  /// Tokens of a user for a code.
  static let consent = "ebay.consent"
  /// Another token of a user.
  static let refresh = "ebay.refresh"
  static let searchKind = "ebay.search"
  static let comparablesKind = "ebay.comparables"
  static let itemKind = "ebay.item"
  static let tokenKind = "ebay.token"
  static let limitsKind = "ebay.limits"

  private let client: UpstreamClient
  private let credential: UpstreamCredential
  private let quotaGroup: String
  let state: EbayState
  let freshness: EbayFreshness
  let now: @Sendable () -> Timestamp
  package let takesKey: Bool

  /// - Parameters:
  ///   - credential: App ID and Cert ID with a colon between them; empty: there is none.
  ///   - quotaGroup: whose calls they are; nil: the credential's own.
  ///   - takesKey: whether the key is somebody's: that of a simulator is everybody's, and nobody is told of it.
  ///   - now: the wall clock.
  package init(
    _ client: UpstreamClient, credential: UpstreamCredential, quotaGroup: String? = nil,
    state: EbayState = EbayState(), freshness: EbayFreshness, takesKey: Bool = true,
    now: @escaping @Sendable () -> Timestamp
  ) {
    self.client = client
    self.credential = credential
    self.quotaGroup = quotaGroup ?? credential.id
    self.state = state
    self.freshness = freshness
    self.takesKey = takesKey
    self.now = now
  }

  package var name: String { Self.name }
  package var title: String { "eBay" }
  package var keySetting: String { "EBAY_APP_ID and EBAY_CERT_ID" }
  package var credentials: [String] { credential.id.isEmpty ? [] : [credential.id] }
  package var kinds: [ResourceKind] { freshness.kinds }

  package func with(_ lease: CredentialLease) -> (any Upstream)? {
    EbayUpstream(
      client, credential: UpstreamCredential(id: lease.id, key: lease.secret),
      quotaGroup: lease.quotaGroup, freshness: freshness, now: now)
  }

  func meter(_ pool: EbayPool) -> MeterKey {
    var dimension = Dimension()
    dimension.name = "pool"
    dimension.value = pool.rawValue
    return MeterKey(owner: quotaGroup, dimensions: [dimension], unit: pool.unit)
  }

  package var meters: [UpstreamMeter] {
    guard !credential.id.isEmpty else { return [] }
    return EbayPool.allCases.map { pool in
      UpstreamMeter(
        meter(pool), state.rule(of: pool),
        doubt: pool.reported == nil ? .atWindowEnd : .ownReadings)
    }
  }

  // MARK: Calls

  package func callSize(of operation: String, parts: UInt64) -> Int {
    operation == Self.items ? EbayItemRequest.mostItems : 1
  }

  static func pool(of operation: String) -> EbayPool {
    switch operation {
    case token: .tokens
    case consent: .codes
    case refresh: .refreshes
    case limits: .analytics
    case items: .items
    default: .browse
    }
  }

  package func plan(_ needs: [Need]) -> [PlannedCall] {
    if needs.first?.operation == Self.items { return planItems(needs) }
    return needs.indices.compactMap { place in
      let need = needs[place]
      guard need.request != nil else { return nil }
      let pool = Self.pool(of: need.operation)
      return PlannedCall(
        needs: [need], places: [place],
        uses: [MeterUse(meter(pool), state.rule(of: pool), bounds: PrefixCosts(each: [1]))],
        isDivisible: false)
    }
  }

  /// Whether it brings a token of a user.
  static func isOfUser(_ operation: String) -> Bool {
    operation == consent || operation == refresh
  }

  /// A call for each twenty items, which counts as one.
  private func planItems(_ needs: [Need]) -> [PlannedCall] {
    let places = needs.indices.filter { needs[$0].resource.flatMap(EbayNeed.item) != nil }
    let most = EbayItemRequest.mostItems
    return stride(from: 0, to: places.count, by: most).map { start in
      let places = Array(places[start..<min(start + most, places.count)])
      let costs = PrefixCosts(of: places.count, callSize: most) { _ in 1 }
      return PlannedCall(
        needs: places.map { needs[$0] }, places: places,
        uses: [MeterUse(meter(.items), state.rule(of: .items), bounds: costs)],
        isDivisible: false)
    }
  }

  /// What a call sends; nil: nobody knows.
  private static func request(of call: PlannedCall) -> PassedRequest? {
    guard call.needs.first?.operation == items else { return call.needs.first?.request }
    let ids = call.needs.compactMap { $0.resource.flatMap(EbayNeed.item) }
    return PassedRequest(path: EbayItemRequest.items(ids).pathAndQuery)
  }

  package func prerequisite(of operation: String, at now: Timestamp) -> Need? {
    Self.isOfUser(operation) || operation == Self.token || state.authorization(at: now) != nil
      ? nil : EbayNeed.token.need
  }

  package func perform(
    _ call: PlannedCall, with credential: String, within limit: Duration
  ) async -> Exchange {
    guard let need = call.needs.first, let passed = Self.request(of: call) else {
      return notSent("a call for nothing")
    }
    var request = UpstreamRequest(passed.path, headers: passed.headers)
    var authorization: EbaySecret?
    if Self.isOfUser(need.operation) {
      // Who asks shows the key that the consent was given to.
      request.method = "POST"
      request.body = passed.body
    } else if need.operation == Self.token {
      guard let key = EbayKey(self.credential) else {
        return Exchange(
          .failure(
            UpstreamFailure(
              .keyRejected, detail: "the key is no App ID and Cert ID with a colon between them",
              charge: .none)), duration: .zero)
      }
      let minting = EbayTokenRequest.application()
      request.method = "POST"
      request.headers = [
        ("Authorization", key.authorization.text), ("Content-Type", EbayTokenRequest.contentType),
      ]
      request.body = Array(minting.form.text.utf8)
    } else {
      guard let token = state.authorization(at: now()) else {
        return notSent("the token has ended before the call was sent")
      }
      authorization = token
      request.headers.append(("Authorization", token.text))
    }
    let sent = now()
    let answered = await client.send(
      request, within: limit, AnswerReading { (answer) throws(UpstreamFailure) in answer })
    var exchange: Exchange
    switch answered.result {
    case .failure(let failure): exchange = Exchange(.failure(failure), duration: .zero)
    case .success(let answer):
      exchange = self.exchange(answer, of: need, call.needs, authorization, sent: sent)
    }
    exchange.duration = answered.duration
    exchange.receivedBytes = answered.receivedBytes
    exchange.isSimulated = answered.isSimulated
    return exchange
  }

  private func notSent(_ detail: String) -> Exchange {
    Exchange(
      .failure(UpstreamFailure(.notSent, detail: detail, charge: .none)), duration: .zero)
  }
}

extension EbayKey {
  /// Nil: it is no App ID and Cert ID with a colon between them.
  init?(_ credential: UpstreamCredential) {
    let parts = credential.key.split(separator: ":", maxSplits: 1)
    guard parts.count == 2,
      let key = try? EbayKey(clientId: String(parts[0]), secret: EbaySecret(String(parts[1])))
    else { return nil }
    self = key
  }
}
