import JSONText

/// Reads answers of `klines` and `uiKlines`.
package enum BinanceCandles {
  /// The names of the twelve members, by their meaning.
  private static let names = [
    "open time", "open", "high", "low", "close", "volume", "close time", "quote volume",
    "number of trades", "taker buy base volume", "taker buy quote volume", "unused",
  ]

  /// The most rows that the exchange answers.
  package static let mostRows = 1_000

  /// Reads and checks all rows. Each opens where its interval says and after the one before, closes a millisecond
  /// before the next may open, its high and low enclose what was paid, and takers bought no more than was traded. The
  /// last may still be open.
  ///
  /// - Parameters:
  ///   - zone: on whose clocks the candles open, as the request said.
  ///   - irregularBefore: rows that opened before this instant may open elsewhere and close at another time. The
  ///     exchange's early years have some, around stops of trading. Nil: none may.
  ///   - mostRows: how many there may be.
  package static func read(
    _ bytes: [UInt8], _ interval: BinanceInterval, zone: BinanceTimeZone = .utc,
    irregularBefore: Int64? = nil, mostRows: Int = mostRows
  ) throws(BinanceReadingError) -> [BinanceCandle] {
    var reader = BinanceAnswerReader(what: "klines")
    let most = max(0, min(mostRows, 100_000))
    let root = try reader.root(bytes, depth: 8, values: 1 + (most + 1) * (1 + names.count))
    var checker = CandleChecker(interval, zone, irregularBefore)
    var candles: [BinanceCandle] = []
    for (index, value) in try reader.elements(root).enumerated() {
      reader.row = index
      guard index < most else { throw reader.fault(.count(index + 1, expected: "\(most) rows")) }
      let candle = try candle(value, reader, &checker)
      candles.append(candle)
    }
    return candles
  }

  private static func candle(
    _ value: JSONValue, _ reader: BinanceAnswerReader, _ checker: inout CandleChecker
  ) throws(BinanceReadingError) -> BinanceCandle {
    let members = Array(try reader.elements(value))
    guard members.count == names.count else {
      throw reader.fault(.count(members.count, expected: "\(names.count) members"))
    }
    func positive(_ index: Int) throws(BinanceReadingError) -> BinanceDecimal {
      try reader.positive(members[index], names[index])
    }
    func notNegative(_ index: Int) throws(BinanceReadingError) -> BinanceDecimal {
      try reader.notNegative(members[index], names[index])
    }
    let openTime = try reader.time(members[0], names[0])
    let closeTime = try reader.time(members[6], names[6])
    try checker.check(openTime, closeTime, reader)
    let candle = BinanceCandle(
      row: Array(value.bytes), openTime: openTime, closeTime: closeTime,
      open: try positive(1), high: try positive(2), low: try positive(3),
      close: try positive(4), volume: try notNegative(5), quoteVolume: try notNegative(7),
      takerBuyBase: try notNegative(9), takerBuyQuote: try notNegative(10),
      trades: try reader.integer(members[8], names[8], 0...Int64.max))
    _ = try reader.text(members[11], names[11], most: 64)
    try candle.checkFigures(reader)
    return candle
  }
}

extension BinanceCandle {
  fileprivate func checkFigures(_ reader: BinanceAnswerReader) throws(BinanceReadingError) {
    for (price, name) in [(open, "open"), (close, "close")] {
      if high.isLess(than: price) { throw reader.fault(.breaks("is below the \(name)"), "high") }
      if price.isLess(than: low) { throw reader.fault(.breaks("is above the \(name)"), "low") }
    }
    if high.isLess(than: low) { throw reader.fault(.breaks("is below the low"), "high") }
    if volume.isLess(than: takerBuyBase) {
      throw reader.fault(.breaks("is above the volume"), "taker buy base volume")
    }
    if quoteVolume.isLess(than: takerBuyQuote) {
      throw reader.fault(.breaks("is above the quote volume"), "taker buy quote volume")
    }
  }
}

/// Checks when the rows open and close, one after the other.
private struct CandleChecker {
  private let interval: BinanceInterval
  private let zone: BinanceTimeZone
  private let irregularBefore: Int64
  private var grid: BinanceGrid?
  private var last: Int64?

  init(_ interval: BinanceInterval, _ zone: BinanceTimeZone, _ irregularBefore: Int64?) {
    self.interval = interval
    self.zone = zone
    self.irregularBefore = irregularBefore ?? Int64.min
    // From which day three days are counted is not documented: the first row tells.
    grid = interval == .threeDays ? nil : BinanceGrid(interval, zone: zone)
  }

  mutating func check(
    _ open: Int64, _ close: Int64, _ reader: BinanceAnswerReader
  ) throws(BinanceReadingError) {
    if let last, open <= last {
      throw reader.fault(.breaks("is not after the row before"), "open time")
    }
    last = open
    let mayDiffer = open < irregularBefore
    if grid == nil, BinanceGrid(.day, zone: zone).isOpening(open) {
      grid = BinanceGrid(.threeDays, zone: zone, anchor: open)
    }
    guard let grid, grid.isOpening(open) else {
      guard mayDiffer else {
        throw reader.fault(
          .breaks("is not where a candle of \(interval.rawValue) opens"), "open time")
      }
      return
    }
    guard close == grid.closeTime(of: open) || mayDiffer else {
      throw reader.fault(
        .breaks("is not a millisecond before the next candle opens"), "close time")
    }
  }
}
