import Market
import TollbookTestSupport

extension SeededGenerator {
  /// An hour each, from midnight on. Each opens where the one before closed, and moves up to one percent.
  mutating func candles(_ count: Int, price: Double = 100) -> [CandleFigures] {
    var last = price
    return (0..<count).map { index in
      let open = last
      last *= 1 + double(-0.01...0.01)
      let volume = double(0...50)
      let bought = volume * double(0...1)
      return .sample(
        index, open: open, high: max(open, last) * (1 + double(0...0.005)),
        low: min(open, last) * (1 - double(0...0.005)), close: last, volume: volume,
        takerBuyBase: bought)
    }
  }
}

extension CandleFigures {
  static let hour: Int64 = 3_600_000
  static let day: Int64 = 86_400_000
  /// A midnight.
  static let midnight: Int64 = 20_700 * day

  /// The candle of that number from ``midnight`` on. What it traded was traded at its close.
  static func sample(
    _ index: Int, length: Int64 = hour, from start: Int64 = midnight, open: Double? = nil,
    high: Double? = nil, low: Double? = nil, close: Double, volume: Double = 1,
    takerBuyBase: Double = 0
  ) -> CandleFigures {
    let openTime = start + Int64(index) * length
    return CandleFigures(
      openTime: openTime, closeTime: openTime + length - 1, open: open ?? close,
      high: high ?? close, low: low ?? close, close: close, volume: volume,
      quoteVolume: volume * close, takerBuyBase: takerBuyBase, takerBuyQuote: takerBuyBase * close)
  }

  /// One candle for each close, that never moved from it.
  static func still(_ closes: [Double]) -> [CandleFigures] {
    closes.enumerated().map { .sample($0, close: $1) }
  }

  /// The same at other prices.
  func scaled(by factor: Double) -> CandleFigures {
    CandleFigures(
      openTime: openTime, closeTime: closeTime, open: open * factor, high: high * factor,
      low: low * factor, close: close * factor, volume: volume, quoteVolume: quoteVolume * factor,
      takerBuyBase: takerBuyBase, takerBuyQuote: takerBuyQuote * factor)
  }
}

/// Whether two numbers are as good as the same: within `tolerance`, or within that share of the larger one. None is
/// only the same as none.
func isClose(_ left: Double?, _ right: Double?, within tolerance: Double = 1e-9) -> Bool {
  guard let left, let right else { return left == nil && right == nil }
  let difference = abs(left - right)
  return difference <= tolerance || difference <= tolerance * max(abs(left), abs(right))
}

/// The first index at which two series differ, and what they say there.
func difference(
  _ left: [Double?], _ right: [Double?], within tolerance: Double = 1e-9
) -> String? {
  guard left.count == right.count else { return "\(left.count) against \(right.count) values" }
  let index = left.indices.first { !isClose(left[$0], right[$0], within: tolerance) }
  return index.map { "at \($0): \(left[$0].debugDescription), \(right[$0].debugDescription)" }
}

/// The mean by the book.
func mean(_ values: some Collection<Double>) -> Double {
  values.reduce(0, +) / Double(values.count)
}

/// The population's deviation by the book.
func deviation(_ values: some Collection<Double>) -> Double {
  let mean = mean(values)
  return (values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)).squareRoot()
}
