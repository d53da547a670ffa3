import JSONText

/// Decimal numbers as the exchange writes them: exact, in quotes, always with eight places.
enum BinanceDecimal {
  /// How many places are written.
  static let places = 8

  /// Powers of ten from 10⁰ to 10⁸.
  static let powers: [Int64] = [
    1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000,
  ]

  /// Ten to a power from 0 to 8; other powers are taken for the nearest of these.
  static func power(_ exponent: Int) -> Int64 { powers[min(places, max(0, exponent))] }

  /// Appends a number in quotes.
  ///
  /// - Parameters:
  ///   - value: how many units of 10^−`decimals`
  ///   - decimals: from 0 to 8
  static func append(_ value: Int128, _ decimals: Int, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    let magnitude = value.magnitude
    let unit = UInt64(power(decimals))
    let scale = UInt64(power(places - decimals))
    if let small = UInt64(exactly: magnitude) {
      let (whole, rest) = small.quotientAndRemainder(dividingBy: unit)
      append(digits: whole, to: &bytes)
      append(fraction: rest * scale, to: &bytes)
    } else {
      let (whole, rest) = magnitude.quotientAndRemainder(dividingBy: UInt128(unit))
      bytes.append(contentsOf: String(whole).utf8)
      append(fraction: UInt64(truncatingIfNeeded: rest) * scale, to: &bytes)
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// A number in quotes.
  static func quoted(_ value: Int128, _ decimals: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(32)
    append(value, decimals, to: &bytes)
    return bytes
  }

  /// A ratio as units of 10^−8, rounded half away from zero; 0 if the divisor is 0.
  static func ratio(_ dividend: Int128, _ divisor: Int128) -> Int128 {
    guard divisor != 0 else { return 0 }
    let (quotient, rest) = dividend.quotientAndRemainder(dividingBy: divisor)
    guard rest.magnitude >= divisor.magnitude - rest.magnitude else { return quotient }
    return (dividend < 0) == (divisor < 0) ? quotient + 1 : quotient - 1
  }

  private static func append(digits value: UInt64, to bytes: inout [UInt8]) {
    let start = bytes.count
    var rest = value
    repeat {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10))
      rest /= 10
    } while rest > 0
    bytes[start...].reverse()
  }

  private static func append(fraction: UInt64, to bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "."))
    var divisor: UInt64 = 10_000_000
    while divisor > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: fraction / divisor % 10))
      divisor /= 10
    }
  }
}

extension JSONWriter {
  /// Writes a member that is a decimal number in quotes.
  mutating func decimal(_ name: String, _ value: Int128, _ decimals: Int) {
    rawField(name, BinanceDecimal.quoted(value, decimals))
  }

  /// Writes a member that is a decimal number in quotes.
  mutating func decimal(_ name: String, _ value: Int64, _ decimals: Int) {
    rawField(name, BinanceDecimal.quoted(Int128(value), decimals))
  }
}
