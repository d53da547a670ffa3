/// Prices at which the market has turned, below and above the last close.
///
/// A pivot is a candle whose low is the lowest, or whose high is the highest, of the five candles before it and the
/// five after it: strictly so against those before, so that of equal ones in a row the first alone counts. Candles with
/// fewer than five on a side are none. Lows and highs together are gone through from the lowest price up: a pivot joins
/// the level that is being made if its price is at most the tolerance above the first one there, and begins a new level
/// otherwise. The tolerance is a quarter of the last ATR(14), or 0.25 % of the last close if there is no ATR yet. A
/// level is the mean of its pivots. Levels below the last close are support, those above it resistance; one that is the
/// close is neither.
package struct SupportAndResistance: Hashable, Sendable {
  /// A price at which the market has turned.
  package struct Level: Hashable, Sendable {
    /// The mean of the pivots.
    package let price: Double
    /// How many they are.
    package let pivots: Int
  }

  /// At most ``most`` of each, the nearest to the last close first.
  package let support: [Level]
  package let resistance: [Level]

  /// How many levels are told on each side of the last close.
  package static let most = 5
  /// How many candles on each side a pivot is held against.
  package static let reach = 5

  /// How levels are found, for people.
  package static let rule = """
    a pivot is a low (high) that is the lowest (highest) of the \(reach) candles on each side; \
    pivots within a quarter of ATR(14), or 0.25 % of the close without one, are one level at \
    their mean; the \(most) nearest below the last close are support, the \(most) nearest above \
    it resistance
    """

  package init(_ candles: [CandleFigures]) {
    self.init(candles, range: ATR.series(candles).last??.range)
  }

  /// - Parameter range: the last ATR(14) of the candles.
  init(_ candles: [CandleFigures], range: Double?) {
    guard let close = candles.last?.close else {
      (support, resistance) = ([], [])
      return
    }
    let lows = Self.pivots(candles.map { -$0.low }).map { -$0 }
    let prices = (lows + Self.pivots(candles.map(\.high))).sorted()
    let tolerance = range.map { $0 / 4 } ?? close.magnitude / 400
    let levels = Self.levels(prices, tolerance: tolerance)
    support = Array(levels.filter { $0.price < close }.suffix(Self.most).reversed())
    resistance = Array(levels.filter { $0.price > close }.prefix(Self.most))
  }

  /// The values that are the highest around.
  private static func pivots(_ values: [Double]) -> [Double] {
    values.indices.dropFirst(reach).dropLast(reach).compactMap { index in
      let value = values[index]
      let isHighest =
        values[index - reach..<index].allSatisfy { $0 < value }
        && values[index + 1...index + reach].allSatisfy { $0 <= value }
      return isHighest ? value : nil
    }
  }

  /// - Parameter prices: the lowest first.
  /// - Returns: the lowest first.
  private static func levels(_ prices: [Double], tolerance: Double) -> [Level] {
    var levels: [Level] = []
    var start = prices.startIndex
    while start < prices.endIndex {
      let end =
        prices[(start + 1)...].firstIndex { $0 - prices[start] > tolerance } ?? prices.endIndex
      if let price = Moments(of: prices[start..<end]).mean.ifFinite {
        levels.append(Level(price: price, pivots: end - start))
      }
      start = end
    }
    return levels
  }
}
