import JSONText
import Testing

@testable import TollbookSimulators

/// Tickers say what the trades of their window come to.
@Suite struct BinanceTickerTests {
  private let bench = BinanceBench()

  private func text(_ value: Int128, _ decimals: Int) -> String {
    String(
      String(decoding: BinanceDecimal.quoted(value, decimals), as: UTF8.self).dropFirst().dropLast()
    )
  }

  /// Compares a ticker with trades that were counted the long way.
  private func check(_ ticker: JSONValue, _ symbol: BinanceSymbol, _ trades: [BinanceTrade]) throws
  {
    let whole = try #require(counted(trades))
    let prices = symbol.priceDecimals
    let expected: [(String, Int128, Int)] = [
      ("openPrice", Int128(trades[0].price), prices),
      ("highPrice", Int128(try #require(trades.map(\.price).max())), prices),
      ("lowPrice", Int128(try #require(trades.map(\.price).min())), prices),
      ("lastPrice", Int128(whole.close), prices),
      ("volume", Int128(trades.reduce(0) { $0 + $1.quantity }), symbol.quantityDecimals),
      ("quoteVolume", trades.reduce(0) { $0 + Int128($1.quote) }, symbol.quoteDecimals),
    ]
    for (name, value, decimals) in expected {
      #expect(ticker[name]?.string == text(value, decimals), "\(name)")
    }
    #expect(ticker["firstId"]?.int64 == trades.first?.first)
    #expect(ticker["lastId"]?.int64 == trades.last?.last)
    #expect(
      ticker["count"]?.int64 == trades.reduce(0) { $0 + $1.last - $1.first + 1 })
  }

  @Test(arguments: [1, 9, 31] as [UInt64])
  func `24 hours are those up to now`(seed: UInt64) async throws {
    let bench = BinanceBench { $0.seed = seed }
    let now = bench.clock.now
    for name in ["BTCUSDT", "BNBETH"] {
      let symbol = try bench.symbol(name)
      let index = try bench.index(name)
      let ticker = try await bench.json("ticker/24hr?symbol=\(name)")
      let trades = bench.market.everyTrade(index, from: now - BinanceBench.day, to: now + 1)
      try check(ticker, symbol, trades)
      #expect(ticker["openTime"]?.int64 == now - BinanceBench.day)
      #expect(ticker["closeTime"]?.int64 == now)
      let before = try #require(bench.market.lastTrade(index, before: now - BinanceBench.day))
      #expect(
        ticker["prevClosePrice"]?.string == text(Int128(before.price), symbol.priceDecimals))
      let change = Int128(trades[trades.count - 1].price - trades[0].price)
      #expect(ticker["priceChange"]?.string == text(change, symbol.priceDecimals))
      let book = try await bench.json("ticker/bookTicker?symbol=\(name)")
      let depth = try await bench.json("depth?symbol=\(name)&limit=1")
      for (side, levels) in [("bid", "bids"), ("ask", "asks")] {
        for (part, position) in [("Price", 0), ("Qty", 1)] {
          let value = try #require(depth[levels]?[0]?[position]?.string)
          #expect(ticker[side + part]?.string == value && book[side + part]?.string == value)
        }
      }
    }
  }

  @Test func `a rolling window begins with a minute and a trading day at midnight`() async throws {
    let now = bench.clock.now
    let index = try bench.index("ETHUSDT")
    let symbol = try bench.symbol("ETHUSDT")
    let rolling = try await bench.json("ticker?symbol=ETHUSDT&windowSize=2h")
    let start = (now - 2 * BinanceBench.hour) / BinanceBench.minute * BinanceBench.minute
    #expect(rolling["openTime"]?.int64 == start && rolling["closeTime"]?.int64 == now)
    try check(rolling, symbol, bench.market.everyTrade(index, from: start, to: now + 1))
    let day = try await bench.json("ticker/tradingDay?symbol=ETHUSDT&timeZone=3")
    let midnight =
      (now + 3 * BinanceBench.hour) / BinanceBench.day * BinanceBench.day - 3 * BinanceBench.hour
    #expect(day["openTime"]?.int64 == midnight)
    #expect(day["closeTime"]?.int64 == midnight + BinanceBench.day - 1)
    try check(day, symbol, bench.market.everyTrade(index, from: midnight, to: now + 1))
    #expect(day["bidPrice"] == nil && day["weightedAvgPrice"] != nil)
  }

  @Test func `a full and a small ticker have the members of the exchange, in its order`()
    async throws
  {
    func names(_ call: String) async throws -> [String] {
      try #require(try await bench.json(call).members).map(\.name)
    }
    let small = [
      "symbol", "openPrice", "highPrice", "lowPrice", "lastPrice", "volume", "quoteVolume",
      "openTime", "closeTime", "firstId", "lastId", "count",
    ]
    #expect(try await names("ticker/24hr?symbol=BTCUSDT&type=MINI") == small)
    #expect(try await names("ticker?symbol=BTCUSDT&type=MINI") == small)
    #expect(
      try await names("ticker/24hr?symbol=BTCUSDT&type=FULL") == [
        "symbol", "priceChange", "priceChangePercent", "weightedAvgPrice", "prevClosePrice",
        "lastPrice", "lastQty", "bidPrice", "bidQty", "askPrice", "askQty", "openPrice",
        "highPrice", "lowPrice", "volume", "quoteVolume", "openTime", "closeTime", "firstId",
        "lastId", "count",
      ])
    #expect(
      try await names("ticker/tradingDay?symbol=BTCUSDT")
        == ["symbol", "priceChange", "priceChangePercent", "weightedAvgPrice"] + small.dropFirst())
  }

