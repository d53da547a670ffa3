/// The order book of a symbol at a moment: drawn from the seed around the last price.
///
/// The last trade stands at the best price of its side: a taker who bought paid the best ask. The book stays the same
/// for a second unless there is a trade.
struct BinanceBook: Sendable {
  /// A price in ticks and what is offered for it, in steps.
  struct Level: Sendable, Hashable {
    let price: Int64
    let quantity: Int64
  }

  /// Orders to buy, the highest price first.
  let bids: [Level]
  /// Orders to sell, the lowest price first.
  let asks: [Level]
  /// Rises with time.
  let updateID: Int64

  /// The book of a symbol that trades; empty after its last hour of trading.
  ///
  /// - Parameter limit: how many levels of each side at most; there are fewer bids when a price comes near zero
  init(_ symbol: BinanceSymbol, last: BinanceTrade?, now: Int64, limit: Int) {
    updateID = now
    guard let last, symbol.ended ?? .max > now.floorDivided(by: BinanceSymbol.hour) else {
      bids = []
      asks = []
      return
    }
    let second = now.floorDivided(by: 1_000)
    var numbers = BinanceNoise(symbol).numbers(10, second &+ last.id)
    let spread = Int64(1 + numbers.below(3))
    let bid = last.isBuyerMaker ? last.price : last.price - spread
    let ask = last.isBuyerMaker ? last.price + spread : last.price
    bids = Self.side(from: bid, step: -1, symbol, BinanceNoise(symbol).numbers(11, second), limit)
    asks = Self.side(from: ask, step: 1, symbol, BinanceNoise(symbol).numbers(12, second), limit)
  }

  private static func side(
    from best: Int64, step: Int64, _ symbol: BinanceSymbol, _ numbers: SeededNumbers, _ limit: Int
  ) -> [Level] {
    var numbers = numbers
    var levels: [Level] = []
    var price = best
    while levels.count < limit, price > 0 {
      let drawn = numbers.next()
      let size = Int64(drawn & 1_023)
      levels.append(
        Level(price: price, quantity: 1 + symbol.unit * (size * size + 4_096) / BinanceNoise.one))
      price += step * (1 + Int64((drawn >> 10) % 3))
    }
    return levels
  }
}
