/// Until when nothing is sent after a refusal: what the exchange says, within bounds, so that neither a broken header
/// nor a wrong one sends the next request at once or never.
enum BinanceWaiting {
  /// Without a word of the exchange: the window of weights is a minute, and the shortest ban two (rest-api.md, limits).
  private static let standardLimit: Int64 = 60_000
  private static let standardBan: Int64 = 120_000
  /// The longest window that was ever told is five minutes; the longest ban three days. An hour more is believed.
  private static let longestLimit: Int64 = 3_600_000
  private static let longestBan: Int64 = 3 * BinanceTime.day + BinanceTime.hour
  private static let shortest: Int64 = 1_000

  /// - Parameter now: in milliseconds since 1970.
  static func limited(retryAfter: String?, now: Int64) -> Int64 {
    let wait = seconds(retryAfter).map { min(max($0, shortest), longestLimit) }
    return later(now, by: wait ?? standardLimit)
  }

  /// The later one of what the header and the message say.
  static func banned(retryAfter: String?, until: Int64?, now: Int64) -> Int64 {
    let told = seconds(retryAfter)
    // Both instants lie in bounds, so that nothing overflows.
    let left = until.flatMap { BinanceTime.range.contains(now) ? $0 - now : nil }
    let known = [told, left].compactMap(\.self).filter { $0 > 0 }.max()
    return later(now, by: min(max(known ?? standardBan, shortest), longestBan))
  }

  /// `Retry-After` in milliseconds; nil for anything but digits. More than ten digits count as the most of ten.
  private static func seconds(_ text: String?) -> Int64? {
    guard let digits = text?.utf8, !digits.isEmpty, digits.allSatisfy({ 0x30...0x39 ~= $0 })
    else { return nil }
    let seconds = digits.count <= 10 ? Int64(text ?? "") : nil
    return (seconds ?? 9_999_999_999) * 1_000
  }

  private static func later(_ now: Int64, by wait: Int64) -> Int64 {
    let (sum, overflow) = now.addingReportingOverflow(wait)
    return overflow ? .max : sum
  }
}
