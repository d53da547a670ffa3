import Hummingbird

/// Answers one request.
typealias Handler = @Sendable (Request, TollbookContext) async throws -> Response

extension Router<TollbookContext> {
  /// Registers a path with all methods at once: those without a handler answer 405 and name the others.
  ///
  /// HEAD is answered by the GET handler; the body is left out further up. A POST is refused unless its body is declared
  /// as JSON: a page of another site cannot send that without asking first.
  func route(_ path: RouterPath, get: Handler? = nil, post: Handler? = nil) {
    var allowed: [HTTPRequest.Method] = []
    if let get {
      allowed += [.get, .head]
      on(path, method: .get, use: get)
      on(path, method: .head, use: get)
    }
    if let post {
      allowed.append(.post)
      on(path, method: .post) { request, context in
        try requireJSON(request)
        return try await post(request, context)
      }
    }
    let names = allowed.map(\.rawValue).joined(separator: ", ")
    for method in standardMethods where !allowed.contains(method) {
      on(path, method: method) { request, _ -> Response in
        var problem = Problem(
          .methodNotAllowed, "\(request.method.rawValue) does not apply here; use \(names)")
        problem.headers[.allow] = names
        throw problem
      }
    }
  }
}

private let standardMethods: [HTTPRequest.Method] = [
  .get, .head, .post, .put, .patch, .delete, .options, .trace, .connect,
]

private func requireJSON(_ request: Request) throws(Problem) {
  let type = request.headers[.contentType]?.split(separator: ";").first ?? ""
  guard type.lowercased().filter({ $0 != " " }) == "application/json" else {
    throw Problem(.unsupportedMediaType, "send the body with Content-Type: application/json")
  }
}
