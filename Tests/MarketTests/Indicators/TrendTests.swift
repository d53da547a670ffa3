import Market
import Testing
import TollbookTestSupport

@Suite struct TrendTests {
  private func trend(
    _ close: Double, _ ema21: Double?, _ ema50: Double?, _ ema200: Double? = nil
  ) -> Trend? {
    Trend(close: close, ema21: ema21, ema50: ema50, ema200: ema200)
  }

  @Test func `in order upwards it is up, downwards down`() {
    #expect(trend(103, 102, 101)?.direction == .up)
    #expect(trend(102, 103, 101)?.direction == .up)
    #expect(trend(101, 102, 103)?.direction == .down)
    #expect(trend(103, 102, 101, 100)?.direction == .up)
    #expect(trend(100, 101, 102, 103)?.direction == .down)
  }

  @Test func `otherwise it is sideways`() {
    #expect(trend(100, 102, 101)?.direction == .sideways)
    #expect(trend(102, 100, 101)?.direction == .sideways)
    #expect(trend(101, 102, 101)?.direction == .sideways)
    #expect(trend(102, 101, 101)?.direction == .sideways)
    #expect(trend(100, 100, 100)?.direction == .sideways)
    // Short averages against the long one.
    #expect(trend(103, 102, 101, 101)?.direction == .sideways)
    #expect(trend(103, 102, 101, 104)?.direction == .sideways)
    #expect(trend(100, 101, 102, 99)?.direction == .sideways)
  }

  @Test func `without an average of 50 there is none`() {
    #expect(trend(100, 99, nil) == nil)
    #expect(trend(100, nil, nil) == nil)
  }

  @Test func `the rule that gave it is said`() {
    #expect(trend(103, 102, 101)?.rule == "close > EMA50 and EMA21 > EMA50")
    #expect(
      trend(100, 101, 102, 103)?.rule == "close < EMA50 and EMA21 < EMA50 and EMA50 < EMA200")
    #expect(
      trend(100, 100, 100)?.rule
        == "neither all of close > EMA50 and EMA21 > EMA50 "
        + "nor all of close < EMA50 and EMA21 < EMA50")
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `prices turned over turn the trend over`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let values = (0..<4).map { _ in Double(random.int(1...4)) }
    let long = random.int(0...1) == 0 ? values[3] : nil
    let plain = trend(values[0], values[1], values[2], long)?.direction
    let over = trend(-values[0], -values[1], -values[2], long.map { -$0 })?.direction
    #expect(over == (plain == .up ? .down : plain == .down ? .up : .sideways))
  }
}
