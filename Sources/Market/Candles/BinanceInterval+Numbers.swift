import TollbookEvents

// Candles by their numbers: each is one more than the one before it.

extension BinanceInterval {
  /// The number of the candle that a time lies in, in UTC. Times before 1970 have numbers below 0.
  func number(at time: Int64) -> Int64 {
    if let length { return CandlePiece.floor(time - origin, length) }
    let day = CalendarDay(number: CandlePiece.floor(time, BinanceTime.day)).description
    let parts = day.split(separator: "-").compactMap { Int64($0) }
    return parts.count == 3 ? (parts[0] - 1970) * 12 + parts[1] - 1 : 0
  }

  /// When the candle of a number opens, in milliseconds since 1970 UTC.
  func openTime(ofCandle number: Int64) -> Int64 {
    if let length { return number * length + origin }
    let year = 1970 + CandlePiece.floor(number, 12)
    let month = number - CandlePiece.floor(number, 12) * 12 + 1
    let day = CalendarDay("\(Self.digits(year, 4))-\(Self.digits(month, 2))-01")
    return (day?.number ?? 0) * BinanceTime.day
  }

  /// The last millisecond of the candle of a number.
  func closeTime(ofCandle number: Int64) -> Int64 { openTime(ofCandle: number + 1) - 1 }

  /// When the candle of number 0 opens.
  private var origin: Int64 {
    switch self {
    case .week: 4 * BinanceTime.day
    case .threeDays: BinanceGrid.standardAnchor
    default: 0
    }
  }

  private static func digits(_ number: Int64, _ count: Int) -> String {
    let text = "\(max(0, number))"
    return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
  }
}
