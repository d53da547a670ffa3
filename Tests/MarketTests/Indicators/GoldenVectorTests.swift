import Market
import Testing

/// The fact sheet's vector: made-up candles, with values from TA-Lib 0.8.2 and the same from plain formulas.
@Suite struct GoldenVectorTests {
  private let candles: [CandleFigures] = (0..<40).map { index in
    let close = 100 + Double(7 * index % 13) - Double(5 * index % 11) + 0.5 * Double(index)
    return .sample(
      index, length: 60_000, high: close + 1 + Double(index % 3),
      low: close - 1 - Double((index + 1) % 4), close: close,
      volume: Double(10 + 3 * index % 7) + (index == 35 ? 40 : 0))
  }
  private var closes: [Double] { candles.map(\.close) }

  /// The sheet has six decimals.
  private func check(
    _ series: [Double?], first: Int, _ expected: [Int: Double],
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(series.count == 40, sourceLocation: sourceLocation)
    #expect(series.firstIndex { $0 != nil } == first, sourceLocation: sourceLocation)
    #expect(series[first...].allSatisfy { $0 != nil }, sourceLocation: sourceLocation)
    for (index, value) in expected {
      let found = series[index] ?? .nan
      #expect(abs(found - value) < 6e-7, "[\(index)]", sourceLocation: sourceLocation)
    }
  }

  @Test func `the candles are those of the sheet`() {
    #expect(closes[0..<5] == [100, 102.5, 92, 105.5, 95])
    #expect(closes[39] == 111.5)
  }

  @Test func `RSI of 14`() {
    check(
      RSI.series(closes, length: 14), first: 14,
      [14: 53.184713, 15: 49.611517, 20: 55.018345, 39: 49.071897])
  }

  @Test func `EMA of 10`() {
    check(
      EMA.series(closes, length: 10), first: 9,
      [9: 102.85, 10: 103.059091, 20: 109.073809, 39: 117.352422])
  }

  @Test func `MACD of 12, 26 and 9`() {
    let series = MACD.series(closes)
    check(series.map { $0?.line }, first: 33, [33: 4.199527, 34: 3.925855, 39: 3.201160])
    check(series.map { $0?.signal }, first: 33, [33: 3.499564, 34: 3.584822, 39: 3.668234])
    check(series.map { $0?.histogram }, first: 33, [33: 0.699962, 34: 0.341033, 39: -0.467074])
  }

  @Test func `Bollinger of 20 and 2`() {
    let series = Bollinger.series(closes)
    check(series.map { $0?.upper }, first: 19, [19: 119.0748, 20: 121.0725, 39: 127.734564])
    check(series.map { $0?.middle }, first: 19, [19: 105, 20: 105.95, 39: 116])
    check(series.map { $0?.lower }, first: 19, [19: 90.9252, 20: 90.8275, 39: 104.265436])
    // By the formulas of the sheet, from the bands above and a close of 111.5.
    check(series.map { $0?.width }, first: 19, [39: (127.734564 - 104.265436) / 116])
    check(
      series.map { $0?.percentB }, first: 19,
      [39: (111.5 - 104.265436) / (127.734564 - 104.265436)])
  }

  @Test func `ATR of 14`() {
    let series = ATR.series(candles)
    check(series.map { $0?.range }, first: 14, [14: 13.821429, 15: 13.655612, 39: 11.306545])
    check(series.map { $0?.percent }, first: 14, [39: 11.306545 / 1.115])
  }

  @Test func `VWAP since the first candle`() {
    check(VWAP.series(candles), first: 0, [0: 99.666667, 10: 102.330986, 39: 110.981878])
  }

  @Test func `relative volume and z-score of 20 do not count the candle itself`() {
    let series = RelativeVolume.series(candles.map(\.volume), window: 20)
    check(series.map(\.relative), first: 20, [35: 3.802281])
    check(series.map(\.zScore), first: 20, [35: 19.086604])
    let spikes = VolumeSpikes(candles, window: 20, threshold: 3)
    #expect(spikes.spikes.map(\.openTime) == [candles[35].openTime])
    #expect(spikes.isSpike == false)
    #expect(VolumeSpikes(Array(candles[...35]), window: 20, threshold: 3).isSpike == true)
  }
}
