import Market
import Testing
import TollbookTestSupport

@Suite struct CVDTests {
  private func trade(
    _ id: Int64, _ price: Double, _ quantity: Double, buyerIsMaker: Bool
  ) -> TradeFigures {
    TradeFigures(id: id, price: price, quantity: quantity, isBuyerMaker: buyerIsMaker)
  }

  @Test func `a resting buyer was sold to`() {
    let sum = CVD.sum([
      trade(7, 100, 2, buyerIsMaker: false), trade(8, 110, 0.5, buyerIsMaker: true),
    ])
    #expect(sum.delta.base == 1.5)
    #expect(sum.delta.quote == 145)
    #expect(sum.count == 2)
    #expect(!sum.hasGap)
  }

  @Test func `a trade that comes twice counts once`() {
    let trades = [
      trade(7, 100, 2, buyerIsMaker: false), trade(8, 110, 0.5, buyerIsMaker: true),
      trade(7, 100, 2, buyerIsMaker: false), trade(8, 110, 0.5, buyerIsMaker: true),
    ]
    #expect(CVD.sum(trades) == CVD.sum(trades[..<2]))
  }

  @Test func `a missing number is told`() {
    let ids: [(ids: [Int64], hasGap: Bool)] = [
      ([], false), ([5], false), ([5, 6, 7], false), ([7, 5, 6, 5], false), ([5, 7], true),
      ([1, 2, 4, 4], true), ([.min, .max], true), ([.max], false), ([.min], false),
    ]
    for (ids, hasGap) in ids {
      let sum = CVD.sum(ids.map { trade($0, 1, 1, buyerIsMaker: false) })
      #expect(sum.hasGap == hasGap, "\(ids)")
    }
  }

  @Test func `no trades are 0, no candles are nothing`() {
    #expect(CVD.sum([]).delta.base == 0)
    #expect(CVD.sum([]).count == 0)
    #expect(CVD.series([]).isEmpty)
  }

  @Test func `a candle's delta is twice what takers bought less the volume`() {
    let candles: [CandleFigures] = [
      .sample(0, close: 10, volume: 5, takerBuyBase: 4),
      .sample(1, close: 20, volume: 8, takerBuyBase: 1),
      .sample(2, close: 30, volume: 0, takerBuyBase: 0),
    ]
    let series = CVD.series(candles)
    #expect(series.map(\.base) == [3, -3, -3])
    #expect(series.map(\.quote) == [30, -90, -90])
  }

  @Test func `what does not fit a number is none`() {
    let huge = Double.greatestFiniteMagnitude
    let series = CVD.series([
      .sample(0, close: 1, volume: huge, takerBuyBase: huge), .sample(1, close: 1),
    ])
    #expect(series.map(\.base) == [nil, nil])
    let sum = CVD.sum([trade(1, huge, 2, buyerIsMaker: false)])
    #expect(sum.delta.base == 2)
    #expect(sum.delta.quote == nil)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `candles have the delta of the trades that made them`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var trades: [TradeFigures] = []
    var candles: [CandleFigures] = []
    for index in 0..<random.int(1...40) {
      let start = trades.count
      for _ in 0..<random.int(0...12) {
        trades.append(
          trade(
            Int64(trades.count), random.double(90...110), random.double(0...3),
            buyerIsMaker: random.int(0...1) == 0))
      }
      candles.append(candle(index, of: trades[start...]))
    }
    // They come page by page, and pages overlap.
    let pages = trades + trades.filter { _ in random.int(0...3) == 0 }
    let sum = CVD.sum(pages.shuffled(using: &random))
    let last = try #require(CVD.series(candles).last)
    #expect(isClose(sum.delta.base, last.base))
    #expect(isClose(sum.delta.quote, last.quote))
    #expect(sum.count == trades.count)
    #expect(!sum.hasGap)
  }

  private func candle(_ index: Int, of trades: ArraySlice<TradeFigures>) -> CandleFigures {
    let bought = trades.filter { !$0.isBuyerMaker }
    let time = CandleFigures.midnight + Int64(index) * CandleFigures.hour
    return CandleFigures(
      openTime: time, closeTime: time + CandleFigures.hour - 1, open: 100, high: 110, low: 90,
      close: 100, volume: trades.reduce(0) { $0 + $1.quantity },
      quoteVolume: trades.reduce(0) { $0 + $1.quantity * $1.price },
      takerBuyBase: bought.reduce(0) { $0 + $1.quantity },
      takerBuyQuote: bought.reduce(0) { $0 + $1.quantity * $1.price })
  }
}
