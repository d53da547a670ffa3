import JSONText
import Testing

@testable import TollbookSimulators

/// When symbols trade: from their listing on, not in pauses, not after their end.
@Suite struct BinanceHistoryTests {
  private let bench = BinanceBench()

  @Test func `a pause has no candles, and ids go on after it`() async throws {
    // The pause of the week of the bench: Wednesday, 18 November 2026, 02:00 to 06:00 UTC.
    let pause = (BinanceBench.start / BinanceBench.day) * BinanceBench.day + 2 * BinanceBench.hour
    let end = pause + 4 * BinanceBench.hour
    let from = pause - 2 * BinanceBench.hour
    let opens = try await bench.opens(
      "symbol=ALGOUSDT&interval=1h&startTime=\(from)&endTime=\(end)")
    #expect(opens == [from, from + BinanceBench.hour, end])
    let newest = try await bench.opens("symbol=ALGOUSDT&interval=30m&endTime=\(end)&limit=3")
    #expect(
      newest == [pause - BinanceBench.hour, pause - BinanceBench.hour / 2, end])
    let across = try await bench.opens(
      "symbol=ALGOUSDT&interval=6h&startTime=\(from)&endTime=\(end)")
    #expect(across == [from, from + 6 * BinanceBench.hour])

    let index = try bench.index(BinanceListing.pausedSymbol)
    let before = try #require(bench.market.lastTrade(index, before: pause))
    let after = try #require(bench.market.firstTrade(index, from: pause))
    #expect(after.time >= end && before.time < pause)
    #expect(after.id == before.id + 1 && after.first == before.last + 1)
    #expect(bench.market.lastTrade(index, before: end) == before)
  }

  @Test func `a symbol without trades in a candle has a line at the last price`() async throws {
    let rows = try await bench.rows("klines?symbol=BNBETH&interval=1m&limit=500")
    var lines = 0
    for (row, next) in zip(rows, rows.dropFirst()) where next[8]?.int == 0 {
      lines += 1
      let close = row[4]?.string
      #expect((1...4).allSatisfy { next[$0]?.string == close })
      #expect(next[5]?.string == "0.00000000" && next[10]?.string == "0.00000000")
    }
    #expect(lines > 100 && lines < 499)
  }

  @Test func `a symbol whose trading ended keeps its history`() async throws {
    let ended = BinanceBench.start / BinanceBench.day * BinanceBench.day - 30 * BinanceBench.day
    let opens = try await bench.opens("symbol=WAVESUSDT&interval=1s&limit=2")
    #expect(opens == [ended - 2_000, ended - 1_000])
    #expect(
      try await bench.opens("symbol=WAVESUSDT&interval=1h&startTime=\(ended)").isEmpty)
    let trades = try await bench.rows("aggTrades?symbol=WAVESUSDT&limit=1")
    #expect(try #require(trades.first?["T"]?.int64) < ended)
    let depth = try await bench.json("depth?symbol=WAVESUSDT")
    #expect(depth["bids"]?.array?.isEmpty == true && depth["asks"]?.array?.isEmpty == true)
    let ticker = try await bench.json("ticker/24hr?symbol=WAVESUSDT")
    #expect(ticker["count"]?.int == 0 && ticker["firstId"]?.int == -1)
    #expect(ticker["volume"]?.string == "0.00000000")
    #expect(ticker["bidPrice"]?.string == "0.00000000")
  }

  @Test func `a new symbol has nothing before its first trade`() async throws {
    let listed =
      BinanceBench.start / BinanceBench.day * BinanceBench.day - 3 * BinanceBench.day
      + 10 * BinanceBench.hour
    let hours = try await bench.opens("symbol=ORBLUSDT&interval=1h&startTime=0")
    #expect(hours.first == listed)
    #expect(
      try await bench.opens("symbol=ORBLUSDT&interval=1h&endTime=\(listed - 1)").isEmpty)
    #expect(try await bench.opens("symbol=ORBLUSDT&interval=1d").count == 4)
    let first = try #require(
      try await bench.rows("aggTrades?symbol=ORBLUSDT&fromId=0&limit=1").first)
    #expect(try #require(first["T"]?.int64) >= listed)
    let same = try await bench.rows("aggTrades?symbol=ORBLUSDT&startTime=0&limit=1")
    #expect(same.first?["a"]?.int64 == first["a"]?.int64)
    #expect(
      try await bench.rows("aggTrades?symbol=ORBLUSDT&fromId=999999999999999999").isEmpty)
  }

  @Test func `hours of trading are counted forth and back`() throws {
    let paused = try bench.symbol(BinanceListing.pausedSymbol)
    for hour in paused.listed..<(paused.listed + 400) {
      let count = paused.tradingHours(before: hour)
      let isTrading = paused.trades(in: hour)
      #expect(paused.tradingHours(before: hour + 1) == count + (isTrading ? 1 : 0))
      let next = try #require(paused.firstTradingHour(from: hour))
      #expect(next >= hour && paused.hour(afterTradingHours: count) == next)
      #expect((next == hour) == isTrading)
      #expect((hour..<next).allSatisfy { !paused.trades(in: $0) })
      if let last = paused.lastTradingHour(to: hour) {
        #expect(last <= hour && paused.trades(in: last))
        #expect(((last + 1)..<(hour + 1)).allSatisfy { !paused.trades(in: $0) })
      }
    }
    let ended = try bench.symbol(BinanceListing.endedSymbol)
    let end = try #require(ended.ended)
    #expect(ended.firstTradingHour(from: end) == nil)
    #expect(ended.lastTradingHour(to: end + 1_000) == end - 1)
    #expect(ended.lastTradingHour(to: ended.listed - 1) == nil)
  }

  @Test(
    arguments: [
      (0, 1_970, 1), (31, 1_970, 2), (789, 1_972, 2), (790, 1_972, 3), (11_016, 2_000, 2),
      (11_017, 2_000, 3), (20_786, 2_026, 11), (-1, 1_969, 12),
    ] as [(Int64, Int64, Int64)])
  func `days lie in their months`(day: Int64, year: Int64, month: Int64) {
    let containing = CalendarMonth(containing: day)
    #expect(containing == CalendarMonth(year: year, month: month))
    #expect((containing.firstDay..<containing.next.firstDay).contains(day))
  }

  @Test func `the list has known names first, no name twice, and exact parts`() async throws {
    let bench = BinanceBench { $0.symbols = 200 }
    let info = try await bench.json("exchangeInfo")
    let symbols = Array(try #require(info["symbols"]?.array))
    #expect(symbols.count == 200)
    let names = symbols.compactMap { $0["symbol"]?.string }
    #expect(names.prefix(5) == ["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT", "USDTTRY"])
    #expect(Set(names).count == 200)
    for symbol in symbols {
      let base = try #require(symbol["baseAsset"]?.string)
      let quote = try #require(symbol["quoteAsset"]?.string)
      #expect(symbol["symbol"]?.string == base + quote)
    }
    let byStatus = Dictionary(grouping: symbols) { $0["status"]?.string }
    #expect(byStatus["BREAK"]?.compactMap { $0["symbol"]?.string } == ["WAVESUSDT"])
    #expect(byStatus["TRADING"]?.count == 199)
    #expect(bench.simulator.symbols.allSatisfy { $0.quoteDecimals <= 8 && $0.middle >= 1_000 })
  }
}
