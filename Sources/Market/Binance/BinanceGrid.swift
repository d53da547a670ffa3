import TollbookEvents

/// Where the candles of an interval open.
///
/// All but months are of one length and are counted from an instant:
/// * up to a day from midnight, since their lengths divide a day;
/// * weeks from a Monday;
/// * three days from an instant that the documentation does not name, see ``standardAnchor``.
///
/// Months open on the first of each. With a time zone all of these are meant on its clocks: an opening is as much
/// earlier as the zone lies east of UTC (rest-api.md, klines, `timeZone`).
package struct BinanceGrid: Hashable, Sendable {
  package let interval: BinanceInterval
  package let zone: BinanceTimeZone
  /// An instant at which a candle opens on the clocks of the zone, in milliseconds.
  private let anchor: Int64

  /// The documentation does not say when candles of three days open. Of the exchange's archive of BTCUSDT it is
  /// reported that they open on 2017-08-17 and on 2026-07-01, always a multiple of three days apart: so they count
  /// from 1970-01-02. Whether those of all symbols open on the same days is not known: where an opening is known,
  /// name it.
  package static let standardAnchor: Int64 = BinanceTime.day

  /// A Monday.
  private static let monday: Int64 = 4 * BinanceTime.day

  /// - Parameter anchor: of candles of three days, when one of them opened. Not used for other intervals.
  package init(_ interval: BinanceInterval, zone: BinanceTimeZone = .utc, anchor: Int64? = nil) {
    self.interval = interval
    self.zone = zone
    switch interval {
    case .week: self.anchor = Self.monday
    case .threeDays:
      let known = anchor.flatMap { BinanceTime.range.contains($0) ? $0 : nil }
      self.anchor = known.map { $0 + zone.milliseconds } ?? Self.standardAnchor
    default: self.anchor = 0
    }
  }

  /// When the candle opened that a time lies in; nil outside of ``BinanceTime/range``.
  package func openTime(containing time: Int64) -> Int64? {
    guard BinanceTime.range.contains(time) else { return nil }
    return openTime(ofCandle: number(at: time))
  }

  /// When the candle after the one of a time opens; nil outside of ``BinanceTime/range``.
  package func next(after time: Int64) -> Int64? {
    guard BinanceTime.range.contains(time) else { return nil }
    return openTime(ofCandle: number(at: time) + 1)
  }

  /// The last millisecond of the candle that a time lies in; nil outside of ``BinanceTime/range``.
  package func closeTime(of time: Int64) -> Int64? { next(after: time).map { $0 - 1 } }

  /// Whether a candle opens at a time.
  package func isOpening(_ time: Int64) -> Bool { openTime(containing: time) == time }

  // MARK: Numbers

  /// The number of the candle that a time lies in: each is one more than the one before it, and those before 1970 are
  /// below 0.
  func number(at time: Int64) -> Int64 {
    let local = time + zone.milliseconds
    if let length = interval.length { return CandlePiece.floor(local - anchor, length) }
    let day = CalendarDay(number: CandlePiece.floor(local, BinanceTime.day)).description
    let parts = day.split(separator: "-").compactMap { Int64($0) }
    return parts.count == 3 ? (parts[0] - 1970) * 12 + parts[1] - 1 : 0
  }

  /// When the candle of a number opens, in milliseconds since 1970 UTC.
  func openTime(ofCandle number: Int64) -> Int64 {
    if let length = interval.length { return number * length + anchor - zone.milliseconds }
    let year = 1970 + CandlePiece.floor(number, 12)
    let month = number - CandlePiece.floor(number, 12) * 12 + 1
    let day = CalendarDay("\(Self.digits(year, 4))-\(Self.digits(month, 2))-01")
    return (day?.number ?? 0) * BinanceTime.day - zone.milliseconds
  }

  private static func digits(_ number: Int64, _ count: Int) -> String {
    let text = "\(max(0, number))"
    return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
  }
}
