package import TollbookEvents

/// A limit for each stretch of a clock's time, such as each minute, counted in UTC.
package struct ClockWindow: Hashable, Sendable {
  /// In milliseconds.
  package let length: Int64
  package let limit: Int64

  package init(length: Int64, limit: Int64) {
    self.length = MeterWindow.possible(length: length)
    self.limit = limit
  }

  package func window(at now: Timestamp) -> MeterWindow {
    Self.window(now.withinFourDigitYears.step(of: length), of: length)
  }

  /// The window of that number since 1970, such as `minute 2026-11-21T10:03Z`.
  static func window(_ index: Int64, of length: Int64) -> MeterWindow {
    let start = Timestamp(milliseconds: index * length)
    let (unit, count, digits) = words(of: length)
    let text = start.description.prefix(digits)
    let zone = digits > 10 ? "Z" : ""
    return MeterWindow(
      name: "\(count == 1 ? unit : "\(count) \(unit)s") \(text)\(zone)",
      ends: start.advanced(byMilliseconds: length))
  }

  /// The largest unit that the length is made of, and how much of an instant's text tells its beginning.
  private static func words(of length: Int64) -> (unit: String, count: Int64, digits: Int) {
    let units: [(length: Int64, name: String, digits: Int)] = [
      (86_400_000, "day", 10), (3_600_000, "hour", 16), (60_000, "minute", 16),
      (1_000, "second", 19),
    ]
    for unit in units where length % unit.length == 0 {
      return (unit.name, length / unit.length, unit.digits)
    }
    return ("millisecond", length, 23)
  }
}

/// A limit for the time before each instant, kept in sub-windows.
package struct RollingWindow: Hashable, Sendable {
  /// The window is made of so many, and of one more in part.
  static let parts: Int64 = 60

  /// In milliseconds.
  package let length: Int64
  package let limit: Int64

  package init(length: Int64, limit: Int64) {
    self.length = MeterWindow.possible(length: length)
    self.limit = limit
  }

  /// The length of a sub-window, rounded up: then 60 of them are no shorter than the window.
  private var part: Int64 { (length - 1) / Self.parts + 1 }

  /// The sub-window of an instant.
  func part(at now: Timestamp) -> MeterWindow {
    ClockWindow.window(now.withinFourDigitYears.step(of: part), of: part)
  }

  /// The sub-windows that reach into the window before an instant. The oldest does so in part, and counts in full.
  func parts(at now: Timestamp) -> [MeterWindow] {
    let last = now.withinFourDigitYears.step(of: part)
    return (last - Self.parts...last).map { ClockWindow.window($0, of: part) }
  }

  /// When enough of the sub-windows are over.
  ///
  /// - Parameter spent: in each of `parts(at:)`.
  func instant(ofHaving needed: Int128, spent: [Int128], at now: Timestamp) -> Timestamp? {
    let oldest = now.withinFourDigitYears.step(of: part) - Self.parts
    var left = spent.reduce(0, +)
    for (index, amount) in spent.enumerated() {
      left -= amount
      if needed <= Int128(limit) - max(0, left) {
        return Timestamp(milliseconds: (oldest + Int64(index) + Self.parts + 1) * part)
      }
    }
    return nil
  }
}

/// A limit for stretches of time of which the provider named where one ends.
package struct AnchoredWindow: Hashable, Sendable {
  /// In milliseconds.
  package let length: Int64
  package let limit: Int64
  /// An end of a window, as the provider named it.
  package let anchor: Timestamp

  package init(length: Int64, endingAt anchor: Timestamp, limit: Int64) {
    self.length = MeterWindow.possible(length: length)
    self.limit = limit
    self.anchor = anchor.withinFourDigitYears
  }

  /// Such as `until 2026-11-22T08:00:00.000Z`.
  package func window(at now: Timestamp) -> MeterWindow {
    let index = now.withinFourDigitYears.step(of: length, since: anchor.milliseconds)
    let ends = anchor.advanced(byMilliseconds: (index + 1) * length)
    return MeterWindow(name: "until \(ends)", ends: ends)
  }
}
