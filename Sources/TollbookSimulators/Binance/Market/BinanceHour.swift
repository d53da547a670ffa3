/// An aggregate trade: what one taker got at one price, made of one or more single trades.
struct BinanceTrade: Sendable, Hashable {
  /// The id of the aggregate trade.
  let id: Int64
  /// In ticks.
  let price: Int64
  /// In steps; at least one for each single trade.
  let quantity: Int64
  /// The id of its first single trade.
  let first: Int64
  /// The id of its last single trade.
  let last: Int64
  /// Milliseconds since 1970.
  let time: Int64
  /// Whether the buyer's order was resting, so that the taker sold.
  let isBuyerMaker: Bool

  /// In units of 10^−`quoteDecimals`.
  var quote: Int64 { price * quantity }

  /// The quantity of a single trade of it: equal parts, the rest in the first one.
  func quantity(ofSingle id: Int64) -> Int64 {
    let (part, rest) = quantity.quotientAndRemainder(dividingBy: last - first + 1)
    return id == first ? part + rest : part
  }
}

/// All trades of a symbol in one hour of trading, in order. Nothing is remembered: they are drawn anew from the seed.
struct BinanceHour: Sendable {
  let trades: [BinanceTrade]

  init(_ symbol: BinanceSymbol, hour: Int64) {
    let noise = BinanceNoise(symbol)
    let count = Int(symbol.aggregatesPerHour)
    var numbers = noise.numbers(9, hour)
    // The waits between trades, in no unit; one more for the rest of the hour.
    var elapsed: [Int64] = []
    elapsed.reserveCapacity(count + 1)
    var total: Int64 = 0
    for _ in 0...count {
      let drawn = numbers.next()
      total += 8 + Int64((drawn & 1_023) * ((drawn >> 10) & 1_023) >> 10)
      elapsed.append(total)
    }
    let path = Path(symbol, noise, hour: hour)
    let scene = Scene(
      symbol: symbol, start: hour * BinanceSymbol.hour, total: total,
      ofTrades: count > 0 ? elapsed[count - 1] : 1, firstAggregate: symbol.firstAggregate(of: hour),
      firstTrade: symbol.firstTrade(of: hour))
    var trades: [BinanceTrade] = []
    trades.reserveCapacity(count)
    var before: Int64 = 0
    for index in 0..<count {
      trades.append(
        scene.trade(
          Int64(index), from: before, to: elapsed[index], drawn: numbers.next(), along: path))
      before = elapsed[index]
    }
    self.trades = trades
  }

  /// The index of the first trade at or after a time; the number of trades if there is none.
  func index(from time: Int64) -> Int {
    var low = 0
    var high = trades.count
    while low < high {
      let middle = (low + high) / 2
      if trades[middle].time < time { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The price and the temper of one hour.
  private struct Path {
    let middle: Int64
    let start: Int64
    let rise: Int64
    let ripples: [Int64]
    let activities: [Int64]
    let buyers: Int64

    init(_ symbol: BinanceSymbol, _ noise: BinanceNoise, hour: Int64) {
      middle = symbol.middle
      start = noise.price(atHour: hour)
      rise = noise.price(atHour: hour + 1) - start
      ripples = (0...3).map { noise.ripple(atThird: 3 * hour + $0) }
      activities = (0..<4).map { noise.activity(ofQuarter: 4 * hour + $0) }
      buyers = noise.buyers(ofHour: hour, rise: rise)
    }

    /// The price between sellers and buyers, in ticks, so many milliseconds into the hour.
    func price(at offset: Int64) -> Int64 {
      let third = Int(offset / 1_200_000)
      let ripple =
        ripples[third] + (ripples[third + 1] - ripples[third]) * (offset % 1_200_000) / 1_200_000
      return middle + middle * (start + rise * offset / BinanceSymbol.hour + ripple)
        / BinanceNoise.one
    }

    func activity(at offset: Int64) -> Int64 { activities[Int(offset / 900_000)] }
  }

  /// What all trades of one hour have in common.
  private struct Scene {
    let symbol: BinanceSymbol
    let start: Int64
    /// All waits of the hour.
    let total: Int64
    /// The waits up to the last trade.
    let ofTrades: Int64
    let firstAggregate: Int64
    let firstTrade: Int64

    /// The trade of an index; `drawn` decides its side, its distance from the middle and its quantity.
    func trade(
      _ index: Int64, from before: Int64, to elapsed: Int64, drawn: UInt64, along path: Path
    ) -> BinanceTrade {
      let offset = BinanceSymbol.hour * elapsed / total
      // The single trades that an hour has more than aggregate ones go to those that were waited for.
      let extra = symbol.tradesPerHour - symbol.aggregatesPerHour
      let first = firstTrade + index + extra * before / ofTrades
      let last = firstTrade + index + extra * elapsed / ofTrades
      let isBuy = Int64(drawn & 1_023) < path.buyers
      let distance = path.middle * Int64((drawn >> 10) & 511) / BinanceNoise.one
      let price = path.price(at: offset) + (isBuy ? distance : -distance)
      let size = Int64((drawn >> 20) & 1_023)
      let quantity =
        symbol.unit * (size * size + 4_096) / BinanceNoise.one * path.activity(at: offset) / 16
      return BinanceTrade(
        id: firstAggregate + index, price: max(1, price), quantity: max(last - first + 1, quantity),
        first: first, last: last, time: start + offset, isBuyerMaker: !isBuy)
    }
  }
}
