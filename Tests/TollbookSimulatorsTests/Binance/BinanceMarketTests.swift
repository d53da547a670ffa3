import Testing

@testable import TollbookSimulators

/// The invented market agrees with itself, whichever way it is asked.
@Suite struct BinanceMarketTests {
  private static let seeds: [UInt64] = [1, 2, 77, 4_096, .max]
  private static let names = ["BTCUSDT", "USDTTRY", "BNBETH", "SHIBUSDT", "ALGOUSDT", "BTCBRL"]

  private func bench(_ seed: UInt64) -> BinanceBench { BinanceBench { $0.seed = seed } }

  @Test(arguments: seeds, names)
  func `ids rise by one, single trades have no gaps, and times never go back`(
    seed: UInt64, name: String
  ) throws {
    let bench = bench(seed)
    let symbol = try bench.symbol(name)
    // A week and more, so that the pause of the symbol that has one lies in it.
    let trades = bench.market.everyTrade(
      try bench.index(name), from: BinanceBench.start - 8 * BinanceBench.day,
      to: BinanceBench.start)
    #expect(trades.count > 1_000)
    let paths = symbol.middle * 3 / 5...symbol.middle * 7 / 5
    for (trade, next) in zip(trades, trades.dropFirst()) {
      #expect(next.id == trade.id + 1 && next.first == trade.last + 1 && next.time >= trade.time)
    }
    for trade in trades {
      #expect(trade.last >= trade.first && paths.contains(trade.price))
      let parts = (trade.first...trade.last).map { trade.quantity(ofSingle: $0) }
      #expect(parts.allSatisfy { $0 > 0 } && parts.reduce(0, +) == trade.quantity)
    }
    #expect(Set(trades.map(\.isBuyerMaker)) == [true, false])
  }

  @Test(arguments: seeds.prefix(3), BinanceInterval.allCases)
  func `a candle is what its trades come to`(seed: UInt64, interval: BinanceInterval) throws {
    let bench = bench(seed)
    let now = bench.clock.now
    // Months of a busy symbol take long to count.
    let isLong = interval == .month || interval == .week
    for name in isLong ? ["BNBETH"] : ["ETHUSDT", "BNBETH"] {
      let index = try bench.index(name)
      for zone in [0, 345 * BinanceBench.minute] {
        let candles = bench.market.candles(
          index, interval, zone: zone, BinanceWindow(limit: 4), now: now)
        #expect(candles.count == 4)
        #expect(candles.last.map { $0.open <= now && now < $0.end } == true)
        for (candle, next) in zip(candles, candles.dropFirst()) {
          #expect(candle.end == next.open)
          #expect(next.before == candle.trades?.close ?? candle.before)
        }
        for candle in candles {
          let end = min(candle.end, now + 1)
          let trades = bench.market.everyTrade(index, from: candle.open, to: end)
          #expect(candle.trades == counted(trades), "\(name) \(interval) \(candle.open)")
        }
      }
    }
  }

  @Test(arguments: seeds)
  func `longer candles are made of shorter ones`(seed: UInt64) throws {
    let bench = bench(seed)
    let index = try bench.index("BNBETH")
    let now = bench.clock.now
    let pairs: [(BinanceInterval, BinanceInterval)] = [
      (.minute, .second), (.threeMinutes, .minute), (.quarter, .fiveMinutes), (.hour, .quarter),
      (.fourHours, .twoHours), (.day, .fourHours), (.threeDays, .day), (.week, .day),
      (.month, .day),
    ]
    for (long, short) in pairs {
      for candle in bench.market.candles(index, long, zone: 0, BinanceWindow(limit: 3), now: now) {
        let parts = bench.market.candles(
          index, short, zone: 0,
          BinanceWindow(start: candle.open, end: candle.end - 1, limit: 5_000), now: now)
        #expect(parts.first?.open == candle.open)
        var whole: BinanceSummary?
        for part in parts { whole.add(part.trades) }
        #expect(whole == candle.trades, "\(long.rawValue) \(candle.open)")
      }
    }
  }

  @Test(arguments: seeds)
  func `what was asked before changes nothing`(seed: UInt64) throws {
    let one = bench(seed)
    let other = bench(seed)
    let index = try one.index("BTCUSDT")
    let now = one.clock.now
    _ = one.market.candles(index, .day, zone: 0, BinanceWindow(limit: 60), now: now)
    for interval in [BinanceInterval.minute, .hour, .week] {
      let window = BinanceWindow(start: now - 20 * BinanceBench.day, limit: 100)
      let asked = one.market.candles(index, interval, zone: 0, window, now: now)
      #expect(asked == other.market.candles(index, interval, zone: 0, window, now: now))
    }
  }

  @Test func `another seed is another market and another epoch is the same one`() throws {
    let trades = try [(1, 0), (2, 0), (1, 3)].map { seed, days in
      let bench = BinanceBench {
        $0.seed = UInt64(seed)
        $0.epoch = BinanceBench.start + Int64(days) * BinanceBench.day
      }
      let time = BinanceBench.start - BinanceBench.hour
      return bench.market.everyTrade(
        try bench.index("BTCUSDT"), from: time, to: BinanceBench.start)
    }
    #expect(trades[0] != trades[1])
    #expect(trades[0] == trades[2])
  }

  @Test(arguments: seeds)
  func `the book stands around the last price, best prices first`(seed: UInt64) throws {
    let bench = bench(seed)
    for name in Self.names {
      let symbol = try bench.symbol(name)
      for step in 0..<20 {
        let now = BinanceBench.start + Int64(step) * 977
        let last = bench.market.lastTrade(try bench.index(name), before: now + 1)
        let book = BinanceBook(symbol, last: last, now: now, limit: 500)
        #expect(book.bids.count == 500 && book.asks.count == 500)
        let bid = try #require(book.bids.first?.price)
        let ask = try #require(book.asks.first?.price)
        let price = try #require(last?.price)
        #expect(bid < ask && (bid...ask).contains(price))
        #expect((last?.isBuyerMaker == true ? bid : ask) == price)
        for (level, next) in zip(book.bids, book.bids.dropFirst()) {
          #expect(next.price < level.price && next.quantity > 0)
        }
        for (level, next) in zip(book.asks, book.asks.dropFirst()) {
          #expect(next.price > level.price && next.quantity > 0)
        }
        #expect(BinanceBook(symbol, last: last, now: now, limit: 1).bids == [book.bids[0]])
      }
    }
  }
}
