import TollbookEvents

/// The candles of one symbol and interval.
struct CandleSeries: Hashable, Sendable {
  /// As the exchange writes it, such as `BTCUSDT`.
  var symbol: String
  var interval: BinanceInterval

  /// The kind of its resources.
  static let kind = "binance.klines"
}

/// What is kept of a series: closed candles in aligned blocks, which never change once they are full, and those that are
/// not closed yet.
///
/// A candle's number is how many of its interval came before it, counted from a fixed one.
enum CandlePiece: Hashable, Sendable {
  /// The candles of so many numbers, from the block's number times ``size``.
  case block(CandleSeries, number: Int64)
  /// All candles that are not closed.
  case open(CandleSeries)

  /// Candles of a block. A window of 500 lies in six of them, and what is bought anew when a candle has closed is one.
  static let size: Int64 = 100

  var series: CandleSeries {
    switch self {
    case .block(let series, _), .open(let series): series
    }
  }

  /// Its name in the cache, such as `BTCUSDT/1h/4869` and `BTCUSDT/1h/open`.
  var resource: ResourceKey {
    let path = "\(series.symbol)/\(series.interval.rawValue)"
    return switch self {
    case .block(_, let number): ResourceKey(shared: CandleSeries.kind, path: "\(path)/\(number)")
    case .open: ResourceKey(shared: CandleSeries.kind, path: "\(path)/open")
    }
  }

  /// Nil: the name is of nothing that is kept of candles.
  init?(_ resource: ResourceKey) {
    guard resource.kind == CandleSeries.kind else { return nil }
    let steps = resource.path.split(separator: "/", omittingEmptySubsequences: false)
    guard steps.count == 3, let interval = BinanceInterval(rawValue: String(steps[1])) else {
      return nil
    }
    let series = CandleSeries(symbol: String(steps[0]), interval: interval)
    if steps[2] == "open" {
      self = .open(series)
    } else if let number = Int64(steps[2]), String(number) == steps[2],
      (-10_000_000_000...10_000_000_000).contains(number)
    {
      self = .block(series, number: number)
    } else {
      return nil
    }
  }

  /// The block of a candle's number.
  static func block(_ series: CandleSeries, ofCandle number: Int64) -> CandlePiece {
    .block(series, number: floor(number, size))
  }

  static func floor(_ number: Int64, _ size: Int64) -> Int64 {
    let (quotient, rest) = number.quotientAndRemainder(dividingBy: size)
    return rest < 0 ? quotient - 1 : quotient
  }
}

extension CandlePiece {
  /// The numbers of a block's candles.
  static func candles(ofBlock number: Int64) -> Range<Int64> {
    number * size..<(number + 1) * size
  }
}
