/// One row of `klines` with every number as the exchange sent it (rest-api.md, klines: twelve members without names).
package struct BinanceCandle: Hashable, Sendable {
  /// The row as it stood in the answer, brackets included.
  package let row: [UInt8]
  /// The first and the last millisecond that it covers.
  package let openTime: Int64
  package let closeTime: Int64
  package let open: BinanceDecimal
  package let high: BinanceDecimal
  package let low: BinanceDecimal
  package let close: BinanceDecimal
  /// What was traded, in the base asset and in the quote asset.
  package let volume: BinanceDecimal
  package let quoteVolume: BinanceDecimal
  /// The part of it whose taker bought.
  package let takerBuyBase: BinanceDecimal
  package let takerBuyQuote: BinanceDecimal
  /// How many trades there were.
  package let trades: Int64

  /// What indicators are reckoned from; all finite.
  package var figures: CandleFigures {
    CandleFigures(
      openTime: openTime, closeTime: closeTime, open: open.value, high: high.value,
      low: low.value, close: close.value, volume: volume.value, quoteVolume: quoteVolume.value,
      takerBuyBase: takerBuyBase.value, takerBuyQuote: takerBuyQuote.value)
  }
}
