import Hummingbird
import TollbookGateway
import TollbookLog

/// Takes the forms of pages, and answers with pages.
struct PageDesk: Sendable {
  let service: HTTPService
  let paths: PagePaths

  // MARK: Forms

  func take(
    _ form: PageForm, _ request: Request, _ context: TollbookContext
  ) async throws -> Response {
    try Self.refuseForeign(request)
    if let scope = form.scope { try context.principal.require(scope) }
    try QueryNames.check(request, at: context.endpointPath ?? "", QueryNames())
    try refuseIdempotencyKey(request)
    let visitor = context.visitor
    let now = service.log.time.monotonicMilliseconds
    let gate = FormGate { [tokens = service.formTokens] text throws(Problem) in
      guard let visitor else { throw Self.refused(.missing, hasCookie: false) }
      do throws(FormTokens.Fault) {
        try tokens.check(text, for: visitor.holder, at: now)
      } catch { throw Self.refused(error, hasCookie: visitor.newCookie == nil) }
    }
    let given = try await form.answer(request, self.context(context), gate)
    try gate.requireAdmission()
    return answer(given, request, context)
  }

  /// Refuses a form that a page of another origin has sent: of another port of this machine, too. A browser says where it
  /// comes from; where its `Host` has no port, since something stands between, the name alone is compared.
  static func refuseForeign(_ request: Request) throws(Problem) {
    let foreign = Problem(
      .foreignOrigin,
      "the form was sent by a page that is not Tollbook's; open Tollbook's own page and send it"
        + " from there")
    if let site = request.headers[.secFetchSite]?.lowercased(),
      site != "same-origin" && site != "none"
    {
      throw foreign
    }
    guard let origin = request.headers[.origin] else { return }
    guard let separator = origin.firstRange(of: "://"),
      let host = BrowserGuard.authorities(of: request).first?.lowercased()
    else { throw foreign }
    let sender = origin[separator.upperBound...].lowercased()
    let name = BrowserGuard.name(ofAuthority: host)
    let isOwn = name == host ? name == BrowserGuard.name(ofAuthority: sender) : host == sender
    guard isOwn else { throw foreign }
  }

  private static func refused(_ fault: FormTokens.Fault, hasCookie: Bool) -> Problem {
    let reason =
      switch fault {
      case _ where !hasCookie:
        "the browser sent no cookie of Tollbook's with the form; allow cookies"
      case .missing: "the form carries no token of a page of Tollbook's"
      case .foreign: "the form was made for somebody else, or before Tollbook was started anew"
      case .tooOld: "the form lay open for more than \(FormTokens.lifetime / 3_600_000) hours"
      }
    return Problem(.formToken, "\(reason); load its page again and send it from there")
  }

  // MARK: Answers

  func context(_ context: TollbookContext) -> PageContext {
    PageContext(
      principal: context.principal, isSignedIn: context.visitor?.isSignedIn ?? false,
      token: token(context), request: context)
  }

  func answer(
    _ answer: PageAnswer, _ request: Request, _ context: TollbookContext
  ) -> Response {
    var response =
      switch answer.content {
      case .seeOther(let path): Response.seeOther(path)
      case .page(let page): Response(page, in: frame(request, context))
      }
    for cookie in answer.cookies { response.headers.append(cookie) }
    if answer.cookies.isEmpty, let cookie = context.visitor?.newCookie {
      response.headers.append(cookie)
    }
    return response
  }

  private func frame(_ request: Request, _ context: TollbookContext) -> PageFrame {
    var frame = service.frame(of: paths, at: request.uri.path)
    if context.visitor?.isSignedIn == true {
      frame.visitor = PageFrame.Visitor(
        account: context.principal.account, token: token(context))
    }
    return frame
  }

  private func token(_ context: TollbookContext) -> FormToken {
    guard let visitor = context.visitor else { return FormToken("") }
    return service.formTokens.token(
      for: visitor.holder, at: service.log.time.monotonicMilliseconds)
  }
}

extension HTTPService {
  /// What stands around a page, as far as it does not depend on who looks.
  func frame(of paths: PagePaths, at path: String) -> PageFrame {
    PageFrame(
      navigation: paths.navigation, current: path, isSimulated: gateway.isSimulated,
      version: settings.version, stylesheet: PageAsset.stylesheet.path)
  }
}

extension Response {
  /// A page as HTML.
  ///
  /// A form's post says where it comes from only where the page's policy lets it (Fetch, "append a request `Origin`
  /// header"): so pages tell their address to Tollbook itself, and to nobody else.
  init(_ page: Page, in frame: PageFrame, headers: HTTPFields = [:]) {
    var headers = headers
    headers[.contentType] = "text/html; charset=utf-8"
    headers[.contentSecurityPolicy] = page.securityPolicy
    headers[.referrerPolicy] = "same-origin"
    if page.status == 401 && headers[.wwwAuthenticate] == nil {
      headers[.wwwAuthenticate] = Problem.challenge
    }
    self.init(
      status: HTTPResponse.Status(code: page.status), headers: headers,
      body: .init(byteBuffer: ByteBuffer(string: PageLayout.document(page, in: frame))))
  }

  /// Leads to another place of Tollbook's, by GET.
  static func seeOther(_ path: OwnPath) -> Response {
    Response(status: .seeOther, headers: [.location: path.text])
  }
}
