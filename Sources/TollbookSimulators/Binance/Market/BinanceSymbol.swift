/// A pair of the simulated exchange: how it is written, how much it trades and when.
///
/// Prices are whole numbers of ticks, quantities whole numbers of steps; a tick is 10^−`priceDecimals` of the quote
/// asset, a step 10^−`quantityDecimals` of the base asset. Hours are counted from 1970 on.
package struct BinanceSymbol: Sendable, Hashable {
  /// Whether a symbol is traded, as `exchangeInfo` says it.
  package enum Status: String, Sendable, CaseIterable {
    case trading = "TRADING"
    case halt = "HALT"
    case `break` = "BREAK"
  }

  /// Hours of every week, counted from Monday 00:00 UTC, in which the symbol does not trade.
  package struct Pause: Sendable, Hashable {
    /// The first hour, from 0 to 167.
    package let start: Int64
    /// How many hours; the pause ends within the week.
    package let length: Int64
  }

  /// The name, such as `BTCUSDT`.
  package let name: String
  /// What is traded.
  package let base: String
  /// What it is paid with.
  package let quote: String
  /// Places of a price.
  package let priceDecimals: Int
  /// Places of a quantity. With those of the price they are at most eight.
  package let quantityDecimals: Int
  /// The price around which it moves, in ticks; it stays within two fifths of it.
  let middle: Int64
  /// A large quantity of a quiet hour, in steps.
  let unit: Int64
  /// How many aggregate trades every hour has.
  let aggregatesPerHour: Int64
  /// How many single trades every hour has; at least as many as aggregate trades.
  let tradesPerHour: Int64
  /// The first hour with trades.
  package let listed: Int64
  /// The first hour after the last trade; nil while it trades.
  package let ended: Int64?
  /// When it rests in every week.
  package let pause: Pause?
  /// The seed of everything that is drawn for it.
  let chance: UInt64

  /// Its status.
  package var status: Status { ended == nil ? .trading : .break }
  /// Places of an exact price times an exact quantity.
  var quoteDecimals: Int { priceDecimals + quantityDecimals }
}

// MARK: - Hours of trading

extension BinanceSymbol {
  static let hour: Int64 = 3_600_000
  private static let week: Int64 = 168
  /// The hours between the beginning of 1970, a Thursday, and the Monday before it.
  private static let weekShift: Int64 = 72

  /// Whether it trades in an hour.
  func trades(in hour: Int64) -> Bool {
    guard hour >= listed, hour < ended ?? .max else { return false }
    guard let pause else { return true }
    let ofWeek = (hour + Self.weekShift) % Self.week
    return ofWeek < pause.start || ofWeek >= pause.start + pause.length
  }

  /// How many hours of trading there would have been before an hour if it had traded from 1970 on. The ids of trades
  /// count from there, so that they do not depend on when it was listed.
  func tradingHours(before hour: Int64) -> Int64 {
    guard let pause else { return hour }
    let (weeks, ofWeek) = (hour + Self.weekShift).quotientAndRemainder(dividingBy: Self.week)
    let rested = min(pause.length, max(0, ofWeek - pause.start))
    return hour - weeks * pause.length - rested
  }

  /// The hour of trading before which there are `count` hours of trading; what `tradingHours(before:)` undoes.
  func hour(afterTradingHours count: Int64) -> Int64 {
    guard let pause else { return count }
    let (weeks, rest) = (count + Self.weekShift).quotientAndRemainder(
      dividingBy: Self.week - pause.length)
    let ofWeek = rest < pause.start ? rest : rest + pause.length
    return weeks * Self.week + ofWeek - Self.weekShift
  }

  /// The first hour of trading from `hour` on; nil if there is none any more.
  func firstTradingHour(from hour: Int64) -> Int64? {
    let hour = max(hour, listed)
    if trades(in: hour) { return hour }
    let next = self.hour(afterTradingHours: tradingHours(before: hour))
    return trades(in: next) ? next : nil
  }

  /// The last hour of trading up to and with `hour`; nil if there was none yet.
  func lastTradingHour(to hour: Int64) -> Int64? {
    let hour = min(hour, (ended ?? .max) - 1)
    guard hour >= listed else { return nil }
    if trades(in: hour) { return hour }
    let last = self.hour(afterTradingHours: tradingHours(before: hour) - 1)
    return trades(in: last) ? last : nil
  }

  /// The id of the first aggregate trade of an hour of trading.
  func firstAggregate(of hour: Int64) -> Int64 { tradingHours(before: hour) * aggregatesPerHour }

  /// The id of the first single trade of an hour of trading.
  func firstTrade(of hour: Int64) -> Int64 { tradingHours(before: hour) * tradesPerHour }
}
