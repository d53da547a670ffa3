package import JSONText
import TollbookEvents

/// Why an answer of the exchange is not what it should be, and where.
package struct BinanceReadingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  package enum Problem: Hashable, Sendable {
    case notJSON(JSONError)
    case isNot(String, found: JSONKind)
    case missing
    case twice
    case count(Int, expected: String)
    /// No number as ``BinanceDecimal`` reads them.
    case badNumber(String)
    case negative(String)
    case notPositive(String)
    case outside(ClosedRange<Int64>, Int64)
    /// A relation to another member or row that does not hold, in words: "is below the low".
    case breaks(String)
    case unknownWord(String)
    case unasked(String)
    case absent(String)
    case repeated(String)
  }

  /// What was read, such as `klines`.
  package let what: String
  /// The row of an array, counted from 0.
  package let row: Int?
  /// The member, by the exchange's name or by its meaning in a row without names; empty: the row or the whole.
  package let member: String
  package let problem: Problem

  package init(
    _ problem: Problem, in what: String, row: Int? = nil, member: String = ""
  ) {
    self.problem = problem
    self.what = what
    self.row = row
    self.member = member
  }

  package var description: String {
    let place = [row.map { "row \($0)" }, member.isEmpty ? nil : member].compactMap(\.self)
    return (["the answer of \(what)"] + place).joined(separator: ", ") + ": \(problem)"
  }
}

extension BinanceReadingError.Problem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notJSON(let error): "\(error)"
    case .isNot(let expected, let found): "this must be \(expected), not \(found)"
    case .missing: "this is missing"
    case .twice: "this stands twice"
    case .count(let count, let expected): "there are \(count), and \(expected) are expected"
    case .badNumber(let text): "“\(Self.short(text))” is no decimal number"
    case .negative(let text): "\(Self.short(text)) is negative"
    case .notPositive(let text): "\(Self.short(text)) is not above 0"
    case .outside(let range, let value):
      "\(value) is not from \(range.lowerBound) to \(range.upperBound)"
    case .breaks(let sentence): "it \(sentence)"
    case .unknownWord(let text): "“\(Self.short(text))” is not known"
    case .unasked(let symbol): "\(Self.short(symbol)) was not asked for"
    case .absent(let symbol): "\(Self.short(symbol)) was asked for and is not there"
    case .repeated(let symbol): "\(Self.short(symbol)) stands there twice"
    }
  }

  private static func short(_ text: String) -> String { text.inOneLine(atMost: 40) }
}
