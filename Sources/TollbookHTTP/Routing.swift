package import Hummingbird
package import TollbookGateway

/// Answers one request.
package typealias Handler = @Sendable (Request, TollbookContext) async throws -> Response

extension Router<TollbookContext> {
  /// Registers a path with all methods at once: those without a handler answer 405 and name the others.
  ///
  /// HEAD is answered by the GET handler; the body is left out further up. A POST is refused unless its body is declared
  /// as JSON: a page of another site cannot send that without asking first, nor a DELETE. A query is refused unless the
  /// path takes it.
  ///
  /// What may spend, a POST with the scope `fetch`, is made once for each idempotency key.
  ///
  /// Who asks has shown that it may: an access key needs the scope `read` to get, `fetch` to post or put, and `admin` for
  /// the rest.
  ///
  /// - Parameters:
  ///   - query: the names that its query may hold; nil: those that are known of the path.
  ///   - scope: what an access key needs for each method, if it is another one.
  ///   - deleteScope: what an access key needs to delete, if that is another one still.
  ///   - mostBytes: the longest body of its POST, where that is longer than usual.
  ///   - mayBeEmpty: whether its POST may come without a body, and then without a type. ``BrowserGuard`` keeps out what a
  ///     page of another site sends so.
  ///   - takesForm: whether its POST is a form, which it reads, makes once for a key, and whose sender it looks at, by its
  ///     own rules.
  package func route(
    _ path: RouterPath, query: QueryNames? = nil, scope: AccessScope? = nil,
    deleteScope: AccessScope? = nil, mostBytes: Int = TollbookContext.maximumBody,
    mayBeEmpty: Bool = false, takesForm: Bool = false, get: Handler? = nil,
    post: Handler? = nil, put: Handler? = nil, patch: Handler? = nil, delete: Handler? = nil
  ) {
    var allowed: [HTTPRequest.Method] = []
    let pattern = path.description
    if let get {
      allowed += [.get, .head]
      let checked: Handler = { request, context in
        try context.principal.require(scope ?? .read)
        try QueryNames.check(request, at: pattern, query)
        return try await get(request, context)
      }
      on(path, method: .get, use: checked)
      on(path, method: .head, use: checked)
    }
    if let post {
      allowed.append(.post)
      on(path, method: .post) { request, context in
        try context.principal.require(scope ?? .fetch)
        try QueryNames.check(request, at: pattern, query)
        if !takesForm, !(mayBeEmpty && hasNoBody(request)) { try requireJSON(request) }
        guard scope ?? .fetch == .fetch else {
          try refuseIdempotencyKey(request)
          return try await post(request, context)
        }
        return takesForm
          ? try await post(request, context)
          : try await once(request, context, atMost: mostBytes, post)
      }
    }
    func change(_ method: HTTPRequest.Method, _ scope: AccessScope, _ answer: @escaping Handler) {
      allowed.append(method)
      on(path, method: method) { request, context in
        try context.principal.require(scope)
        try QueryNames.check(request, at: pattern, query)
        try requireJSON(request)
        try refuseIdempotencyKey(request)
        return try await answer(request, context)
      }
    }
    if let put { change(.put, scope ?? .fetch, put) }
    if let patch { change(.patch, scope ?? .admin, patch) }
    if let delete {
      allowed.append(.delete)
      on(path, method: .delete) { request, context in
        try context.principal.require(deleteScope ?? scope ?? .admin)
        try QueryNames.check(request, at: pattern, query)
        try refuseIdempotencyKey(request)
        return try await delete(request, context)
      }
    }
    refuseMethods(but: allowed, at: path)
  }

  /// Answers 405 at a path to all methods but some, and names those.
  package func refuseMethods(but allowed: [HTTPRequest.Method], at path: RouterPath) {
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

private func hasNoBody(_ request: Request) -> Bool {
  request.headers[.transferEncoding] == nil && request.headers[.contentLength] ?? "0" == "0"
}

private func requireJSON(_ request: Request) throws(Problem) {
  let coding = request.headers[.contentEncoding] ?? "identity"
  guard coding.lowercased() == "identity" else {
    var problem = Problem(
      .unsupportedMediaType,
      "the body is sent as “\(coding.prefix(100))”; send it without Content-Encoding",
      field: "Content-Encoding")
    problem.headers[.acceptEncoding] = "identity"
    throw problem
  }
  let type = request.headers[.contentType]?.split(separator: ";").first ?? ""
  guard type.lowercased().filter({ $0 != " " }) == "application/json" else {
    throw Problem(.unsupportedMediaType, "send the body with Content-Type: application/json")
  }
}
