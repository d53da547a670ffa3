package import JSONText

/// Why a file of data that people write, such as one of prices, cannot be used, and where.
package struct DataFileError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong.
  package enum Problem: Hashable, Sendable {
    case notJSON(JSONError)
    case missing
    case isNot(String, found: JSONKind)
    case unknownName(String)
    case twice(String)
    case empty
    case negative(Int64)
    case outside(ClosedRange<Int64>, Int64)
    case badDate(String)
    case unknownWord(String, allowed: [String])
    /// A name of something that is not there, in a sentence.
    case unknown(String)
    /// Something that no period, band, row or size covers.
    case hole(String)
    /// Something that two periods cover.
    case overlap(String)
    case notRising
    case count(Int, expected: Int)
  }

  /// The member that is wrong, as `marketplaces[0].surcharge[1].rate`; empty for the whole text.
  package let place: String
  package let problem: Problem

  package init(_ problem: Problem, at place: String) {
    self.problem = problem
    self.place = place
  }

  package var description: String { "\(place.isEmpty ? "the text" : place): \(problem)" }
}

extension DataFileError.Problem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notJSON(let error): "\(error)"
    case .missing: "this is missing"
    case .isNot(let expected, let found): "this must be \(expected), not \(found)"
    case .unknownName(let name): "“\(name)” is not known here"
    case .twice(let name): "“\(name)” stands here twice"
    case .empty: "this is empty"
    case .negative(let value): "\(value) is negative"
    case .outside(let range, let value):
      "\(value) is not from \(range.lowerBound) to \(range.upperBound)"
    case .badDate(let text): "“\(text)” is not a day like 2026-11-21"
    case .unknownWord(let text, let allowed):
      "“\(text)” is not one of \(allowed.joined(separator: ", "))"
    case .unknown(let sentence): sentence
    case .hole(let text): "hole: \(text)"
    case .overlap(let text): "overlap: \(text)"
    case .notRising: "this is not above the one before"
    case .count(let count, let expected): "there are \(count), and \(expected) are needed"
    }
  }
}
