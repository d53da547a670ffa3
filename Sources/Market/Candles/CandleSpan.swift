import TollbookEvents

/// One call for candles, and the pieces that it brings.
struct CandleSpan: Hashable, Sendable {
  /// The most candles of one call.
  static let most: Int64 = 1_000

  var series: CandleSeries
  /// The number of the first candle.
  var first: Int64
  /// The number behind the last candle; nil: up to the newest.
  var end: Int64?
  /// The places of what it brings, among the pieces that were asked for.
  var places: [Int]

  /// What the call asks.
  var query: [(name: String, value: String)] {
    let interval = series.interval
    let last = end.map { interval.openTime(ofCandle: $0) - 1 }
    return [
      ("interval", interval.rawValue),
      ("limit", "\(end.map { $0 - first } ?? Self.most)"),
      ("startTime", "\(interval.openTime(ofCandle: first))"), ("symbol", series.symbol),
    ] + (last.map { [("endTime", "\($0)")] } ?? [])
  }

  /// Whether an answer may hold a candle of this number.
  func covers(_ number: Int64) -> Bool { number >= first && end.map { number < $0 } ?? true }

  /// The fewest calls that bring some pieces. A call costs the same for one candle and for a thousand; so each begins with
  /// the oldest candle that is missing and goes as far as it may.
  ///
  /// - Parameters:
  ///   - pieces: of one series or of several.
  ///   - open: the number of the first candle of a series that is not closed.
  static func spans(
    of pieces: [CandlePiece], open: (CandleSeries) -> Int64
  ) -> [CandleSpan] {
    var order: [CandleSeries] = []
    var bySeries: [CandleSeries: [(first: Int64, end: Int64?, place: Int)]] = [:]
    for (place, piece) in pieces.enumerated() {
      let series = piece.series
      if bySeries[series] == nil { order.append(series) }
      switch piece {
      case .block(_, let number):
        let candles = CandlePiece.candles(ofBlock: number)
        bySeries[series, default: []].append((candles.lowerBound, candles.upperBound, place))
      case .open: bySeries[series, default: []].append((open(series), nil, place))
      }
    }
    return order.flatMap { series in
      merged(series, (bySeries[series] ?? []).sorted { $0.first < $1.first })
    }
  }

  private static func merged(
    _ series: CandleSeries, _ parts: [(first: Int64, end: Int64?, place: Int)]
  ) -> [CandleSpan] {
    var spans: [CandleSpan] = []
    for part in parts {
      // Behind the first open candle there may be one more until the answer comes.
      let end = part.end ?? part.first + 2
      if let last = spans.indices.last, end - spans[last].first <= most {
        spans[last].places.append(part.place)
        spans[last].end = part.end.flatMap { end in spans[last].end.map { max(end, $0) } }
      } else {
        spans.append(
          CandleSpan(series: series, first: part.first, end: part.end, places: [part.place]))
      }
    }
    return spans
  }
}
