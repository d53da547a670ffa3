/// The cumulative volume delta: what takers bought minus what they sold, from the first candle or trade given on.
///
/// Charts that guess the taker from the direction of smaller candles show other numbers.
package enum CVD {
  /// A candle's delta is 2 · taker buy volume - volume, in the base asset as in the quote asset.
  ///
  /// - Returns: at each candle the sum from the first candle on.
  package static func series(_ candles: [CandleFigures]) -> [VolumeDelta] {
    var (base, quote) = (0.0, 0.0)
    return candles.map { candle in
      base += 2 * candle.takerBuyBase - candle.volume
      quote += 2 * candle.takerBuyQuote - candle.quoteVolume
      return VolumeDelta(base: base, quote: quote)
    }
  }

  /// The sum over trades.
  package struct Trades: Hashable, Sendable {
    package let delta: VolumeDelta
    /// How many trades it is of, each counted once.
    package let count: Int
    /// Whether a number between the lowest and the highest is missing. Then the delta is not the whole one.
    package let hasGap: Bool
  }

  /// A trade whose buyer was the maker counts as sold, any other as bought. Of trades with the same id the first
  /// counts.
  ///
  /// - Parameter trades: in any order.
  package static func sum(_ trades: some Collection<TradeFigures>) -> Trades {
    var ids = Set<Int64>(minimumCapacity: trades.count)
    var (base, quote) = (0.0, 0.0)
    var (lowest, highest) = (Int64.max, Int64.min)
    for trade in trades where ids.insert(trade.id).inserted {
      let signed = trade.isBuyerMaker ? -trade.quantity : trade.quantity
      base += signed
      quote += signed * trade.price
      lowest = min(lowest, trade.id)
      highest = max(highest, trade.id)
    }
    let (span, isTooLong) = highest.subtractingReportingOverflow(lowest)
    return Trades(
      delta: VolumeDelta(base: base, quote: quote), count: ids.count,
      hasGap: !ids.isEmpty && (isTooLong || span >= ids.count))
  }
}
