package import JSONText
import TollbookEvents

/// Why eBay is not asked, and which field is wrong. eBay would refuse it, or drop it and answer without it.
package struct EbayRequestFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with the field.
  package enum Problem: Hashable, Sendable {
    case notJSON(JSONError)
    case isNot(String, found: JSONKind)
    case missing
    /// None of several is there, of which one must be.
    case needsOne(of: String)
    case empty
    case twice
    case unknown(allowed: String)
    case tooLong(Int, most: Int, of: String)
    case tooMany(Int, most: Int)
    case repeated(String)
    /// A character that eBay does not take, or that nobody sees.
    case character(String)
    case unknownWord(String, allowed: String)
    /// Not of the form that it must have.
    case form(String, expected: String)
    /// The same of what must not be shown.
    case secretForm(expected: String)
    case outside(ClosedRange<Int64>, String)
    case notMultiple(of: Int)
    case belowMinimum
    case beforeStart
    /// An amount of another currency than the rest of the search.
    case currency(String, expected: String)
    case needs(String)
  }

  /// Such as `filters.min_price`, on one line; empty where the whole is meant.
  package let field: String
  package let problem: Problem

  package init(_ problem: Problem, of field: String) {
    self.problem = problem
    self.field = field.inOneLine(atMost: 100)
  }

  package var description: String { "\(field.isEmpty ? "the search" : field) \(problem)" }
}

extension EbayRequestFault.Problem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notJSON(let error): "is \(error)"
    case .isNot(let expected, let found): "must be \(expected), not \(found)"
    case .missing: "is missing"
    case .needsOne(let names): "must have one of \(names)"
    case .empty: "is empty"
    case .twice: "stands twice"
    case .unknown(let allowed): "is not known here; there can be \(allowed)"
    case .tooLong(let count, let most, let unit): "has \(count) \(unit); \(most) are allowed"
    case .tooMany(let count, let most): "has \(count) elements; \(most) are allowed"
    case .repeated(let text): "names \(Self.quoted(text)) twice"
    case .character(let what): "has \(what), which cannot be searched for"
    case .unknownWord(let text, let allowed):
      "is \(Self.quoted(text)); it must be one of \(allowed)"
    case .form(let text, let expected): "is \(Self.quoted(text)); it must be \(expected)"
    case .secretForm(let expected): "must be \(expected); what came is not shown"
    case .outside(let range, let text):
      "is \(Self.quoted(text)); it must be from \(range.lowerBound) to \(range.upperBound)"
    case .notMultiple(let limit): "is no multiple of the limit of \(limit)"
    case .belowMinimum: "is below the minimum, so that nothing can lie between"
    case .beforeStart: "is before the start, so that nothing can lie between"
    case .currency(let code, let expected): "is in \(Self.quoted(code)) and not in \(expected)"
    case .needs(let other): "cannot be given without \(other)"
    }
  }

  private static func quoted(_ text: String) -> String { "“\(text.inOneLine(atMost: 40))”" }
}
