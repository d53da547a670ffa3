import Foundation
import TollbookEvents
import TollbookGateway

/// What an entry of the cache is of.
enum BinanceResource: Hashable, Sendable {
  case candles(CandlePiece)
  /// The exchange's clock, beside ours.
  case clock
  /// An answer as it came, or of a list what was said of one symbol.
  case answer(BinanceRequest)

  init?(_ key: ResourceKey) {
    if key == Self.clock.key {
      self = .clock
    } else if let piece = CandlePiece(key) {
      self = .candles(piece)
    } else if let request = BinanceRequest(cacheKey: String(key.path)),
      request.endpoint.kind == key.kind
    {
      self = .answer(request)
    } else {
      return nil
    }
  }

  var key: ResourceKey {
    switch self {
    case .candles(let piece): piece.resource
    case .clock: ResourceKey(shared: BinanceEndpoint.time.kind, path: "offset")
    case .answer(let request): ResourceKey(shared: request.endpoint.kind, path: request.cacheKey)
    }
  }

  var endpoint: BinanceEndpoint {
    switch self {
    case .candles: .klines
    case .clock: .time
    case .answer(let request): request.endpoint
    }
  }

  /// What buys it.
  var need: Need { Need(endpoint.operation, key) }
}

extension BinanceEndpoint {
  /// As it stands in events.
  package var operation: String { "binance.\(name.replacing("/", with: "."))" }

  /// The kind of what its answers are kept as.
  package var kind: String {
    switch self {
    case .ping, .time: "binance.time"
    case .exchangeInfo: "binance.exchangeInfo"
    case .depth: "binance.depth"
    case .trades: "binance.trades"
    case .aggTrades: "binance.aggTrades"
    case .klines, .uiKlines: CandleSeries.kind
    case .bookTicker: "binance.book"
    case .avgPrice, .ticker24Hours, .tickerPrice, .ticker, .tradingDay: "binance.ticker"
    }
  }

  init?(operation: String) {
    guard let found = Self.allCases.first(where: { $0.operation == operation }) else { return nil }
    self = found
  }

  /// How many symbols one call takes, where several may be asked for at once: as many as cost the least for each.
  var symbolsOfCall: Int {
    switch self {
    // Up to 20 cost as much as one.
    case .ticker24Hours: 20
    // Two or more cost the same, however many.
    case .tickerPrice, .bookTicker: 100
    // From 50 on they cost no more; an answer may name a hundred.
    case .ticker, .tradingDay: 100
    default: 1
    }
  }
}

extension BinanceRequest {
  /// The request that its own ``cacheKey`` is of; nil: the text is none's.
  init?(cacheKey text: String) {
    let parts = text.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    guard let endpoint = parts.first.flatMap({ BinanceEndpoint(rawValue: String($0)) }) else {
      return nil
    }
    var items: [(name: String, value: String)] = []
    for item in parts.count > 1 ? parts[1].split(separator: "&") : [] {
      let sides = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2, let name = Self.decoded(sides[0]), let value = Self.decoded(sides[1])
      else { return nil }
      items.append((name, value))
    }
    guard let request = try? BinanceRequest(endpoint, items), request.cacheKey == text else {
      return nil
    }
    self = request
  }

  private static func decoded(_ text: Substring) -> String? {
    text.contains("%") ? String(text).removingPercentEncoding : String(text)
  }

  /// The same of one symbol alone; nil: it is of none by name, or leaves out symbols by their status.
  func of(_ symbol: String) -> BinanceRequest? {
    guard !filtersStatus else { return nil }
    return try? BinanceRequest(endpoint, variant + [("symbol", symbol)])
  }

  /// The same of several symbols.
  func of(_ symbols: [String]) -> BinanceRequest? {
    if symbols.count == 1 { return of(symbols[0]) }
    let list = "[" + symbols.map { "\"\($0)\"" }.joined(separator: ",") + "]"
    return try? BinanceRequest(endpoint, variant + [("symbols", list)])
  }

  /// What it says beside the symbols.
  var variant: [(name: String, value: String)] {
    query.filter { $0.name != "symbol" && $0.name != "symbols" }.map { ($0.name, $0.value) }
  }

  /// Whether one call can buy both, of one symbol each.
  func isLike(_ other: BinanceRequest) -> Bool {
    endpoint == other.endpoint
      && query.filter { $0.name != "symbol" } == other.query.filter { $0.name != "symbol" }
  }
}
