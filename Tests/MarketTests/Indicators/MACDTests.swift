import Market
import Testing
import TollbookTestSupport

@Suite struct MACDTests {
  @Test func `the first value is at 33, and 33 closes have none`() {
    let closes = (0..<34).map { Double($0) }
    let series = MACD.series(closes)
    #expect(series.prefix(33).allSatisfy { $0 == nil })
    #expect(series[33] != nil)
    #expect(MACD.series(Array(closes.prefix(33))).allSatisfy { $0 == nil })
    #expect(MACD.series([]).isEmpty)
    #expect(MACD.series([1]) == [nil])
  }

  @Test func `closes that never change have 0 three times`() {
    let last = MACD.series(Array(repeating: 0.3, count: 60)).last ?? nil
    #expect(last?.line == 0)
    #expect(last?.signal == 0)
    #expect(last?.histogram == 0)
  }

  @Test func `lengths out of order are refused`() {
    let closes = (0..<90).map { Double($0) }
    for (fast, slow, signal) in [
      (26, 12, 9), (12, 12, 9), (0, 26, 9), (12, 26, 0), (.min, .max, 9), (12, .max, 9),
      (12, 26, .max), (-1, -1, -1),
    ] {
      let series = MACD.series(closes, fast: fast, slow: slow, signal: signal)
      #expect(series.count == 90)
      #expect(series.allSatisfy { $0 == nil }, "\(fast), \(slow), \(signal)")
    }
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `both averages begin at the slow one's first value`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let closes = random.candles(200).map(\.close)
    let (fast, slow, signal) = (random.int(1...12), random.int(13...30), random.int(1...12))
    // By the book, from its first value on.
    var quick = mean(closes[slow - fast..<slow])
    var calm = mean(closes[..<slow])
    var lines = [quick - calm]
    for close in closes[slow...] {
      quick = (close * 2 + quick * Double(fast - 1)) / Double(fast + 1)
      calm = (close * 2 + calm * Double(slow - 1)) / Double(slow + 1)
      lines.append(quick - calm)
    }
    let signals = EMA.series(lines, length: signal)
    let none = [Double?](repeating: nil, count: slow - 1)
    let series = MACD.series(closes, fast: fast, slow: slow, signal: signal)
    #expect(difference(series.map { $0?.signal }, none + signals) == nil)
    let told = zip(lines, signals).map { line, signal in signal.map { _ in line } }
    #expect(difference(series.map { $0?.line }, none + told) == nil)
    for value in series.compactMap(\.self) { #expect(value.histogram == value.line - value.signal) }
  }
}
