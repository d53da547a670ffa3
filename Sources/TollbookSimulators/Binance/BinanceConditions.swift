/// What is not as usual with the exchange or at the caller's address; may be changed at any time.
package struct BinanceConditions: Sendable, Equatable, Codable {
  /// Milliseconds that the exchange's clock is ahead of this machine's. Everything follows it: the market, the minutes
  /// of the limit and the times in answers.
  package var clockOffset: Int64
  /// Request weight that somebody else at the same address uses in every minute, evenly spread over it.
  package var foreignWeight: Int

  /// A right clock and nobody else.
  package init(clockOffset: Int64 = 0, foreignWeight: Int = 0) {
    self.clockOffset = clockOffset
    self.foreignWeight = foreignWeight
  }

  private enum CodingKeys: String, CodingKey {
    case clockOffset = "clock_offset_ms"
    case foreignWeight = "foreign_weight_per_minute"
  }

  /// Reads the control endpoint's JSON; what is left out is as usual.
  package init(from decoder: any Decoder) throws {
    let members = try decoder.container(keyedBy: CodingKeys.self)
    clockOffset = try members.decodeIfPresent(Int64.self, forKey: .clockOffset) ?? 0
    foreignWeight = try members.decodeIfPresent(Int.self, forKey: .foreignWeight) ?? 0
  }

  /// The exchange's clock at a time of this machine.
  func exchangeTime(_ now: Int64) -> Int64 { now + Self.bounded(clockOffset) }

  /// What others have used of the minute at a time of the exchange's clock.
  func foreignWeight(at now: Int64) -> Int {
    let ofMinute = now - now.floorDivided(by: 60_000) * 60_000
    return min(1_000_000, max(0, foreignWeight)) * Int(ofMinute) / 60_000
  }

  /// An offset of a clock, at most a year.
  static func bounded(_ offset: Int64) -> Int64 {
    let year: Int64 = 366 * 86_400_000
    return min(year, max(-year, offset))
  }
}
