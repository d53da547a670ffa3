import JSONText
import Testing

@testable import TollbookSimulators

/// Which rows an answer has: windows, limits, ids, time zones, units of time.
@Suite struct BinanceWindowTests {
  private let bench = BinanceBench()
  private let hour = BinanceBench.hour
  /// When the hour of the bench's clock began.
  private let open = BinanceBench.start / BinanceBench.hour * BinanceBench.hour

  private func opens(_ query: String) async throws -> [Int64] {
    try await bench.opens("symbol=BTCUSDT&interval=1h&\(query)")
  }

  @Test func `without times the newest candles come, oldest first, the last one open`()
    async throws
  {
    #expect(try await opens("limit=3") == [open - 2 * hour, open - hour, open])
    #expect(try await opens("").count == 500)
    let row = try #require(
      try await bench.rows("klines?symbol=BTCUSDT&interval=1h&limit=1").first)
    #expect(try #require(row.array).count == 12)
    #expect(row[6]?.int64 == open + hour - 1)
    #expect(try #require(row[6]?.int64) > bench.clock.now)
    bench.clock.now += 50 * BinanceBench.minute
    let closed = try #require(
      try await bench.rows("klines?symbol=BTCUSDT&interval=1h&startTime=\(open)&limit=1").first)
    #expect(closed[1]?.string == row[1]?.string)
    #expect(try #require(closed[8]?.int) > (try #require(row[8]?.int)))
  }

  @Test func `a start brings the oldest candles from there`() async throws {
    let start = open - 10 * hour
    #expect(try await opens("startTime=\(start)&limit=2") == [start, start + hour])
    #expect(try await opens("startTime=\(start + 1)&limit=1") == [start + hour])
    #expect(try await opens("startTime=\(start)").count == 11)
    #expect(try await opens("startTime=\(bench.clock.now + 1)").isEmpty)
  }

  @Test func `an end brings the newest candles up to there`() async throws {
    let end = open - 10 * hour
    #expect(try await opens("endTime=\(end)&limit=2") == [end - hour, end])
    #expect(try await opens("endTime=\(end - 1)&limit=1") == [end - hour])
    #expect(try await opens("endTime=\(open + 100 * hour)&limit=1") == [open])
    #expect(try await opens("endTime=0").isEmpty)
  }

  @Test func `both times bring candles from the start and never past the end`() async throws {
    let start = open - 10 * hour
    #expect(
      try await opens("startTime=\(start)&endTime=\(start + 2 * hour)")
        == [start, start + hour, start + 2 * hour])
    #expect(
      try await opens("startTime=\(start)&endTime=\(open)&limit=2") == [start, start + hour])
    #expect(try await opens("startTime=\(start)&endTime=\(start)") == [start])
    #expect(try await opens("startTime=\(start + 1)&endTime=\(start)").isEmpty)
  }

  @Test func `pages that follow one another miss nothing`() async throws {
    var next = open - 100 * hour
    var paged: [Int64] = []
    while true {
      let page = try await opens("startTime=\(next)&limit=30")
      paged += page
      guard page.count == 30, let last = page.last else { break }
      next = last + hour
    }
    #expect(paged == (0...100).map { open - (100 - $0) * hour })
  }

  @Test(
    arguments: [
      ("klines?symbol=BTCUSDT&interval=1m&limit=5000", 1_000),
      ("aggTrades?symbol=BTCUSDT&limit=1001", 1_000), ("aggTrades?symbol=BTCUSDT", 500),
      ("trades?symbol=BTCUSDT&limit=99999999999999999999", 1_000), ("trades?symbol=BTCUSDT", 500),
    ])
  func `a limit beyond the most is taken for the most`(call: String, count: Int) async throws {
    #expect(try await bench.rows(call).count == count)
  }

  @Test(arguments: [("", 100), ("&limit=7", 7), ("&limit=5000", 5_000), ("&limit=5001", 5_000)])
  func `a book has as many levels as are asked for`(query: String, count: Int) async throws {
    let book = try await bench.json("depth?symbol=BTCUSDT\(query)")
    #expect(book["bids"]?.array?.count == count && book["asks"]?.array?.count == count)
  }

  @Test func `aggregate trades follow the same windows and ids include the first`() async throws {
    let start = open - 5 * hour
    let index = try bench.index("BTCUSDT")
    let all = bench.market.everyTrade(index, from: start, to: bench.clock.now + 1)
    func ids(_ query: String) async throws -> [Int64] {
      try await bench.rows("aggTrades?symbol=BTCUSDT&\(query)").map {
        try #require($0["a"]?.int64)
      }
    }
    #expect(try await ids("limit=4") == all.suffix(4).map(\.id))
    #expect(try await ids("startTime=\(start)&limit=4") == all.prefix(4).map(\.id))
    let end = all[200].time
    let upTo = all.filter { $0.time <= end }.map(\.id)
    #expect(try await ids("endTime=\(end)&limit=4") == upTo.suffix(4))
    #expect(try await ids("startTime=\(start)&endTime=\(end)&limit=1000") == upTo)
    #expect(
      try await ids("fromId=\(all[7].id)&limit=5") == all[7..<12].map(\.id))
    #expect(try await ids("fromId=\(all[all.count - 2].id)") == all.suffix(2).map(\.id))
    #expect(try await ids("startTime=\(end)&endTime=\(start)").isEmpty)
  }

  @Test func `single trades are the newest parts of aggregate ones`() async throws {
    let singles = try await bench.rows("trades?symbol=ETHUSDT&limit=300")
    let ids = singles.compactMap { $0["id"]?.int64 }
    let last = try #require(
      bench.market.lastTrade(try bench.index("ETHUSDT"), before: bench.clock.now + 1))
    #expect(ids == Array((last.last - 299)...last.last))
    #expect(singles.last?["time"]?.int64 == last.time)
    #expect(singles.last?["isBuyerMaker"]?.bool == last.isBuyerMaker)
  }

  @Test func `a time zone moves where days begin and nothing else`() async throws {
    for (zone, minutes) in [("8", 480), ("-1:00", -60), ("05:45", 345), ("%2B14:00", 840)] {
      let opens = try await bench.opens("symbol=BTCUSDT&interval=1d&limit=2&timeZone=\(zone)")
      let local = opens.map { $0 + Int64(minutes) * BinanceBench.minute }
      #expect(local.allSatisfy { $0 % BinanceBench.day == 0 }, "\(zone)")
    }
    let months = try await bench.opens("symbol=BTCUSDT&interval=1M&limit=2&timeZone=-12:00")
    #expect(months == [1_790_812_800_000 + 12 * hour, 1_793_491_200_000 + 12 * hour])
    let weeks = try await bench.opens("symbol=BTCUSDT&interval=1w&limit=1")
    #expect(weeks == [open / BinanceBench.day * BinanceBench.day - 2 * BinanceBench.day])
  }

  @Test func `a header asks for microseconds, and they may be sent`() async throws {
    let headers = ["x-mbx-time-unit": "MICROSECOND"]
    let query = "klines?symbol=BTCUSDT&interval=1h&startTime=\(open)000"
    let row = try #require(try await bench.json(query, headers: headers)[0])
    #expect(row[0]?.int64 == open * 1_000)
    #expect(row[6]?.int64 == (open + hour) * 1_000 - 1)
    let time = try await bench.json("time", headers: headers)
    #expect(time["serverTime"]?.int64 == bench.clock.now * 1_000)
    let refused = await bench.call("time", headers: ["x-mbx-time-unit": "SECOND"])
    #expect(refused.status == 400 && refused.code == -1194)
  }

  @Test func `the texts are exact and stay the same for ever`() async throws {
    #expect(await bench.call("ping").text == "{}")
    #expect(await bench.call("time").text == #"{"serverTime":1795000012345}"#)
    #expect(
      await bench.call("klines?symbol=BTCUSDT&interval=1h&limit=1").text
        == #"[[1794999600000,"57845.91000000","57935.74000000","57836.96000000","#
        + #""57935.74000000","0.33776000",1795003199999,"19550.74252640",44,"0.20105000","#
        + #""11639.61707660","0"]]"#)
    #expect(
      await bench.call("aggTrades?symbol=ETHUSDT&limit=1").text
        == #"[{"a":69805555,"p":"3660.03000000","q":"0.18320000","f":147090276,"l":147090277,"#
        + #""T":1795000008510,"m":false,"M":true}]"#)
    #expect(
      await bench.call("trades?symbol=ETHUSDT&limit=1").text
        == #"[{"id":147090277,"price":"3660.03000000","qty":"0.09160000","#
        + #""quoteQty":"335.25874800","time":1795000008510,"isBuyerMaker":false,"#
        + #""isBestMatch":true}]"#)
    #expect(
      await bench.call("ticker/price?symbol=BTCUSDT").text
        == #"{"symbol":"BTCUSDT","price":"57935.74000000"}"#)
  }
}
