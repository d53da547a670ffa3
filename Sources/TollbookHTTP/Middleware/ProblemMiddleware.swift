import Hummingbird
import Logging
import TollbookEvents
import TollbookGateway
import TollbookLog

/// Turns whatever a route throws into a problem document, or into what clients of a provider's wire format know. Nothing
/// gets past it, so that what stands further out sees every answer.
struct ProblemMiddleware: RouterMiddleware {
  typealias Context = TollbookContext

  let service: HTTPService
  /// The paths where a problem is shown as a page, to who asks for one; and so it is where there is no path at all.
  var pages = PagePaths()

  func handle(
    _ request: Request, context: TollbookContext,
    next: @concurrent (Request, TollbookContext) async throws -> Response
  ) async throws -> Response {
    do {
      return try await next(request, context)
    } catch {
      let now = service.log.time.now()
      let problem = problem(error, request, context).retrying(from: now).tellingBudget(at: now)
      guard let dropIn = service.systems.dropIn(of: request, context) else {
        let isOfPages = pages.entry(context) != nil || pages.isNowhere(context)
        if isOfPages, wantsPage(request.headers[.accept]) {
          return Response(
            problem.page(requestID: context.requestID),
            in: service.frame(of: pages, at: request.uri.path), headers: problem.headers)
        }
        return problem.response(requestID: context.requestID)
      }
      var response = dropIn.answer(problem, service)
      for field in problem.headers where response.headers[field.name] == nil {
        response.headers[field.name] = field.value
      }
      return response
    }
  }

  private func problem(
    _ error: any Error, _ request: Request, _ context: TollbookContext
  ) -> Problem {
    switch error {
    case let problem as Problem: return problem
    case let refusal as JobRefusal: return Problem(refusal)
    case let problem as PurchaseProblem: return Problem(problem)
    case is CancellationError:
      return Problem(.cancelled, "the job that would have brought it was cancelled")
    case let error as LogError:
      let problem = Problem(error)
      let isExpected = problem.status == .serviceUnavailable && problem.kind != .storageFailed
      if problem.status.kind == .serverError && !isExpected {
        report(error, request, context)
      }
      return problem
    case let error as any HTTPResponseError where error.status == .notFound:
      // Under a provider's host the path was asked for without our root.
      let path = request.uri.path.dropFirst(context.provider?.root.count ?? 0)
      return Problem(.notFound, "there is nothing at \(String(path).inOneLine(atMost: 200))")
    case let error as any HTTPResponseError where error.status == .contentTooLarge:
      return Problem(.bodyTooLarge, "a request may have up to \(context.maxUploadSize) bytes")
    case let error as any HTTPResponseError: return Problem(status: error.status)
    default:
      report(error, request, context)
      return Problem(
        .internalError, "the failure is in Tollbook's diagnostics under this request_id")
    }
  }

  private func report(_ error: any Error, _ request: Request, _ context: TollbookContext) {
    context.logger.error(
      "request failed",
      metadata: [
        "method": "\(request.method.rawValue)", "route": "\(context.endpointPath ?? "none")",
        "error": "\(error)",
      ])
  }
}
