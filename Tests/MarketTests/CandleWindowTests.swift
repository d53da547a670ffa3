import Testing
import TollbookTestSupport

@testable import Market

@Suite struct CandleWindowTests {
  private static func candle(_ number: Int64) -> Candle {
    let price = Double(number)
    let figures = CandleFigures(
      openTime: number * 60_000, closeTime: number * 60_000 + 59_999, open: price, high: price,
      low: price, close: price, volume: 1, quoteVolume: price, takerBuyBase: 1, takerBuyQuote: price
    )
    return Candle(number: number, row: Array("\(number)".utf8), figures: figures)
  }

  private static func part(_ numbers: Range<Int64>, digest: [UInt8]) -> CandleWindow.Part {
    CandleWindow.Part(candles: numbers.map(candle)[...], digest: digest)
  }

  /// A window over blocks of five candles, read from the newest to the oldest in pieces of several blocks.
  private static func window(
    _ random: inout SeededGenerator
  ) -> (window: CandleWindow, numbers: [Int64]) {
    let end = random.int64(1..<60)
    let count = random.int(1..<40)
    let last = (end - 1) / 5
    let first = max(0, last - random.int64(0..<10))
    let middle = random.int64(first..<last + 1)
    var window = CandleWindow()
    for blocks in [middle..<last + 1, first..<middle] {
      let parts = blocks.map { part($0 * 5..<$0 * 5 + 5, digest: [UInt8($0)]) }
      window.add(older: parts, before: end)
    }
    window.keepNewest(count)
    return (window, Array((first * 5..<end).suffix(count)))
  }

  @Test(arguments: UInt64(0)..<200)
  func `a window has the newest candles before its end, and its digest is that of these alone`(
    seed: UInt64
  ) {
    var random = SeededGenerator(seed: seed)
    var (window, numbers) = Self.window(&random)
    #expect(window.candles.map(\.number) == numbers)
    #expect(window.figures.map(\.openTime) == numbers.map { $0 * 60_000 })
    #expect(window.count == numbers.count && window.closedCount == numbers.count)
    #expect(window.first?.number == numbers.first && window.last?.number == numbers.last)
    #expect(!window.digest.isEmpty)
    for _ in 0..<20 {
      let (other, others) = Self.window(&random)
      #expect((window.digest == other.digest) == (numbers == others), "\(numbers) \(others)")
    }
    window.open = [Self.candle(1_000)]
    #expect(window.digest.isEmpty && window.count == numbers.count + 1)
    #expect(window.candles.last?.number == 1_000 && window.last?.number == 1_000)
  }

  @Test func `candles of a body that is not kept have no digest, and neither has no candle`() {
    var window = CandleWindow()
    #expect(window.digest.isEmpty && window.candles.isEmpty)
    window.add(older: [Self.part(0..<5, digest: [])], before: .max)
    #expect(window.digest.isEmpty)
  }
}
