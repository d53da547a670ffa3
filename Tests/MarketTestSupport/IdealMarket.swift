package import Market

/// What a demand costs an ideal cache with the same windows: one that never forgets, has no overhead, is never refused, and
/// buys nothing before it is asked for. Calls take it no time.
///
/// It shares nothing with the cache that it is compared with but the windows and the dated table of weights:
///
/// 1. A closed candle is bought once. It is closed when its end is two seconds past.
/// 2. The open candle is fresh for its window, and never after it has closed.
/// 3. A call for candles weighs the same however many it brings: each brings as many as it may, up to the newest.
/// 4. Which markets there are is read once an hour; the exchange's clock is known for nothing.
package struct IdealMarket {
  /// How long after its end a candle is closed, in milliseconds.
  private static let lag: Int64 = 2_000
  /// The most candles of a call, the open one among them.
  private static let most: Int64 = 1_000

  private struct Series: Hashable {
    var market: Int
    var interval: BinanceInterval
  }

  private struct Candles {
    /// The closed ones that are there, by their numbers.
    var closed: Range<Int64>
    var openUntil: Int64
  }

  private struct Thing: Hashable {
    var market: Int
    var endpoint: BinanceEndpoint
  }

  private let start: Int64
  private let candlesOfAnalysis: Int
  private let weights: BinanceWeights
  private let freshness = BinanceFreshness()
  private var candles: [Series: Candles] = [:]
  private var freshUntil: [Thing: Int64] = [:]

  /// What it has bought.
  package private(set) var weight: Int64 = 0
  package private(set) var calls = 0
  /// Requests of which nothing had to be bought.
  package private(set) var hits = 0
  package private(set) var requests = 0

  /// - Parameters:
  ///   - start: of the demand, in milliseconds since 1970.
  ///   - candlesOfAnalysis: how many an analysis is made of.
  package init(start: Int64, candlesOfAnalysis: Int, weights: BinanceWeights) {
    self.start = start
    self.candlesOfAnalysis = candlesOfAnalysis
    self.weights = weights
  }

  /// - Returns: whether nothing had to be bought.
  @discardableResult
  package mutating func ask(_ request: MarketTrace.Request) -> Bool {
    let now = start + request.at
    // Whoever asks for a market has it looked up; an answer that is there is one all the same.
    _ = has(Thing(market: -1, endpoint: .exchangeInfo), freshness.exchangeInfo, at: now)
    var isHit = true
    switch request.call {
    case .price, .analysis:
      let ticker = Thing(market: request.market, endpoint: .ticker24Hours)
      isHit = has(ticker, freshness.ticker, at: now)
    case .depth:
      isHit = has(Thing(market: request.market, endpoint: .depth), freshness.depth, at: now)
    case .book:
      isHit = has(Thing(market: request.market, endpoint: .bookTicker), freshness.book, at: now)
    case .spikes, .deltas, .candles: break
    }
    if request.call.readsCandles { isHit = hasCandles(request, at: now) && isHit }
    requests += 1
    hits += isHit ? 1 : 0
    return isHit
  }

  /// Whether something is there, which else is bought.
  private mutating func has(_ thing: Thing, _ window: Int64, at now: Int64) -> Bool {
    if let until = freshUntil[thing], now < until { return true }
    buy(thing.endpoint, at: now)
    freshUntil[thing] = now + window
    return false
  }

  private mutating func hasCandles(_ request: MarketTrace.Request, at now: Int64) -> Bool {
    guard let length = request.timeframe.length else { return false }
    let series = Series(market: request.market, interval: request.timeframe)
    // The number of the first one that is not closed.
    let open = (now - Self.lag) / length
    let wanted = open - Int64(request.limit(candlesOfAnalysis))..<open
    let known = candles[series]
    let isOpenThere = request.call != .candles || known.map { now < $0.openUntil } ?? false
    if let known, isOpenThere, known.closed.lowerBound <= wanted.lowerBound,
      wanted.upperBound <= known.closed.upperBound
    {
      return true
    }
    buy(.klines, at: now)
    var closed = open - Self.most + 1..<open
    if let known, known.closed.upperBound >= closed.lowerBound {
      closed = min(closed.lowerBound, known.closed.lowerBound)..<open
    }
    let window = max(freshness.openCandle, length / 60)
    let ends = (open + 1) * length + Self.lag
    candles[series] = Candles(closed: closed, openUntil: min(now + window, ends))
    return false
  }

  private mutating func buy(_ endpoint: BinanceEndpoint, at now: Int64) {
    calls += 1
    weight += weights.weight(of: endpoint, symbols: endpoint == .exchangeInfo ? 0 : 1, at: now)
  }
}
