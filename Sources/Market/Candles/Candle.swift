/// A candle that is kept.
struct Candle: Hashable, Sendable {
  /// How many of its interval came before it.
  var number: Int64
  /// As the exchange sent it.
  var row: [UInt8]
  var figures: CandleFigures
}

extension Candle {
  init(_ candle: BinanceCandle, _ interval: BinanceInterval) {
    number = interval.number(at: candle.openTime)
    row = candle.row
    figures = candle.figures
  }
}
