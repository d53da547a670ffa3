import Testing
import TollbookTestSupport

@testable import Market

@Suite struct CandleSpanTests {
  private let hours = CandleSeries(symbol: "BTCUSDT", interval: .hour)
  private let days = CandleSeries(symbol: "ETHUSDT", interval: .day)

  private func spans(_ pieces: [CandlePiece], open: Int64 = 0) -> [CandleSpan] {
    CandleSpan.spans(of: pieces) { _ in open }
  }

  @Test func `ten blocks in a row are one call`() {
    let found = spans((0..<10).map { .block(hours, number: $0) })
    #expect(found == [CandleSpan(series: hours, first: 0, end: 1_000, places: Array(0..<10))])
  }

  @Test func `eleven blocks are two calls`() {
    let found = spans((0..<11).map { .block(hours, number: $0) })
    #expect(found.map(\.places) == [Array(0..<10), [10]])
    #expect(found.map(\.end) == [1_000, 1_100])
  }

  @Test func `two holes within a thousand candles are one call, and further apart two`() {
    #expect(spans([.block(hours, number: 0), .block(hours, number: 9)]).count == 1)
    #expect(spans([.block(hours, number: 0), .block(hours, number: 10)]).count == 2)
  }

  @Test func `what is open rides along with the block before it`() {
    let found = spans([.block(hours, number: 5), .open(hours)], open: 560)
    #expect(found == [CandleSpan(series: hours, first: 500, end: nil, places: [0, 1])])
  }

  @Test func `each series has calls of its own, in the order in which they were asked for`() {
    let found = spans([.block(days, number: 1), .block(hours, number: 1), .block(days, number: 0)])
    #expect(found.map(\.series) == [days, hours])
    #expect(found[0].places.sorted() == [0, 2])
  }

  @Test(arguments: 0..<200)
  func `every piece lies in one call, and no call is longer than the exchange allows`(
    seed: UInt64
  ) {
    var random = SeededGenerator(seed: seed)
    let open = random.int64(0..<4_000)
    var pieces = (0..<40).filter { _ in random.int(0..<3) == 0 }
      .map { CandlePiece.block(hours, number: Int64($0)) }
    if random.int(0..<2) == 0 { pieces.append(.open(hours)) }
    let found = spans(pieces, open: open)
    #expect(found.flatMap(\.places).sorted() == Array(pieces.indices), "seed \(seed)")
    for span in found {
      if let end = span.end { #expect(end - span.first <= CandleSpan.most, "seed \(seed)") }
      for place in span.places {
        switch pieces[place] {
        case .block(_, let number):
          for candle in CandlePiece.candles(ofBlock: number) where !span.covers(candle) {
            Issue.record("seed \(seed): candle \(candle) is not covered")
          }
        case .open: #expect(span.end == nil && open - span.first < CandleSpan.most)
        }
      }
    }
  }
}
