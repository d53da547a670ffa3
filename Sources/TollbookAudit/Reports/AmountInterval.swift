/// How much of a unit something cost: certainly `low`, and at most `high`.
package struct AmountInterval: Hashable, Sendable {
  /// What is certain.
  package var low: Int64
  /// With everything that is in doubt, unprovable or still reserved.
  package var high: Int64

  package static let zero = AmountInterval(low: 0, high: 0)

  package init(low: Int64, high: Int64) {
    self.low = low
    self.high = high
  }

  /// An amount that is certain.
  package init(_ amount: Int64) { self.init(low: amount, high: amount) }

  package var isExact: Bool { low == high }
}
