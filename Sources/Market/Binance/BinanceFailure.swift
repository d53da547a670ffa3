/// Why a request brought nothing (rest-api.md, HTTP return codes and limits; errors.md).
package struct BinanceFailure: Error, Hashable, Sendable, CustomStringConvertible {
  /// What follows from an answer that is no success.
  package enum Reason: Hashable, Sendable {
    /// Too much weight or too many requests. Nothing is sent before this instant.
    case limited(until: Int64)
    /// The address is banned. Nothing is sent before this instant, or the ban grows.
    case banned(until: Int64)
    /// The exchange does not serve the place that it was asked from.
    case restrictedRegion
    /// The web application firewall, or whatever stands before the exchange.
    case firewall
    case unknownSymbol
    case unknownInterval
    /// The exchange does not take the request as it is. It never will.
    case invalidRequest
    case notFound
    /// The exchange's own trouble: a later try may succeed. It may have counted the request.
    case trouble
    /// Nothing that the exchange would write.
    case unreadable
  }

  package let reason: Reason
  /// Of HTTP.
  package let status: Int
  /// The exchange's number of the error, such as -1121; nil: there is none.
  package let code: Int64?
  /// For a person, on one line and no longer than ``mostText``: the exchange's message, or what was found instead.
  package let message: String

  package static let mostText = 512

  package var description: String {
    "\(Self.statusText(status))\(code.map { ", code \($0)" } ?? ""): \(message)"
  }

  /// The code and the message in a text that ends with a description; nil: no code is told.
  static func told(in text: String) -> (code: Int64, message: String)? {
    guard let range = text.firstRange(of: ", code ") else { return nil }
    let told = text[range.upperBound...]
    guard let end = told.firstRange(of: ": "), let code = Int64(told[..<end.lowerBound]) else {
      return nil
    }
    return (code, String(told[end.upperBound...]))
  }

  /// What the description of one with that status begins with.
  static func statusText(_ status: Int) -> String { "HTTP status \(status)" }

  /// Until when nothing is sent; nil: nothing keeps the next request.
  package var until: Int64? {
    switch reason {
    case .limited(let until), .banned(let until): until
    default: nil
    }
  }

  /// Whether the exchange may have counted the request without its answer saying so.
  package var mayHaveCounted: Bool { reason == .trouble || reason == .unreadable }
}
