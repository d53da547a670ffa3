import Hummingbird

/// Lets in who shows the access key, if one is set. `/health` answers everybody, so that a supervisor needs no key.
struct AccessKeyGuard: RouterMiddleware {
  typealias Context = TollbookContext

  let accessKey: String?
  let systems: [HTTPSystem]

  func handle(
    _ request: Request, context: TollbookContext,
    next: @concurrent (Request, TollbookContext) async throws -> Response
  ) async throws -> Response {
    if let accessKey, context.endpointPath != "/health" {
      guard let shown = shown(by: request, context), Self.isEqual(shown, accessKey) else {
        throw refusal
      }
    }
    return try await next(request, context)
  }

  private var refusal: Problem {
    var problem = Problem(
      .unauthorized,
      "show the access key as Authorization: Bearer …, or as Tollbook-Access-Key: …")
    problem.headers[.wwwAuthenticate] = "Bearer realm=\"tollbook\""
    return problem
  }

  /// In a header, or on a provider's own paths where its clients put the provider's key.
  private func shown(by request: Request, _ context: TollbookContext) -> String? {
    if let key = request.headers[.accessKey] { return key }
    guard let value = request.headers[.authorization] else {
      return systems.dropIn(of: request, context)?.shownKey(request)
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
