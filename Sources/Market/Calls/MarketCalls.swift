import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog

extension HTTPService {
  /// The predecessor's calls: `/price`, `/comprehensive_analysis`, `/volume_spike` and `/cvd`, posted as JSON or asked for
  /// with parameters.
  ///
  /// HEAD is refused: who only looks whether something is there must not pay for it.
  func addMarketCalls(_ system: MarketParts, to router: Router<TollbookContext>) {
    func add(
      _ name: String, _ names: MarketQuestion.Names,
      _ answer: @escaping @Sendable (MarketQuestion, MarketAsking) async throws -> Response
    ) {
      let path = RouterPath("/\(name)")
      let longest = gateway.settings.longestWait
      @Sendable func checkDryRun(_ request: Request) throws(Problem) {
        guard try HTTPService.isDryRun(request.headers) else { return }
        throw Problem(
          .invalidParameter, "Tollbook-Dry-Run does not go with /\(name)",
          field: "Tollbook-Dry-Run")
      }
      router.route(
        path, query: QueryNames(names.texts), scope: .fetch,
        get: { request, context in
          guard request.method == .get else {
            throw Problem(.methodNotAllowed, "HEAD does not apply here; use GET or POST")
          }
          try checkDryRun(request)
          let question = try MarketQuestion(query: request, names, longestWait: longest)
          return try await answer(
            question, MarketAsking(self, system, request, context, wait: question.wait))
        },
        post: { request, context in
          // Parameters of an address are a GET's.
          guard request.uri.query?.isEmpty ?? true else {
            throw Problem(.invalidParameter, "\(name) takes no parameters with POST; send a body")
          }
          try checkDryRun(request)
          let question = try await MarketQuestion(body: request, names, longestWait: longest)
          return try await answer(
            question, MarketAsking(self, system, request, context, wait: question.wait))
        })
    }
    add("price", []) { try await price($0, $1) }
    add("comprehensive_analysis", [.timeframe, .limit, .includesOpen]) {
      try await analysis($0, $1)
    }
    add("volume_spike", [.timeframe, .limit, .window, .threshold]) { try await spikes($0, $1) }
    add("cvd", [.timeframe, .limit, .source]) { try await delta($0, $1) }
  }

  private func price(_ question: MarketQuestion, _ asking: MarketAsking) async throws -> Response {
    var reading = MarketReading()
    let symbol = try await asking.system.symbols.symbol(question.symbol, asking, &reading)
    let ticker = try await asking.ticker(symbol, &reading)
    return MarketAnswer(symbol: symbol, reading: reading).response(at: log.time.now()) { json in
      ticker.write(to: &json)
    }
  }

  private func analysis(
    _ question: MarketQuestion, _ asking: MarketAsking
  ) async throws -> Response {
    var reading = MarketReading()
    let symbol = try await asking.system.symbols.symbol(question.symbol, asking, &reading)
    let ticker = try await asking.ticker(symbol, &reading)
    let (candles, opened) = try await asking.candles(symbol, question, &reading)
    let analysis = Analysis(candles, volumeThreshold: 2)
    return MarketAnswer(symbol: symbol, timeframe: question.timeframe, reading: reading).response(
      at: log.time.now()
    ) { json in
      json.object("price") { ticker.write(to: &$0) }
      analysis.write(to: &json)
      json.object("candles") { json in
        json.field("count", candles.count)
        json.field("first", candles.first?.openTime)
        json.field("last", candles.last?.openTime)
        json.field("includes_open", opened)
      }
    }
  }

  private func spikes(_ question: MarketQuestion, _ asking: MarketAsking) async throws -> Response {
    var reading = MarketReading()
    let symbol = try await asking.system.symbols.symbol(question.symbol, asking, &reading)
    let (candles, _) = try await asking.candles(symbol, question, &reading)
    let spikes = VolumeSpikes(candles, window: question.window, threshold: question.threshold)
    return MarketAnswer(symbol: symbol, timeframe: question.timeframe, reading: reading).response(
      at: log.time.now()
    ) { json in
      json.field("relative", spikes.relative)
      json.field("z_score", spikes.zScore)
      json.field("is_spike", spikes.isSpike)
      json.field("rule", spikes.rule)
      json.array("spikes", spikes.spikes) { json, spike in
        json.object { json in
          json.field("time", spike.openTime)
          json.field("relative", spike.relative)
        }
      }
    }
  }

  private func delta(_ question: MarketQuestion, _ asking: MarketAsking) async throws -> Response {
    var reading = MarketReading()
    let symbol = try await asking.system.symbols.symbol(question.symbol, asking, &reading)
    let points: [DeltaPoint]
    switch question.source {
    case .candles:
      points = DeltaPoint.points(of: try await asking.candles(symbol, question, &reading).0)
    case .trades: points = try await asking.tradeDeltas(symbol, question, &reading)
    }
    return MarketAnswer(symbol: symbol, timeframe: question.timeframe, reading: reading).response(
      at: log.time.now()
    ) { json in
      json.field("source", question.source.rawValue)
      json.array("points", points) { json, point in point.write(to: &json) }
    }
  }
}

extension MarketAsking {
  /// The statistics of the last 24 hours.
  fileprivate func ticker(
    _ symbol: BinanceExchangeInfo.Symbol, _ reading: inout MarketReading
  ) async throws -> BinanceTicker {
    let request: BinanceRequest
    do throws(BinanceRequestFault) {
      request = try BinanceRequest(.ticker24Hours, [("symbol", symbol.name)])
    } catch { throw Problem(.internalError, "\(error)") }
    let need = BinanceResource.answer(request)
    let pieces = try await reading.pieces(of: demand(.ticker24Hours, [need.key]), gateway)
    guard let content = pieces.first?.content else {
      throw reading.told(
        Problem(.unknownSymbol, "Binance does not know \(symbol.name) any more", field: "symbol"))
    }
    do {
      return try BinanceTicker(JSONDocument(content).root, of: request.endpoint.name)
    } catch { throw reading.told(Problem(.upstreamUnavailable, "\(error)")) }
  }

  /// The newest candles, those that are not closed only where they are asked for; and whether there are any of these.
  fileprivate func candles(
    _ symbol: BinanceExchangeInfo.Symbol, _ question: MarketQuestion,
    _ reading: inout MarketReading
  ) async throws -> ([CandleFigures], hasOpen: Bool) {
    let series = CandleSeries(symbol: symbol.name, interval: question.timeframe)
    let window = try await CandleReader(asking: self, series: series).newest(
      question.limit, withOpen: question.includesOpen, &reading)
    let open = question.includesOpen ? window.open : []
    return ((window.closed + open).map(\.figures), !open.isEmpty)
  }
}
