import HTTPTypes
import Hummingbird
import TollbookUpstreams

/// Which pages of other sites may call Tollbook, and what a browser lets them send and read (CORS): those whose origins the
/// settings name, on every path but Tollbook's own pages and forms. Cookies are never allowed: who calls shows an access
/// key, where one is needed.
struct CrossOrigins: Sendable {
  private let named: Set<String>
  private let pages: PagePaths

  init(_ settings: HTTPSettings, pages: PagePaths) {
    named = Set(settings.corsOrigins)
    self.pages = pages
  }

  /// An origin as browsers send it, in lower case and without the port that its scheme stands for; nil: the text is none
  /// that can be named.
  static func origin(_ text: String) -> String? {
    let text = text.lowercased()
    // An address without a path; a slash at its end would be one.
    guard !text.contains("*"), let address = BaseURL(text), address.description == text,
      let separator = text.firstRange(of: "://"), !text[separator.upperBound...].contains("/")
    else { return nil }
    let standard = text.hasPrefix("https:") ? ":443" : ":80"
    return text.hasSuffix(standard) ? String(text.dropLast(standard.count)) : text
  }

  /// Whether who asks at the path of a request may be a page of another site.
  func mayAsk(_ context: TollbookContext) -> Bool {
    !named.isEmpty && pages.entry(context) == nil
  }

  /// The named origin that a request comes from; nil: it comes from elsewhere, or its path is a page.
  func origin(of request: Request, _ context: TollbookContext) -> String? {
    guard mayAsk(context), let origin = request.headers[.origin] else { return nil }
    return named.contains(origin) ? origin : nil
  }

  /// What a browser asks before it sends a request of a named origin's page, answered; nil: it does not ask that.
  func preflight(_ request: Request, _ context: TollbookContext) -> Response? {
    guard request.method == .options, request.headers[.accessControlRequestMethod] != nil,
      origin(of: request, context) != nil
    else { return nil }
    return Response(
      status: .noContent,
      headers: [
        .accessControlAllowMethods: "GET, HEAD, POST, PUT, PATCH, DELETE",
        .accessControlAllowHeaders: Self.requestHeaders,
        // In seconds.
        .accessControlMaxAge: "600",
      ])
  }

  /// The request headers that are read, beside those that every page may send.
  private static let requestHeaders: String = {
    let names: [HeaderName] = [
      .authorization, .contentType, .idempotencyKey, .prefer, .lastEventID, .apiKey, .accessKey,
      .tags, .dryRun,
    ]
    let options = DemandOptions.allNames.compactMap(DemandOptions.header)
    var seen: Set<HeaderName> = []
    return (names + options).filter { seen.insert($0).inserted }
      .map(\.rawName).joined(separator: ", ")
  }()

  /// Lets a page of an origin read an answer, with the headers that Tollbook put into it.
  static func allow(_ origin: String, in headers: inout HTTPFields) {
    let own = headers.map(\.name).filter { !unexposed.contains($0) }.map(\.rawName)
    headers[.accessControlAllowOrigin] = origin
    headers[.crossOriginResourcePolicy] = "cross-origin"
    if !own.isEmpty {
      headers[.accessControlExposeHeaders] = Set(own).sorted().joined(separator: ", ")
    }
  }

  /// What every page may read anyway, and what is said to the browser alone.
  private static let unexposed: Set<HeaderName> = [
    .cacheControl, .contentLanguage, .contentLength, .contentType, .expires, .lastModified,
    .xContentTypeOptions, .referrerPolicy, .frameOptions, .contentSecurityPolicy,
    .crossOriginResourcePolicy, .vary, .trailer, .buffering, .accessControlAllowMethods,
    .accessControlAllowHeaders, .accessControlMaxAge,
  ]
}

/// Tells browsers which answers a page of a named origin may read, problem documents too. Stands outside all that answers.
struct CrossOriginAnswers: RouterMiddleware {
  typealias Context = TollbookContext

  let origins: CrossOrigins

  func handle(
    _ request: Request, context: TollbookContext,
    next: @concurrent (Request, TollbookContext) async throws -> Response
  ) async throws -> Response {
    var response = try await next(request, context)
    guard origins.mayAsk(context) else { return response }
    // What a cache holds for one origin, or for none, does not do for another.
    response.headers.append(HTTPField(name: .vary, value: "Origin"))
    if let origin = origins.origin(of: request, context) {
      CrossOrigins.allow(origin, in: &response.headers)
    }
    return response
  }
}
