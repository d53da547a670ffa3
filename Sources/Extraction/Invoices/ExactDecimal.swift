/// A decimal number that is exact: ``coefficient`` divided by ten to the power of ``scale``.
///
/// `1.50` and `1.5` are equal, and each is printed with the decimals that it was written with. No operation rounds but
/// ``rounded(to:)``; what does not fit is nil.
package struct ExactDecimal: Sendable {
  /// How many decimals there may be.
  package static let maximumScale = 12
  /// How many digits a text may have, before and after the point.
  package static let maximumDigits = 30

  package let coefficient: Int128
  /// How many decimals are kept, 0 to ``maximumScale``.
  package let scale: Int

  /// Nil if the scale is not one of 0 to ``maximumScale``.
  package init?(coefficient: Int128, scale: Int) {
    guard 0...Self.maximumScale ~= scale else { return nil }
    self.init(coefficient, scale)
  }

  private init(_ coefficient: Int128, _ scale: Int) {
    self.coefficient = coefficient
    self.scale = scale
  }

  package static let zero = ExactDecimal(0, 0)

  /// That many hundredths of one: 150 is `1.50`.
  package static func hundredths(_ count: Int) -> ExactDecimal { ExactDecimal(Int128(count), 2) }

  package var isPositive: Bool { coefficient > 0 }
}

// MARK: - Text

extension ExactDecimal {
  /// Why a text is no number that can be kept.
  package enum Fault: String, Error, Hashable, Sendable, CustomStringConvertible {
    case empty = "it is empty"
    case notDecimal = "it is not a number such as -119.00"
    case separator = "it has a comma, a blank or another separator; decimals follow a point"
    case exponent = "it has an exponent"
    case leadingZero = "it begins with a needless zero"
    case tooManyDigits = "it has more than 30 digits"
    case tooManyDecimals = "it has more than 12 decimals"

    package var description: String { rawValue }
  }

  /// Reads `119.00`, `-3.5`, `0.1`: perhaps a minus, digits, and perhaps a point with digits on both sides of it.
  package init(_ text: some StringProtocol) throws(Fault) {
    let bytes = Array(text.utf8)
    guard !bytes.isEmpty else { throw .empty }
    let isNegative = bytes.first == UInt8(ascii: "-")
    let isDigit = { (byte: UInt8) in UInt8(ascii: "0")...UInt8(ascii: "9") ~= byte }
    let unsigned = bytes.dropFirst(isNegative ? 1 : 0)
    let whole = unsigned.prefix(while: isDigit)
    guard let first = whole.first else { throw .notDecimal }
    var rest = unsigned.dropFirst(whole.count)
    var decimals: ArraySlice<UInt8> = []
    if rest.first == UInt8(ascii: ".") {
      decimals = rest.dropFirst().prefix(while: isDigit)
      guard !decimals.isEmpty else { throw .notDecimal }
      rest = rest.dropFirst(1 + decimals.count)
    }
    guard rest.isEmpty else { throw Self.fault(of: rest) }
    guard whole.count == 1 || first != UInt8(ascii: "0") else { throw .leadingZero }
    guard decimals.count <= Self.maximumScale else { throw .tooManyDecimals }
    guard whole.count + decimals.count <= Self.maximumDigits else { throw .tooManyDigits }
    // Thirty digits are less than 2 to the power of 100.
    let magnitude = (whole + decimals).reduce(into: Int128(0)) { value, digit in
      value = value * 10 + Int128(digit - UInt8(ascii: "0"))
    }
    self.init(isNegative ? -magnitude : magnitude, decimals.count)
  }

  /// What is wrong with a number after which this stands.
  private static func fault(of rest: ArraySlice<UInt8>) -> Fault {
    // No character has more than four bytes.
    guard let next = String(decoding: rest.prefix(4), as: UTF8.self).unicodeScalars.first else {
      return .notDecimal
    }
    if next == "e" || next == "E" { return .exponent }
    return next.properties.isWhitespace || ",'’_".unicodeScalars.contains(next)
      ? .separator : .notDecimal
  }
}

