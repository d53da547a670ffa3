import Market
import Testing
import TollbookTestSupport

@Suite struct AnalysisTests {
  @Test func `no candles have no figures`() {
    let analysis = Analysis([])
    #expect(analysis.cvd == nil && analysis.trend == nil && analysis.vwap == nil)
    #expect(analysis.macd == nil && analysis.bollinger == nil && analysis.atr == nil)
    #expect(analysis.volume.isSpike == nil)
    #expect(analysis.ema9 == nil && analysis.rsi14 == nil)
  }

  @Test func `one candle has the average price of its day and a delta`() {
    let analysis = Analysis([
      .sample(0, high: 12, low: 9, close: 9, volume: 4, takerBuyBase: 3)
    ])
    #expect(analysis.vwap == 10)
    #expect(analysis.cvd?.base == 2)
    #expect(analysis.cvd?.quote == 18)
    #expect(analysis.ema9 == nil && analysis.rsi14 == nil && analysis.atr == nil)
    #expect(analysis.trend == nil)
    #expect(analysis.levels.support.isEmpty && analysis.levels.resistance.isEmpty)
  }

  @Test func `prices and volumes that never change`() {
    let analysis = Analysis((0..<240).map { .sample($0, close: 0.7, takerBuyBase: 0.5) })
    #expect(analysis.ema9 == 0.7 && analysis.ema200 == 0.7)
    #expect(analysis.rsi14 == nil)
    #expect(analysis.macd?.line == 0)
    #expect(analysis.bollinger?.percentB == nil)
    #expect(analysis.bollinger?.width == 0)
    #expect(analysis.atr?.range == 0)
    #expect(isClose(analysis.vwap, 0.7))
    #expect(analysis.trend?.direction == .sideways)
    #expect(analysis.volume.relative == 1)
    #expect(analysis.volume.zScore == nil)
    #expect(analysis.volume.isSpike == false)
    #expect(analysis.cvd?.base == 0)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `it is the last value of each series`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let candles = random.candles(random.int(1...500))
    let closes = candles.map(\.close)
    let (window, threshold) = (random.int(1...30), random.double(1...3))
    let analysis = Analysis(candles, volumeWindow: window, volumeThreshold: threshold)
    #expect(analysis.ema9 == EMA.series(closes, length: 9).last!)
    #expect(analysis.ema21 == EMA.series(closes, length: 21).last!)
    #expect(analysis.ema50 == EMA.series(closes, length: 50).last!)
    #expect(analysis.ema200 == EMA.series(closes, length: 200).last!)
    #expect(analysis.rsi14 == RSI.series(closes, length: 14).last!)
    #expect(analysis.macd == MACD.series(closes, fast: 12, slow: 26, signal: 9).last!)
    #expect(analysis.bollinger == Bollinger.series(closes, length: 20, deviations: 2).last!)
    #expect(analysis.atr == ATR.series(candles, length: 14).last!)
    #expect(analysis.vwap == VWAP.series(candles).last!)
    #expect(analysis.cvd == CVD.series(candles).last)
    #expect(analysis.levels == SupportAndResistance(candles))
    #expect(analysis.volume == VolumeSpikes(candles, window: window, threshold: threshold))
    #expect(
      analysis.trend
        == Trend(
          close: closes.last!, ema21: analysis.ema21, ema50: analysis.ema50,
          ema200: analysis.ema200))
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `no value of a series knows what came later`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let candles = random.candles(random.int(60...300))
    for _ in 0..<8 {
      let count = random.int(0...candles.count)
      let early = Array(candles.prefix(count))
      func check<Value: Equatable>(_ series: ([CandleFigures]) -> [Value], _ name: String) {
        let whole = series(candles)
        #expect(whole.count == candles.count, "\(name)")
        #expect(series(early) == Array(whole.prefix(count)), "\(name) up to \(count)")
      }
      check({ EMA.series($0.map(\.close), length: 21) }, "EMA")
      check({ RSI.series($0.map(\.close), length: 14) }, "RSI")
      check({ MACD.series($0.map(\.close)) }, "MACD")
      check({ Bollinger.series($0.map(\.close)) }, "Bollinger")
      check({ ATR.series($0) }, "ATR")
      check({ VWAP.series($0) }, "VWAP")
      check({ CVD.series($0) }, "CVD")
      check({ RelativeVolume.series($0.map(\.volume), window: 20) }, "relative volume")
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `whatever the candles are, every number is finite`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let odd = [
      0, .leastNonzeroMagnitude, 1e-300, 0.1, 1, 1e16, 1e154, 1e160, 1e308,
      .greatestFiniteMagnitude, -.greatestFiniteMagnitude, -1,
    ]
    // Some have many odd numbers, some few.
    let share = random.int(1...100)
    func number() -> Double { random.int(1...100) <= share ? odd[random.int(0...11)] : 1 }
    let candles = (0..<random.int(1...260)).map { index in
      CandleFigures(
        openTime: CandleFigures.midnight + Int64(index) * CandleFigures.hour,
        closeTime: CandleFigures.midnight + Int64(index + 1) * CandleFigures.hour - 1,
        open: number(), high: number(), low: number(), close: number(), volume: number(),
        quoteVolume: number(), takerBuyBase: number(), takerBuyQuote: number())
    }
    let analysis = Analysis(candles, volumeWindow: random.int(1...30))
    for number in numbers(in: analysis) { #expect(number.isFinite) }
    let closes = candles.map(\.close)
    for value in RSI.series(closes, length: 14) { #expect(value.map { 0...100 ~= $0 } ?? true) }
    for number in numbers(in: Bollinger.series(closes)) + numbers(in: MACD.series(closes)) {
      #expect(number.isFinite)
    }
  }

  /// All numbers inside of a value.
  private func numbers(in value: Any) -> [Double] {
    if let number = value as? Double { return [number] }
    return Mirror(reflecting: value).children.flatMap { numbers(in: $0.value) }
  }
}
