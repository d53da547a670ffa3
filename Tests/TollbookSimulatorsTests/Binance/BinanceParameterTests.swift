import JSONText
import Testing

@testable import TollbookSimulators

/// What the exchange refuses, and with which code.
@Suite struct BinanceParameterTests {
  private let bench = BinanceBench()

  @Test(
    arguments: [
      ("klines?interval=1h", -1102, "symbol"), ("klines?symbol=BTCUSDT", -1102, "interval"),
      ("ticker", -1102, "symbols"), ("ticker/tradingDay", -1102, "symbols"),
      ("avgPrice", -1102, "symbol"),
      ("klines?symbol=NOSUCH&interval=1h", -1121, "Invalid symbol."),
      ("ticker/price?symbols=%5B%22BTCUSDT%22,%22NOSUCH%22%5D", -1121, "Invalid symbol."),
      ("exchangeInfo?symbol=NOSUCH", -1121, "Invalid symbol."),
      ("klines?symbol=BTCUSDT&interval=7m", -1120, "Invalid interval."),
      ("klines?symbol=BTCUSDT&interval=1H", -1120, "Invalid interval."),
      ("klines?symbol=btcusdt&interval=1h", -1100, "^[A-Z0-9-_.]{1,20}$"),
      ("depth?symbol=BTC%2FUSDT", -1100, "symbol"),
      ("depth?symbol=ABCDEFGHIJKLMNOPQRSTU", -1100, "symbol"),
      ("depth?symbol=BTCUSDT&limit=-1", -1100, "^[0-9]{1,20}$"),
      ("depth?symbol=BTCUSDT&limit=ten", -1100, "limit"),
      ("aggTrades?symbol=BTCUSDT&startTime=1.5", -1100, "startTime"),
      ("ticker/price?symbols=BTCUSDT", -1100, "symbols"),
      ("ticker/price?symbols=%5B%22BTCUSDT%22,%20%22ETHUSDT%22%5D", -1100, "symbols"),
      ("ticker/price?symbols=%5B%22btcusdt%22%5D", -1100, "symbols"),
      ("klines?symbol=BTCUSDT&symbol=BTCUSDT&interval=1h", -1101, "symbol"),
      (
        "klines?symbol=BTCUSDT&interval=1h&colour=red", -1104,
        "read '2' parameter(s) but was sent '3'"
      ),
      ("ping?x=1", -1104, "read '0' parameter(s) but was sent '1'"),
      ("trades?symbol=BTCUSDT&fromId=1", -1104, "read '1'"),
      ("klines?symbol=&interval=1h", -1105, "Parameter 'symbol' was empty."),
      ("klines?symbol=BTCUSDT&interval=1h&startTime=", -1105, "startTime"),
      ("ticker/24hr?symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D", -1128, "Combination"),
      ("aggTrades?symbol=BTCUSDT&fromId=1&startTime=1", -1128, "Combination"),
      ("exchangeInfo?symbol=BTCUSDT&symbolStatus=TRADING", -1128, "Combination"),
      ("exchangeInfo?symbol=BTCUSDT&permissions=SPOT", -1128, "Combination"),
      ("klines?symbol=BTCUSDT&interval=1h&limit=0", -1130, "limit"),
      ("klines?symbol=BTCUSDT&interval=1h&timeZone=15", -1130, "timeZone"),
      ("klines?symbol=BTCUSDT&interval=1h&timeZone=-12:01", -1130, "timeZone"),
      ("klines?symbol=BTCUSDT&interval=1h&timeZone=1:5", -1130, "timeZone"),
      ("klines?symbol=BTCUSDT&interval=1h&timeZone=CET", -1130, "timeZone"),
      ("ticker/price?symbols=%5B%5D", -1130, "symbols"),
      ("ticker?symbol=BTCUSDT&windowSize=60m", -1130, "windowSize"),
      ("ticker?symbol=BTCUSDT&windowSize=8d", -1130, "windowSize"),
      ("exchangeInfo?showPermissionSets=maybe", -1130, "showPermissionSets"),
      ("ticker/24hr?symbol=BTCUSDT&type=mini", -1139, "Invalid ticker type."),
      ("ticker/price?symbols=%5B%22BTCUSDT%22,%22BTCUSDT%22%5D", -1151, "multiple times"),
      ("ticker/price?symbolStatus=OPEN", -1122, "Invalid symbolStatus."),
      ("ticker/price?symbol=WAVESUSDT&symbolStatus=TRADING", -1220, "status"),
      ("depth?symbol=BTCUSDT&symbolStatus=BREAK", -1220, "status"),
    ] as [(String, Int, String)])
  func `a wrong call is refused with its code and a message that names what is wrong`(
    call: String, code: Int, words: String
  ) async throws {
    let reply = await bench.call(call)
    #expect(reply.status == 400)
    #expect(reply.code == code, "\(reply.text)")
    let message = try #require(try reply.json()["msg"]?.string)
    #expect(message.contains(words), "\(message)")
    #expect(reply.text.hasPrefix("{\"code\":\(code),\"msg\":\""))
    let weight = try #require(BinanceRoute(path: "/api/v3/" + call.prefix { $0 != "?" }))
      .leastWeight
    #expect(reply.usedWeight == String(weight))
    #expect(bench.simulator.books.rejected == 1)
  }

