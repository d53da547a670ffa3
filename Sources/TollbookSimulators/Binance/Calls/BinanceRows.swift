import JSONText

/// Writes candles, trades and books, with what a fault does to them.
struct BinanceRows: Sendable {
  let symbol: BinanceSymbol
  let unit: BinanceTimeUnit
  /// What goes wrong with the numbers.
  let fault: BinanceFault.Kind?

  /// A number that no reader of decimals can hold.
  static let infinite = "1e999"

  /// Candles as `klines` has them: twelve elements each. What goes wrong, goes wrong with the last one.
  func json(_ candles: [BinanceCandle]) -> [UInt8] {
    // Written by hand: a thousand rows of twelve elements are asked for often.
    var bytes: [UInt8] = []
    bytes.reserveCapacity(2 + 200 * candles.count)
    bytes.append(UInt8(ascii: "["))
    for index in candles.indices {
      if index > 0 { bytes.append(UInt8(ascii: ",")) }
      append(candles[order(index, of: candles.count)], index == candles.count - 1, to: &bytes)
    }
    bytes.append(UInt8(ascii: "]"))
    return bytes
  }

  private func append(_ candle: BinanceCandle, _ isLast: Bool, to bytes: inout [UInt8]) {
    let prices = symbol.priceDecimals
    let trades = candle.trades
    var high = trades?.high ?? candle.before
    var low = trades?.low ?? candle.before
    if isLast, fault == .candleInverted {
      (high, low) = (low - 1, high + 1)
    }
    let sign: Int128 = isLast && fault == .negativeVolume ? -1 : 1
    bytes.append(UInt8(ascii: "["))
    append(unit.of(candle.open), to: &bytes)
    for price in [trades?.open ?? candle.before, high, low] {
      append(Int128(price), prices, to: &bytes)
    }
    if isLast, fault == .numberInfinite {
      bytes.append(contentsOf: ",\"\(Self.infinite)\"".utf8)
    } else {
      append(Int128(trades?.close ?? candle.before), prices, to: &bytes)
    }
    // A candle without trades has at least a step to be negative about.
    let volume = Int128(trades?.volume ?? (sign < 0 ? 1 : 0))
    append(sign * volume, symbol.quantityDecimals, to: &bytes)
    bytes.append(UInt8(ascii: ","))
    append(unit.last(before: candle.end), to: &bytes)
    append(trades?.quote ?? 0, symbol.quoteDecimals, to: &bytes)
    bytes.append(UInt8(ascii: ","))
    append(trades?.count ?? 0, to: &bytes)
    append(Int128(trades?.takerVolume ?? 0), symbol.quantityDecimals, to: &bytes)
    append(trades?.takerQuote ?? 0, symbol.quoteDecimals, to: &bytes)
    bytes.append(contentsOf: ",\"0\"]".utf8)
  }

  private func append(_ value: Int64, to bytes: inout [UInt8]) {
    bytes.append(contentsOf: String(value).utf8)
  }

  private func append(_ value: Int128, _ decimals: Int, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: ","))
    BinanceDecimal.append(value, decimals, to: &bytes)
  }

  /// Which row stands at a place: another one if times shall be out of order.
  private func order(_ index: Int, of count: Int) -> Int {
    fault == .timesUnordered ? count - 1 - index : index
  }

  /// Aggregate trades as `aggTrades` has them.
  func json(aggregates: [BinanceTrade]) -> [UInt8] {
    var json = JSONWriter(capacity: 2 + 140 * aggregates.count)
    json.array(aggregates.indices) { json, index in
      let trade = aggregates[order(index, of: aggregates.count)]
      let isLast = index == aggregates.count - 1
      json.object { json in
        json.field("a", trade.id)
        write("p", trade.price, isLast, to: &json)
        json.decimal("q", signed(trade.quantity, isLast), symbol.quantityDecimals)
        json.field("f", trade.first)
        json.field("l", trade.last)
        json.field("T", unit.of(trade.time))
        json.field("m", trade.isBuyerMaker)
        json.field("M", true)
      }
    }
    return json.bytes
  }

  /// The newest single trades of aggregate trades, as `trades` has them.
  func json(singlesOf aggregates: [BinanceTrade], limit: Int) -> [UInt8] {
    var singles: [(id: Int64, of: BinanceTrade)] = []
    for trade in aggregates.reversed() where singles.count < limit {
      for id in stride(from: trade.last, through: trade.first, by: -1) where singles.count < limit {
        singles.append((id, trade))
      }
    }
    singles.reverse()
    var json = JSONWriter(capacity: 2 + 160 * singles.count)
    json.array(singles.indices) { json, index in
      let (id, trade) = singles[order(index, of: singles.count)]
      let isLast = index == singles.count - 1
      let quantity = trade.quantity(ofSingle: id)
      json.object { json in
        json.field("id", id)
        write("price", trade.price, isLast, to: &json)
        json.decimal("qty", signed(quantity, isLast), symbol.quantityDecimals)
        json.decimal("quoteQty", trade.price * quantity, symbol.quoteDecimals)
        json.field("time", unit.of(trade.time))
        json.field("isBuyerMaker", trade.isBuyerMaker)
        json.field("isBestMatch", true)
      }
    }
    return json.bytes
  }

  private func write(_ name: String, _ price: Int64, _ isLast: Bool, to json: inout JSONWriter) {
    if isLast, fault == .numberInfinite { return json.field(name, Self.infinite) }
    json.decimal(name, price, symbol.priceDecimals)
  }

  private func signed(_ quantity: Int64, _ isLast: Bool) -> Int64 {
    isLast && fault == .negativeVolume ? -quantity : quantity
  }

  /// An order book as `depth` has it.
  func json(_ book: BinanceBook) -> [UInt8] {
    var json = JSONWriter(capacity: 64 + 40 * (book.bids.count + book.asks.count))
    json.object { json in
      json.field("lastUpdateId", book.updateID)
      for (name, levels) in [("bids", book.bids), ("asks", book.asks)] {
        json.array(name, levels) { json, level in
          json.array { json in
            json.raw(BinanceDecimal.quoted(Int128(level.price), symbol.priceDecimals))
            json.raw(BinanceDecimal.quoted(Int128(level.quantity), symbol.quantityDecimals))
          }
        }
      }
    }
    return json.bytes
  }
}
