import Hummingbird

/// Keeps pages of other sites, open in the user's own browser, from spending.
///
/// A foreign `Host` means that somebody's name was pointed at this machine (DNS rebinding), a foreign `Origin` or
/// `Sec-Fetch-Site: cross-site` that a page of another site makes the call. What is no browser sends neither of the
/// latter two. `/health` answers under every name: a probe asks by whatever address it has. A link on another site may lead
/// to a page: to look at one changes nothing, and the other site does not see it. Origins that the settings name may call
/// what is no page, and what their browsers ask before that is answered here.
struct BrowserGuard: RouterMiddleware {
  typealias Context = TollbookContext

  private let hosts: Set<String>
  private let pages: PagePaths
  private let origins: CrossOrigins

  /// - Parameters:
  ///   - settings: names the hosts that are allowed beside this machine's own names; the address that is listened on is
  ///     allowed too, unless it stands for all addresses.
  ///   - providers: host names of others in whose place it answers.
  ///   - pages: the paths that are pages.
  ///   - origins: those whose pages may call.
  init(
    _ settings: HTTPSettings, inPlaceOf providers: [String] = [], pages: PagePaths,
    origins: CrossOrigins
  ) {
    self.pages = pages
    self.origins = origins
    var hosts: Set<String> = ["localhost", "127.0.0.1", "[::1]"]
    hosts.formUnion(providers)
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
    if let text = request.headers[.requestFault], let fault = RequestFault(rawValue: text) {
      throw fault.problem
    }
    if context.endpointPath != "/health" { try checkHost(request) }
    try checkSite(request, context)
    if let answer = origins.preflight(request, context) { return answer }
    return try await next(request, context)
  }

  private func checkHost(_ request: Request) throws(Problem) {
    let named = Self.authorities(of: request)
    guard !named.isEmpty else { throw Problem(.foreignHost, "the request names no Host") }
    for authority in named where !hosts.contains(Self.name(ofAuthority: authority)) {
      throw Problem(
        .foreignHost,
        "Tollbook does not answer as “\(authority.prefix(100))”; if the name is yours, add it to"
          + " TOLLBOOK_ALLOWED_HOSTS", field: "Host")
    }
  }

  private func checkSite(_ request: Request, _ context: TollbookContext) throws(Problem) {
    guard origins.origin(of: request, context) == nil else { return }
    if let origin = request.headers[.origin], !isAllowed(origin: origin) {
      throw Problem(
        .foreignOrigin, "pages of “\(origin.prefix(100))” may not call Tollbook", field: "Origin")
    }
    let sites = request.headers[.secFetchSite]?.lowercased().split(separator: ",") ?? []
    if sites.contains(where: { $0.filter { $0 != " " } == "cross-site" }),
      !isNavigation(request, context)
    {
      throw Problem(
        .foreignOrigin, "pages of other sites may not call Tollbook", field: "Sec-Fetch-Site")
    }
  }

  /// Whether somebody follows a link to a page, and sees it in a window of its own.
  private func isNavigation(_ request: Request, _ context: TollbookContext) -> Bool {
    guard pages.entry(context)?.isShown == true else { return false }
    return (request.method == .get || request.method == .head)
      && request.headers[.origin] == nil
      && request.headers[.secFetchMode]?.lowercased() == "navigate"
      && request.headers[.secFetchDest]?.lowercased() == "document"
  }

  private func isAllowed(origin: String) -> Bool {
    guard let separator = origin.firstRange(of: "://") else { return false }
    return hosts.contains(Self.name(ofAuthority: String(origin[separator.upperBound...])))
  }

  /// Whom a request names as its host. The library moves `Host` to the authority; a second one would stay behind.
  static func authorities(of request: Request) -> [String] {
    [request.head.authority, request.headers[.plainHost], request.uri.host].compactMap(\.self)
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

  /// Whether a text is a name or an address, with or without a port, and nothing more.
  static func isAuthority(_ text: String) -> Bool {
    let name = name(ofAuthority: text)
    if name.hasPrefix("[") { return name.hasSuffix("]") && name.count > 2 }
    return !name.isEmpty
      && !name.unicodeScalars.contains {
        $0.value <= 0x20 || ":/?#@[]*\\".unicodeScalars.contains($0)
      }
  }

  private static func isPort(_ text: Substring) -> Bool {
    let digits = text.dropFirst()
    guard text.first == ":", digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
      return false
    }
    return digits.isEmpty || UInt16(digits) != nil
  }
}
