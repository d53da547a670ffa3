package import TollbookEvents
package import TollbookGateway
package import TollbookUpstreams

/// Binance's market data, which takes no key and is paid in request weight.
///
/// 1. Weight counts for the address that asks, in minutes of the exchange's clock. What the exchange says of a minute holds:
///    what others behind the address used counts at once.
/// 2. An answer tells no cost of its own: each call settles by the dated table of weights.
/// 3. A refusal closes the meter until the instant that the exchange names, for all calls; a ban too, over a restart.
/// 4. The limit of raw requests, of which each weighs at least 1, cannot be reached before that of weight, and has no meter.
package struct BinanceUpstream: Upstream {
  package static let name = "binance"
  /// The address that Tollbook asks from: nothing tells one from another.
  static let credential = "binance:address"
  static let unit = "weight"

  /// Sends a request to the exchange once, and waits for the whole answer or until the time is up.
  package typealias Send =
    @Sendable (UpstreamRequest, _ limit: Duration) async -> UpstreamCall<UpstreamAnswer>

  private let send: Send
  let weights: BinanceWeights
  let freshness: BinanceFreshness
  let state: BinanceState
  let now: @Sendable () -> Timestamp
  private let aheadWeight: Int64

  /// An exchange that is asked over HTTP.
  package init(
    _ client: UpstreamClient, weights: BinanceWeights, freshness: BinanceFreshness,
    state: BinanceState, aheadWeight: Int64 = 0, now: @escaping @Sendable () -> Timestamp
  ) {
    let whole = AnswerReading { (answer) throws(UpstreamFailure) in answer }
    self.init(
      sending: { await client.send($0, within: $1, whole) }, weights: weights,
      freshness: freshness, state: state, aheadWeight: aheadWeight, now: now)
  }

  /// - Parameters:
  ///   - aheadWeight: what refreshes of what is read often may weigh in a minute; 0: there are none.
  ///   - now: the wall clock.
  package init(
    sending send: @escaping Send, weights: BinanceWeights, freshness: BinanceFreshness,
    state: BinanceState, aheadWeight: Int64 = 0, now: @escaping @Sendable () -> Timestamp
  ) {
    self.aheadWeight = aheadWeight
    self.send = send
    self.weights = weights
    self.freshness = freshness
    self.state = state
    self.now = now
  }

  package var name: String { Self.name }
  package var title: String { "Binance" }
  package var credentials: [String] { [Self.credential] }
  package var takesKey: Bool { false }
  /// The exchange itself gives up after ten seconds.
  package var callLimit: Int64? { 15_000 }

  package static func kinds(_ freshness: BinanceFreshness) -> [ResourceKind] {
    var seen: Set<String> = []
    return BinanceEndpoint.allCases.filter { seen.insert($0.kind).inserted }.map { endpoint in
      var policy = FreshnessPolicy()
      policy.present = freshness.windows(fresh: freshness.present(endpoint))
      policy.absent = freshness.windows(fresh: freshness.unknownSymbol)
      return ResourceKind(endpoint.kind, freshness: policy)
    }
  }

  package var kinds: [ResourceKind] { Self.kinds(freshness) }

  static let meter = MeterKey(owner: "binance:address", unit: unit)

  package var meters: [UpstreamMeter] {
    [
      UpstreamMeter(
        Self.meter, state.rule, doubt: .atWindowEnd, durability: .withAnswer, ahead: ahead)
    ]
  }

  /// Half of each minute is left to those who ask, and to others behind the address: they may use theirs late in the minute.
  private var ahead: AheadAllowance? {
    guard aheadWeight > 0 else { return nil }
    let limit = state.limit
    return AheadAllowance(perWindow: min(aheadWeight, limit), reserve: limit / 2)
  }

  package func callSize(of operation: String, parts: UInt64) -> Int {
    guard let endpoint = BinanceEndpoint(operation: operation) else { return 1 }
    return endpoint == .klines
      ? Int(CandleSpan.most / CandlePiece.size) + 1 : endpoint.symbolsOfCall
  }

  package func prerequisite(of operation: String, at now: Timestamp) -> Need? {
    guard operation == BinanceEndpoint.klines.operation,
      state.needsClock(at: now.milliseconds, after: freshness.clock)
    else { return nil }
    return BinanceResource.clock.need
  }

  package func renewal(of resource: ResourceKey, parts: UInt64) -> Need? {
    guard let found = BinanceResource(resource) else { return nil }
    switch found {
    case .clock, .answer: return found.need
    // Candles that have closed do not change, and until the next one closes there is no other.
    case .candles(.block): return nil
    case .candles(.open(let series)): return canOutlast(series) ? found.need : nil
    }
  }

  /// Whether the candle that is open stays so for longer than what is said of it is fresh: near its end a new answer is
  /// fresh for no longer than the one that is there.
  private func canOutlast(_ series: CandleSeries) -> Bool {
    let settled = state.settled(at: now().milliseconds)
    let interval = series.interval
    let closes = interval.closeTime(ofCandle: interval.number(at: settled)) + 1
    return closes - settled > freshness.openCandle(of: interval)
  }

  // MARK: Calls

  /// One call to the exchange.
  enum Call: Sendable {
    /// Passed through as it is.
    case passed(BinanceRequest)
    case clock
    case candles(CandleSpan, [CandlePiece])
    /// Of one thing, or of several symbols.
    case answers(BinanceRequest, [BinanceRequest])
  }

  package func plan(_ needs: [Need]) -> [PlannedCall] {
    let instant = now().milliseconds
    return calls(needs).map { call, places in
      let count = places.count
      let costs: PrefixCosts
      switch call {
      case .passed(let request):
        costs = PrefixCosts(each: [weights.weight(of: request, at: instant)])
      case .clock:
        costs = PrefixCosts(each: [weights.weight(of: .time, symbols: 0, at: instant)])
      case .candles:
        let weight = weights.weight(of: .klines, symbols: 1, at: instant)
        costs = PrefixCosts(of: count, callSize: count) { _ in weight }
      case .answers(let request, _) where count == 1:
        costs = PrefixCosts(each: [weights.weight(of: request, at: instant)])
      case .answers(let request, _):
        costs = PrefixCosts(of: count, callSize: count) {
          weights.weight(of: request.endpoint, symbols: $0, at: instant)
        }
      }
      return PlannedCall(
        needs: places.map { needs[$0] }, places: places,
        uses: [MeterUse(Self.meter, state.rule, bounds: costs)])
    }
  }

  /// The calls for some needs, and the places of the needs that each brings.
  private func calls(_ needs: [Need]) -> [(Call, places: [Int])] {
    var calls: [(Call, places: [Int])] = []
    var pieces: [(piece: CandlePiece, place: Int)] = []
    var singles: [(request: BinanceRequest, place: Int)] = []
    for (place, need) in needs.enumerated() {
      guard let key = need.resource else {
        if let request = need.request.flatMap(Self.request) {
          calls.append((.passed(request), [place]))
        }
        continue
      }
      switch BinanceResource(key) {
      case .clock: calls.append((.clock, [place]))
      case .candles(let piece): pieces.append((piece, place))
      case .answer(let request):
        if case .one = request.symbols, request.endpoint.symbolsOfCall > 1, !request.filtersStatus {
          singles.append((request, place))
        } else {
          calls.append((.answers(request, [request]), [place]))
        }
      case nil: continue
      }
    }
    let settled = state.settled(at: now().milliseconds)
    let spans = CandleSpan.spans(of: pieces.map(\.piece)) { $0.interval.number(at: settled) }
    for span in spans {
      let places = span.places.sorted()
      calls.append(
        (.candles(span, places.map { pieces[$0].piece }), places.map { pieces[$0].place }))
    }
    while let first = singles.first {
      let like = singles.filter { $0.request.isLike(first.request) }
        .prefix(first.request.endpoint.symbolsOfCall)
      let taken = Set(like.map(\.place))
      singles.removeAll { taken.contains($0.place) }
      guard let list = first.request.of(like.flatMap { $0.request.symbols.names }) else { continue }
      calls.append((.answers(list, like.map(\.request)), like.map(\.place)))
    }
    return calls
  }

  private static func request(_ passed: PassedRequest) -> BinanceRequest? {
    guard let endpoint = BinanceEndpoint(path: passed.path) else { return nil }
    return try? BinanceRequest(endpoint, passed.query)
  }

  package func perform(
    _ call: PlannedCall, with credential: String, within limit: Duration
  ) async -> Exchange {
    guard let (made, _) = calls(call.needs).first else {
      let failure = UpstreamFailure(.notSent, detail: "a call for nothing", charge: .none)
      return Exchange(.failure(failure), duration: .zero)
    }
    let sent = now().milliseconds
    let (endpoint, query) = Self.question(of: made)
    let answered = await send(UpstreamRequest(endpoint.path, query: query), limit)
    var exchange: Exchange
    switch answered.result {
    case .failure(let failure): exchange = Exchange(.failure(failure), duration: .zero)
    case .success(let answer):
      exchange = self.exchange(answer, of: made, sent: sent, received: now().milliseconds)
    }
    exchange.duration = answered.duration
    exchange.receivedBytes = answered.receivedBytes
    exchange.isSimulated = answered.isSimulated
    return exchange
  }

  private static func question(
    of call: Call
  ) -> (BinanceEndpoint, query: [(name: String, value: String)]) {
    switch call {
    case .passed(let request), .answers(let request, _):
      (request.endpoint, request.query.map { ($0.name, $0.value) })
    case .clock: (.time, [])
    case .candles(let span, _): (.klines, span.query)
    }
  }
}
