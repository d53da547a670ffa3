/// The unit of the times in an answer: the header `X-MBX-TIME-UNIT` chooses it.
enum BinanceTimeUnit: Sendable {
  case milliseconds
  case microseconds

  init(header: String?) throws(BinanceError) {
    switch header {
    case nil, "MILLISECOND", "millisecond": self = .milliseconds
    case "MICROSECOND", "microsecond": self = .microseconds
    default: throw .badTimeUnit
    }
  }

  /// A moment in this unit.
  func of(_ milliseconds: Int64) -> Int64 {
    self == .milliseconds ? milliseconds : milliseconds * 1_000
  }

  /// The last moment before another one.
  func last(before milliseconds: Int64) -> Int64 { of(milliseconds) - 1 }
}

/// The symbols that a call asks about, by their index.
enum BinanceSelection: Sendable, Hashable {
  /// One, by `symbol`: the answer is an object.
  case one(Int)
  /// Some, by `symbols`: the answer is an array.
  case several([Int])
  /// Neither was sent: the answer is an array of all.
  case all

  /// How many were asked for; nil: all.
  var count: Int? {
    switch self {
    case .one: 1
    case .several(let indexes): indexes.count
    case .all: nil
    }
  }

  var isOne: Bool {
    if case .one = self { true } else { false }
  }
}

/// A call whose parameters were read and are right.
struct BinanceCall: Sendable {
  /// What is asked.
  enum Query: Sendable, Hashable {
    case ping
    case time
    case exchangeInfo(BinanceSelection, permissions: [String]?, showsPermissions: Bool)
    case depth(Int, limit: Int)
    case trades(Int, limit: Int)
    case aggregates(Int, fromID: Int64?, BinanceWindow)
    case candles(Int, BinanceInterval, zone: Int64, BinanceWindow)
    case average(Int)
    case dayTickers(BinanceSelection, isMini: Bool)
    case prices(BinanceSelection)
    case bookTickers(BinanceSelection)
    case rollingTickers(BinanceSelection, minutes: Int64, isMini: Bool)
    case tradingDays(BinanceSelection, zone: Int64, isMini: Bool)
  }

  let endpoint: BinanceRoute
  let query: Query
  /// Symbols of another status are left out of lists; nil: none are.
  let status: BinanceSymbol.Status?
  let unit: BinanceTimeUnit

  /// The most symbols that the rolling ticker and the trading day take.
  static let mostSymbols = 100

  /// Reads a call: first its parameters, then whether all were read, then whether the symbols are known.
  init(
    _ endpoint: BinanceRoute, query text: String, timeUnit: String?, _ market: BinanceMarket
  ) throws(BinanceError) {
    var reader = BinanceReader(
      parameters: try BinanceParameters(query: text), market: market)
    self.endpoint = endpoint
    unit = try BinanceTimeUnit(header: timeUnit)
    query = try reader.query(of: endpoint)
    status = reader.status
  }
}

/// Reads the parameters of each endpoint.
private struct BinanceReader {
  var parameters: BinanceParameters
  let market: BinanceMarket
  var status: BinanceSymbol.Status?

  mutating func query(of endpoint: BinanceRoute) throws(BinanceError) -> BinanceCall.Query {
    switch endpoint {
    case .ping:
      try parameters.finish()
      return .ping
    case .time:
      try parameters.finish()
      return .time
    case .exchangeInfo: return try exchangeInfo()
    case .depth:
      let name = try parameters.symbol()
      let limit = try parameters.limit(default: 100, most: 5_000)
      status = try parameters.status()
      return .depth(try known(name), limit: limit)
    case .trades:
      let name = try parameters.symbol()
      let limit = try parameters.limit(default: 500, most: 1_000)
      return .trades(try known(name), limit: limit)
    case .aggTrades: return try aggregates()
    case .klines, .uiKlines:
      let name = try parameters.symbol()
      let interval = try parameters.interval()
      let zone = try parameters.zone()
      let window = try parameters.window()
      return .candles(try known(name), interval, zone: zone, window)
    case .avgPrice:
      let name = try parameters.symbol()
      return .average(try known(name))
    case .dayTicker:
      let isMini = try parameters.isMini()
      return .dayTickers(try selection(), isMini: isMini)
    case .tickerPrice: return .prices(try selection())
    case .bookTicker: return .bookTickers(try selection())
    case .rollingTicker:
      let minutes = try parameters.windowMinutes()
      let isMini = try parameters.isMini()
      return .rollingTickers(try someSymbols(), minutes: minutes, isMini: isMini)
    case .tradingDayTicker:
      let zone = try parameters.zone()
      let isMini = try parameters.isMini()
      return .tradingDays(try someSymbols(), zone: zone, isMini: isMini)
    }
  }

  /// The last step: all was read, and there is such a symbol of the status that is wanted.
  private func known(_ name: String) throws(BinanceError) -> Int {
    try parameters.finish()
    let index = try index(name)
    if let status, market.symbols[index].status != status { throw .otherStatus }
    return index
  }

  private func index(_ name: String) throws(BinanceError) -> Int {
    guard let index = market.index(of: name) else { throw .badSymbol }
    return index
  }

  private mutating func selection() throws(BinanceError) -> BinanceSelection {
    let named = try parameters.symbols()
    status = try parameters.status()
    guard let named else {
      try parameters.finish()
      return .all
    }
    guard !named.isOne else { return .one(try known(named.names[0])) }
    try parameters.finish()
    var indexes: [Int] = []
    for name in named.names { indexes.append(try index(name)) }
    return .several(indexes)
  }

  private mutating func someSymbols() throws(BinanceError) -> BinanceSelection {
    let selection = try selection()
    guard let count = selection.count else { throw .missingSymbols }
    guard count <= BinanceCall.mostSymbols else { throw .invalid("symbols") }
    return selection
  }

  private mutating func aggregates() throws(BinanceError) -> BinanceCall.Query {
    let name = try parameters.symbol()
    let fromID = try parameters.number("fromId")
    let window = try parameters.window()
    let index = try known(name)
    if fromID != nil, window.start != nil || window.end != nil { throw .badCombination }
    return .aggregates(index, fromID: fromID, window)
  }

  private mutating func exchangeInfo() throws(BinanceError) -> BinanceCall.Query {
    let permissions = try parameters.permissions()
    let shows = try parameters.flag("showPermissionSets")
    let selection = try selection()
    if selection != .all, permissions != nil || status != nil { throw .badCombination }
    return .exchangeInfo(selection, permissions: permissions, showsPermissions: shows)
  }
}
