import HTTPTypes
import HummingbirdTesting
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import Market

@Suite struct BinanceDropInTests {
  /// What the exchange itself answers.
  private func direct(_ stand: MarketStand, _ target: String) async -> [UInt8] {
    let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
    let answer = await stand.simulator.answer(
      path: "/api/v3/\(parts[0])", query: parts.count > 1 ? parts[1] : "", address: "192.0.2.1")
    return answer.body
  }

  @Test(arguments: [
    "exchangeInfo", "exchangeInfo?symbol=BTCUSDT", "depth?symbol=BTCUSDT&limit=10",
    "trades?symbol=BTCUSDT&limit=5", "aggTrades?symbol=BTCUSDT&limit=5", "avgPrice?symbol=BTCUSDT",
    "ticker/24hr?symbol=BTCUSDT", "ticker/24hr?symbol=BTCUSDT&type=MINI",
    "ticker/24hr?symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D", "ticker/24hr",
    "ticker/price?symbols=%5B%22ETHUSDT%22%5D", "ticker/price", "ticker/bookTicker?symbol=ETHUSDT",
    "ticker?symbol=BTCUSDT&windowSize=4h", "ticker/tradingDay?symbol=BTCUSDT",
    "klines?symbol=BTCUSDT&interval=1h", "klines?symbol=BTCUSDT&interval=1m&limit=7",
    "klines?symbol=BTCUSDT&interval=1d&limit=1000", "klines?symbol=BTCUSDT&interval=1M",
    "klines?symbol=BTCUSDT&interval=1w&limit=3",
    "klines?symbol=ETHUSDT&interval=1h&startTime=0&limit=3",
    "klines?symbol=ETHUSDT&interval=4h&timeZone=2", "uiKlines?symbol=ETHUSDT&interval=4h&limit=4",
  ])
  func `an answer is the exchange's own, byte for byte, the first time and the second`(
    target: String
  ) async throws {
    try await MarketStand.serving { stand, caller in
      let expected = await direct(stand, target)
      for round in 1...2 {
        let answer = try await caller.get("/binance/api/v3/\(target)")
        #expect(answer.status == 200, "\(round): \(answer.text.prefix(300))")
        // Said of long texts as a whole: where they differ is shown by their beginnings.
        let isSame = answer.body == expected
        #expect(
          isSame,
          """
          round \(round): \(answer.text.prefix(300))
          and not \(String(decoding: expected.prefix(300), as: UTF8.self))
          """)
        if round == 2 { #expect(answer.headers[.charge] == "0", "\(target)") }
      }
    }
  }

  /// The rows of candles; of one that is open only when it opened: it may be as old as a sixtieth of its interval.
  private func rows(_ body: [UInt8], at now: Int64) -> [String] {
    let rows = (try? JSONDocument(body).root)?.array.map { Array($0) } ?? []
    return rows.map { row in
      let members = row.array.map { Array($0) } ?? []
      let isOpen = members.count > 6 && members[6].int64 ?? 0 >= now
      return String(decoding: isOpen ? members[0].bytes : row.bytes, as: UTF8.self)
    }
  }

  @Test(arguments: 0..<24)
  func `any window of candles is the exchange's own`(seed: UInt64) async throws {
    try await MarketStand.serving { stand, caller in
      var random = SeededGenerator(seed: seed)
      let intervals: [BinanceInterval] = [.minute, .fifteenMinutes, .hour, .day]
      for _ in 0..<6 {
        let interval = intervals[random.int(0..<intervals.count)]
        let symbol = stand.simulator.symbols[random.int(0..<stand.simulator.symbols.count)].name
        let now = stand.time.now.milliseconds
        let reach = min(500 * 86_400_000, 3_000 * interval.nominalLength)
        let start = now - random.int64(0..<reach)
        let end = start + random.int64(0..<reach)
        var target = "klines?symbol=\(symbol)&interval=\(interval.rawValue)"
        if random.int(0..<2) == 0 { target += "&startTime=\(start)" }
        if random.int(0..<2) == 0 { target += "&endTime=\(end)" }
        if random.int(0..<2) == 0 { target += "&limit=\(random.int(1..<1_001))" }
        let expected = await direct(stand, target)
        let answer = try await caller.get("/binance/api/v3/\(target)")
        let (own, other) = (rows(answer.body, at: now), rows(expected, at: now))
        #expect(own.count == other.count, "seed \(seed): \(target)")
        let isSame = own == other
        #expect(isSame, "seed \(seed): \(target)")
        stand.time.advance(byMilliseconds: random.int64(0..<200_000))
      }
    }
  }

