/// The lengths of candles. Their names tell capital letters from small ones: `1m` is a minute, `1M` a month.
enum BinanceInterval: String, Sendable, CaseIterable {
  case second = "1s"
  case minute = "1m"
  case threeMinutes = "3m"
  case fiveMinutes = "5m"
  case quarter = "15m"
  case halfHour = "30m"
  case hour = "1h"
  case twoHours = "2h"
  case fourHours = "4h"
  case sixHours = "6h"
  case eightHours = "8h"
  case twelveHours = "12h"
  case day = "1d"
  case threeDays = "3d"
  case week = "1w"
  case month = "1M"

  private static let minuteLength: Int64 = 60_000
  private static let dayLength: Int64 = 86_400_000
  /// 1970-01-05, the first Monday.
  private static let firstMonday = 4 * dayLength

  /// Milliseconds; nil for a month.
  private var length: Int64? {
    switch self {
    case .second: 1_000
    case .minute: Self.minuteLength
    case .threeMinutes: 3 * Self.minuteLength
    case .fiveMinutes: 5 * Self.minuteLength
    case .quarter: 15 * Self.minuteLength
    case .halfHour: 30 * Self.minuteLength
    case .hour: 60 * Self.minuteLength
    case .twoHours: 120 * Self.minuteLength
    case .fourHours: 240 * Self.minuteLength
    case .sixHours: 360 * Self.minuteLength
    case .eightHours: 480 * Self.minuteLength
    case .twelveHours: 720 * Self.minuteLength
    case .day: Self.dayLength
    case .threeDays: 3 * Self.dayLength
    case .week: 7 * Self.dayLength
    case .month: nil
    }
  }

  /// When the candle opens that a moment lies in.
  ///
  /// Candles of three days count from 1970-01-01, those of a week from Mondays, months from the first of the month.
  ///
  /// - Parameter zone: milliseconds that local time is ahead of UTC; candles begin by local time
  func open(containing time: Int64, zone: Int64) -> Int64 {
    let local = time + zone
    guard let length else {
      let month = CalendarMonth(containing: local.floorDivided(by: Self.dayLength))
      return month.firstDay * Self.dayLength - zone
    }
    let anchor = self == .week ? Self.firstMonday : 0
    return (local - anchor).floorDivided(by: length) * length + anchor - zone
  }

  /// When the candle after the one that opens at a moment opens.
  func end(opening open: Int64, zone: Int64) -> Int64 {
    guard let length else {
      let month = CalendarMonth(containing: (open + zone).floorDivided(by: Self.dayLength))
      return month.next.firstDay * Self.dayLength - zone
    }
    return open + length
  }
}

/// A month of the Gregorian calendar.
struct CalendarMonth: Sendable, Hashable {
  let year: Int64
  /// From 1 to 12.
  let month: Int64

  init(year: Int64, month: Int64) {
    self.year = year
    self.month = month
  }

  /// The month of a day that is counted from 1970-01-01.
  init(containing day: Int64) {
    // 400 years have 146 097 days; the years are counted from March, so that the leap day is the last one.
    let shifted = day + 719_468
    let era = shifted.floorDivided(by: 146_097)
    let ofEra = shifted - era * 146_097
    let yearOfEra = (ofEra - ofEra / 1_460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let fromMarch = (5 * ofYear + 2) / 153
    month = fromMarch < 10 ? fromMarch + 3 : fromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  var next: CalendarMonth {
    month == 12
      ? CalendarMonth(year: year + 1, month: 1) : CalendarMonth(year: year, month: month + 1)
  }

  /// Its first day, counted from 1970-01-01.
  var firstDay: Int64 {
    let year = month <= 2 ? self.year - 1 : self.year
    let era = year.floorDivided(by: 400)
    let yearOfEra = year - era * 400
    let ofYear = (153 * ((month + 9) % 12) + 2) / 5
    return era * 146_097 + 365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100 + ofYear - 719_468
  }
}
