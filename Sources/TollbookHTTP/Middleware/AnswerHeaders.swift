import Hummingbird

/// What every answer carries, errors included: which request it belongs to, and what a browser must not do with it.
///
/// Stands outermost. It also leaves out the body of an answer to HEAD.
struct AnswerHeaders: RouterMiddleware {
  typealias Context = TollbookContext

  /// Whether to say that no real upstream stands behind the answers.
  let isSimulated: Bool

  func handle(
    _ request: Request, context: TollbookContext,
    next: @concurrent (Request, TollbookContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    response.headers[.requestID] = context.requestID
    response.headers[.xContentTypeOptions] = "nosniff"
    response.headers[.referrerPolicy] = "no-referrer"
    response.headers[.frameOptions] = "DENY"
    response.headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
    response.headers[.crossOriginResourcePolicy] = "same-origin"
    if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
    if isSimulated { response.headers[.upstream] = "simulated" }
    return request.method == .head ? response.createHeadResponse() : response
  }
}