  @Test func `lists are bought symbol by symbol, and only what is missing`() async throws {
    try await MarketStand.serving { stand, caller in
      _ = try await caller.get("/binance/api/v3/ticker/24hr?symbol=BTCUSDT")
      let list = try await caller.get(
        "/binance/api/v3/ticker/24hr?symbols=%5B%22ETHUSDT%22,%22BTCUSDT%22%5D")
      let names = list.json?.array.map { $0.map { $0["symbol"]?.string } }
      #expect(names == ["ETHUSDT", "BTCUSDT"])
      let asked = stand.simulator.books.calls.filter { $0.endpoint?.rawValue == "ticker/24hr" }
      #expect(asked.map(\.query) == ["symbol=BTCUSDT", "symbol=ETHUSDT"])
    }
  }

  @Test func `what is said of some markets is cut out of what is said of all`() async throws {
    try await MarketStand.serving { stand, caller in
      let targets = [
        "exchangeInfo?symbol=BTCUSDT", "exchangeInfo?symbol=ETHUSDT",
        "exchangeInfo?symbols=%5B%22ETHUSDT%22,%22BTCUSDT%22%5D", "exchangeInfo",
      ]
      for (index, target) in targets.enumerated() {
        let expected = await direct(stand, target)
        let answer = try await caller.get("/binance/api/v3/\(target)")
        let isSame = answer.body == expected
        #expect(isSame, "\(target): \(answer.text.prefix(300))")
        #expect(answer.headers[.charge] == (index == 0 ? "20" : "0"), "\(target)")
      }
      let own = stand.simulator.books.calls.filter { $0.address != "192.0.2.1" }
      #expect(own.map(\.query) == [""])
      // What the list does not tell, the exchange is asked itself.
      let other = "exchangeInfo?symbol=BTCUSDT&showPermissionSets=false"
      let expected = await direct(stand, other)
      #expect(try await caller.get("/binance/api/v3/\(other)").body == expected)
      let unknown = try await caller.get("/binance/api/v3/exchangeInfo?symbol=NOPE")
      #expect(unknown.json?["code"]?.int == -1_121, "\(unknown.text)")
      stand.time.advance(byMilliseconds: 3_600_000)
      let later = try await caller.get("/binance/api/v3/exchangeInfo?symbol=ETHUSDT")
      #expect(later.headers[.charge] == "20")
    }
  }

  @Test func `what the exchange would refuse is refused in its words, and costs nothing`()
    async throws
  {
    try await MarketStand.serving { stand, caller in
      _ = try await caller.get("/binance/api/v3/exchangeInfo")
      let before = stand.simulator.books.sum.calls
      let cases: [(String, Int)] = [
        ("klines?symbol=NOPE&interval=1h", -1_121), ("klines?symbol=BTCUSDT&interval=7m", -1_120),
        ("klines?interval=1h", -1_102), ("depth?symbol=btcusdt", -1_100),
        ("depth?symbol=", -1_105), ("depth?symbol=BTCUSDT&symbol=BTCUSDT", -1_101),
        ("ticker/price?symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D", -1_128),
        ("ticker/price?symbols=%5B%22BTCUSDT%22,%22BTCUSDT%22%5D", -1_151),
        ("klines?symbol=BTCUSDT&interval=1h&limit=0", -1_130),
        ("depth?symbol=\(String(repeating: "A", count: 10_000))", -1_100),
      ]
      for (target, code) in cases {
        let answer = try await caller.get("/binance/api/v3/\(target)")
        #expect(answer.status == 400, "\(target.prefix(80))")
        #expect(answer.json?["code"]?.int == code, "\(target.prefix(80)): \(answer.text)")
      }
      let nothing = try await caller.get("/binance/api/v3/order")
      #expect(nothing.status == 404)
      #expect(stand.simulator.books.sum.calls == before)
    }
  }
}
