import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookLog

/// Lets in who shows an access key, once there is any, and tells the routes who it is. `/health` answers everybody, so that
/// a supervisor needs no key.
struct AccessKeyGuard: RouterMiddleware {
  typealias Context = TollbookContext

  let service: HTTPService

  func handle(
    _ request: Request, context: TollbookContext,
    next: @concurrent (Request, TollbookContext) async throws -> Response
  ) async throws -> Response {
    var context = context
    guard context.endpointPath != "/health" else { return try await next(request, context) }
    let shown = shown(by: request, context)
    switch try service.keyring.principal(showing: shown) {
    case .success(let principal): context.principal = principal
    case .failure(let refusal): throw try await held(refusal, wasShown: shown != nil, context)
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

  /// The refusal of a key, after the time that makes trying keys slow.
  private func held(
    _ refusal: Keyring.Refusal, wasShown: Bool, _ context: TollbookContext
  ) async throws -> Problem {
    guard wasShown else { return Self.problem(refusal) }
    let time = service.log.time
    let delay = service.failedKeys.begin(from: context.remote, at: time.monotonicMilliseconds)
    guard let delay else {
      return Problem(.tooManyRequests, "too many wrong keys are shown; try again later")
        .retrying(after: 5)
    }
    defer { service.failedKeys.end() }
    try await time.sleep(delay)
    return Self.problem(refusal)
  }

  private static func problem(_ refusal: Keyring.Refusal) -> Problem {
    let detail =
      switch refusal {
      case .unknown: "show the access key as Authorization: Bearer …, or as X-API-Key: …"
      case .expired(let time): "the access key expired at \(time)"
      case .revoked(let time): "the access key was revoked at \(time)"
      case .accountClosed(let account): "the account \(account) of the access key is closed"
      }
    var problem = Problem(.unauthorized, detail)
    problem.headers[.wwwAuthenticate] = "Bearer realm=\"tollbook\""
    return problem
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
