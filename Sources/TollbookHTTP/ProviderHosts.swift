package import Hummingbird

/// Answers in the place of providers: a request for the host of one has the provider's own path, which stands below the
/// root that its system has here. It is led there before it is routed.
package struct ProviderHosts: HTTPResponder {
  /// The router's own answers.
  private let below: RouterResponder<TollbookContext>
  /// By the host names of providers.
  private let roots: [String: String]

  init(systems: [HTTPSystem], below: RouterResponder<TollbookContext>) {
    self.below = below
    var roots: [String: String] = [:]
    for dropIn in systems.compactMap(\.dropIn) {
      for host in dropIn.hosts { roots[host] = dropIn.root }
    }
    self.roots = roots
  }

  package func respond(
    to request: Request, context: TollbookContext
  ) async throws -> Response {
    try await below.respond(to: led(request), context: context)
  }

  /// With the path that it has here.
  private func led(_ request: Request) -> Request {
    let named = BrowserGuard.authorities(of: request).lazy.map(BrowserGuard.name(ofAuthority:))
    guard let root = named.compactMap({ roots[$0] }).first, let path = request.head.path,
      path.hasPrefix("/")
    else { return request }
    var head = request.head
    head.path = root + path
    return Request(head: head, body: request.body)
  }
}
