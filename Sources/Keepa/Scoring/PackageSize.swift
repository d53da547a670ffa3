/// A parcel as Keepa tells it.
package struct PackageSize: Hashable, Sendable {
  /// Sides in millimetres.
  package let longest: Int64
  package let median: Int64
  package let shortest: Int64
  package let grams: Int64

  /// Bounds of what is believed, 100 m and 100 t; our own choice, so that nothing overflows.
  private static let sides: ClosedRange<Int64> = 1...100_000
  private static let weights: ClosedRange<Int64> = 1...100_000_000

  /// Sides in any order, in millimetres. Nil if one of them or the weight is unknown (0 or below) or beyond belief.
  package init?(_ first: Int64, _ second: Int64, _ third: Int64, grams: Int64) {
    let sorted = [first, second, third].sorted()
    guard Self.sides ~= sorted[0], Self.sides ~= sorted[2], Self.weights ~= grams else {
      return nil
    }
    (shortest, median, longest) = (sorted[0], sorted[1], sorted[2])
    self.grams = grams
  }

  /// What the scale says.
  package var unitWeight: Ounces {
    // An ounce is 28.349523125 g (fee fact sheet, section 3).
    Ounces(numerator: Int128(grams) * 1_000_000_000, denominator: 28_349_523_125)
  }

  /// The weight that stands for the volume: cubic inches divided by `divisor` are pounds.
  ///
  /// - Parameter minimumSide: what the two shorter sides count at least, in hundredths of an inch.
  package func dimensionalWeight(divisor: Int64, minimumSide: Int64) -> Ounces {
    // In micrometres a hundredth of an inch is 254 and a millimetre is 1000: all exact.
    let least = Int128(minimumSide) * 254
    let volume =
      Int128(longest) * 1_000 * max(Int128(median) * 1_000, least)
      * max(Int128(shortest) * 1_000, least)
    let cubicInch: Int128 = 25_400 * 25_400 * 25_400
    return Ounces(numerator: volume * 16, denominator: cubicInch * Int128(divisor))
  }
}

/// A weight in ounces, as an exact fraction.
package struct Ounces: Comparable, Sendable {
  let numerator: Int128
  /// Above 0.
  let denominator: Int128

  package func isAtMost(_ ounces: Int64) -> Bool { numerator <= Int128(ounces) * denominator }

  /// How many steps of `every` ounces are begun above `over` ounces.
  package func stepsBegun(over: Int64, every: Int64) -> Int64 {
    let rest = numerator - Int128(over) * denominator
    guard rest > 0 else { return 0 }
    let step = Int128(every) * denominator
    return Int64(clamping: (rest + step - 1) / step)
  }

  package static func < (left: Ounces, right: Ounces) -> Bool {
    left.numerator * right.denominator < right.numerator * left.denominator
  }

  package static func == (left: Ounces, right: Ounces) -> Bool {
    left.numerator * right.denominator == right.numerator * left.denominator
  }
}
