/// The figures of one closed candle that indicators are reckoned from. All numbers are finite; whoever makes one sees
/// to it.
///
/// Every function over candles takes them in order of time, the oldest first, without one twice.
package struct CandleFigures: Hashable, Sendable {
  /// When it opened and the last instant that it covers, in milliseconds since 1970-01-01 00:00 UTC.
  package let openTime: Int64
  package let closeTime: Int64
  package let open: Double
  package let high: Double
  package let low: Double
  package let close: Double
  /// What was traded, in the base asset and in the quote asset.
  package let volume: Double
  package let quoteVolume: Double
  /// The part of it whose taker bought, in the base asset and in the quote asset.
  package let takerBuyBase: Double
  package let takerBuyQuote: Double

  package init(
    openTime: Int64, closeTime: Int64, open: Double, high: Double, low: Double, close: Double,
    volume: Double, quoteVolume: Double, takerBuyBase: Double, takerBuyQuote: Double
  ) {
    self.openTime = openTime
    self.closeTime = closeTime
    self.open = open
    self.high = high
    self.low = low
    self.close = close
    self.volume = volume
    self.quoteVolume = quoteVolume
    self.takerBuyBase = takerBuyBase
    self.takerBuyQuote = takerBuyQuote
  }
}
