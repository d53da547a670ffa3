import Testing
import TollbookTestSupport

@testable import Market

@Suite("a question to the exchange") struct BinanceRequestTests {
  private typealias Items = [(name: String, value: String)]

  private func read(
    _ endpoint: BinanceEndpoint, _ items: Items
  ) throws(BinanceRequestFault) -> BinanceRequest {
    try BinanceRequest(endpoint, items)
  }

  private func refusal(_ endpoint: BinanceEndpoint, _ items: Items) -> BinanceRequestFault? {
    do throws(BinanceRequestFault) {
      _ = try BinanceRequest(endpoint, items)
      return nil
    } catch { return error }
  }

  @Test func `an endpoint is found by its path`() {
    for endpoint in BinanceEndpoint.allCases {
      #expect(BinanceEndpoint(path: endpoint.path) == endpoint)
    }
    #expect(BinanceEndpoint(path: "/api/v3/ticker/24hr") == .ticker24Hours)
    for path in ["/api/v3/", "/api/v3/historicalTrades", "/api/v1/klines", "klines", ""] {
      #expect(BinanceEndpoint(path: path) == nil, "\(path)")
    }
  }

  @Test func `candles are asked for in one form`() throws {
    let request = try read(
      .klines,
      [
        ("limit", "0500"), ("symbol", "BTCUSDT"), ("timeZone", "0"), ("interval", "1h"),
        ("startTime", "1790000000000"), ("endTime", "1790003600000"),
      ])
    #expect(request.interval == .hour)
    #expect(request.limit == 500)
    #expect(request.startTime == 1_790_000_000_000)
    #expect(request.endTime == 1_790_003_600_000)
    #expect(request.symbols == .one("BTCUSDT"))
    #expect(
      request.cacheKey
        == "klines?endTime=1790003600000&interval=1h&startTime=1790000000000&symbol=BTCUSDT"
    )
    #expect(request.unknown.isEmpty)
  }

  @Test func `a list of symbols is sorted and encoded`() throws {
    let request = try read(.tickerPrice, [("symbols", #"[ "ETHUSDT" , "BTCUSDT" ]"#)])
    #expect(request.symbols == .list(["ETHUSDT", "BTCUSDT"]))
    #expect(request.queryText == "symbols=%5B%22BTCUSDT%22,%22ETHUSDT%22%5D")
    let other = try read(.tickerPrice, [("symbols", #"["BTCUSDT","ETHUSDT"]"#)])
    #expect(request.cacheKey == other.cacheKey)
    let one = try read(.tickerPrice, [("symbol", "BTCUSDT")])
    let list = try read(.tickerPrice, [("symbols", #"["BTCUSDT"]"#)])
    #expect(one.cacheKey != list.cacheKey)
    #expect(try read(.tickerPrice, []).cacheKey == "ticker/price")
  }

  @Test func `what says the same as nothing is left out`() throws {
    let plain = try read(.ticker24Hours, [("symbol", "BTCUSDT")])
    let full = try read(.ticker24Hours, [("symbol", "BTCUSDT"), ("type", "FULL")])
    #expect(plain.cacheKey == full.cacheKey)
    #expect(try read(.ticker24Hours, [("symbol", "BTCUSDT"), ("type", "MINI")]).isMini)
    let window = try read(.ticker, [("symbol", "BTCUSDT"), ("windowSize", "1d")])
    #expect(window.queryText == "symbol=BTCUSDT")
    let depth = try read(.depth, [("symbol", "BTCUSDT"), ("limit", "9000")])
    #expect(depth.limit == 5_000)
    #expect(depth.queryText == "limit=5000&symbol=BTCUSDT")
    #expect(try read(.depth, [("symbol", "BTCUSDT")]).limit == 100)
    #expect(try read(.ping, []).limit == nil)
  }

  @Test func `names that nobody knows are passed on`() throws {
    let request = try read(.avgPrice, [("x", "a b&c=d/é"), ("symbol", "BTCUSDT"), ("limit", "no")])
    #expect(request.unknown == ["limit", "x"])
    #expect(request.queryText == "limit=no&symbol=BTCUSDT&x=a%20b%26c%3Dd%2F%C3%A9")
    #expect(request.limit == nil)
  }

  @Test func `an instant in microseconds is rounded inwards`() throws {
    let request = try read(
      .aggTrades,
      [
        ("symbol", "BTCUSDT"), ("startTime", "1790000000000001"), ("endTime", "1790000000009999"),
        ("fromId", "7"),
      ])
    #expect(request.startTime == 1_790_000_000_001)
    #expect(request.endTime == 1_790_000_000_009)
    #expect(request.fromId == 7)
    #expect(request.queryText.contains("startTime=1790000000000001"))
    #expect(try read(.klines, Self.candles + [("startTime", "0")]).startTime == 0)
  }

  private static let candles: Items = [("symbol", "BTCUSDT"), ("interval", "1h")]

  @Test(arguments: [
    ("interval", "7m", "no interval"), ("interval", "1H", "no interval"), ("interval", "", "empty"),
    ("limit", "0", "not from 1 to 1000"), ("limit", "1001", "not from 1 to 1000"),
    ("limit", "-1", "not from 1 to 1000"), ("limit", "1e3", "no whole number"),
    ("limit", "99999999999999999999", "not from 1 to 1000"), ("limit", "٣", "no whole number"),
    ("limit", "+5", "no whole number"), ("limit", "-", "no whole number"),
    ("symbol", "btcusdt", "no symbol"), ("symbol", "BTC/USDT", "no symbol"),
    ("symbol", "", "empty"), ("symbol", "ABCDEFGHIJKLMNOPQRSTU", "no symbol"),
    ("symbol", "BTC\nUSDT", "no symbol"), ("symbol", "ＢＴＣ", "no symbol"),
    ("startTime", "-1", "not from 0"), ("startTime", "4133980800000", "not from 0"),
    ("startTime", "9223372036854775807", "not from 0"), ("endTime", "soon", "no whole number"),
    ("timeZone", "15", "offset"), ("timeZone", "CET", "offset"),
  ])
  func `what is wrong is named`(_ name: String, _ value: String, _ words: String) throws {
    var items = Self.candles.filter { $0.name != name }
    items.append((name, value))
    let fault = try #require(refusal(.klines, items))
    #expect(fault.parameter == name)
    #expect(fault.description.contains(words), "\(fault)")
  }

  @Test func `a symbol of ten kilobytes is refused in a short sentence`() throws {
    let long = String(repeating: "A", count: 10_240)
    let fault = try #require(refusal(.avgPrice, [("symbol", long)]))
    #expect(fault.parameter == "symbol")
    #expect(fault.problem == .tooLong(bytes: 10_240))
    let name = try #require(refusal(.avgPrice, [(long, "1"), ("symbol", "BTCUSDT")]))
    #expect(name.description.utf8.count < 200)
    let shorter = String(repeating: "A", count: 8_000)
    let bad = try #require(refusal(.avgPrice, [("symbol", shorter)]))
    #expect(bad.description.utf8.count < 200)
  }

  @Test func `bounds and combinations are kept`() throws {
    let many = (0..<17).map { (name: "p\($0)", value: "1") }
    #expect(refusal(.ping, many)?.problem == .tooManyParameters(17))
    #expect(refusal(.ping, Array(many.prefix(16))) == nil)
    let both = refusal(.tickerPrice, [("symbol", "BTCUSDT"), ("symbols", #"["BTCUSDT"]"#)])
    #expect(both?.parameter == "symbols")
    #expect(both?.problem == .notTogether(with: "symbol"))
    #expect(refusal(.avgPrice, [("symbol", "A"), ("symbol", "A")])?.problem == .twice)
    #expect(refusal(.avgPrice, [])?.parameter == "symbol")
    #expect(refusal(.klines, [("symbol", "A")])?.parameter == "interval")
    #expect(refusal(.ticker, [])?.problem == .missing)
    #expect(refusal(.tradingDay, [("symbols", #"["A"]"#)]) == nil)
    let turned = refusal(.klines, Self.candles + [("startTime", "2000"), ("endTime", "1999")])
    #expect(turned?.problem == .beforeStart)
    #expect(refusal(.klines, Self.candles + [("startTime", "2000"), ("endTime", "2000")]) == nil)
    #expect(
      refusal(.exchangeInfo, [("symbol", "A"), ("permissions", "SPOT")])?.parameter == "permissions"
    )
    #expect(refusal(.ticker24Hours, [("type", "full")])?.parameter == "type")
    #expect(refusal(.ticker24Hours, [("symbolStatus", "CLOSED")])?.parameter == "symbolStatus")
  }

  @Test(arguments: [
    ("[]", "empty"), ("", "empty"), ("BTCUSDT", "no JSON list"), (#""BTCUSDT""#, "no JSON list"),
    (#"{"a":"BTCUSDT"}"#, "no JSON list"), ("[1]", "no JSON list"), (#"["A""#, "no JSON list"),
    (#"[["A"]]"#, "no JSON list"), (#"["A",null]"#, "no JSON list"), (#"["a"]"#, "no symbol"),
    (#"["A","B","A"]"#, "names A twice"), (#"["A","\u0041"]"#, "names A twice"),
    (String(repeating: "[", count: 4_000), "no JSON list"),
  ])
  func `a list that is none is refused`(_ text: String, _ words: String) throws {
    let fault = try #require(refusal(.tickerPrice, [("symbols", text)]))
    #expect(fault.parameter == "symbols")
    #expect(fault.description.contains(words), "\(fault)")
  }

  @Test func `a thousand symbols are taken, and one more is not`() throws {
    func list(_ count: Int) -> String {
      // Short names, so that the length of the query is not what is refused.
      let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
      let names = (0..<count).map { "\"\(letters[$0 / 36])\(letters[$0 % 36])\"" }
      return "[\(names.joined(separator: ","))]"
    }
    #expect(try read(.tickerPrice, [("symbols", list(1_000))]).symbolCount == 1_000)
    #expect(
      refusal(.tickerPrice, [("symbols", list(1_001))])?.problem == .tooManySymbols(1_001))
  }

  @Test(arguments: ["0m", "60m", "24h", "8d", "1w", "d", "1d2h", "001m", "1M", "-1m", "1"])
  func `a window that the exchange does not have is refused`(_ text: String) {
    #expect(
      refusal(.ticker, [("symbol", "A"), ("windowSize", text)])?.parameter == "windowSize")
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `the key does not depend on the order of anything`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var items: Items = [
      ("symbols", ""), ("type", "MINI"), ("windowSize", "\(random.int(1..<60))m"),
      ("symbolStatus", "TRADING"), ("other", "value \(random.int(0..<9))"),
    ]
    var names = (0..<random.int(1..<30)).map { "S\($0)USDT" }
    func key(_ names: [String], _ items: Items) throws -> BinanceRequest {
      let list = "[" + names.map { "\"\($0)\"" }.joined(separator: ", ") + "]"
      return try BinanceRequest(
        .ticker, items.map { $0.name == "symbols" ? ($0.name, list) : $0 })
    }
    let first = try key(names, items)
    for _ in 0..<10 {
      names.shuffle(using: &random)
      items.shuffle(using: &random)
      let other = try key(names, items)
      #expect(other.cacheKey == first.cacheKey)
      #expect(other.query == first.query)
    }
    names[0] += "X"
    #expect(try key(names, items).cacheKey != first.cacheKey)
  }
}
