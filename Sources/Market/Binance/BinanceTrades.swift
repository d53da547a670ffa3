import JSONText

/// Trades at one price that one order took (rest-api.md, aggTrades).
package struct BinanceAggregateTrade: Hashable, Sendable {
  package let id: Int64
  package let price: BinanceDecimal
  package let quantity: BinanceDecimal
  /// The first and the last single trade in it.
  package let firstTrade: Int64
  package let lastTrade: Int64
  /// In milliseconds.
  package let time: Int64
  /// Whether the buyer's order was resting in the book. Then the seller was the taker.
  package let isBuyerMaker: Bool
}

/// One trade (rest-api.md, trades).
package struct BinanceTrade: Hashable, Sendable {
  package let id: Int64
  package let price: BinanceDecimal
  package let quantity: BinanceDecimal
  package let quoteQuantity: BinanceDecimal
  /// In milliseconds.
  package let time: Int64
  /// Whether the buyer's order was resting in the book. Then the seller was the taker.
  package let isBuyerMaker: Bool
}

/// Reads answers of `trades` and `aggTrades`.
package enum BinanceTrades {
  /// The most rows that the exchange answers.
  package static let mostRows = 1_000

  /// Reads an answer of `aggTrades`: ids rise, times do not fall, and between neighbours no single trade is missing.
  package static func readAggregates(
    _ bytes: [UInt8], mostRows: Int = mostRows
  ) throws(BinanceReadingError) -> [BinanceAggregateTrade] {
    var reader = BinanceAnswerReader(what: "aggTrades")
    var trades: [BinanceAggregateTrade] = []
    for (index, row) in try rows(bytes, mostRows, &reader).enumerated() {
      reader.row = index
      let members = try reader.members(row, ["a", "p", "q", "f", "l", "T", "m", "M"])
      let trade = BinanceAggregateTrade(
        id: try members.integer("a", 0...Int64.max), price: try members.positive("p"),
        quantity: try members.positive("q"), firstTrade: try members.integer("f", 0...Int64.max),
        lastTrade: try members.integer("l", 0...Int64.max), time: try members.time("T"),
        isBuyerMaker: try members.bool("m"))
      guard trade.firstTrade <= trade.lastTrade else {
        throw reader.fault(.breaks("is below f"), "l")
      }
      if let last = trades.last {
        guard trade.id > last.id else { throw reader.fault(.breaks("does not rise"), "a") }
        guard trade.time >= last.time else {
          throw reader.fault(.breaks("is before the row before"), "T")
        }
        // Behind the last trade that there can be, none follows.
        let isNext = trade.id - last.id == 1
        guard trade.firstTrade > last.lastTrade,
          !isNext || trade.firstTrade - last.lastTrade == 1
        else { throw reader.fault(.breaks("does not follow the l of the row before"), "f") }
      }
      trades.append(trade)
    }
    return trades
  }

  /// Reads an answer of `trades`: ids rise and times do not fall.
  package static func read(
    _ bytes: [UInt8], mostRows: Int = mostRows
  ) throws(BinanceReadingError) -> [BinanceTrade] {
    var reader = BinanceAnswerReader(what: "trades")
    var trades: [BinanceTrade] = []
    for (index, row) in try rows(bytes, mostRows, &reader).enumerated() {
      reader.row = index
      let members = try reader.members(
        row, ["id", "price", "qty", "quoteQty", "time", "isBuyerMaker", "isBestMatch"])
      let trade = BinanceTrade(
        id: try members.integer("id", 0...Int64.max), price: try members.positive("price"),
        quantity: try members.positive("qty"),
        quoteQuantity: try members.notNegative("quoteQty"), time: try members.time("time"),
        isBuyerMaker: try members.bool("isBuyerMaker"))
      if let last = trades.last {
        guard trade.id > last.id else { throw reader.fault(.breaks("does not rise"), "id") }
        guard trade.time >= last.time else {
          throw reader.fault(.breaks("is before the row before"), "time")
        }
      }
      trades.append(trade)
    }
    return trades
  }

  private static func rows(
    _ bytes: [UInt8], _ mostRows: Int, _ reader: inout BinanceAnswerReader
  ) throws(BinanceReadingError) -> JSONElements {
    let most = max(0, min(mostRows, 100_000))
    let root = try reader.root(bytes, depth: 8, values: 1 + (most + 1) * 32)
    let rows = try reader.elements(root)
    let count = rows.count
    guard count <= most else {
      throw reader.fault(.count(count, expected: "at most \(most) rows"))
    }
    return rows
  }
}
