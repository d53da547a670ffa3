import JSONText
import Testing

@testable import TollbookSimulators

/// What calls cost, what is left, and what becomes of those who go on.
@Suite struct BinanceWeightTests {
  private static func list(_ count: Int) -> String {
    let names = BinanceListing.symbols(seed: 1, count: 200, epoch: BinanceBench.start)
    return "symbols=%5B\(names.prefix(count).map { "%22\($0.name)%22" }.joined(separator: ","))%5D"
  }

  @Test(
    arguments: [
      ("ping", 1), ("time", 1), ("exchangeInfo", 20), ("exchangeInfo?symbol=BTCUSDT", 20),
      ("depth?symbol=BTCUSDT", 5), ("depth?symbol=BTCUSDT&limit=100", 5),
      ("depth?symbol=BTCUSDT&limit=101", 25), ("depth?symbol=BTCUSDT&limit=500", 25),
      ("depth?symbol=BTCUSDT&limit=501", 50), ("depth?symbol=BTCUSDT&limit=1000", 50),
      ("depth?symbol=BTCUSDT&limit=1001", 250), ("depth?symbol=BTCUSDT&limit=9000", 250),
      ("trades?symbol=BTCUSDT&limit=1", 25), ("aggTrades?symbol=BTCUSDT&limit=1", 4),
      ("klines?symbol=BTCUSDT&interval=1m&limit=1", 2),
      ("uiKlines?symbol=BTCUSDT&interval=1m&limit=1", 2), ("avgPrice?symbol=BTCUSDT", 2),
      ("ticker/24hr?symbol=BTCUSDT", 2), ("ticker/24hr?\(list(20))", 2),
      ("ticker/24hr?\(list(21))", 40), ("ticker/24hr?\(list(100))", 40),
      ("ticker/24hr?\(list(101))", 80), ("ticker/24hr", 80),
      ("ticker/price?symbol=BTCUSDT", 2), ("ticker/price?\(list(1))", 4), ("ticker/price", 4),
      ("ticker/bookTicker?symbol=BTCUSDT", 2), ("ticker/bookTicker", 4),
      ("ticker?symbol=BTCUSDT", 4), ("ticker?\(list(3))", 12), ("ticker?\(list(51))", 200),
      ("ticker/tradingDay?symbol=BTCUSDT", 4), ("ticker/tradingDay?\(list(60))", 200),
    ] as [(String, Int)])
  func `a call costs what the table says, in the header and in the books`(
    call: String, weight: Int
  ) async throws {
    let bench = BinanceBench { $0.symbols = 200 }
    let reply = await bench.call(call)
    #expect(reply.status == 200, "\(reply.text.prefix(200))")
    #expect(reply.usedWeight == String(weight))
    let books = bench.simulator.books
    #expect(books.sum.weight == weight && books.sum.calls == 1 && books.answered == 1)
    #expect(books.calls.first?.weight == weight && books.calls.first?.usedWeight == weight)
    let route = try #require(BinanceRoute(path: "/api/v3/" + call.prefix { $0 != "?" }))
    #expect(books[route].weight == weight)
  }

  @Test func `the weight begins anew with every minute of the clock and with every address`()
    async throws
  {
    let bench = BinanceBench()
    #expect(await bench.call("ticker/24hr").usedWeight == "80")
    #expect(await bench.call("ping").usedWeight == "81")
    #expect(await bench.call("ping", address: "192.0.2.7").usedWeight == "1")
    bench.clock.now = (bench.clock.now / 60_000 + 1) * 60_000 - 1
    #expect(await bench.call("ping").usedWeight == "82")
    bench.clock.now += 1
    #expect(await bench.call("ping").usedWeight == "1")
    let minutes = bench.simulator.books.minutes
    #expect(minutes.map(\.sum.weight) == [83, 1] && minutes.map(\.sum.calls) == [4, 1])
    #expect(minutes.map(\.at) == [1_794_999_960_000, 1_795_000_020_000])
  }