  @Test func `parameters stand in any order and a list of more than a hundred is too long`()
    async throws
  {
    let bench = BinanceBench { $0.symbols = 200 }
    #expect(await bench.call("klines?limit=1&interval=1m&symbol=BTCUSDT").status == 200)
    let names = bench.simulator.symbols.prefix(101).map { "%22\($0.name)%22" }
    let list = "%5B\(names.joined(separator: ","))%5D"
    #expect(await bench.call("ticker?symbols=\(list)").code == -1130)
    #expect(await bench.call("ticker/price?symbols=\(list)").status == 200)
    let many = (0..<40).map { "p\($0)=1" }.joined(separator: "&")
    #expect(await bench.call("ping?\(many)").code == -1101)
  }

  @Test(
    arguments: [
      "/api/v3/historicalTrades", "/api/v3/Klines", "/api/v3/klines/", "/api/v1/klines", "/", "",
      "/api/v3/",
    ])
  func `there is nothing at other paths`(path: String) async {
    let reply = await bench.simulator.answer(path: path)
    #expect(reply.status == 404 && reply.body.isEmpty && reply.usedWeight == "1")
    let page = await bench.simulator.answer(path: path, headers: ["accept": "text/html,*/*"])
    #expect(page.status == 404 && page.contentType == "text/html" && page.usedWeight == "2")
  }

  @Test func `nothing can be posted`() async {
    let reply = await bench.simulator.answer(method: "POST", path: "/api/v3/ping")
    #expect(reply.status == 404)
  }

  @Test func `the list of symbols tells the limits and what a program needs of a symbol`()
    async throws
  {
    let info = try await bench.json("exchangeInfo?symbol=USDTTRY&showPermissionSets=true")
    #expect(info["serverTime"]?.int64 == bench.clock.now)
    #expect(info["rateLimits"]?[0]?["limit"]?.int == 1_000_000)
    #expect(info["rateLimits"]?[0]?["rateLimitType"]?.string == "REQUEST_WEIGHT")
    let symbol = try #require(info["symbols"]?[0])
    #expect(info["symbols"]?.array?.count == 1)
    #expect(symbol["baseAsset"]?.string == "USDT" && symbol["quoteAsset"]?.string == "TRY")
    #expect(symbol["permissionSets"]?[0]?[0]?.string == "SPOT")
    #expect(symbol["filters"]?[0]?["tickSize"]?.string == "0.01000000")
    #expect(symbol["filters"]?[1]?["stepSize"]?.string == "1.00000000")
    let hidden = try await bench.json("exchangeInfo?symbol=USDTTRY&showPermissionSets=false")
    #expect(hidden["symbols"]?[0]?["permissionSets"]?.array?.isEmpty == true)
    let other = try await bench.json("exchangeInfo?permissions=LEVERAGED")
    #expect(other["symbols"]?.array?.isEmpty == true)
    let stopped = try await bench.json("exchangeInfo?symbolStatus=BREAK")
    #expect(stopped["symbols"]?.array?.count == 1)
  }
}
