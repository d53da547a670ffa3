import Market
import Testing
import TollbookTestSupport

@Suite struct RSITests {
  @Test func `closes that only rise have 100, closes that only fall have 0`() {
    let rising = (0..<40).map { 100 + 1.1 * Double($0) }
    let series = RSI.series(rising, length: 14)
    #expect(series.prefix(14).allSatisfy { $0 == nil })
    #expect(series.dropFirst(14).allSatisfy { $0 == 100 })
    #expect(RSI.series(rising.reversed(), length: 14).dropFirst(14).allSatisfy { $0 == 0 })
  }

  @Test func `closes that never change have none`() {
    let flat = Array(repeating: 61_199.9, count: 40)
    #expect(RSI.series(flat, length: 14).allSatisfy { $0 == nil })
    // One change is enough to tell, and is never forgotten.
    #expect(RSI.series(flat + [61_200], length: 14).last == 100)
    #expect(RSI.series([61_200] + flat, length: 14).dropFirst(14).allSatisfy { $0 == 0 })
  }

  @Test func `as much up as down is 50`() {
    #expect(RSI.series([10, 11, 10, 11, 10], length: 4).last == 50)
  }

  @Test func `lengths below 2 are refused, as are too few closes`() {
    #expect(RSI.series([1, 2, 3], length: 1) == [nil, nil, nil])
    #expect(RSI.series([1, 2, 3], length: .min) == [nil, nil, nil])
    #expect(RSI.series([], length: 14).isEmpty)
    #expect(RSI.series([1], length: 14) == [nil])
    #expect(RSI.series(Array(repeating: 1, count: 14), length: 14).allSatisfy { $0 == nil })
    #expect(RSI.series([1, 2, 3], length: .max) == [nil, nil, nil])
  }

  @Test func `changes that do not fit a number give none`() {
    let largest = Double.greatestFiniteMagnitude
    #expect(RSI.series([-largest, largest, 0, 1], length: 2) == [nil, nil, nil, nil])
    // These do, as large as they are.
    #expect(RSI.series([largest, 0, largest], length: 2) == [nil, nil, 50])
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `it stays the same when prices are scaled, and is turned over when they are`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let closes = random.candles(random.int(1...300)).map(\.close)
    let length = random.int(2...30)
    let plain = RSI.series(closes, length: length)
    #expect(plain.allSatisfy { $0.map { 0...100 ~= $0 } ?? true })
    // A power of two changes no digit.
    #expect(RSI.series(closes.map { $0 * 1_024 }, length: length) == plain)
    #expect(difference(RSI.series(closes.map { $0 * 3.7 }, length: length), plain) == nil)
    let over = RSI.series(closes.map { 500 - $0 }, length: length)
    #expect(difference(over, plain.map { $0.map { 100 - $0 } }) == nil)
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `it is Wilder's formula`(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let closes = random.candles(120).map(\.close)
    let length = 14
    var expected = [Double?](repeating: nil, count: length)
    let changes = zip(closes.dropFirst(), closes).map { $0 - $1 }
    var gain = mean(changes[..<length].map { max($0, 0) })
    var loss = mean(changes[..<length].map { max(-$0, 0) })
    expected.append(100 - 100 / (1 + gain / loss))
    for change in changes[length...] {
      gain = (gain * 13 + max(change, 0)) / 14
      loss = (loss * 13 + max(-change, 0)) / 14
      expected.append(100 - 100 / (1 + gain / loss))
    }
    #expect(difference(RSI.series(closes, length: length), expected) == nil)
  }
}
