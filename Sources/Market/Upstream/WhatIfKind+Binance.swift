import TollbookEvents
package import TollbookForecast
import TollbookGateway
import TollbookUpstreams

extension WhatIfKind {
  /// The windows of what Binance says, by the table of weights that the program is built with: each of them holds for all
  /// answers of its endpoints.
  ///
  /// - Parameter freshness: the windows in force.
  package static func binance(_ freshness: BinanceFreshness) -> [WhatIfKind] {
    // The table is checked whenever Tollbook starts.
    guard let weights = try? BinanceWeights(json: BinanceWeights.builtInJSON) else { return [] }
    let prices = WhatIfPrices.calls(
      price: { BinanceWhatIf.price($0, weights, at: $1.milliseconds) },
      group: BinanceWhatIf.group)
    return BinanceWhatIf.windows.map { name, endpoints in
      WhatIfKind(
        name, limit: .window(length: BinanceTime.minute), prices: prices,
        standard: BinanceWhatIf.standard(endpoints[0], freshness),
        role: { BinanceWhatIf.role($0, in: name) }, window: BinanceWhatIf.window,
        isOperation: { operation in endpoints.contains { $0.operation == operation } })
    }
  }
}

/// What the replay of another policy has to know of the exchange.
enum BinanceWhatIf {
  /// Each window that can be tried, and what it holds for.
  static let windows: [(name: String, endpoints: [BinanceEndpoint])] = [
    (BinanceEndpoint.ticker24Hours.kind, [.ticker24Hours, .tickerPrice, .ticker, .avgPrice]),
    (tradingDay, [.tradingDay]),
    (BinanceEndpoint.bookTicker.kind, [.bookTicker]),
    (BinanceEndpoint.depth.kind, [.depth]),
    (BinanceEndpoint.trades.kind, [.trades]),
    (BinanceEndpoint.aggTrades.kind, [.aggTrades]),
    (CandleSeries.kind, [.klines, .uiKlines]),
  ]

  /// Why nothing is tried for the other kinds.
  static let untried = [
    BinanceEndpoint.exchangeInfo.kind:
      "which markets there are is also remembered beside the cache, so that the log does not tell"
      + " each question",
    BinanceEndpoint.time.kind:
      "the exchange's clock is asked for every ten minutes, whatever is asked of Tollbook",
  ]

  /// The tickers of a day are of the kind of tickers, and have a window of their own.
  private static let tradingDay = "binance.tradingDay"

  static func standard(
    _ endpoint: BinanceEndpoint, _ freshness: BinanceFreshness
  ) -> FreshnessPolicy {
    var policy = FreshnessPolicy()
    policy.present = freshness.windows(fresh: freshness.present(endpoint))
    policy.absent = freshness.windows(fresh: freshness.unknownSymbol)
    return policy
  }

  /// What a resource is to a window.
  static func role(_ resource: ResourceKey, in window: String) -> WhatIfKind.Role {
    let isOfDay = window == tradingDay
    guard resource.kind == (isOfDay ? BinanceEndpoint.tradingDay.kind : window) else {
      return .other
    }
    switch window {
    case CandleSeries.kind:
      // Closed candles never expire, and a block of which more will close answers until then: no window changes that.
      if case .block = CandlePiece(resource) { return .company }
      return .tried
    case tradingDay, BinanceEndpoint.tradingDay.kind:
      return resource.path.hasPrefix(BinanceEndpoint.tradingDay.name) == isOfDay ? .tried : .other
    default: return .tried
    }
  }

  /// Candles that are not closed answer for a sixtieth of their interval at least, and never after the next one has closed.
  static func window(_ resource: ResourceKey) -> WhatIfWindow? {
    guard let grid = grid(of: resource) else { return nil }
    return WhatIfWindow(
      least: grid.interval.nominalLength / 60, lateness: BinanceState.lag
    ) { instant in
      guard BinanceTime.range.contains(instant) else {
        return instant < BinanceTime.range.lowerBound ? BinanceTime.range.lowerBound : .max / 4
      }
      return grid.openTime(ofCandle: grid.number(at: instant) + 1)
    }
  }

  /// Where the candles of a resource open; nil: it is of none.
  private static func grid(of resource: ResourceKey) -> BinanceGrid? {
    guard resource.kind == CandleSeries.kind else { return nil }
    switch BinanceResource(resource) {
    // What is not told of an open candle a block tells that more will close of.
    case .candles(let piece): return BinanceGrid(piece.series.interval)
    case .answer(let request):
      return request.interval.map { BinanceGrid($0, zone: request.timeZone) }
    case .clock, nil: return nil
    }
  }

  /// What one call for all of these weighs; nil: there is none.
  static func price(_ keys: [ResourceKey], _ weights: BinanceWeights, at instant: Int64) -> Int64? {
    var series: Set<CandleSeries> = []
    var requests: [BinanceRequest] = []
    for key in keys {
      switch BinanceResource(key) {
      case .candles(let piece): series.insert(piece.series)
      case .answer(let request): requests.append(request)
      case .clock, nil: return nil
      }
    }
    guard let first = requests.first else {
      return series.count == 1 ? weights.weight(of: .klines, symbols: 1, at: instant) : nil
    }
    guard series.isEmpty else { return nil }
    guard requests.count > 1 else { return weights.weight(of: first, at: instant) }
    guard canShare(first), requests.allSatisfy({ $0.isLike(first) }) else { return nil }
    return weights.weight(of: first.endpoint, symbols: requests.count, at: instant)
  }

  /// What may be asked for in one call has the same.
  static func group(_ resource: ResourceKey) -> String? {
    switch BinanceResource(resource) {
    case .candles(let piece): return "\(piece.series.symbol)/\(piece.series.interval.rawValue)"
    case .answer(let request) where canShare(request):
      let variant = request.variant.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
      return "\(request.endpoint.name)?\(variant)"
    case .answer, .clock, nil: return nil
    }
  }

  private static func canShare(_ request: BinanceRequest) -> Bool {
    guard case .one = request.symbols else { return false }
    return request.endpoint.symbolsOfCall > 1 && !request.filtersStatus
  }
}
