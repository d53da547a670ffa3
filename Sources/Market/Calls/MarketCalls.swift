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
      ahead:
        @escaping @Sendable (MarketQuestion, MarketAsking) throws -> [ResourceDemand],
      _ answer: @escaping @Sendable (MarketQuestion, MarketAsking) async throws -> Response
    ) {
      let path = RouterPath("/\(name)")
      let longest = gateway.settings.longestWait
      @Sendable func answered(
        _ question: MarketQuestion, _ request: Request, _ context: TollbookContext
      ) async throws -> Response {
        let asking = try MarketAsking(self, system, request, context, wait: question.wait)
        guard try HTTPService.isDryRun(request.headers) else {
          return try await answer(question, asking)
        }
        return try dryRun(ahead(question, asking))
      }
      router.route(
        path, query: QueryNames(names.texts), scope: .fetch,
        get: { request, context in
          guard request.method == .get else {
            throw Problem(.methodNotAllowed, "HEAD does not apply here; use GET or POST")
          }
          let question = try MarketQuestion(query: request, names, longestWait: longest)
          return try await answered(question, request, context)
        },
        post: { request, context in
          // Parameters of an address are a GET's.
          guard request.uri.query?.isEmpty ?? true else {
            throw Problem(.invalidParameter, "\(name) takes no parameters with POST; send a body")
          }
          let question = try await MarketQuestion(body: request, names, longestWait: longest)
          return try await answered(question, request, context)
        })
    }
    add("price", [], ahead: { try $1.ahead($0, ticker: true, candles: false) }) {
      try await price($0, $1)
    }
    add(
      "comprehensive_analysis", [.timeframe, .limit, .includesOpen],
      ahead: { try $1.ahead($0, ticker: true, candles: true) }
    ) { try await analysis($0, $1) }
    add(
      "volume_spike", [.timeframe, .limit, .window, .threshold],
      ahead: { try $1.ahead($0, ticker: false, candles: true) }
    ) { try await spikes($0, $1) }
    add(
      "cvd", [.timeframe, .limit, .source],
      ahead: { try $1.ahead($0, ticker: false, candles: true) }
    ) { try await delta($0, $1) }
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
    let window = try await asking.candles(symbol, question, &reading)
    let analysis = asking.system.analysis(of: window)
    return MarketAnswer(symbol: symbol, timeframe: question.timeframe, reading: reading).response(
      at: log.time.now()
    ) { json in
      json.object("price") { ticker.write(to: &$0) }
      analysis.write(to: &json)
      json.object("candles") { json in
        json.field("count", window.count)
        json.field("first", window.first?.figures.openTime)
        json.field("last", window.last?.figures.openTime)
        json.field("includes_open", !window.open.isEmpty)
      }
    }
  }

  private func spikes(_ question: MarketQuestion, _ asking: MarketAsking) async throws -> Response {
    var reading = MarketReading()
    let symbol = try await asking.system.symbols.symbol(question.symbol, asking, &reading)
    let candles = try await asking.candles(symbol, question, &reading).figures
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
      let candles = try await asking.candles(symbol, question, &reading).figures
      points = DeltaPoint.points(of: candles)
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
    let piece = try await reading.pieces(
      of: tickerDemand(symbol.name), gateway, knowing: system.tickers
    ).first
    if let known = piece?.known { return known }
    guard let piece, let content = piece.content else {
      throw reading.told(
        Problem(.unknownSymbol, "Binance does not know \(symbol.name) any more", field: "symbol"))
    }
    do {
      let ticker = try BinanceTicker(
        JSONDocument(content).root, of: BinanceEndpoint.ticker24Hours.name)
      system.tickers.keep(ticker, of: piece.digest)
      return ticker
    } catch { throw reading.told(Problem(.upstreamUnavailable, "\(error)")) }
  }

  private func tickerDemand(_ symbol: String) throws(Problem) -> ResourceDemand {
    do throws(BinanceRequestFault) {
      let request = try BinanceRequest(.ticker24Hours, [("symbol", symbol)])
      return demand(.ticker24Hours, [BinanceResource.answer(request).key])
    } catch { throw Problem(.internalError, "\(error)") }
  }

  /// What a question would ask for, one demand after the other, as far as no candle is missing.
  fileprivate func ahead(
    _ question: MarketQuestion, ticker: Bool, candles: Bool
  ) throws(Problem) -> [ResourceDemand] {
    guard !candles || question.source == .candles else {
      throw Problem(
        .invalidParameter,
        "Tollbook-Dry-Run does not go with source “trades”: how many calls they take, the first of"
          + " them tells", field: "Tollbook-Dry-Run")
    }
    var (name, demands) = try system.symbols.ahead(question.symbol, self)
    if ticker { demands.append(try tickerDemand(name)) }
    guard candles else { return demands }
    let series = CandleSeries(symbol: name, interval: question.timeframe)
    return demands
      + CandleReader(asking: self, series: series).demands(
        newest: question.limit, withOpen: question.includesOpen)
  }

  /// The newest candles, those that are not closed only where they are asked for.
  fileprivate func candles(
    _ symbol: BinanceExchangeInfo.Symbol, _ question: MarketQuestion,
    _ reading: inout MarketReading
  ) async throws -> CandleWindow {
    let series = CandleSeries(symbol: symbol.name, interval: question.timeframe)
    var window = try await CandleReader(asking: self, series: series).newest(
      question.limit, withOpen: question.includesOpen, &reading)
    if !question.includesOpen { window.open = [] }
    return window
  }
}

extension MarketParts {
  /// All indicators at the last candle. Closed candles never change: until the next one closes, it is reckoned once.
  fileprivate func analysis(of window: CandleWindow) -> Analysis {
    let digest = window.digest
    if let known = analyses.value(of: digest) { return known }
    let analysis = Analysis(window.figures, volumeThreshold: 2)
    analyses.keep(analysis, of: digest)
    return analysis
  }
}
