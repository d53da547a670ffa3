import Market
import Testing
import TollbookTestSupport

@Suite struct SupportAndResistanceTests {
  @Test func `a peak above the close is resistance, a valley below it support`() {
    let peak = SupportAndResistance(CandleFigures.still([5, 6, 7, 8, 9, 10, 9, 8, 7, 6, 5]))
    #expect(peak.resistance.map(\.price) == [10])
    #expect(peak.resistance.map(\.pivots) == [1])
    #expect(peak.support.isEmpty)
    let valley = SupportAndResistance(CandleFigures.still([10, 9, 8, 7, 6, 5, 6, 7, 8, 9, 10]))
    #expect(valley.support.map(\.price) == [5])
    #expect(valley.resistance.isEmpty)
  }

  @Test func `a pivot has five candles on each side`() {
    let prices: [Double] = [5, 6, 7, 8, 9, 10, 9, 8, 7, 6, 5]
    for cut in [Array(prices.dropFirst()), Array(prices.dropLast())] {
      #expect(SupportAndResistance(CandleFigures.still(cut)).resistance.isEmpty)
    }
    #expect(SupportAndResistance([]).support.isEmpty)
    #expect(SupportAndResistance(CandleFigures.still([1])).resistance.isEmpty)
  }

  @Test(arguments: 1...9)
  func `a plateau counts once`(length: Int) {
    let slope: [Double] = [4, 5, 6, 7, 8]
    let prices = slope + Array(repeating: 10, count: length) + slope.reversed()
    let levels = SupportAndResistance(CandleFigures.still(prices))
    #expect(levels.resistance.map(\.price) == [10])
    #expect(levels.resistance.map(\.pivots) == [1])
  }

  @Test func `prices that never change have no levels`() {
    let levels = SupportAndResistance(CandleFigures.still(Array(repeating: 7, count: 60)))
    #expect(levels.support.isEmpty)
    #expect(levels.resistance.isEmpty)
  }

  /// Candles around a close, one of which has the highest high and one the lowest low; too few for an ATR.
  private func narrow(high: Double, low: Double, close: Double) -> SupportAndResistance {
    var candles: [CandleFigures] = (0..<14).map { .sample($0, close: close) }
    candles[5] = .sample(5, high: high, low: close, close: close)
    candles[8] = .sample(8, high: close, low: low, close: close)
    return SupportAndResistance(candles)
  }

  @Test func `without an ATR pivots within a quarter of a percent are one level`() {
    // Of 400 a quarter of a percent is 1.
    let near = narrow(high: 400.75, low: 399.75, close: 400)
    #expect(near.resistance.map(\.price) == [400.25])
    #expect(near.resistance.map(\.pivots) == [2])
    #expect(near.support.isEmpty)
    let far = narrow(high: 400.75, low: 399.734375, close: 400)
    #expect(far.resistance.map(\.price) == [400.75])
    #expect(far.support.map(\.price) == [399.734375])
  }

  @Test func `prices below 0 turn the levels over`() {
    let levels = narrow(high: -399.75, low: -400.75, close: -400)
    #expect(levels.support.map(\.price) == [-400.25])
    #expect(levels.support.map(\.pivots) == [2])
    #expect(levels.resistance.isEmpty)
  }

  @Test func `a level that is the close is neither`() {
    let levels = narrow(high: 400.5, low: 399.5, close: 400)
    #expect(levels.resistance.isEmpty)
    #expect(levels.support.isEmpty)
  }

  @Test func `there are at most five on each side, the nearest first`() {
    // Peaks from 21 to 28 and valleys from 19 to 12, far between in time; the last candle is at 20.
    let peaks: [Double] = [25, 22, 28, 21, 27, 24, 26, 23]
    let valleys: [Double] = [15, 18, 12, 19, 13, 16, 14, 17]
    var prices: [Double] = []
    for (peak, valley) in zip(peaks, valleys) {
      prices += Array(repeating: 20, count: 10) + [peak]
      prices += Array(repeating: 20, count: 10) + [valley]
    }
    prices += Array(repeating: 20, count: 10)
    let levels = SupportAndResistance(CandleFigures.still(prices))
    #expect(levels.resistance.map(\.price) == [21, 22, 23, 24, 25])
    #expect(levels.support.map(\.price) == [19, 18, 17, 16, 15])
  }

  @Test func `the rule is said in words`() {
    #expect(
      SupportAndResistance.rule
        == "a pivot is a low (high) that is the lowest (highest) of the 5 candles on each side; "
        + "pivots within a quarter of ATR(14), or 0.25 % of the close without one, are one level "
        + "at their mean; the 5 nearest below the last close are support, the 5 nearest above it "
        + "resistance")
  }

  /// By the rule, word for word.
  private func expected(_ candles: [CandleFigures]) -> (support: [Double], resistance: [Double]) {
    var pivots: [Double] = []
    for index in candles.indices where index >= 5 && index + 5 < candles.count {
      let before = candles[index - 5..<index]
      let after = candles[index + 1...index + 5]
      let (low, high) = (candles[index].low, candles[index].high)
      if low < before.map(\.low).min()! && low <= after.map(\.low).min()! { pivots.append(low) }
      if high > before.map(\.high).max()! && high >= after.map(\.high).max()! {
        pivots.append(high)
      }
    }
    let close = candles.last!.close
    let tolerance = ATR.series(candles).last!.map { 0.25 * $0.range } ?? 0.0025 * close
    var groups: [[Double]] = []
    for pivot in pivots.sorted() {
      if let first = groups.last?.first, pivot - first <= tolerance {
        groups[groups.count - 1].append(pivot)
      } else {
        groups.append([pivot])
      }
    }
    let levels = groups.map { mean($0) }
    return (
      Array(levels.filter { $0 < close }.sorted(by: >).prefix(5)),
      Array(levels.filter { $0 > close }.prefix(5))
    )
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `levels are what the rule says`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let candles = random.candles(random.int(1...400), price: random.double(0.001...60_000))
    let levels = SupportAndResistance(candles)
    let (support, resistance) = expected(candles)
    #expect(difference(levels.support.map(\.price), support) == nil)
    #expect(difference(levels.resistance.map(\.price), resistance) == nil)
    #expect((levels.support + levels.resistance).allSatisfy { $0.pivots > 0 })
  }
}
