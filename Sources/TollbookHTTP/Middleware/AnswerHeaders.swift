import HTTPTypes
import Hummingbird

/// What every answer carries, errors included: which request it belongs to, and what a browser must not do with it.
///
/// Stands outermost but for what lets pages of other origins read an answer. It also leaves out the body of an answer to
/// HEAD.
struct AnswerHeaders: RouterMiddleware {
  typealias Context = TollbookContext

  /// What is the same on every answer, made once.
  private let fixed: [HTTPField]

  /// Whether to say that no real upstream stands behind the answers.
  private let isSimulated: @Sendable () -> Bool

  init(isSimulated: @escaping @Sendable () -> Bool) {
    self.isSimulated = isSimulated
    let always: [(HTTPField.Name, String)] = [
      (.xContentTypeOptions, "nosniff"), (.referrerPolicy, "no-referrer"),
      (.frameOptions, "DENY"),
      (.contentSecurityPolicy, "default-src 'none'; frame-ancestors 'none'"),
      (.crossOriginResourcePolicy, "same-origin"),
    ]
    fixed = always.map { HTTPField(name: $0.0, value: $0.1) }
  }

  func handle(
    _ request: Request, context: TollbookContext,
    next: @concurrent (Request, TollbookContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    // Added without a look whether they are there: no route sets them, but for pages, which say what a browser may do.
    response.headers.append(HTTPField(name: .requestID, value: context.requestID))
    if response.headers[.contentSecurityPolicy] == nil {
      for field in fixed { response.headers.append(field) }
    } else {
      for field in fixed where response.headers[field.name] == nil {
        response.headers.append(field)
      }
    }
    if isSimulated() {
      response.headers.append(HTTPField(name: .upstream, value: "simulated"))
    }
    if response.headers[.cacheControl] == nil {
      response.headers.append(HTTPField(name: .cacheControl, value: "no-store"))
    }
    return request.method == .head ? response.createHeadResponse() : response
  }
}
