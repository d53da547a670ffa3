/// The endpoints of the exchange that are served; the value is the path after `/api/v3/`.
package enum BinanceRoute: String, Sendable, Codable, CaseIterable {
  case ping
  case time
  case exchangeInfo
  case depth
  case trades
  case aggTrades
  case klines
  case uiKlines
  case avgPrice
  case dayTicker = "ticker/24hr"
  case tickerPrice = "ticker/price"
  case bookTicker = "ticker/bookTicker"
  case rollingTicker = "ticker"
  case tradingDayTicker = "ticker/tradingDay"

  private static let start = "/api/v3/"

  /// The endpoint of a path as it stands in a URL; nil if nothing is served there. That goes for `historicalTrades`,
  /// which the exchange's host for public data does not have either.
  package init?(path: String) {
    guard path.hasPrefix(Self.start) else { return nil }
    self.init(rawValue: String(path.dropFirst(Self.start.count)))
  }

  /// The path.
  package var path: String { Self.start + rawValue }

  /// What a call costs at least, in request weight. So much is charged for a call whose parameters are wrong.
  package var leastWeight: Int {
    switch self {
    case .ping, .time: 1
    case .exchangeInfo: 20
    case .depth: 5
    case .trades: 25
    case .aggTrades, .rollingTicker, .tradingDayTicker: 4
    case .klines, .uiKlines, .avgPrice, .dayTicker, .tickerPrice, .bookTicker: 2
    }
  }
}

extension BinanceCall {
  /// What the call costs in request weight, by the exchange's tables.
  var weight: Int {
    switch query {
    case .ping, .time, .exchangeInfo, .trades, .aggregates, .candles, .average:
      endpoint.leastWeight
    case .depth(_, let limit):
      switch limit {
      case ...100: 5
      case ...500: 25
      case ...1_000: 50
      default: 250
      }
    case .dayTickers(let selection, _):
      switch selection.count {
      case nil: 80
      case .some(...20): 2
      case .some(...100): 40
      default: 80
      }
    case .prices(let selection), .bookTickers(let selection): selection.isOne ? 2 : 4
    case .rollingTickers(let selection, _, _), .tradingDays(let selection, _, _):
      min(200, 4 * (selection.count ?? 50))
    }
  }
}
