import JSONText

/// What a symbol did in a window of time: the tickers of 24 hours, of a trading day and of a rolling window.
struct BinanceTicker: Sendable {
  /// Which ticker it is.
  enum Kind: Sendable {
    /// `ticker/24hr`: it alone has the close before, the last quantity and the book.
    case day
    /// `ticker` and `ticker/tradingDay`.
    case window
  }

  let kind: Kind
  let symbol: BinanceSymbol
  /// The trades of the window; nil if there are none.
  let trades: BinanceSummary?
  /// The last trade before the window.
  let before: BinanceTrade?
  /// The last trade up to now.
  let last: BinanceTrade?
  /// The best bid and the best ask; of no use but for `day`.
  let book: BinanceBook?
  /// In the unit of the answer.
  let openTime: Int64
  /// In the unit of the answer.
  let closeTime: Int64

  /// Writes the ticker.
  ///
  /// A symbol that did not trade in the window keeps its last price; its high, low and volume are 0, its ids −1.
  func write(isMini: Bool, fault: BinanceFault.Kind?, to json: inout JSONWriter) {
    let prices = symbol.priceDecimals
    let lastPrice = trades?.close ?? last?.price ?? 0
    let open = trades?.open ?? lastPrice
    json.object { json in
      json.field("symbol", symbol.name)
      if !isMini {
        json.decimal("priceChange", lastPrice - open, prices)
        json.field("priceChangePercent", Self.percent(lastPrice - open, of: open))
        json.decimal("weightedAvgPrice", average, BinanceDecimal.places)
        if kind == .day { writeDay(fault, lastPrice, to: &json) }
      }
      json.decimal("openPrice", open, prices)
      writeRange(fault, to: &json)
      if isMini || kind == .window { writeLast(fault, lastPrice, to: &json) }
      let sign: Int64 = fault == .negativeVolume ? -1 : 1
      json.decimal("volume", sign * (trades?.volume ?? (sign < 0 ? 1 : 0)), symbol.quantityDecimals)
      json.decimal("quoteVolume", trades?.quote ?? 0, symbol.quoteDecimals)
      json.field("openTime", openTime)
      json.field("closeTime", closeTime)
      json.field("firstId", trades?.firstID ?? -1)
      json.field("lastId", trades?.lastID ?? -1)
      json.field("count", trades?.count ?? 0)
    }
  }

  private func writeDay(_ fault: BinanceFault.Kind?, _ lastPrice: Int64, to json: inout JSONWriter)
  {
    let prices = symbol.priceDecimals
    let quantities = symbol.quantityDecimals
    let previous = before?.price ?? trades?.open ?? lastPrice
    json.decimal("prevClosePrice", previous, prices)
    writeLast(fault, lastPrice, to: &json)
    let lastQuantity = trades == nil ? 0 : last.map { $0.quantity(ofSingle: $0.last) } ?? 0
    json.decimal("lastQty", lastQuantity, quantities)
    let bid = book?.bids.first
    let ask = book?.asks.first
    json.decimal("bidPrice", bid?.price ?? 0, prices)
    json.decimal("bidQty", bid?.quantity ?? 0, quantities)
    json.decimal("askPrice", ask?.price ?? 0, prices)
    json.decimal("askQty", ask?.quantity ?? 0, quantities)
  }

  private func writeLast(_ fault: BinanceFault.Kind?, _ price: Int64, to json: inout JSONWriter) {
    if fault == .numberInfinite { return json.field("lastPrice", BinanceRows.infinite) }
    json.decimal("lastPrice", price, symbol.priceDecimals)
  }

  private func writeRange(_ fault: BinanceFault.Kind?, to json: inout JSONWriter) {
    let high = trades?.high ?? 0
    let low = trades?.low ?? 0
    let isInverted = fault == .candleInverted
    json.decimal("highPrice", isInverted ? low : high, symbol.priceDecimals)
    json.decimal("lowPrice", isInverted ? high + 1 : low, symbol.priceDecimals)
  }

  /// What was paid by what was traded, in units of 10^−8.
  private var average: Int128 {
    guard let trades else { return 0 }
    return Self.average(of: trades, symbol)
  }

  /// What was paid by what was traded, in units of 10^−8.
  static func average(of trades: BinanceSummary, _ symbol: BinanceSymbol) -> Int128 {
    let scale = Int128(BinanceDecimal.power(BinanceDecimal.places - symbol.priceDecimals))
    return BinanceDecimal.ratio(trades.quote * scale, Int128(trades.volume))
  }

  /// A change in percent with three places.
  static func percent(_ change: Int64, of open: Int64) -> String {
    let thousandths = Int64(
      clamping: BinanceDecimal.ratio(Int128(change) * 100_000, Int128(open)))
    let digits = String(thousandths.magnitude % 1_000 + 1_000).dropFirst()
    return "\(thousandths < 0 ? "-" : "")\(thousandths.magnitude / 1_000).\(digits)"
  }
}
