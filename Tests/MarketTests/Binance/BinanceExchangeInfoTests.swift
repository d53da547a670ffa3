import JSONText
import Testing

@testable import Market

@Suite("the exchange's own information") struct BinanceExchangeInfoTests {
  private static func symbol(
    _ base: String, _ quote: String, name: String? = nil, status: String = "TRADING"
  ) -> String {
    #"{"symbol":"\#(name ?? base + quote)","status":"\#(status)","baseAsset":"\#(base)","#
      + #""quoteAsset": "\#(quote)","filters":[{"tickSize":"0.01"}],"permissionSets":[["SPOT"]]}"#
  }

  private static func answer(_ symbols: [String]) -> String {
    #"{"timezone":"UTC","serverTime":1790000000123,"rateLimits":["#
      + #"{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000},"#
      + #"{"rateLimitType":"RAW_REQUESTS","interval":"MINUTE","intervalNum":5,"limit":300000}],"#
      + #""exchangeFilters":[],"symbols":["# + symbols.joined(separator: ", ") + "]}"
  }

  private static let markets = answer([
    symbol("BTC", "USDT"), symbol("USDT", "TRY"), symbol("ETH", "BTC"),
    symbol("1INCH", "USDT"), symbol("币安人生", "USDT"), symbol("A-B", "C", name: "ABC1"),
    symbol("X", "Y", name: "XYOLD", status: "BREAK"), symbol("X", "Y", name: "XYZNEW"),
  ])

  private func read(_ text: String) throws(BinanceReadingError) -> BinanceExchangeInfo {
    try BinanceExchangeInfo(Array(text.utf8))
  }

  private func refusal(_ text: String) -> String? {
    do throws(BinanceReadingError) {
      _ = try read(text)
      return nil
    } catch { return "\(error)" }
  }

  @Test func `limits are told with their windows`() throws {
    let info = try read(Self.markets)
    #expect(info.serverTime == 1_790_000_000_123)
    #expect(info.requestWeight?.limit == 6_000)
    #expect(info.requestWeight?.window == 60_000)
    let none = try read(#"{"serverTime":1790000000123,"rateLimits":[],"symbols":[]}"#)
    #expect(none.requestWeight == nil)
  }

  @Test(arguments: [
    ("BTCUSDT", "BTCUSDT"), ("BTC/USDT", "BTCUSDT"), ("btc-usdt", "BTCUSDT"),
    ("btc_usdt", "BTCUSDT"), ("usdttry", "USDTTRY"), ("USDT/TRY", "USDTTRY"),
    ("eth/btc", "ETHBTC"), ("1inch/usdt", "1INCHUSDT"), ("币安人生/usdt", "币安人生USDT"),
    ("a-b/c", "ABC1"), ("a-b-c", "ABC1"), ("abc1", "ABC1"), ("X/Y", "XYZNEW"),
    ("XYOLD", "XYOLD"),
  ])
  func `a market is found however it is written`(_ text: String, _ name: String) throws {
    #expect(try read(Self.markets).resolve(text)?.name == name)
  }

  @Test(arguments: [
    "", "BTC", "USDT/BTC", "BTC/", "/USDT", "/", "BTC/USDT/", "BTC//USDT", "BTC/USDT:USDT",
    "BTC USDT", "USDTUSDT", "XY", "BTCUSD", "ABC", "ａ", String(repeating: "A/", count: 5_000),
  ])
  func `what is no market is none`(_ text: String) throws {
    #expect(try read(Self.markets).resolve(text) == nil)
  }

  @Test func `an excerpt is the answer as it was sent, without the other symbols`() throws {
    let bytes = Array(Self.markets.utf8)
    let info = try BinanceExchangeInfo(bytes)
    let list = try #require(JSONDocument(bytes).root["symbols"]).range
    for symbol in info.symbols {
      let excerpt = try #require(info.excerpt(of: ["BTCUSDT", symbol.name], in: bytes))
      let first = Self.symbol("BTC", "USDT")
      let own = Self.symbol(symbol.base, symbol.quote, name: symbol.name, status: symbol.status)
      let expected =
        String(decoding: bytes[..<list.lowerBound], as: UTF8.self) + "[\(first),\(own)]"
        + String(decoding: bytes[list.upperBound...], as: UTF8.self)
      #expect(String(decoding: excerpt, as: UTF8.self) == expected)
    }
    #expect(info.excerpt(of: ["BTCUSDT", "btcusdt"], in: bytes) == nil)
    #expect(info.excerpt(of: ["BTCUSDT"], in: bytes + [0x20]) == nil)
    #expect(info.excerpt(of: ["BTCUSDT"], in: []) == nil)
  }

  @Test(arguments: [
    (#""serverTime":1790000000123,"#, "", "serverTime: this is missing"),
    (#""serverTime":1790000000123"#, #""serverTime":"now""#, "serverTime: this must be"),
    (#""rateLimits""#, #""limits""#, "rateLimits: this is missing"),
    (#""symbols":["#, #""symbol":["#, "symbols: this is missing"),
    (#""intervalNum":5"#, #""intervalNum":0"#, "rateLimits, row 1, intervalNum"),
    (#""intervalNum":5,"#, "", "rateLimits, row 1, intervalNum: this is missing"),
    (#""limit":6000"#, #""limit":"6000""#, "rateLimits, row 0, limit: this must be"),
    (#""limit":6000"#, #""limit":-1"#, "rateLimits, row 0, limit: -1 is not from"),
    (#""MINUTE","intervalNum":1"#, #""FORTNIGHT","intervalNum":1"#, "row 0, interval"),
    (#""baseAsset":"USDT","#, "", "symbols, row 1, baseAsset: this is missing"),
    (#""quoteAsset": "TRY""#, #""quoteAsset": 7"#, "symbols, row 1, quoteAsset: this must be"),
    (#""status":"BREAK""#, #""status":"""#, "symbols, row 6, status"),
    (#""symbol":"USDTTRY""#, #""symbol":null"#, "symbols, row 1, symbol: this must be"),
    (#""symbol":"USDTTRY""#, #""symbol":"BTCUSDT""#, "BTCUSDT stands there twice"),
    (
      #""baseAsset":"ETH","#, #""baseAsset":"ETH","baseAsset":"BTC","#,
      "symbols, row 2, baseAsset: this stands twice"
    ),
    (#""exchangeFilters":[]"#, #""serverTime":1790000000124"#, "serverTime: this stands twice"),
  ])
  func `whatever is wrong is named`(_ old: String, _ new: String, _ words: String) throws {
    #expect(Self.markets.contains(old))
    let error = try #require(refusal(Self.markets.replacing(old, with: new)))
    #expect(error.contains(words), "\(error)")
  }

  @Test(arguments: [
    "", "[]", "{}", "null", "{\"symbols\":[", String(repeating: "{\"a\":", count: 50_000),
  ])
  func `what is no such object is refused`(_ text: String) {
    #expect(refusal(text) != nil)
  }

  @Test func `three thousand markets are found by name and by assets`() throws {
    let bases = (0..<3_000).map { "A\(($0 * 7_919) % 3_000)" }
    let info = try read(Self.answer(bases.map { Self.symbol($0, "USDT") }))
    #expect(info.symbols.count == 3_000)
    for base in bases {
      #expect(info.symbol("\(base)USDT")?.base == base)
      #expect(info.resolve("\(base.lowercased())/usdt")?.name == "\(base)USDT")
    }
    #expect(info.resolve("A3000/USDT") == nil)
  }
}
