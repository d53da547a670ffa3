import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookLog

/// Lets in who shows an access key, once there is any, and tells the routes who it is. `/health` answers everybody, so that
/// a supervisor needs no key. The session of who has signed in opens pages, and nothing else.
struct AccessKeyGuard: RouterMiddleware {
  typealias Context = TollbookContext

  let service: HTTPService
  let pages: PagePaths

  func handle(
    _ request: Request, context: TollbookContext,
    next: @concurrent (Request, TollbookContext) async throws -> Response
  ) async throws -> Response {
    var context = context
    guard context.endpointPath != "/health" else { return try await next(request, context) }
    let shown = shown(by: request, context)
    let page = pages.entry(context).flatMap { pages.isVisit(request, $0) ? $0 : nil }
    let visit = try page.map { _ throws(LogError) in try service.visitor(request, of: pages) }
    context.visitor = visit?.visitor
    if shown == nil, let page {
      switch try service.visit(request, page, by: visit?.principal) {
      case .admitted(let principal): context.principal = principal
      case .signIn(let response): return response
      }
    } else {
      switch try service.keyring.principal(showing: shown) {
      case .success(let principal): context.principal = principal
      case .failure(let refusal):
        if shown != nil { try await service.holdBack(failureFrom: context.remote) }
        throw Problem(refusal)
      }
    }
    let rate = try count(context.principal)
    if let text = request.headers[.tags] {
      do throws(TagProblem) { context.principal.tags = try Tags.list(text) } catch {
        throw Problem(.invalidParameter, error.description, field: "Tollbook-Tags")
      }
    }
    do {
      var response = try await next(request, context)
      rate?.write(to: &response.headers)
      return response
    } catch var problem as Problem {
      rate?.write(to: &problem.headers)
      throw problem
    }
  }

  /// Counts a request of a key that may not make any number of them.
  private func count(_ principal: Principal) throws(Problem) -> RateLimitField? {
    guard principal.requestsPerMinute > 0 else { return nil }
    let answer = service.rates.count(
      principal.accessKey, limit: principal.requestsPerMinute,
      at: service.log.time.monotonicMilliseconds)
    let headers = RateLimitField(requestsPerMinute: principal.requestsPerMinute, answer)
    if case .refused(let resets) = answer {
      var problem = Problem(
        .tooManyRequests,
        "the access key may make \(principal.requestsPerMinute) requests a minute"
      ).retrying(after: Int((resets + 999) / 1_000))
      headers.write(to: &problem.headers)
      throw problem
    }
    return headers
  }

  /// In a header, or on a provider's own paths where its clients put the provider's key.
  private func shown(by request: Request, _ context: TollbookContext) -> String? {
    if let key = request.headers[.accessKey] ?? request.headers[.apiKey] { return key }
    guard let value = request.headers[.authorization] else {
      return service.systems.dropIn(of: request, context)?.shownKey(request)
    }
    let words = value.split(separator: " ", maxSplits: 1)
    guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
    return words[1].trimmingPrefix { $0 == " " }.description
  }

  /// Compares in a time that depends on what was shown and not on how much of it is right.
  static func isEqual(_ shown: String, _ expected: String) -> Bool {
    let shown = Array(shown.utf8)
    let expected = Array(expected.utf8)
    guard !expected.isEmpty else { return false }
    var difference = shown.count ^ expected.count
    for index in shown.indices {
      difference |= Int(shown[index] ^ expected[index % expected.count])
    }
    return difference == 0
  }
}

extension HTTPService {
  /// Waits for the time that makes trying keys slow.
  ///
  /// - Parameter address: where a wrong key came from.
  /// - Throws: a `Problem` with the status 429 if too many wait already.
  func holdBack(failureFrom address: String) async throws {
    guard let delay = failedKeys.begin(from: address, at: log.time.monotonicMilliseconds) else {
      throw Problem(.tooManyRequests, "too many wrong keys are shown; try again later")
        .retrying(after: 5)
    }
    defer { failedKeys.end() }
    try await log.time.sleep(delay)
  }
}

extension Problem {
  /// What a client must show to be let in (RFC 9110, section 11.6.1).
  static let challenge = "Bearer realm=\"tollbook\""

  fileprivate init(_ refusal: Keyring.Refusal) {
    self.init(.unauthorized, refusal.sentence)
    headers[.wwwAuthenticate] = Self.challenge
  }
}

extension RateLimitField {
  /// How many requests an access key may make in a minute.
  fileprivate init(requestsPerMinute limit: UInt32, _ answer: RequestRates.Answer) {
    let milliseconds: Int64
    switch answer {
    case .left(let count, let resets): (left, milliseconds) = (Int64(count), resets)
    case .refused(let resets): (left, milliseconds) = (0, resets)
    }
    name = "requests"
    quota = Int64(limit)
    window = 60
    resets = (milliseconds + 999) / 1_000
  }
}
