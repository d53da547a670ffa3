import JSONText

/// A number as the exchange writes it in a string, kept byte for byte: `61199.90`. Decimal digits with at most one
/// point and perhaps a minus; no exponent, no blank, no more than 40 bytes.
package struct BinanceDecimal: Hashable, Sendable, CustomStringConvertible {
  package static let mostBytes = 40

  package let text: String
  /// To the nearest double; finite.
  package let value: Double

  package var description: String { text }

  /// Nil if the text is no such number.
  package init?(_ text: String) {
    guard Self.isWritten(text.utf8), let value = Double(text), value.isFinite else { return nil }
    self.text = text
    self.value = value
  }

  private static func isWritten(_ bytes: String.UTF8View) -> Bool {
    guard bytes.count <= mostBytes else { return false }
    var digits = 0
    var hasPoint = false
    for (index, byte) in bytes.enumerated() {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digits += 1
      case UInt8(ascii: "-") where index == 0: continue
      case UInt8(ascii: ".") where digits > 0 && !hasPoint:
        hasPoint = true
        digits = 0
      default: return false
      }
    }
    return digits > 0
  }

  package var isNegative: Bool {
    text.utf8.first == UInt8(ascii: "-") && text.utf8.contains { 0x31...0x39 ~= $0 }
  }

  package var isPositive: Bool {
    text.utf8.first != UInt8(ascii: "-") && text.utf8.contains { 0x31...0x39 ~= $0 }
  }
}

// MARK: - Comparing

extension BinanceDecimal {
  /// Whether the number is less, by all of its digits; not by how it is written: `1.0` is not less than `1`.
  package func isLess(than other: BinanceDecimal) -> Bool {
    // Rounding to doubles never turns the order of two numbers: only where they round to the same one, digits decide.
    guard value == other.value else { return value < other.value }
    guard isNegative == other.isNegative else { return isNegative }
    return isNegative ? Self.isShorter(other, self) : Self.isShorter(self, other)
  }

  /// Whether the magnitude of one number is less than the other's.
  private static func isShorter(_ left: BinanceDecimal, _ right: BinanceDecimal) -> Bool {
    let (one, two) = (left.digits, right.digits)
    if one.whole.count != two.whole.count { return one.whole.count < two.whole.count }
    if !one.whole.elementsEqual(two.whole) {
      return one.whole.lexicographicallyPrecedes(two.whole)
    }
    // Without zeros at the end, a fraction that the other begins with is the lesser one.
    return one.fraction.lexicographicallyPrecedes(two.fraction)
  }

  /// The digits before and behind the point, without zeros at the ends.
  private var digits: (whole: ArraySlice<UInt8>, fraction: ArraySlice<UInt8>) {
    let bytes = Array(text.utf8)
    let start = bytes.first == UInt8(ascii: "-") ? 1 : 0
    let point = bytes.firstIndex(of: UInt8(ascii: ".")) ?? bytes.endIndex
    let zero = UInt8(ascii: "0")
    let whole = bytes[start..<point].drop { $0 == zero }
    var fraction = bytes[point...].dropFirst()
    while fraction.last == zero { fraction.removeLast() }
    return (whole, fraction)
  }
}
