import Hummingbird

/// Keeps pages of other sites, open in the user's own browser, from spending.
///
/// A foreign `Host` means that somebody's name was pointed at this machine (DNS rebinding), a foreign `Origin` or
/// `Sec-Fetch-Site: cross-site` that a page of another site makes the call. What is no browser sends neither of the
/// latter two.
struct BrowserGuard: RouterMiddleware {
  typealias Context = TollbookContext

  private let hosts: Set<String>

  /// - Parameter settings: names the hosts that are allowed beside this machine's own names; the address that is
  ///   listened on is allowed too, unless it stands for all addresses.
  init(_ settings: HTTPSettings) {
    var hosts: Set<String> = ["localhost", "127.0.0.1", "[::1]"]
    for host in settings.allowedHosts { hosts.insert(Self.name(ofAuthority: host)) }
    if settings.host != "0.0.0.0" && settings.host != "::" {
      let isBareIPv6 = settings.host.filter { $0 == ":" }.count > 1 && !settings.host.hasPrefix("[")
      hosts.insert(isBareIPv6 ? "[\(settings.host.lowercased())]" : settings.host.lowercased())
    }
    self.hosts = hosts
  }

  func handle(
    _ request: Request, context: TollbookContext,
    next: @concurrent (Request, TollbookContext) async throws -> Response
  ) async throws -> Response {
    try check(request)
    return try await next(request, context)
  }

  private func check(_ request: Request) throws(Problem) {
    // The library moves `Host` to the authority; a second one would stay behind.
    let named = [request.head.authority, request.headers[.plainHost], request.uri.host]
      .compactMap(\.self)
    guard !named.isEmpty else { throw Problem(.foreignHost, "the request names no Host") }
    for authority in named where !hosts.contains(Self.name(ofAuthority: authority)) {
      throw Problem(
        .foreignHost,
        "Tollbook does not answer as “\(authority.prefix(100))”; add the name to the allowed hosts"
          + " if it is yours", field: "Host")
    }
    if let origin = request.headers[.origin], !isAllowed(origin: origin) {
      throw Problem(
        .foreignOrigin, "pages of “\(origin.prefix(100))” may not call Tollbook", field: "Origin")
    }
    if request.headers[.secFetchSite]?.lowercased() == "cross-site" {
      throw Problem(
        .foreignOrigin, "pages of other sites may not call Tollbook", field: "Sec-Fetch-Site")
    }
  }

  private func isAllowed(origin: String) -> Bool {
    guard let separator = origin.firstRange(of: "://") else { return false }
    return hosts.contains(Self.name(ofAuthority: String(origin[separator.upperBound...])))
  }

  /// The name without its port, in lower case.
  static func name(ofAuthority authority: String) -> String {
    let authority = authority.lowercased()
    if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
      let rest = authority[authority.index(after: end)...]
      return rest.isEmpty || isPort(rest) ? String(authority[...end]) : authority
    }
    guard let colon = authority.firstIndex(of: ":"), isPort(authority[colon...]) else {
      return authority
    }
    return String(authority[..<colon])
  }

  private static func isPort(_ text: Substring) -> Bool {
    text.first == ":" && text.dropFirst().allSatisfy(\.isNumber)
  }
}
