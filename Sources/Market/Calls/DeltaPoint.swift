import JSONText

/// The volume delta of one candle, and of all up to it.
struct DeltaPoint: Hashable, Sendable {
  /// When the candle opened, in milliseconds since 1970 UTC.
  var time: Int64
  /// In the base asset; nil: it is too large for a number.
  var delta: Double?
  var sum: Double?
  /// In the quote asset.
  var quoteDelta: Double?
  var quoteSum: Double?

  /// By what the exchange tells of each candle.
  static func points(of candles: [CandleFigures]) -> [DeltaPoint] {
    points(
      zip(candles, CVD.series(candles)).map { candle, sum in (candle.openTime, sum) })
  }

  /// - Parameter sums: from the first on, at each candle.
  static func points(_ sums: [(time: Int64, sum: VolumeDelta)]) -> [DeltaPoint] {
    var last = (base: Double?.some(0), quote: Double?.some(0))
    return sums.map { time, sum in
      defer { last = (sum.base, sum.quote) }
      return DeltaPoint(
        time: time, delta: difference(sum.base, last.base), sum: sum.base,
        quoteDelta: difference(sum.quote, last.quote), quoteSum: sum.quote)
    }
  }

  private static func difference(_ later: Double?, _ earlier: Double?) -> Double? {
    guard let later, let earlier else { return nil }
    return later - earlier
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.field("time", time)
      json.field("delta", delta)
      json.field("cvd", sum)
      json.field("delta_quote", quoteDelta)
      json.field("cvd_quote", quoteSum)
    }
  }
}
