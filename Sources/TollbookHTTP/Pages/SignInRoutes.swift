import Hummingbird
import TollbookEvents
import TollbookGateway
import TollbookLog

extension HTTPService {
  /// `GET` and `POST /sign-in`, `POST /sign-out`, `GET /pages` and the stylesheet.
  func addPages(to pages: PageRouter) {
    let stylesheet = PageAsset.stylesheet
    let desk = pages.desk
    pages.add(
      RouterPath(stylesheet.path.text), isOpen: true,
      get: { request, _ in stylesheet.response(to: request) }, form: nil)
    pages.page("/pages") { _, context in
      HomePage.page(
        links: desk.paths.navigation, account: context.principal.account,
        accessKey: context.principal.accessKey, isSignedIn: context.isSignedIn)
    }
    pages.add(
      "/sign-in", isOpen: true,
      get: { request, context in
        try QueryNames.check(
          request, at: "/sign-in", QueryNames(["next"]), allowsEmpty: true)
        let next = QueryParameters(request)["next"].flatMap { OwnPath($0) }
        guard context.principal.isNobody else { return Response.seeOther(next ?? "/pages") }
        // A browser sends the session's cookie with no request that a link on another site has made.
        let page = SignInPage.page(
          next: next, token: desk.context(context).token,
          isFromOtherSite: request.headers[.secFetchSite]?.lowercased() == "cross-site")
        return desk.answer(.page(page), request, context)
      },
      form: PageForm(scope: nil) { request, context, gate in
        let fields = try await FormFields(
          of: request, once: ["access_key", "next", FormToken.field], several: [])
        try gate.admit(fields[FormToken.field])
        let isSecure =
          desk.paths.isSecure || request.headers[.origin]?.hasPrefix("https://") == true
        return try await signIn(fields, context, isSecure: isSecure)
      })
    pages.form("/sign-out", fields: [], scope: nil) { _, context in
      if case .session(let cookie)? = context.request.visitor?.holder { sessions.close(cookie) }
      var answer = PageAnswer.seeOther("/sign-in")
      answer.cookies = PageCookie.session.removing(isSecure: desk.paths.isSecure)
      return answer
    }
  }

  /// - Parameter isSecure: whether the browser speaks TLS: to this listener, or to what stands before it, as the address of
  ///   the page tells that the form was sent from.
  private func signIn(
    _ fields: FormFields, _ context: PageContext, isSecure: Bool
  ) async throws -> PageAnswer {
    let next = fields.ownPath("next")
    guard context.principal.isNobody else { return .seeOther(next ?? "/pages") }
    guard let shown = fields["access_key"] else {
      return .page(
        SignInPage.page(
          next: next, token: context.token, fault: "type in an access key", status: 400))
    }
    var refusal = Keyring.Refusal.unknown
    if let holder = keyring.holder(showing: shown) {
      switch try keyring.principal(of: holder) {
      case .success:
        let cookie = sessions.open(for: holder, at: log.time.monotonicMilliseconds)
        var answer = PageAnswer.seeOther(next ?? "/pages")
        answer.cookies = [
          PageCookie.session.setting(
            cookie, for: PageSessions.lifetime / 1_000, isSecure: isSecure)
        ]
        return answer
      case .failure(let found): refusal = found
      }
    }
    try await holdBack(failureFrom: context.request.remote)
    let fault =
      refusal == .unknown ? "this access key is not known; type it in anew" : refusal.sentence
    return .page(
      SignInPage.page(next: next, token: context.token, fault: fault, status: 401))
  }
}
