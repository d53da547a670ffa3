import Hummingbird
import HummingbirdTesting
import Logging
import Testing
import TollbookGateway
import TollbookLog
import TollbookTestSupport

@testable import TollbookHTTP

/// A browser that looks at Tollbook's pages: it keeps cookies, and says that it wants HTML.
struct Browser {
  let caller: Caller
  private(set) var cookies: [String: String] = [:]

  init(_ caller: Caller) { self.caller = caller }

  private func headers(_ more: HTTPFields) -> HTTPFields {
    var headers = more
    if headers[.accept] == nil { headers[.accept] = "text/html,application/xhtml+xml,*/*;q=0.8" }
    if !cookies.isEmpty {
      headers[.cookie] = cookies.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        .joined(separator: "; ")
    }
    return headers
  }

  private mutating func keep(_ answer: Answer) {
    for field in answer.headers[values: .setCookie] {
      let pair = field.prefix { $0 != ";" }.split(separator: "=", maxSplits: 1)
      guard let name = pair.first.map(String.init) else { continue }
      cookies[name] = field.contains("Max-Age=0") ? nil : pair.count == 2 ? String(pair[1]) : ""
    }
  }

  mutating func get(_ path: String, _ more: HTTPFields = [:]) async throws -> Answer {
    let answer = try await caller.get(path, headers(more))
    keep(answer)
    return answer
  }

  /// Sends a form.
  mutating func post(
    _ path: String, _ fields: [(name: String, value: String)], _ more: HTTPFields = [:]
  ) async throws -> Answer {
    var all = headers(more)
    if all[.contentType] == nil { all[.contentType] = "application/x-www-form-urlencoded" }
    if all[.origin] == nil { all[.origin] = "http://localhost" }
    let answer = try await caller.send(.post, path, all, body: formText(fields))
    keep(answer)
    return answer
  }

  /// Looks at a page and takes the token of its forms.
  mutating func token(at path: String) async throws -> String {
    try #require(try await get(path).formToken)
  }

  /// Signs in as somebody does: looks at the page and types the key in.
  mutating func signIn(_ key: String, next: String? = nil) async throws -> Answer {
    let token = try await token(at: "/sign-in")
    return try await post(
      "/sign-in",
      [("form_token", token), ("access_key", key)] + (next.map { [("next", $0)] } ?? []))
  }
}

extension Answer {
  /// The token of the first form.
  var formToken: String? {
    text.firstMatch(of: /name="form_token" value="([0-9a-f.]+)"/).map { String($0.output.1) }
  }

  var isPage: Bool { headers[.contentType] == "text/html; charset=utf-8" }
  var title: String? { text.firstMatch(of: /<title>(.*) · Tollbook<\/title>/).map { String($0.1) } }
}

extension Stand {
  /// Serves pages: `/books`, and a form at `/books/marks` that tells which mark and whose, and a form with files at
  /// `/photos`.
  func browsing<Value: Sendable>(
    accessKey: String? = nil, corsOrigins: [String] = [],
    _ body: @Sendable (Caller) async throws -> Value
  ) async throws -> Value {
    var settings = HTTPSettings(version: Self.version, startTime: time.now)
    settings.port = 0
    settings.accessKey = accessKey
    settings.corsOrigins = corsOrigins
    var quiet = Logger(label: "test")
    quiet.logLevel = .critical
    var system = HTTPSystem("books", title: "Books") { _, _ in }
    system.addPages = { _, router in
      router.page("/books", link: "Books", query: QueryNames(["q"])) { request, context in
        Page("Books of \(context.principal.account)") {
          HTML(.form, .post, .action("/books/marks")) { HTML.token(context.token) }
          QueryParameters(request)["q"] ?? "all"
        }
      }
      router.form("/books/marks", fields: ["mark"]) { fields, context in
        guard fields["mark"] != "none" else { throw Problem(.notFound, "there is no such book") }
        return .page(
          Page("Marked") { "\(fields["mark"] ?? "") by \(context.principal.account)" })
      }
      router.form(
        "/photos",
        .upload(read: { request, gate in
          let text = try await String(buffer: request.body.collect(upTo: 1_000))
          if text.hasPrefix("token=") { try gate.admit(String(text.dropFirst(6))) }
          return text.utf8.count
        }) { _, _ in .seeOther("/books") })
      router.file("/books/cover") { _, _ in Response(status: .ok) }
    }
    let application = TollbookApplication(
      gateway: gateway, settings: settings, systems: [system], logger: quiet)
    return try await application.application().test(.router) {
      try await body(Caller(client: $0))
    }
  }
}