extension ExactDecimal: CustomStringConvertible {
  /// Decimal text with as many decimals as the scale says: `-3.50`.
  package var description: String {
    var digits = String(coefficient.magnitude)
    if digits.utf8.count <= scale {
      digits = String(repeating: "0", count: scale + 1 - digits.utf8.count) + digits
    }
    let sign = coefficient < 0 ? "-" : ""
    guard scale > 0 else { return sign + digits }
    return "\(sign)\(digits.dropLast(scale)).\(digits.suffix(scale))"
  }
}

// MARK: - Arithmetic

extension ExactDecimal {
  /// The sum, with the decimals of whoever has more; nil if it does not fit.
  package func adding(_ other: ExactDecimal) -> ExactDecimal? {
    combined(with: other) { $0.addingReportingOverflow($1) }
  }

  /// The difference, with the decimals of whoever has more; nil if it does not fit.
  package func subtracting(_ other: ExactDecimal) -> ExactDecimal? {
    combined(with: other) { $0.subtractingReportingOverflow($1) }
  }

  /// The sum of all; zero if there are none, nil if it does not fit.
  package static func sum(_ values: some Sequence<ExactDecimal>) -> ExactDecimal? {
    var sum = zero
    for value in values {
      guard let next = sum.adding(value) else { return nil }
      sum = next
    }
    return sum
  }

  /// The product, exactly. Has the decimals of both together; where these are too many, zeros at the end are left out.
  /// Nil if it does not fit.
  package func multiplied(by other: ExactDecimal) -> ExactDecimal? {
    var (product, overflow) = coefficient.multipliedReportingOverflow(by: other.coefficient)
    if overflow { return nil }
    var decimals = scale + other.scale
    while decimals > Self.maximumScale {
      let (quotient, rest) = product.quotientAndRemainder(dividingBy: 10)
      guard rest == 0 else { return nil }
      product = quotient
      decimals -= 1
    }
    return ExactDecimal(product, decimals)
  }

  /// The nearest number with that many decimals; a half goes away from zero, as invoices round. A number that has no
  /// more decimals stays as it is.
  package func rounded(to decimals: Int) -> ExactDecimal {
    let decimals = max(decimals, 0)
    guard decimals < scale else { return self }
    let unit = Self.powerOfTen(scale - decimals)
    let (quotient, rest) = coefficient.quotientAndRemainder(dividingBy: unit)
    let step: Int128 = rest.magnitude * 2 < unit.magnitude ? 0 : coefficient < 0 ? -1 : 1
    return ExactDecimal(quotient + step, decimals)
  }

  private func combined(
    with other: ExactDecimal, _ operation: (Int128, Int128) -> (Int128, Bool)
  ) -> ExactDecimal? {
    let decimals = max(scale, other.scale)
    guard let left = coefficient(at: decimals), let right = other.coefficient(at: decimals) else {
      return nil
    }
    let (result, overflow) = operation(left, right)
    return overflow ? nil : ExactDecimal(result, decimals)
  }

  /// The coefficient of the same number with more decimals; nil if it does not fit.
  private func coefficient(at decimals: Int) -> Int128? {
    let unit = Self.powerOfTen(decimals - scale)
    let (product, overflow) = coefficient.multipliedReportingOverflow(by: unit)
    return overflow ? nil : product
  }

  /// For exponents of 0 to ``maximumScale``.
  fileprivate static func powerOfTen(_ exponent: Int) -> Int128 {
    (0..<max(exponent, 0)).reduce(1) { power, _ in power * 10 }
  }
}

// MARK: - Order

extension ExactDecimal: Hashable, Comparable {
  package static func == (left: ExactDecimal, right: ExactDecimal) -> Bool {
    left.parts == right.parts
  }

  package static func < (left: ExactDecimal, right: ExactDecimal) -> Bool {
    left.parts < right.parts
  }

  package func hash(into hasher: inout Hasher) {
    let (whole, rest) = parts
    hasher.combine(whole)
    hasher.combine(rest)
  }

  /// What stands before the point, and what stands after it in units of the last decimal that any number can have. Both
  /// have the sign of the number, so they order numbers of every scale.
  private var parts: (Int128, Int128) {
    let (whole, rest) = coefficient.quotientAndRemainder(dividingBy: Self.powerOfTen(scale))
    return (whole, rest * Self.powerOfTen(Self.maximumScale - scale))
  }
}
