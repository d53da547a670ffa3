/// A count that is known to lie between two numbers, both included.
package struct Bounds: Hashable, Sendable {
  package var low: Int64
  package var high: Int64

  package static let zero = Bounds(0)

  package init(low: Int64, high: Int64) {
    self.low = low
    self.high = high
  }

  /// A number that is known.
  package init(_ value: Int64) { self.init(low: value, high: value) }

  package var isExact: Bool { low == high }
  package var width: Int64 { high - low }

  package func contains(_ value: Int64) -> Bool { low <= value && value <= high }

  /// The smallest bounds that hold both.
  func joined(_ other: Bounds) -> Bounds {
    Bounds(low: min(low, other.low), high: max(high, other.high))
  }

  package static func + (left: Bounds, right: Bounds) -> Bounds {
    Bounds(low: left.low + right.low, high: left.high + right.high)
  }

  /// All that a difference can be.
  package static func - (left: Bounds, right: Bounds) -> Bounds {
    Bounds(low: left.low - right.high, high: left.high - right.low)
  }

  package static func += (left: inout Bounds, right: Bounds) { left = left + right }
}
