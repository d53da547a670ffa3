import TollbookTestSupport

extension SeededGenerator {
  /// A number of the range.
  mutating func int(_ range: Range<Int>) -> Int { Int.random(in: range, using: &self) }

  /// A number of the range.
  mutating func int64(_ range: Range<Int64>) -> Int64 { Int64.random(in: range, using: &self) }

  /// A number of the range.
  mutating func double(_ range: ClosedRange<Double>) -> Double {
    Double.random(in: range, using: &self)
  }
}
