import Hummingbird
import TollbookLog

/// Counts every request with its route's pattern, method and status, and measures it.
struct RequestMetrics: RouterMiddleware {
  typealias Context = TollbookContext

  /// What a request is counted under that found no route, or was turned away before one was asked.
  static let noRoute = "none"

  let statistics: RequestStatistics
  let time: TimeSource

  func handle(
    _ request: Request, context: TollbookContext,
    next: @concurrent (Request, TollbookContext) async throws -> Response
  ) async throws -> Response {
    let began = time.monotonicNanoseconds()
    let response = try await next(request, context)
    let route = context.endpointPath ?? Self.noRoute
    statistics.record(
      route: route == "NotFound" ? Self.noRoute : route, method: Self.label(request.method),
      status: response.status.code, nanoseconds: time.monotonicNanoseconds() - began,
      isFromCache: Self.isFromCache(response), at: time.now())
    return response
  }

  /// Whether an answer says that the cache gave it, or that it cost nothing: whoever buys waits for the upstream.
  private static func isFromCache(_ response: Response) -> Bool {
    guard response.status.code < 400 else { return false }
    if let status = response.headers[.cacheStatus] { return status.contains("; hit") }
    return response.headers[.charge] == "0"
  }

  /// The method, if it is one that everybody knows: a client must not invent series.
  private static func label(_ method: HTTPRequest.Method) -> String {
    switch method {
    case .get: "GET"
    case .head: "HEAD"
    case .post: "POST"
    case .put: "PUT"
    case .patch: "PATCH"
    case .delete: "DELETE"
    case .options: "OPTIONS"
    default: "other"
    }
  }
}
