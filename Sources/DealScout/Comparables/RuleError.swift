/// A threshold that is out of its range.
package struct RuleError: Error, Hashable, Sendable, CustomStringConvertible {
  /// As `full_discount`.
  package let field: String
  package let value: Int64
  package let range: ClosedRange<Int64>

  package init(field: String, value: Int64, range: ClosedRange<Int64>) {
    self.field = field
    self.value = value
    self.range = range
  }

  package var description: String {
    "\(field): \(value) is not from \(range.lowerBound) to \(range.upperBound)"
  }
}
