import Hummingbird
import TollbookGateway
import TollbookHTTP

extension HTTPService {
  /// Keepa's own paths under `/keepa/`, with what a client wants of Tollbook in the base path or not. The query may hold
  /// whatever Keepa's may; a trailing slash changes nothing.
  ///
  /// HEAD is refused: who only looks whether something is there must not pay for it. The balance costs nothing.
  func addDropIn(to router: Router<TollbookContext>) {
    let unknown = UnknownParameters()
    func add(
      _ name: String, _ answer: @escaping @Sendable (KeepaDropIn) async throws -> Response
    ) {
      for base in ["/keepa", "/keepa/{options}"] {
        let allowed: [HTTPRequest.Method] = name == "token" ? [.get, .head, .post] : [.get, .post]
        for method in allowed {
          router.on("\(base)/\(name)", method: method) { request, context in
            try context.principal.require(name == "token" ? .read : .fetch)
            let ask: Handler = { request, context in
              try await answer(try await KeepaDropIn(self, unknown, request, context))
            }
            return try await name == "token"
              ? ask(request, context) : once(request, context, ask)
          }
        }
        router.refuseMethods(but: allowed, at: RouterPath("\(base)/\(name)"))
      }
    }
    add("product") { try await $0.products() }
    add("token") { try await $0.token() }
    for endpoint in KeepaEndpoint.allCases {
      add(endpoint.rawValue) { try await $0.answer(endpoint) }
    }
  }
}