  @Test func `what does not fit is refused, is not counted, and smaller calls still fit`()
    async throws
  {
    let bench = BinanceBench { $0.weightLimit = 100 }
    #expect(await bench.call("ticker/24hr").status == 200)
    let refused = await bench.call("ticker/24hr")
    #expect(refused.status == 429 && refused.code == -1003)
    #expect(refused.text.contains("current limit is 100 request weight per 1 MINUTE"))
    // 52.345 s into the minute: 7.655 s are left, and the header has whole seconds.
    #expect(refused.retryAfter == 8)
    #expect(refused.usedWeight == "80")
    #expect(await bench.call("exchangeInfo").usedWeight == "100")
    #expect(await bench.call("nothing").status == 429)
    #expect(await bench.call("klines").status == 429)
    bench.clock.now += 8_000
    #expect(await bench.call("ticker/24hr").usedWeight == "80")
    let books = bench.simulator.books
    #expect(books.sum.refused == 3 && books.sum.weight == 180 && books.sum.calls == 6)
    #expect(books[.dayTicker] == .init(calls: 3, weight: 160, refused: 1, banned: 0))
  }

  @Test func `who goes on is banned, each time twice as long, up to three days`() async throws {
    let bench = BinanceBench {
      $0.weightLimit = 1
      $0.refusalsBeforeBan = 2
    }
    var minutes: Int64 = 2
    for round in 1...13 {
      #expect(await bench.call("ping").status == 200, "\(round)")
      for _ in 0..<2 { #expect(await bench.call("ping").status == 429) }
      let banned = await bench.call("ping")
      let until = bench.clock.now + minutes * 60_000
      #expect(banned.status == 418 && banned.code == -1003)
      #expect(banned.text.contains("IP banned until \(until)."))
      #expect(banned.retryAfter == Int(minutes * 60))
      #expect(banned.usedWeight == "1")
      bench.clock.now = until - 1
      let still = await bench.call("time")
      #expect(still.status == 418 && still.retryAfter == 1)
      #expect(still.text.contains("\(until)"))
      #expect(await bench.call("ping", address: "192.0.2.7").status == 200)
      bench.clock.now = until
      minutes = min(3 * 24 * 60, minutes * 2)
      // The address and the other one begin a new minute.
      bench.clock.now += 60_000
    }
    #expect(minutes == 3 * 24 * 60)
    #expect(bench.simulator.books.sum.banned == 26)
  }

  @Test func `refusals of an earlier minute are forgotten`() async {
    let bench = BinanceBench {
      $0.weightLimit = 1
      $0.refusalsBeforeBan = 2
    }
    for _ in 0..<5 {
      #expect(await bench.call("ping").status == 200)
      #expect(await bench.call("ping").status == 429)
      #expect(await bench.call("ping").status == 429)
      bench.clock.now += 60_000
    }
    #expect(bench.simulator.books.sum.banned == 0)
  }

  @Test func `somebody else at the address uses weight as the minute goes by`() async throws {
    let bench = BinanceBench { $0.weightLimit = 1_000 }
    bench.clock.now = bench.clock.now / 60_000 * 60_000
    bench.simulator.conditions = BinanceConditions(foreignWeight: 1_200)
    #expect(await bench.call("ping").usedWeight == "1")
    bench.clock.now += 30_000
    #expect(await bench.call("ping").usedWeight == "602")
    bench.clock.now += 20_000
    let refused = await bench.call("ping")
    #expect(refused.status == 429 && refused.usedWeight == "1002" && refused.retryAfter == 10)
    bench.clock.now += 10_000
    #expect(await bench.call("ping").usedWeight == "1")
    #expect(bench.simulator.books.sum.weight == 3)
  }

  @Test func `a clock that is off moves the market, the minutes and the times`() async throws {
    let bench = BinanceBench()
    _ = await bench.call("ping")
    bench.simulator.conditions = BinanceConditions(clockOffset: -BinanceBench.hour - 60_000)
    let time = try await bench.json("time")
    #expect(time["serverTime"]?.int64 == bench.clock.now - BinanceBench.hour - 60_000)
    #expect(await bench.call("ping").usedWeight == "2")
    let last = try await bench.rows("aggTrades?symbol=BTCUSDT&limit=1")
    #expect(try #require(last.first?["T"]?.int64) <= bench.clock.now - BinanceBench.hour - 60_000)
    let bounded = BinanceConditions(clockOffset: .max)
    #expect(bounded.exchangeTime(0) == 366 * BinanceBench.day)
  }

  @Test func `many addresses are told apart within bounds`() async {
    let bench = BinanceBench()
    for number in 0..<(BinanceSimulator.mostAddresses + 10) {
      #expect(await bench.call("ping", address: "a\(number)").usedWeight == "1")
    }
    #expect(bench.simulator.books.calls.count <= 2 * BinanceBooks.mostCalls)
  }
}
