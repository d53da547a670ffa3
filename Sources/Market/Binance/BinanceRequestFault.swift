import TollbookEvents

/// Why a question is not asked, and which parameter is wrong. The exchange would refuse it and count it.
package struct BinanceRequestFault: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with the parameter.
  package enum Problem: Hashable, Sendable {
    case missing
    case empty
    case twice
    case tooManyParameters(Int)
    case tooLong(bytes: Int)
    case notAnInterval(String)
    case notASymbol(String)
    case notAList
    case tooManySymbols(Int)
    case repeated(String)
    case notTogether(with: String)
    case notWhole(String)
    case outside(ClosedRange<Int64>, String)
    case beforeStart
    case unknownWord(String, allowed: String)
  }

  /// The name of the parameter, in one line; empty where the whole query is meant.
  package let parameter: String
  package let problem: Problem

  package init(_ problem: Problem, of parameter: String) {
    self.problem = problem
    self.parameter = parameter.inOneLine(atMost: 50)
  }

  init(_ problem: Problem, of parameter: BinanceParameter) {
    self.init(problem, of: parameter.rawValue)
  }

  package var description: String {
    "\(parameter.isEmpty ? "the query" : parameter) \(problem)"
  }
}

extension BinanceRequestFault.Problem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .missing: "is missing"
    case .empty: "is empty"
    case .twice: "stands twice"
    case .tooManyParameters(let count):
      "has \(count) parameters; \(BinanceRequest.mostParameters) are allowed"
    case .tooLong(let bytes): "has \(bytes) bytes, which is too long"
    case .notAnInterval(let text): "is \(Self.quoted(text)), which is no interval; case matters"
    case .notASymbol(let text): "is \(Self.quoted(text)), which is no symbol such as BTCUSDT"
    case .notAList: #"is no JSON list of symbols such as ["BTCUSDT","ETHUSDT"]"#
    case .tooManySymbols(let count):
      "names \(count) symbols; \(BinanceRequest.mostSymbols) are allowed"
    case .repeated(let symbol): "names \(symbol) twice"
    case .notTogether(let other): "cannot be given together with \(other)"
    case .notWhole(let text): "is \(Self.quoted(text)), which is no whole number"
    case .outside(let range, let text):
      "is \(Self.quoted(text)), which is not from \(range.lowerBound) to \(range.upperBound)"
    case .beforeStart: "is before startTime, so that nothing can lie between"
    case .unknownWord(let text, let allowed): "is \(Self.quoted(text)) and not \(allowed)"
    }
  }

  private static func quoted(_ text: String) -> String { "“\(text.inOneLine(atMost: 40))”" }
}
