import TollbookGateway

/// What of an answer about candles is kept.
struct CandleWriting {
  let span: CandleSpan
  let freshness: BinanceFreshness
  /// Before this instant candles have closed, by the exchange's clock: as of when the answer was asked for, and as of when
  /// it came.
  let settledWhenAsked: Int64
  let settledNow: Int64

  /// A block without a candle is asked for again after a week: the exchange may not have had it for another reason than
  /// that nothing was traded.
  private static let withoutCandles: Int64 = 7 * 86_400_000

  /// Each piece with the candles that the answer has of it.
  func writes(_ pieces: [CandlePiece], _ candles: [BinanceCandle]) -> [Write] {
    let interval = span.series.interval
    let numbered = candles.map { (number: interval.number(at: $0.openTime), row: $0.row) }
    let open = interval.number(at: settledWhenAsked)
    let closes = interval.closeTime(ofCandle: open) + 1
    let untilNext = max(0, closes - settledNow)
    return pieces.map { piece in
      switch piece {
      case .open:
        let rows = numbered.filter { $0.number >= open }.map(\.row)
        let fresh = min(freshness.openCandle(of: interval), untilNext)
        return Write(
          piece.resource, body: BinanceRows.join([rows]),
          windows: freshness.windows(fresh: fresh))
      case .block(_, let number):
        let candles = CandlePiece.candles(ofBlock: number)
        let rows = numbered.filter { candles.contains($0.number) && $0.number < open }.map(\.row)
        guard candles.upperBound <= open else {
          return Write(
            piece.resource, body: BinanceRows.join([rows]),
            windows: BinanceFreshness.growing(for: untilNext))
        }
        guard !rows.isEmpty else {
          return Write(
            piece.resource, body: nil, windows: BinanceFreshness.growing(for: Self.withoutCandles))
        }
        return Write(
          piece.resource, body: BinanceRows.join([rows]), windows: BinanceFreshness.closed)
      }
    }
  }
}
