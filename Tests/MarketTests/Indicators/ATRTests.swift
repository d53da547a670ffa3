import Market
import Testing
import TollbookTestSupport

@Suite struct ATRTests {
  @Test func `a gap between candles is part of the range`() {
    let candles: [CandleFigures] = [
      .sample(0, high: 50, low: 1, close: 10),
      .sample(1, high: 12, low: 9, close: 11),  // 3 within
      .sample(2, high: 20, low: 18, close: 19),  // 9 up from 11
      .sample(3, high: 8, low: 7, close: 8),  // 12 down from 19
    ]
    #expect(ATR.series(candles, length: 1).map { $0?.range } == [nil, 3, 9, 12])
    #expect(ATR.series(candles, length: 2).map { $0?.range } == [nil, nil, 6, 9])
    #expect(ATR.series(candles, length: 2).map { $0?.percent }.last == 112.5)
  }

  @Test func `candles that never move have a range of 0`() {
    let last = ATR.series(CandleFigures.still(Array(repeating: 0.1, count: 30))).last ?? nil
    #expect(last?.range == 0)
    #expect(last?.percent == 0)
  }

  @Test func `too few candles and lengths below 1 have no range`() {
    let candles = CandleFigures.still(Array(repeating: 1, count: 14))
    #expect(ATR.series([]).isEmpty)
    #expect(ATR.series(candles).allSatisfy { $0 == nil })
    for length in [0, .min, .max] {
      #expect(ATR.series(candles, length: length).allSatisfy { $0 == nil }, "\(length)")
    }
  }

  @Test func `a close of 0 has no percentage`() {
    let last = ATR.series(CandleFigures.still([1, 0]), length: 1).last ?? nil
    #expect(last?.range == 1)
    #expect(last?.percent == nil)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `it is Wilder's formula, and its percentage does not know the currency`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let candles = random.candles(100)
    let ranges = zip(candles.dropFirst(), candles).map { candle, before in
      max(candle.high, before.close) - min(candle.low, before.close)
    }
    var average = mean(ranges[..<14])
    var expected = [Double?](repeating: nil, count: 14) + [average]
    for range in ranges[14...] {
      average = (average * 13 + range) / 14
      expected.append(average)
    }
    let series = ATR.series(candles)
    #expect(difference(series.map { $0?.range }, expected) == nil)
    let scaled = ATR.series(candles.map { $0.scaled(by: 3.7) })
    #expect(difference(scaled.map { $0?.percent }, series.map { $0?.percent }) == nil)
  }
}
