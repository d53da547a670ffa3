import TollbookGateway

/// How long what the exchange says may answer, in milliseconds.
package struct BinanceFreshness: Hashable, Sendable {
  /// The least of a candle that is not closed; it is a sixtieth of its interval where that is more.
  package var openCandle: Int64 = 1_000
  package var ticker: Int64 = 2_000
  package var tradingDay: Int64 = 10_000
  package var book: Int64 = 2_000
  package var depth: Int64 = 1_000
  package var trades: Int64 = 2_000
  package var aggregateTrades: Int64 = 1_000
  package var exchangeInfo: Int64 = 3_600_000
  /// Of the exchange's clock.
  package var clock: Int64 = 600_000
  /// Of a symbol that the exchange does not know.
  package var unknownSymbol: Int64 = 600_000
  /// Past its time, what is there answers for so long if nothing better can be had.
  package var last: Int64 = 86_400_000

  package init() {}

  /// Longer than anything is kept: a hundred years.
  static let forever: Int64 = 3_155_760_000_000

  /// Of a candle of an interval that is not closed.
  func openCandle(of interval: BinanceInterval) -> Int64 {
    max(openCandle, interval.nominalLength / 60)
  }

  func windows(fresh: Int64) -> FreshnessWindows {
    FreshnessWindows(fresh: fresh, grace: 0, errorGrace: fresh + last, keep: fresh + last)
  }

  /// Of closed candles, which never change.
  static let closed = FreshnessWindows(
    fresh: forever, grace: 0, errorGrace: forever, keep: forever)

  /// Of a block of candles of which more will close: it answers until then, and afterwards if nothing better can be had.
  static func growing(for time: Int64) -> FreshnessWindows {
    FreshnessWindows(fresh: max(0, time), grace: 0, errorGrace: forever, keep: forever)
  }

  /// Of what a kind's answers say.
  func present(_ endpoint: BinanceEndpoint) -> Int64 {
    switch endpoint {
    case .ping: 0
    case .time: clock
    case .exchangeInfo: exchangeInfo
    case .depth: depth
    case .trades: trades
    case .aggTrades: aggregateTrades
    case .klines, .uiKlines: openCandle
    case .avgPrice, .ticker24Hours, .tickerPrice, .ticker: ticker
    case .bookTicker: book
    case .tradingDay: tradingDay
    }
  }
}
