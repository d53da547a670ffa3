package import Hummingbird

/// Answers in the place of providers: a request for the host of one has the provider's own path, which stands below the
/// root that its system has here. It is led there before it is routed.
package struct ProviderHosts: HTTPResponder {
  /// The router's own answers.
  private let below: RouterResponder<TollbookContext>
  /// By the host names of providers.
  private let dropIns: [String: DropIn]

  init(systems: [HTTPSystem], below: RouterResponder<TollbookContext>) {
    self.below = below
    var dropIns: [String: DropIn] = [:]
    for dropIn in systems.compactMap(\.dropIn) {
      for host in dropIn.hosts { dropIns[host] = dropIn }
    }
    self.dropIns = dropIns
  }

  package func respond(
    to request: Request, context: TollbookContext
  ) async throws -> Response {
    let named = BrowserGuard.authorities(of: request).lazy.map(BrowserGuard.name(ofAuthority:))
    guard let dropIn = named.compactMap({ dropIns[$0] }).first, let path = request.head.path,
      path.hasPrefix("/")
    else { return try await below.respond(to: request, context: context) }
    var context = context
    context.provider = dropIn
    // With the path that it has here.
    var head = request.head
    head.path = dropIn.root + path
    return try await below.respond(to: Request(head: head, body: request.body), context: context)
  }
}

/// Keeps what is Tollbook's own from answering under the host of a provider. Comes last, behind all that says no.
struct ProviderPaths: RouterMiddleware {
  typealias Context = TollbookContext

  func handle(
    _ request: Request, context: TollbookContext,
    next: @concurrent (Request, TollbookContext) async throws -> Response
  ) async throws -> Response {
    if let provider = context.provider, !provider.owns(request.uri.path) {
      throw HTTPError(.notFound)
    }
    return try await next(request, context)
  }
}
