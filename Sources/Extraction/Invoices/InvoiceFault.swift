package import JSONText

/// Why what a model answered is not taken as an invoice, and where. The value itself is never repeated: it may be
/// personal, and faults go to logs.
package struct InvoiceFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  package enum Problem: Hashable, Sendable {
    /// The answer has more bytes than that.
    case tooLong(limit: Int)
    case notJSON(JSONError)
    case isNot(String, found: JSONKind)
    /// At most 40 characters of it.
    case unknownName(String)
    case twice(String)
    case textTooLong(bytes: Int)
    case zeroCharacter
    /// An escape is half of a surrogate pair.
    case halfCharacter
    case tooMany(Int, limit: Int)
    case notAmount(ExactDecimal.Fault)
    case notDate
    case notCurrency
    case unknownWord(allowed: [String])
  }

  /// The member that is wrong, as `lines[3].net`; empty for the whole answer.
  package let place: String
  package let problem: Problem

  package init(_ problem: Problem, at place: String) {
    self.problem = problem
    self.place = place
  }

  package var description: String { "\(place.isEmpty ? "the answer" : place): \(problem)" }
}

extension InvoiceFault.Problem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .tooLong(let limit): "this has more than \(limit) bytes"
    case .notJSON(let error): "\(error)"
    case .isNot(let expected, let found): "this must be \(expected), not \(found)"
    case .unknownName(let name): "“\(name)” is not known here"
    case .twice(let name): "“\(name)” stands here twice"
    case .textTooLong(let bytes):
      "this has \(bytes) bytes, and \(InvoiceFields.maximumTextBytes) are read"
    case .zeroCharacter: "this has the character U+0000"
    case .halfCharacter: "this has half of a surrogate pair, which is no character"
    case .tooMany(let count, let limit): "there are \(count), and at most \(limit) are read"
    case .notAmount(let fault): "this is no amount: \(fault)"
    case .notDate: "this is not a day like 2026-11-21"
    case .notCurrency: "this is not a code of three capitals like EUR"
    case .unknownWord(let allowed): "this is not one of \(allowed.joined(separator: ", "))"
    }
  }
}
