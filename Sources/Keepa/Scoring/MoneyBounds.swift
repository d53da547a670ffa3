/// Which amounts of money are believed. All are in the currency's minor unit.
package enum MoneyBounds {
  /// The highest price: Keepa's own Java client keeps prices in 32 bits.
  package static let maximumPrice = Int64(Int32.max)

  /// The highest cost or fee; our own choice, so that no sum of a few overflows.
  package static let maximum: Int64 = 1_000_000_000_000
}

extension Int128 {
  /// The quotient to the nearest whole number, halves away from zero: -2.5 is -3.
  ///
  /// - Parameter divisor: above 0.
  func rounded(dividingBy divisor: Int128) -> Int128 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    guard remainder.magnitude * 2 >= divisor.magnitude else { return quotient }
    return self < 0 ? quotient - 1 : quotient + 1
  }
}
