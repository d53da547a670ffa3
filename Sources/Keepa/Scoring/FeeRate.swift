/// A share of an amount, in hundredths of a percent from 0 to 100 %: 1500 is 15 %.
package struct FeeRate: Hashable, Comparable, Sendable {
  /// The whole: 100 %.
  package static let whole: Int64 = 10_000

  package static let zero = FeeRate(checked: 0)

  package let hundredths: Int64

  /// Nil outside of 0 to 100 %.
  package init?(hundredths: Int64) {
    guard 0...Self.whole ~= hundredths else { return nil }
    self.hundredths = hundredths
  }

  private init(checked hundredths: Int64) { self.hundredths = hundredths }

  /// The share of an amount, rounded half up to whole minor units; never more than the amount. The fee fact sheet calls
  /// Amazon's own rounding unsure.
  package func share(of amount: Int64) -> Int64 {
    let share = (Int128(amount) * Int128(hundredths)).rounded(dividingBy: Int128(Self.whole))
    return Int64(clamping: share)
  }

  package static func < (left: FeeRate, right: FeeRate) -> Bool {
    left.hundredths < right.hundredths
  }
}
