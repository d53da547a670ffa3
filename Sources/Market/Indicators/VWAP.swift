/// The average price of a day in UTC, weighted by volume: Σ(typical price · volume) / Σ volume since 00:00 UTC, where
/// the typical price of a candle is (high + low + close) / 3.
package enum VWAP {
  private static let dayLength: Int64 = 86_400_000

  /// - Returns: at each candle the average of its day up to it. Nil where that cannot be told: the candles do not reach
  ///   back to the day's beginning, a candle is in two days, or nothing was traded yet.
  package static func series(_ candles: [CandleFigures]) -> [Double?] {
    var sum = DaySum()
    return candles.map { sum.add($0) }
  }

  /// The day of an instant, counted from 1970-01-01.
  private static func day(_ time: Int64) -> Int64 {
    let (day, rest) = time.quotientAndRemainder(dividingBy: dayLength)
    return rest < 0 ? day - 1 : day
  }

  /// What was traded in the day of the latest candle.
  private struct DaySum {
    private var day: Int64?
    /// The day in which the latest candle ends.
    private var lastDay: Int64?
    /// Whether the candles of this day are all of it, up to the latest.
    private var isWhole = false
    private var money = 0.0
    private var volume = 0.0

    mutating func add(_ candle: CandleFigures) -> Double? {
      let opens = VWAP.day(candle.openTime)
      if day != opens {
        day = opens
        // The first of all candles must open the day; others follow one that ended before the day.
        isWhole = lastDay.map { $0 < opens } ?? (candle.openTime % VWAP.dayLength == 0)
        (money, volume) = (0, 0)
      }
      let ends = VWAP.day(candle.closeTime)
      lastDay = ends
      isWhole = isWhole && ends == opens
      money += (candle.high + candle.low + candle.close) / 3 * candle.volume
      volume += candle.volume
      guard isWhole, volume > 0, volume.isFinite else { return nil }
      return (money / volume).ifFinite
    }
  }
}
