import JSONText
import Testing
import TollbookTestSupport

@testable import Market

/// Answers that are spoilt at random: each is read or refused, and whatever is read keeps its promises.
@Suite("spoilt answers") struct BinanceHostileTests {
  private static let candle =
    #"[1789999200000,"61000.10","61250.00","60880.55","61199.90","812.5",1790002799999,"#
    + #""49632187.11",48211,"431.25","26347012.40","0"]"#
  private static let aggregate =
    #"{"a":3001,"p":"61199.90","q":"0.012","f":9001,"l":9003,"T":1790000000050,"m":true,"M":true}"#
  private static let info =
    #"{"serverTime":1790000000123,"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","#
    + #""interval":"MINUTE","intervalNum":1,"limit":6000}],"symbols":[{"symbol":"BTCUSDT","#
    + #""status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT"}]}"#
  private static let book =
    #"{"lastUpdateId":1,"bids":[["1.5","2"],["1.4","2"]],"asks":[["1.6","2"],["1.7","2"]]}"#
  private static let prices = #"[{"symbol":"A","price":"1.10"},{"symbol":"B","price":"2"}]"#

  /// Bytes that mean something to a reader of JSON or of numbers.
  private static let marks = Array("[]{}\",:-.eE019 \\u\u{0}".utf8)

  private static func spoil(_ text: String, _ random: inout SeededGenerator) -> [UInt8] {
    var bytes = Array(text.utf8)
    for _ in 0..<random.int(1..<4) {
      let place = random.int(0..<bytes.count)
      let mark = marks[random.int(0..<marks.count)]
      switch random.int(0..<5) {
      case 0: bytes[place] = mark
      case 1: bytes.insert(mark, at: place)
      case 2 where bytes.count > 1: bytes.remove(at: place)
      case 3: bytes[place] = UInt8(truncatingIfNeeded: random.next())
      default:
        let end = min(bytes.count, place + random.int(1..<12))
        bytes.insert(contentsOf: bytes[place..<end], at: random.int(0..<bytes.count))
      }
    }
    return bytes
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `a spoilt answer is refused, or what is read of it holds`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let request = try BinanceRequest(.tickerPrice, [])
    for _ in 0..<60 {
      let rows = Self.spoil("[\(Self.candle)]", &random)
      if let candles = try? BinanceCandles.read(rows, .hour) {
        for candle in candles {
          let figures = candle.figures
          #expect(figures.low <= figures.open && figures.open <= figures.high)
          #expect(figures.low <= figures.close && figures.close <= figures.high)
          #expect(figures.low > 0 && figures.high.isFinite)
          #expect(figures.takerBuyBase <= figures.volume && figures.takerBuyBase >= 0)
          #expect(figures.closeTime - figures.openTime == 3_599_999)
        }
        let joined = BinanceRows.join([candles.map(\.row)])
        #expect(try BinanceCandles.read(joined, .hour) == candles)
      }
      let trades = Self.spoil("[\(Self.aggregate)]", &random)
      for trade in (try? BinanceTrades.readAggregates(trades)) ?? [] {
        #expect(trade.price.value > 0 && trade.quantity.value > 0)
        #expect(trade.firstTrade <= trade.lastTrade)
      }
      let text = Self.spoil(Self.info, &random)
      if let info = try? BinanceExchangeInfo(text) {
        for symbol in info.symbols {
          #expect(info.symbol(symbol.name) == symbol)
          let excerpt = try #require(info.excerpt(of: [symbol.name], in: text))
          #expect(try BinanceExchangeInfo(excerpt).symbols.map(\.name) == [symbol.name])
        }
      }
      if let book = try? BinanceBook(Self.spoil(Self.book, &random)),
        let bid = book.bids.first, let ask = book.asks.first
      {
        #expect(bid.price.value < ask.price.value)
      }
      let list = Self.spoil(Self.prices, &random)
      if let fragments = try? BinanceFragments.split(list, answering: request) {
        #expect(Set(fragments.map(\.symbol)).count == fragments.count)
        let joined = BinanceRows.join([fragments.map(\.bytes)])
        #expect(try BinanceFragments.split(joined, answering: request) == fragments)
      }
      let answer = BinanceAnswer.read(
        status: random.int(0..<600), headers: [], body: list, now: 1_790_000_000_000)
      if case .failed(let failure) = answer {
        #expect(failure.message.unicodeScalars.count <= BinanceFailure.mostText)
      }
    }
  }
}
