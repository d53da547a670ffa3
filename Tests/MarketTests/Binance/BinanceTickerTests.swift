import JSONText
import Testing

@testable import Market

@Suite("tickers") struct BinanceTickerTests {
  private static func full(_ symbol: String) -> String {
    #"{"symbol":"\#(symbol)","priceChange":"-83.13000000","priceChangePercent":"-0.317","#
      + #""weightedAvgPrice":"26234.58803036","prevClosePrice":"26304.80","lastPrice":"26221.67","#
      + #""lastQty":"0.001","bidPrice":"26221.66","bidQty":"1.5","askPrice":"26221.67","#
      + #""askQty":"2","openPrice":"26304.80","highPrice":"26397.46","lowPrice":"26088.34","#
      + #""volume":"18495.35066000","quoteVolume":"485217905.04210480","#
      + #""openTime":1789913600000,"closeTime":1790000000000,"firstId":1,"lastId":9,"count":9}"#
  }

  private static func mini(_ symbol: String) -> String {
    #"{"symbol":"\#(symbol)","openPrice":"1","highPrice":"2","lowPrice":"0.5","lastPrice":"1.50","#
      + #""volume":"10","quoteVolume":"15","openTime":1789913600000,"closeTime":1790000000000,"#
      + #""firstId":-1,"lastId":-1,"count":0}"#
  }

  private func ticker(_ text: String) throws -> BinanceTicker {
    try BinanceTicker(try JSONDocument(Array(text.utf8)).root, of: "ticker/24hr")
  }

  private func request(
    _ endpoint: BinanceEndpoint, _ symbols: [String]?, status: String? = nil
  ) throws -> BinanceRequest {
    var items: [(name: String, value: String)] = []
    if let symbols {
      let list = symbols.map { "\"\($0)\"" }.joined(separator: ",")
      items.append(("symbols", "[\(list)]"))
    }
    if let status { items.append(("symbolStatus", status)) }
    return try BinanceRequest(endpoint, items)
  }

  private func split(
    _ text: String, _ request: BinanceRequest
  ) throws(BinanceReadingError) -> [BinanceFragments.Fragment] {
    try BinanceFragments.split(Array(text.utf8), answering: request)
  }

  private func refusal(_ text: String, _ request: BinanceRequest) -> BinanceReadingError? {
    do throws(BinanceReadingError) {
      _ = try split(text, request)
      return nil
    } catch { return error }
  }

  @Test func `the long form has all and the short form what counts`() throws {
    let full = try ticker(Self.full("BTCUSDT"))
    #expect(full.last.text == "26221.67")
    #expect(full.change?.price.text == "-83.13000000")
    #expect(full.quotes?.ask?.text == "26221.67")
    #expect(full.volume.text == "18495.35066000")
    let mini = try ticker(Self.mini("BTCUSDT"))
    #expect(mini.change == nil && mini.quotes == nil)
    #expect(mini.last.text == "1.50")
    #expect(mini.lastId == -1)
  }

