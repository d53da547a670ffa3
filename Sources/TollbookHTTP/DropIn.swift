package import Hummingbird

/// Paths under which a system speaks its provider's own wire format, to clients that know nothing of Tollbook: what they
/// show to be let in, and how they are told that something is wrong.
package struct DropIn: Sendable {
  /// The host names of the provider, in lower case: where Tollbook listens in its place, they are its own.
  package var hosts: [String]
  /// The path that stands for the root of such a host, such as `/atlas`.
  package var root: String
  /// Whether a path is one of them.
  package var owns: @Sendable (_ path: String) -> Bool
  /// The access key, where such a client puts its provider's key; nil: it shows none.
  package var shownKey: @Sendable (Request) -> String?
  /// A problem in the provider's shape.
  package var answer: @Sendable (Problem, HTTPService) -> Response

  package init(
    hosts: [String] = [], root: String = "",
    owns: @escaping @Sendable (_ path: String) -> Bool,
    shownKey: @escaping @Sendable (Request) -> String?,
    answer: @escaping @Sendable (Problem, HTTPService) -> Response
  ) {
    self.hosts = hosts
    self.root = root
    self.owns = owns
    self.shownKey = shownKey
    self.answer = answer
  }
}

extension [HTTPSystem] {
  /// The host names of all providers.
  var hosts: [String] { flatMap { $0.dropIn?.hosts ?? [] } }

  /// What a request belongs to, by its host or its path; nil: it is Tollbook's own.
  func dropIn(of request: Request, _ context: TollbookContext) -> DropIn? {
    context.provider ?? lazy.compactMap(\.dropIn).first { $0.owns(request.uri.path) }
  }
}
