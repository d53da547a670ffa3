import TollbookEvents

/// Instants in milliseconds since 1970-01-01 00:00 UTC, within the years that candles are reckoned for.
package enum BinanceTime {
  /// The years 2009 to 2100. Nothing was traded before.
  package static let range: Range<Int64> = 1_230_768_000_000..<4_133_980_800_000

  static let second: Int64 = 1_000
  static let minute: Int64 = 60_000
  static let hour: Int64 = 3_600_000
  static let day: Int64 = 86_400_000

  /// The largest multiple of `length` that is not above a time.
  static func floored(_ time: Int64, to length: Int64) -> Int64 {
    let rest = time % length
    return time - (rest < 0 ? rest + length : rest)
  }

  /// Reads a date as HTTP writes it, such as `Sun, 22 Nov 2026 08:49:37 GMT` (RFC 9110, section 5.6.7). Nil for
  /// anything else and outside of ``range``. The name of the weekday is not looked at.
  package static func httpDate(_ text: String) -> Int64? {
    let words = text.split(separator: " ", omittingEmptySubsequences: false)
    guard text.utf8.count == 29, words.count == 6, words[0].utf8.count == 4, words[5] == "GMT",
      let month = months.firstIndex(of: words[2])
    else { return nil }
    let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
    let instant = Timestamp(rfc3339: "\(words[3])-\(number)-\(words[1])T\(words[4])Z")
    guard let instant, range.contains(instant.milliseconds) else { return nil }
    return instant.milliseconds
  }

  private static let months: [Substring] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]
}
