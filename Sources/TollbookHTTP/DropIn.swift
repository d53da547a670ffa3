package import Hummingbird

/// Paths under which a system speaks its provider's own wire format, to clients that know nothing of Tollbook: what they
/// show to be let in, and how they are told that something is wrong.
package struct DropIn: Sendable {
  /// Whether a path is one of them.
  package var owns: @Sendable (_ path: String) -> Bool
  /// The access key, where such a client puts its provider's key; nil: it shows none.
  package var shownKey: @Sendable (Request) -> String?
  /// A problem in the provider's shape.
  package var answer: @Sendable (Problem, HTTPService) -> Response

  package init(
    owns: @escaping @Sendable (_ path: String) -> Bool,
    shownKey: @escaping @Sendable (Request) -> String?,
    answer: @escaping @Sendable (Problem, HTTPService) -> Response
  ) {
    self.owns = owns
    self.shownKey = shownKey
    self.answer = answer
  }
}

extension [HTTPSystem] {
  /// What a request's path belongs to; nil: it is Tollbook's own.
  func dropIn(of request: Request) -> DropIn? {
    lazy.compactMap(\.dropIn).first { $0.owns(request.uri.path) }
  }
}
