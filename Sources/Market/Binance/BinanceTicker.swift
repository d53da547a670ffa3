package import JSONText

/// Statistics of one symbol over a window: `ticker/24hr`, `ticker` and `ticker/tradingDay`. Every number as it was
/// sent.
package struct BinanceTicker: Hashable, Sendable {
  package let symbol: String
  package let open: BinanceDecimal
  package let high: BinanceDecimal
  package let low: BinanceDecimal
  package let last: BinanceDecimal
  /// What was traded, in the base asset and in the quote asset.
  package let volume: BinanceDecimal
  package let quoteVolume: BinanceDecimal
  /// Of the window, in milliseconds.
  package let openTime: Int64
  package let closeTime: Int64
  /// The first and the last trade in it; below 0: there was none.
  package let firstId: Int64
  package let lastId: Int64
  /// How many trades there were.
  package let count: Int64
  /// What the short form leaves out.
  package let change: Change?
  /// What only the long form of `ticker/24hr` has.
  package let quotes: Quotes?

  /// How the price moved. May be below 0.
  package struct Change: Hashable, Sendable {
    package let price: BinanceDecimal
    package let percent: BinanceDecimal
    package let weightedAverage: BinanceDecimal
  }

  /// The last trade and the best offers.
  package struct Quotes: Hashable, Sendable {
    package let previousClose: BinanceDecimal?
    package let lastQuantity: BinanceDecimal?
    package let bid: BinanceDecimal?
    package let bidQuantity: BinanceDecimal?
    package let ask: BinanceDecimal?
    package let askQuantity: BinanceDecimal?
  }

  private static let names = [
    "symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume",
    "openTime", "closeTime", "firstId", "lastId", "count", "priceChange", "priceChangePercent",
    "weightedAvgPrice", "prevClosePrice", "lastQty", "bidPrice", "bidQty", "askPrice", "askQty",
  ]

  /// Reads one object.
  ///
  /// - Parameters:
  ///   - what: the endpoint, for errors.
  ///   - row: its place in an array, for errors.
  package init(
    _ value: JSONValue, of what: String, row: Int? = nil
  ) throws(BinanceReadingError) {
    let reader = BinanceAnswerReader(what: what, row: row)
    let members = try reader.members(value, Self.names)
    symbol = try members.text("symbol", most: 64)
    open = try members.notNegative("openPrice")
    high = try members.notNegative("highPrice")
    low = try members.notNegative("lowPrice")
    last = try members.notNegative("lastPrice")
    volume = try members.notNegative("volume")
    quoteVolume = try members.notNegative("quoteVolume")
    openTime = try members.time("openTime")
    closeTime = try members.time("closeTime")
    firstId = try members.integer("firstId", -1...Int64.max)
    lastId = try members.integer("lastId", -1...Int64.max)
    count = try members.integer("count", 0...Int64.max)
    change = try Self.change(members)
    quotes = try Self.quotes(members)
    if high.isLess(than: low) { throw reader.fault(.breaks("is below lowPrice"), "highPrice") }
    if closeTime < openTime { throw reader.fault(.breaks("is before openTime"), "closeTime") }
    if lastId < firstId { throw reader.fault(.breaks("is below firstId"), "lastId") }
  }

  private static func change(_ members: BinanceMembers) throws(BinanceReadingError) -> Change? {
    guard let price = try members.optionalDecimal("priceChange") else { return nil }
    guard let percent = try members.optionalDecimal("priceChangePercent") else {
      throw members.reader.fault(.missing, "priceChangePercent")
    }
    return Change(
      price: price, percent: percent,
      weightedAverage: try members.notNegative("weightedAvgPrice"))
  }

  private static func quotes(_ members: BinanceMembers) throws(BinanceReadingError) -> Quotes? {
    let quotes = Quotes(
      previousClose: try members.optionalNotNegative("prevClosePrice"),
      lastQuantity: try members.optionalNotNegative("lastQty"),
      bid: try members.optionalNotNegative("bidPrice"),
      bidQuantity: try members.optionalNotNegative("bidQty"),
      ask: try members.optionalNotNegative("askPrice"),
      askQuantity: try members.optionalNotNegative("askQty"))
    let all = [
      quotes.previousClose, quotes.lastQuantity, quotes.bid, quotes.bidQuantity, quotes.ask,
      quotes.askQuantity,
    ]
    return all.contains { $0 != nil } ? quotes : nil
  }
}
