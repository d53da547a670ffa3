import Market
import Testing
import TollbookTestSupport

@Suite struct EMATests {
  @Test func `the first average is the mean, and each later one goes two parts in n + 1 further`() {
    #expect(EMA.series([1, 2, 6, 7, 3], length: 3) == [nil, nil, 3, 5, 4])
  }

  @Test func `too few values have no average`() {
    #expect(EMA.series([], length: 1).isEmpty)
    #expect(EMA.series([1, 2], length: 3) == [nil, nil])
    #expect(EMA.series([1, 2], length: .max) == [nil, nil])
  }

  @Test func `a length of 1 gives the values themselves, a lesser one nothing`() {
    #expect(EMA.series([3, 1, 2], length: 1) == [3, 1, 2])
    #expect(EMA.series([3, 1, 2], length: 0) == [nil, nil, nil])
    #expect(EMA.series([3, 1, 2], length: .min) == [nil, nil, nil])
  }

  @Test func `the average of equal values is exactly that value`() {
    let series = EMA.series(Array(repeating: 0.1, count: 300), length: 21)
    #expect(series.dropFirst(20).allSatisfy { $0 == 0.1 })
  }

  @Test func `what does not fit a number is none, and neither is what follows from it`() {
    let largest = Double.greatestFiniteMagnitude
    #expect(EMA.series([-largest, largest, 1, 1], length: 1) == [-largest, nil, nil, nil])
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `values moved or scaled move or scale the average`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let closes = random.candles(random.int(1...300)).map(\.close)
    let length = random.int(1...60)
    let plain = EMA.series(closes, length: length)
    let moved = EMA.series(closes.map { $0 + 250 }, length: length)
    #expect(difference(moved, plain.map { $0.map { $0 + 250 } }) == nil)
    let scaled = EMA.series(closes.map { $0 * 3.7 }, length: length)
    #expect(difference(scaled, plain.map { $0.map { $0 * 3.7 } }) == nil)
    for (index, average) in plain.enumerated() {
      guard let average else { continue }
      #expect(average >= closes[...index].min()! * (1 - 1e-12))
      #expect(average <= closes[...index].max()! * (1 + 1e-12))
    }
  }
}
