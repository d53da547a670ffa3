/// The lengths of candles that the exchange knows. Case matters: `1m` is a minute and `1M` a month.
package enum BinanceInterval: String, CaseIterable, Hashable, Sendable {
  case second = "1s"
  case minute = "1m"
  case threeMinutes = "3m"
  case fiveMinutes = "5m"
  case fifteenMinutes = "15m"
  case thirtyMinutes = "30m"
  case hour = "1h"
  case twoHours = "2h"
  case fourHours = "4h"
  case sixHours = "6h"
  case eightHours = "8h"
  case twelveHours = "12h"
  case day = "1d"
  case threeDays = "3d"
  case week = "1w"
  case month = "1M"

  /// How long every candle is, in milliseconds; nil for a month.
  package var length: Int64? {
    switch self {
    case .second: BinanceTime.second
    case .minute: BinanceTime.minute
    case .threeMinutes: 3 * BinanceTime.minute
    case .fiveMinutes: 5 * BinanceTime.minute
    case .fifteenMinutes: 15 * BinanceTime.minute
    case .thirtyMinutes: 30 * BinanceTime.minute
    case .hour: BinanceTime.hour
    case .twoHours: 2 * BinanceTime.hour
    case .fourHours: 4 * BinanceTime.hour
    case .sixHours: 6 * BinanceTime.hour
    case .eightHours: 8 * BinanceTime.hour
    case .twelveHours: 12 * BinanceTime.hour
    case .day: BinanceTime.day
    case .threeDays: 3 * BinanceTime.day
    case .week: 7 * BinanceTime.day
    case .month: nil
    }
  }

  /// About how long a candle is, in milliseconds; of a month 30 days.
  package var nominalLength: Int64 { length ?? 30 * BinanceTime.day }

  // MARK: Candles by their numbers, in UTC. Of another time zone see ``BinanceGrid``.

  /// The number of the candle that a time lies in: each is one more than the one before it.
  func number(at time: Int64) -> Int64 { BinanceGrid(self).number(at: time) }

  /// When the candle of a number opens, in milliseconds since 1970 UTC.
  func openTime(ofCandle number: Int64) -> Int64 { BinanceGrid(self).openTime(ofCandle: number) }

  /// The last millisecond of the candle of a number.
  func closeTime(ofCandle number: Int64) -> Int64 { openTime(ofCandle: number + 1) - 1 }
}
