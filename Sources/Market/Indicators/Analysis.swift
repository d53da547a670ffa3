/// All indicators at the last of some candles. What cannot be told yet, or not in a finite number, is nil.
package struct Analysis: Hashable, Sendable {
  /// Exponential averages of the close.
  package let ema9: Double?
  package let ema21: Double?
  package let ema50: Double?
  package let ema200: Double?
  /// From 0 to 100.
  package let rsi14: Double?
  /// With 12, 26 and 9.
  package let macd: MACD.Value?
  /// Of 20 candles and 2 deviations.
  package let bollinger: Bollinger.Bands?
  /// Of 14 candles.
  package let atr: ATR.Value?
  /// Since 00:00 UTC of the day of the last candle.
  package let vwap: Double?
  package let trend: Trend?
  package let levels: SupportAndResistance
  package let volume: VolumeSpikes
  /// Since the first candle; nil if there are no candles.
  package let cvd: VolumeDelta?

  /// - Parameters:
  ///   - candles: closed ones, the oldest first.
  ///   - volumeWindow: how many candles before a candle its volume is held against.
  ///   - volumeThreshold: from which relative volume on a candle spikes.
  package init(
    _ candles: [CandleFigures], volumeWindow: Int = 20, volumeThreshold: Double = 3
  ) {
    let closes = candles.map(\.close)
    let average = { (length: Int) in EMA.series(closes, length: length).last ?? nil }
    ema9 = average(9)
    ema21 = average(21)
    ema50 = average(50)
    ema200 = average(200)
    rsi14 = RSI.series(closes, length: 14).last ?? nil
    macd = MACD.series(closes).last ?? nil
    bollinger = Bollinger.series(closes).last ?? nil
    atr = ATR.series(candles).last ?? nil
    vwap = VWAP.series(candles).last ?? nil
    trend = closes.last.flatMap { [ema21, ema50, ema200] close in
      Trend(close: close, ema21: ema21, ema50: ema50, ema200: ema200)
    }
    levels = SupportAndResistance(candles, range: atr?.range)
    volume = VolumeSpikes(candles, window: volumeWindow, threshold: volumeThreshold)
    cvd = CVD.series(candles).last
  }
}
