import Hummingbird
import TollbookGateway
import TollbookLog

extension HTTPService {
  /// How a request for a page is met.
  enum PageVisit: Sendable {
    case admitted(Principal)
    /// It leads to where somebody can sign in.
    case signIn(Response)
  }

  /// The browser that asks for a page, and whom its session belongs to; nil: it has none that counts.
  ///
  /// The access key of a session is looked up anew: one that was revoked, or that has expired, ends it.
  func visitor(
    _ request: Request, of paths: PagePaths
  ) throws(LogError) -> (visitor: PageVisitor, principal: Principal?) {
    let isSecure = paths.isSecure
    if let cookie = PageCookie.session.value(in: request.headers, isSecure: isSecure),
      let holder = sessions.holder(of: cookie, at: log.time.monotonicMilliseconds)
    {
      switch try keyring.principal(of: holder) {
      case .success(let principal): return (PageVisitor(holder: .session(cookie)), principal)
      case .failure: sessions.close(cookie)
      }
    }
    if let cookie = PageCookie.visitor.value(in: request.headers, isSecure: isSecure) {
      return (PageVisitor(holder: .visitor(cookie)), nil)
    }
    let cookie = PageCookie.randomValue()
    return (
      PageVisitor(
        holder: .visitor(cookie),
        newCookie: PageCookie.visitor.setting(cookie, isSecure: isSecure)), nil
    )
  }

  /// Meets a request for a page that shows no access key in a header.
  ///
  /// - Parameter principal: whom its session belongs to.
  func visit(
    _ request: Request, _ entry: PagePaths.Entry, by principal: Principal?
  ) throws(LogError) -> PageVisit {
    if let principal { return .admitted(principal) }
    if case .success(let own) = try keyring.principal(showing: nil) { return .admitted(own) }
    guard !entry.isOpen else {
      return .admitted(Principal(account: gateway.settings.account, scopes: []))
    }
    let next = entry.isShown ? OwnPath(of: request) : nil
    let path = OwnPath("/sign-in", query: [("next", next?.text ?? "")])
    return .signIn(.seeOther(path ?? "/sign-in"))
  }
}

extension OwnPath {
  /// The path and the query that a request asks for.
  init?(of request: Request) {
    self.init(request.uri.path + (request.uri.query.map { "?\($0)" } ?? ""))
  }
}

extension Principal {
  /// Whether it is nobody: who has not signed in, at a page that needs no sign-in.
  var isNobody: Bool { scopes.isEmpty && accessKey.isEmpty }
}
