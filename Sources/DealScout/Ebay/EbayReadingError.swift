package import JSONText
import TollbookEvents

/// Why an answer of eBay's is not what it should be, and where.
package struct EbayReadingError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  package enum Problem: Hashable, Sendable {
    case notJSON(JSONError)
    case tooLarge(bytes: Int, most: Int)
    case isNot(String, found: JSONKind)
    case missing
    case twice
    case count(Int, most: Int)
    case length(bytes: Int, most: Int)
    case badMoney(String)
    case badCurrency(String)
    case badNumber(String)
    case badInstant(String)
    case badItemId(String)
    /// A token with characters that no header takes. It is not shown.
    case badToken
    case outside(ClosedRange<Int64>, Int64)
    /// Neither a price nor a bid.
    case priceless
    /// An answer with errors instead of what was asked for.
    case refused(String)
  }

  /// Where it stands in the answer, such as `itemSummaries[3].price.value`; empty: the whole.
  package let place: String
  package let problem: Problem

  package init(_ problem: Problem, at place: String) {
    self.problem = problem
    self.place = place
  }

  package var description: String {
    "\(place.isEmpty ? "the answer of eBay" : place): \(problem)"
  }
}

extension EbayReadingError.Problem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notJSON(let error): "\(error)"
    case .tooLarge(let bytes, let most): "there are \(bytes) bytes; \(most) are read"
    case .isNot(let expected, let found): "this must be \(expected), not \(found)"
    case .missing: "this is missing"
    case .twice: "this stands twice"
    case .count(let count, let most): "there are \(count) or more; \(most) are read"
    case .length(let bytes, let most): "this has \(bytes) bytes and must have 1 to \(most)"
    case .badMoney(let text): "“\(Self.short(text))” is no amount of money"
    case .badCurrency(let text): "“\(Self.short(text))” is no currency"
    case .badNumber(let text): "“\(Self.short(text))” is no decimal number"
    case .badInstant(let text): "“\(Self.short(text))” is no instant"
    case .badItemId(let text): "“\(Self.short(text))” is no item id such as v1|110000000001|0"
    case .badToken: "this has characters that no token has"
    case .outside(let range, let value):
      "\(value) is not from \(range.lowerBound) to \(range.upperBound)"
    case .priceless: "there is neither a price nor a bid"
    case .refused(let message): "eBay refused: \(Self.short(message))"
    }
  }

  private static func short(_ text: String) -> String { text.inOneLine(atMost: 40) }
}