  @Test func `one symbol is an object and a list is an array in its order`() async throws {
    for path in ["ticker/24hr", "ticker/price", "ticker/bookTicker", "ticker", "ticker/tradingDay"]
    {
      #expect(try await bench.json("\(path)?symbol=ETHUSDT")["symbol"]?.string == "ETHUSDT")
      let rows = try await bench.rows("\(path)?symbols=%5B%22ETHUSDT%22,%22BTCUSDT%22%5D")
      #expect(rows.compactMap { $0["symbol"]?.string } == ["ETHUSDT", "BTCUSDT"], "\(path)")
    }
    for path in ["ticker/24hr", "ticker/price", "ticker/bookTicker"] {
      #expect(try await bench.rows(path).count == 30)
      #expect(try await bench.rows("\(path)?symbolStatus=BREAK").count == 1)
      #expect(try await bench.rows("\(path)?symbolStatus=HALT").isEmpty)
    }
  }

  @Test func `the average price is that of five minutes`() async throws {
    let now = bench.clock.now
    let symbol = try bench.symbol("BTCUSDT")
    let trades = bench.market.everyTrade(
      try bench.index("BTCUSDT"), from: now - 5 * BinanceBench.minute + 1, to: now + 1)
    let whole = try #require(counted(trades))
    let average = try await bench.json("avgPrice?symbol=BTCUSDT")
    #expect(average["mins"]?.int == 5)
    #expect(average["closeTime"]?.int64 == trades.last?.time)
    // Exact: paid · 10^8 / volume, in the units of both.
    let scaled = whole.quote * 1_000_000 / Int128(whole.volume)
    let price = try #require(average["price"]?.string)
    #expect([text(scaled, 8), text(scaled + 1, 8)].contains(price))
    #expect(symbol.priceDecimals == 2)
    let ended = try await bench.json("avgPrice?symbol=WAVESUSDT")
    #expect(
      ended["price"]?.string
        == (try await bench.json("ticker/price?symbol=WAVESUSDT")["price"]?.string))
  }

  @Test(arguments: [1, 5, 23] as [UInt64])
  func `what takers bought in candles is what they bought in trades`(seed: UInt64) async throws {
    let bench = BinanceBench { $0.seed = seed }
    let open = (bench.clock.now / BinanceBench.hour - 1) * BinanceBench.hour
    let end = open + BinanceBench.hour - 1
    let window = "symbol=SOLUSDT&startTime=\(open)&endTime=\(end)&limit=1000"
    let candles = try await bench.rows("klines?interval=1m&\(window)")
    let trades = try await bench.rows("aggTrades?\(window)")
    #expect(candles.count == 60 && trades.count < 1_000)
    func units(_ value: JSONValue?) throws -> Int64 {
      let text = try #require(value?.string)
      #expect(text.split(separator: ".").last?.count == 8)
      return try #require(Int64(text.replacing(".", with: "")))
    }
    var candleDelta: Int64 = 0
    for candle in candles {
      let taken = try units(candle[9])
      let volume = try units(candle[5])
      let takenQuote = try units(candle[10])
      let quote = try units(candle[7])
      #expect(taken <= volume && takenQuote <= quote)
      let (open, high) = (try units(candle[1]), try units(candle[2]))
      let (low, close) = (try units(candle[3]), try units(candle[4]))
      #expect(high >= max(open, close) && low <= min(open, close))
      candleDelta += 2 * taken - volume
    }
    var tradeDelta: Int64 = 0
    for trade in trades {
      let side: Int64 = trade["m"]?.bool == true ? -1 : 1
      tradeDelta += try units(trade["q"]) * side
    }
    #expect(candleDelta == tradeDelta)
  }
}
