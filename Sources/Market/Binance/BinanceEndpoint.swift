/// The public market data of Binance's spot exchange that is asked for: `GET /api/v3/…`, without a key (Binance spot
/// API, rest-api.md and market_data_only.md).
package enum BinanceEndpoint: String, CaseIterable, Hashable, Sendable {
  case ping, time, exchangeInfo, depth, trades, aggTrades, klines, uiKlines, avgPrice
  case ticker24Hours = "ticker/24hr"
  case tickerPrice = "ticker/price"
  case bookTicker = "ticker/bookTicker"
  /// Statistics of a rolling window of up to seven days.
  case ticker
  case tradingDay = "ticker/tradingDay"

  /// What stands before the name in every path.
  package static let prefix = "/api/v3/"

  /// As the exchange writes it behind the prefix, such as `ticker/24hr`.
  package var name: String { rawValue }

  package var path: String { Self.prefix + rawValue }

  /// The endpoint of a path such as `/api/v3/klines`; nil: it is none of these.
  package init?(path: String) {
    guard path.hasPrefix(Self.prefix) else { return nil }
    self.init(rawValue: String(path.dropFirst(Self.prefix.count)))
  }
}

// MARK: - Parameters

/// A parameter that at least one endpoint knows.
package enum BinanceParameter: String, CaseIterable, Hashable, Sendable {
  case symbol, symbols, symbolStatus, permissions, showPermissionSets
  case interval, startTime, endTime, timeZone, windowSize, fromId, limit, type
}

extension BinanceEndpoint {
  /// The parameters that it knows.
  package var parameters: Set<BinanceParameter> {
    switch self {
    case .ping, .time: []
    case .exchangeInfo: [.symbol, .symbols, .permissions, .showPermissionSets, .symbolStatus]
    case .depth: [.symbol, .limit, .symbolStatus]
    case .trades: [.symbol, .limit]
    case .aggTrades: [.symbol, .fromId, .startTime, .endTime, .limit]
    case .klines, .uiKlines: [.symbol, .interval, .startTime, .endTime, .timeZone, .limit]
    case .avgPrice: [.symbol]
    case .ticker24Hours: [.symbol, .symbols, .type, .symbolStatus]
    case .tickerPrice, .bookTicker: [.symbol, .symbols, .symbolStatus]
    case .ticker: [.symbol, .symbols, .windowSize, .type, .symbolStatus]
    case .tradingDay: [.symbol, .symbols, .timeZone, .type, .symbolStatus]
    }
  }

  /// Those of which each must be given.
  package var required: [BinanceParameter] {
    switch self {
    case .depth, .trades, .aggTrades, .avgPrice: [.symbol]
    case .klines, .uiKlines: [.symbol, .interval]
    default: []
    }
  }

  /// Whether `symbol` or `symbols` must be given.
  package var needsSymbols: Bool { self == .ticker || self == .tradingDay }

  /// Whether it answers for one symbol or for several, as it is asked.
  package var takesSymbols: Bool { parameters.contains(.symbols) }

  /// How many rows it answers where nothing is said, and at most; nil: it takes no limit.
  package var limits: (standard: Int, most: Int)? {
    switch self {
    case .depth: (100, 5_000)
    case .trades, .aggTrades, .klines, .uiKlines: (500, 1_000)
    default: nil
    }
  }

  /// Whether more than the most is taken as the most. The others refuse it.
  var cutsLimit: Bool { self == .depth }
}
