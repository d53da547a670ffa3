import Market
import Testing
import TollbookTestSupport

@Suite struct VWAPTests {
  private let midnight = CandleFigures.midnight

  /// Candles of 100, 101 … in the base asset's amounts 1, 2 …
  private func candles(_ count: Int, length: Int64, from start: Int64) -> [CandleFigures] {
    (0..<count).map {
      .sample(
        $0, length: length, from: start, close: 100 + Double($0), volume: 1 + Double($0))
    }
  }

  @Test func `the price of a candle is the mean of high, low and close`() {
    let candles: [CandleFigures] = [
      .sample(0, high: 13, low: 8, close: 9, volume: 1),
      .sample(1, high: 22, low: 18, close: 20, volume: 3),
    ]
    #expect(VWAP.series(candles) == [10, 17.5])
  }

  @Test func `each day begins anew`() {
    let series = VWAP.series(candles(6, length: 28_800_000, from: midnight))
    // 100 + 2 · 101 + 3 · 102 over 6.
    #expect(isClose(series[2], 608.0 / 6))
    #expect(series[3] == 103)
    // 4 · 103 + 5 · 104 + 6 · 105 over 15.
    #expect(isClose(series[5], 1_562.0 / 15))
  }

  @Test func `a day whose beginning is not there has none, the next one has`() {
    let hours = candles(30, length: CandleFigures.hour, from: midnight + CandleFigures.hour)
    let series = VWAP.series(hours)
    #expect(series[..<23].allSatisfy { $0 == nil })
    #expect(series[23] == 123)
    #expect(series[29] != nil)
    // A millisecond late is late, too.
    #expect(VWAP.series(candles(2, length: 60_000, from: midnight + 1)) == [nil, nil])
  }

  @Test func `a day without trades at its beginning is still whole`() {
    let early = candles(1, length: CandleFigures.hour, from: midnight - 5 * CandleFigures.hour)
    let later = candles(2, length: CandleFigures.hour, from: midnight + 3 * CandleFigures.hour)
    #expect(VWAP.series(early + later)[1] == 100)
    #expect(VWAP.series(later)[0] == nil)
  }

  @Test func `a candle of a day has its own price, a longer one has none`() {
    #expect(VWAP.series(candles(3, length: CandleFigures.day, from: midnight)) == [100, 101, 102])
    for days in [2, 3, 7] as [Int64] {
      let long = candles(3, length: days * CandleFigures.day, from: midnight)
      #expect(VWAP.series(long) == [nil, nil, nil], "\(days) days")
    }
  }

  @Test func `a candle in two days spoils both`() {
    let across = candles(1, length: 2 * CandleFigures.hour, from: midnight - CandleFigures.hour)
    let after = candles(2, length: CandleFigures.hour, from: midnight + CandleFigures.hour)
    #expect(VWAP.series(across + after) == [nil, nil, nil])
  }

  @Test func `without volume there is none until there is some`() {
    let candles: [CandleFigures] = [
      .sample(0, close: 5, volume: 0), .sample(1, close: 6, volume: 2),
      .sample(2, close: 9, volume: 0),
    ]
    #expect(VWAP.series(candles) == [nil, 6, 6])
    #expect(VWAP.series([]).isEmpty)
  }

  @Test func `what does not fit a number is none`() {
    let huge = Double.greatestFiniteMagnitude
    #expect(VWAP.series([.sample(0, close: 2, volume: huge)]) == [nil])
    #expect(VWAP.series([.sample(0, close: huge, volume: 1)]) == [nil])
    // The volumes together do not fit, although the money does.
    let cheap: [CandleFigures] = (0..<2).map { .sample($0, close: 1e-9, volume: huge) }
    #expect(VWAP.series(cheap)[1] == nil)
  }

  @Test(arguments: [Int64.min, .max, -1, -86_400_000, 0])
  func `any time is one`(time: Int64) {
    let candle = CandleFigures(
      openTime: time, closeTime: time, open: 1, high: 1, low: 1, close: 1, volume: 1,
      quoteVolume: 1, takerBuyBase: 0, takerBuyQuote: 0)
    #expect(VWAP.series([candle]) == [time % 86_400_000 == 0 ? 1 : nil])
  }

  @Test func `the day before 1970 is a day of its own`() {
    let series = VWAP.series(candles(3, length: CandleFigures.hour, from: -2 * CandleFigures.hour))
    #expect(series == [nil, nil, 102])
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `it is the day's money over the day's volume`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let candles = Array(random.candles(100).dropFirst(random.int(0...30)))
    let first = candles[0].openTime
    let expected = candles.indices.map { index -> Double? in
      let start = candles[index].openTime / CandleFigures.day * CandleFigures.day
      guard first <= start else { return nil }
      let day = candles[...index].filter { $0.openTime >= start }
      let money = day.reduce(0) { $0 + ($1.high + $1.low + $1.close) / 3 * $1.volume }
      return money / day.reduce(0) { $0 + $1.volume }
    }
    #expect(difference(VWAP.series(candles), expected) == nil)
  }
}
