import Market
import Testing
import TollbookTestSupport

@Suite struct BollingerTests {
  @Test func `of two closes the deviation is half of what is between them`() throws {
    let series = Bollinger.series([8, 12], length: 2)
    #expect(series.first == .some(nil))
    let bands = try #require(series[1])
    #expect(bands.upper == 14 && bands.middle == 10 && bands.lower == 6)
    #expect(bands.percentB == 0.75)
    #expect(bands.width == 0.8)
  }

  @Test(arguments: [0.1, 61_199.9, 1e-8, 1e300])
  func `closes that never change have one line and no place between bands`(close: Double) throws {
    let series = Bollinger.series(Array(repeating: close, count: 61))
    #expect(series.prefix(19).allSatisfy { $0 == nil })
    for bands in series.dropFirst(19) {
      let bands = try #require(bands)
      #expect(bands.upper == close && bands.middle == close && bands.lower == close)
      #expect(bands.percentB == nil)
      #expect(bands.width == 0)
    }
  }

  @Test func `too few closes and lengths below 1 have no bands`() {
    #expect(Bollinger.series([]).isEmpty)
    #expect(Bollinger.series([1]) == [nil])
    #expect(Bollinger.series([1, 2, 3], length: 0) == [nil, nil, nil])
    #expect(Bollinger.series([1, 2, 3], length: .min) == [nil, nil, nil])
    #expect(Bollinger.series([1, 2, 3], length: .max) == [nil, nil, nil])
    #expect(Bollinger.series([1, 2, 3], length: 1).map { $0?.middle } == [1, 2, 3])
  }

  @Test func `a middle of 0 has no width`() throws {
    let bands = try #require(Bollinger.series([-1, 1], length: 2).last ?? nil)
    #expect(bands.middle == 0 && bands.upper == 2)
    #expect(bands.width == nil)
  }

  @Test func `a huge close leaves no trace once it is out of the window`() {
    let closes = [1e300, 1e17] + (0..<60).map { Double($0 % 7) }
    let without = Array(closes.dropFirst(2))
    let series = Bollinger.series(closes, length: 10).dropFirst(12)
    let clean = Bollinger.series(without, length: 10).dropFirst(10)
    #expect(difference(series.map { $0?.upper }, clean.map { $0?.upper }) == nil)
    #expect(difference(series.map { $0?.lower }, clean.map { $0?.lower }) == nil)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `the middle is the mean, and the bands are deviations away`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let closes = random.candles(random.int(1...200)).map(\.close)
    let (length, deviations) = (random.int(2...40), random.double(0.5...3))
    let series = Bollinger.series(closes, length: length, deviations: deviations)
    for (index, bands) in series.enumerated() {
      guard index >= length - 1 else {
        #expect(bands == nil)
        continue
      }
      let window = closes[index - length + 1...index]
      let spread = deviations * deviation(window)
      #expect(isClose(bands?.middle, mean(window)))
      #expect(isClose(bands?.upper, mean(window) + spread))
      #expect(isClose(bands?.lower, mean(window) - spread))
      #expect(isClose(bands?.width, 2 * spread / mean(window)))
      #expect(
        isClose(bands?.percentB, (closes[index] - mean(window) + spread) / (2 * spread)))
    }
    let scaled = Bollinger.series(
      closes.map { $0 * 3.7 }, length: length, deviations: deviations)
    #expect(difference(scaled.map { $0?.percentB }, series.map { $0?.percentB }) == nil)
    #expect(difference(scaled.map { $0?.width }, series.map { $0?.width }) == nil)
  }
}
