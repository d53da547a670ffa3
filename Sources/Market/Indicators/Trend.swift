/// Where the market is going, by the order of the close and its exponential averages.
package struct Trend: Hashable, Sendable {
  /// Where it is going.
  package enum Direction: String, Sendable {
    case up, down, sideways
  }

  package let direction: Direction
  /// What gave the direction, for people.
  package let rule: String

  /// Up if the close is above EMA(50) and EMA(21) above EMA(50), and EMA(50) above EMA(200) if that is there; down if
  /// all of them are below; sideways otherwise.
  ///
  /// - Returns: nil if there is no EMA(50) yet.
  package init?(close: Double, ema21: Double?, ema50: Double?, ema200: Double?) {
    guard let ema21, let ema50 else { return nil }
    // Each pair is in order upwards, downwards or neither.
    var pairs = [(close, ema50), (ema21, ema50)]
    if let ema200 { pairs.append((ema50, ema200)) }
    if pairs.allSatisfy({ $0 > $1 }) {
      direction = .up
      rule = Self.rule(">", hasLong: ema200 != nil)
    } else if pairs.allSatisfy({ $0 < $1 }) {
      direction = .down
      rule = Self.rule("<", hasLong: ema200 != nil)
    } else {
      direction = .sideways
      rule = """
        neither all of \(Self.rule(">", hasLong: ema200 != nil)) \
        nor all of \(Self.rule("<", hasLong: ema200 != nil))
        """
    }
  }

  private static func rule(_ sign: String, hasLong: Bool) -> String {
    let short = "close \(sign) EMA50 and EMA21 \(sign) EMA50"
    return hasLong ? short + " and EMA50 \(sign) EMA200" : short
  }
}
