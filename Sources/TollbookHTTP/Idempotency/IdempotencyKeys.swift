package import Hummingbird

/// Lets the routes know what makes requests with idempotency keys.
struct IdempotencyKeys: RouterMiddleware {
  typealias Context = TollbookContext

  let requests: IdempotentRequests

  func handle(
    _ request: Request, context: TollbookContext,
    next: @concurrent (Request, TollbookContext) async throws -> Response
  ) async throws -> Response {
    var context = context
    context.idempotency = requests
    return try await next(request, context)
  }
}

/// Answers a request that may spend: once, if it bears an idempotency key. What only asks what would happen spends nothing.
///
/// - Parameter limit: the longest body that the handler takes, in bytes: with a key the body is read before.
package func once(
  _ request: Request, _ context: TollbookContext, atMost limit: Int = TollbookContext.maximumBody,
  _ handler: @escaping Handler
) async throws -> Response {
  guard let key = request.headers[.idempotencyKey], let requests = context.idempotency,
    request.headers[.dryRun] == nil
  else { return try await handler(request, context) }
  return try await requests.answer(request, key: key, atMost: limit, context, handler)
}

/// Refuses a key where nothing would heed it.
package func refuseIdempotencyKey(_ request: Request) throws(Problem) {
  guard request.headers[.idempotencyKey] == nil else {
    throw Problem(
      .invalidParameter, "only what may spend is made once for an idempotency key; leave it out",
      field: "Idempotency-Key")
  }
}
