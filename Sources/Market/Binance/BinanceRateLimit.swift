/// A limit that the exchange tells in `exchangeInfo.rateLimits` (enums.md, rate limiters).
package struct BinanceRateLimit: Hashable, Sendable {
  /// The largest limit that is believed.
  package static let mostLimit: Int64 = 100_000_000

  /// `REQUEST_WEIGHT`, `RAW_REQUESTS` or a name that is not known.
  package let type: String
  /// How long a window is, in milliseconds.
  package let window: Int64
  package let limit: Int64

  init(
    _ members: BinanceMembers
  ) throws(BinanceReadingError) {
    type = try members.text("rateLimitType", most: 64)
    let word = try members.text("interval", most: 16)
    let units = [
      "SECOND": BinanceTime.second, "MINUTE": BinanceTime.minute, "HOUR": BinanceTime.hour,
      "DAY": BinanceTime.day,
    ]
    guard let unit = units[word] else {
      throw members.reader.fault(.unknownWord(word), "interval")
    }
    window = unit * (try members.integer("intervalNum", 1...1_000))
    limit = try members.integer("limit", 1...Self.mostLimit)
  }

  static let names = ["rateLimitType", "interval", "intervalNum", "limit"]
}
