/// An offset from UTC as the parameter `timeZone` writes it: `8`, `-1:00`, `05:45`; from -12:00 to +14:00.
package struct BinanceTimeZone: Hashable, Sendable {
  /// East of UTC.
  package let minutes: Int

  package static let utc = BinanceTimeZone(minutes: 0)

  private init(minutes: Int) { self.minutes = minutes }

  /// Nil if it is none, or outside of the range.
  package init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard 1...6 ~= bytes.count else { return nil }
    let isNegative = bytes[0] == UInt8(ascii: "-")
    let hasSign = isNegative || bytes[0] == UInt8(ascii: "+")
    let parts = bytes.dropFirst(hasSign ? 1 : 0)
      .split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard 1...2 ~= parts.count, 1...2 ~= parts[0].count, let hours = Self.number(parts[0]) else {
      return nil
    }
    var rest = 0
    if parts.count == 2 {
      guard parts[1].count == 2, let number = Self.number(parts[1]), number < 60 else {
        return nil
      }
      rest = number
    }
    let minutes = (hours * 60 + rest) * (isNegative ? -1 : 1)
    guard -720...840 ~= minutes else { return nil }
    self.minutes = minutes
  }

  private static func number(_ digits: ArraySlice<UInt8>) -> Int? {
    var value = 0
    for digit in digits {
      guard 0x30...0x39 ~= digit else { return nil }
      value = value * 10 + Int(digit - 0x30)
    }
    return value
  }

  /// In one form: `8`, `-1`, `5:45`.
  package var text: String {
    let (hours, rest) = abs(minutes).quotientAndRemainder(dividingBy: 60)
    let sign = minutes < 0 ? "-" : ""
    guard rest != 0 else { return "\(sign)\(hours)" }
    return "\(sign)\(hours):\(rest < 10 ? "0" : "")\(rest)"
  }

  /// East of UTC.
  var milliseconds: Int64 { Int64(minutes) * BinanceTime.minute }
}