  @Test(arguments: [
    (#""lastPrice":"26221.67""#, #""lastPrice":"1e999""#, "lastPrice"),
    (#""lastPrice":"26221.67""#, #""lastPrice":26221.67"#, "lastPrice"),
    (#""volume":"18495.35066000""#, #""volume":"-1""#, "volume"),
    (#""highPrice":"26397.46""#, #""highPrice":"26088.33""#, "highPrice"),
    (#""priceChange":"-83.13000000""#, #""priceChange":"NaN""#, "priceChange"),
    (#""priceChangePercent":"-0.317","#, "", "priceChangePercent"),
    (#""bidPrice":"26221.66""#, #""bidPrice":null"#, "bidPrice"),
    (#""count":9"#, #""count":-1"#, "count"), (#","count":9"#, "", "count"),
    (#""count":9"#, #""count":9,"count":9"#, "count"),
    (#""closeTime":1790000000000"#, #""closeTime":1780000000000"#, "closeTime"),
    (#""lastId":9"#, #""lastId":0"#, "lastId"),
    (#""symbol":"BTCUSDT""#, #""symbol":"BTCUSDT","symbol":"ETHUSDT""#, "symbol"),
  ])
  func `whatever is wrong is named`(_ old: String, _ new: String, _ member: String) throws {
    let text = Self.full("BTCUSDT")
    #expect(text.contains(old))
    let request = try BinanceRequest(.ticker24Hours, [("symbol", "BTCUSDT")])
    let error = try #require(refusal(text.replacing(old, with: new), request))
    #expect(error.member == member, "\(error)")
    #expect(error.what == "ticker/24hr")
  }

  @Test func `a list comes apart into what was said of each`() throws {
    let texts = [Self.full("BTCUSDT"), Self.mini("ETHUSDT").replacing(",", with: " ,\n")]
    let answer = "[ \(texts.joined(separator: " , ")) ]"
    for endpoint in [BinanceEndpoint.ticker24Hours, .ticker, .tradingDay] {
      let fragments = try split(answer, try request(endpoint, ["ETHUSDT", "BTCUSDT"]))
      #expect(fragments.map(\.symbol) == ["BTCUSDT", "ETHUSDT"])
      #expect(fragments.map { String(decoding: $0.bytes, as: UTF8.self) } == texts)
    }
    #expect(try split(answer, try request(.ticker24Hours, nil)).count == 2)
  }

  @Test func `prices and best offers are checked too`() throws {
    let prices = #"[{"symbol":"A","price":"1.10"},{"symbol":"B","price":"0.2"}]"#
    #expect(try split(prices, try request(.tickerPrice, ["A", "B"])).count == 2)
    let bad = prices.replacing("0.2", with: "-0.2")
    let error = try #require(refusal(bad, try request(.tickerPrice, ["A", "B"])))
    #expect(error.row == 1 && error.member == "price")
    let book =
      #"[{"symbol":"A","bidPrice":"1","bidQty":"2","askPrice":"3","askQty":"4"}]"#
    #expect(try split(book, try request(.bookTicker, ["A"])).count == 1)
    let cut = book.replacing(#","askQty":"4""#, with: "")
    #expect(refusal(cut, try request(.bookTicker, ["A"]))?.member == "askQty")
  }

  @Test func `a list that misses a symbol, repeats one or has another is refused`() throws {
    let two = #"[{"symbol":"A","price":"1"},{"symbol":"B","price":"2"}]"#
    #expect(
      refusal(two, try request(.tickerPrice, ["A", "B", "C"]))?.problem == .absent("C"))
    #expect(refusal(two, try request(.tickerPrice, ["A"]))?.problem == .unasked("B"))
    let twice = #"[{"symbol":"A","price":"1"},{"symbol":"A","price":"2"}]"#
    #expect(refusal(twice, try request(.tickerPrice, nil))?.problem == .repeated("A"))
    #expect(refusal(twice, try request(.tickerPrice, ["A"]))?.row == 1)
    // Asked for those that trade, the exchange leaves others out without a word.
    let filtered = try request(.tickerPrice, ["A", "B", "C"], status: "TRADING")
    #expect(try split(two, filtered).count == 2)
  }

  @Test func `one symbol is answered by an object and a list by an array`() throws {
    let one = try BinanceRequest(.tickerPrice, [("symbol", "A")])
    #expect(try split(#" {"symbol":"A","price":"1"} "#, one).first?.symbol == "A")
    #expect(refusal(#"[{"symbol":"A","price":"1"}]"#, one) != nil)
    #expect(refusal(#"{"symbol":"B","price":"1"}"#, one)?.problem == .unasked("B"))
    #expect(refusal(#"{"symbol":"A","price":"1"}"#, try request(.tickerPrice, ["A"])) != nil)
    #expect(refusal("[]", try request(.bookTicker, ["A"]))?.problem == .absent("A"))
  }

  @Test(arguments: [
    "", "[", "[{}]", "[[]]", "[null]", #"[{"symbol":7,"price":"1"}]"#, #"[{"price":"1"}]"#,
    #"[{"symbol":"A","price":"1"}"#, #"[{"symbol":"A","price":{"a":{"b":{"c":{}}}}}]"#,
    String(repeating: #"{"symbol":"#, count: 9_000),
  ])
  func `what is no list of tickers is refused`(_ text: String) throws {
    #expect(refusal(text, try request(.tickerPrice, ["A"])) != nil)
  }

  @Test func `an endpoint that is not about symbols is not taken apart`() throws {
    #expect(refusal("[]", try BinanceRequest(.ping, [])) != nil)
    #expect(refusal("[]", try BinanceRequest(.exchangeInfo, [])) != nil)
  }
}
