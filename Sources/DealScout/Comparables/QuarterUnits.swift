/// An amount of money in quarters of the currency's minor unit.
///
/// The median of whole amounts is a multiple of a half, their inclusive quartiles and the median absolute deviation are
/// multiples of a quarter. So all of them are exact, and only what is shown is rounded.
package struct QuarterUnits: Hashable, Comparable, Sendable {
  package let quarters: Int64

  package init(quarters: Int64) { self.quarters = quarters }

  /// - Parameter minorUnits: at most ``Offer/mostMinorUnits`` either way; beyond that the bound is taken.
  package init(minorUnits: Int64) {
    quarters = 4 * min(max(minorUnits, -Offer.mostMinorUnits), Offer.mostMinorUnits)
  }

  /// To the nearest whole minor unit; a half goes up: 2.5 is 3, -2.5 is -2.
  package var minorUnits: Int64 {
    let shifted = quarters.addingReportingOverflow(2)
    return (shifted.overflow ? quarters : shifted.partialValue) >> 2
  }

  package static func < (left: QuarterUnits, right: QuarterUnits) -> Bool {
    left.quarters < right.quarters
  }
}

extension Int64 {
  /// The quotient to the nearest whole number, halves away from zero. For numbers far from the ends of the range.
  ///
  /// - Parameter divisor: above 0.
  func rounded(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    guard remainder.magnitude >= divisor.magnitude - remainder.magnitude else { return quotient }
    return self < 0 ? quotient - 1 : quotient + 1
  }
}
