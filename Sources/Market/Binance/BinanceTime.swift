/// Instants in milliseconds since 1970-01-01 00:00 UTC, within the years that candles are reckoned for.
package enum BinanceTime {
  /// The years 2009 to 2100. Nothing was traded before.
  package static let range: Range<Int64> = 1_230_768_000_000..<4_133_980_800_000

  static let second: Int64 = 1_000
  static let minute: Int64 = 60_000
  static let hour: Int64 = 3_600_000
  static let day: Int64 = 86_400_000
}
