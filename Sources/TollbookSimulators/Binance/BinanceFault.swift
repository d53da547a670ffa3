/// Something that goes wrong on purpose with calls that are right. What stands before the exchange's own servers (403, 451)
/// and refusals charge no weight; all else charges the weight of the call. A fault can be limited to an endpoint, such as
/// `ticker/24hr`.
package enum BinanceFaultKind: String, FaultKind, CaseIterable {
  package static let targetMember = FaultMember.endpoint

  /// 451: the exchange does not serve the place of the caller.
  case http451
  /// 403 with a web page, from a firewall.
  case http403
  /// 429 although there is weight left.
  case http429
  /// 418 for two minutes. The ban ends with the answer: the next call is let in.
  case http418
  /// 500 with −1000.
  case http500
  /// 503 with −1008.
  case http503
  /// Nothing for a long time, then the connection closes.
  case timeout
  /// The connection closes without an answer.
  case drop
  /// Everything is as it should be, but late.
  case slow
  /// `Content-Length` promises more than arrives before the connection closes.
  case cutBody = "cut_body"
  /// The high of the last candle, or of every ticker, lies below its low.
  case candleInverted = "candle_inverted"
  /// Rows come newest first.
  case timesUnordered = "times_unordered"
  /// The last price is `1e999`.
  case numberInfinite = "number_infinite"
  /// The last volume, or that of every ticker, is below zero.
  case negativeVolume = "negative_volume"
  /// No header tells the weight that is used.
  case weightMissing = "weight_missing"
  /// The headers tell a word instead of the weight.
  case weightWord = "weight_word"
  /// The clock of the answer is an hour ahead, or as many milliseconds as are named. The weight is counted by the
  /// right clock.
  case clockOff = "clock_off"

  /// Whether the call is turned away before its weight is counted.
  package var isRefusal: Bool {
    switch self {
    case .http451, .http403, .http429, .http418: true
    default: false
    }
  }

  /// Whether it can happen to calls of an endpoint; to others it does not.
  package func happens(to endpoint: BinanceRoute) -> Bool {
    switch self {
    case .candleInverted: Self.candles.contains(endpoint) || Self.tickers.contains(endpoint)
    case .timesUnordered: Self.candles.contains(endpoint) || Self.trades.contains(endpoint)
    case .numberInfinite:
      Self.candles.contains(endpoint) || Self.trades.contains(endpoint)
        || Self.tickers.contains(endpoint) || endpoint == .tickerPrice
    case .negativeVolume:
      Self.candles.contains(endpoint) || Self.trades.contains(endpoint)
        || Self.tickers.contains(endpoint)
    default: true
    }
  }

  private static let candles: Set<BinanceRoute> = [.klines, .uiKlines]
  private static let trades: Set<BinanceRoute> = [.aggTrades, .trades]
  private static let tickers: Set<BinanceRoute> = [
    .dayTicker, .rollingTicker, .tradingDayTicker,
  ]

  package var isLate: Bool { [.timeout, .slow].contains(self) }
}

/// What goes wrong with a call to the simulated Binance.
package typealias BinanceFault = SimulatorFault<BinanceFaultKind>
/// Which calls to it go wrong, and how.
package typealias BinanceFaults = FaultRules<BinanceFaultKind>

extension BinanceFault {
  /// How far the clock of the answer is off, in milliseconds: an hour unless it is told, at most a year.
  package var clockOffset: Int64 {
    guard kind == .clockOff else { return 0 }
    return BinanceConditions.bounded(Int64(milliseconds ?? 3_600_000))
  }
}
