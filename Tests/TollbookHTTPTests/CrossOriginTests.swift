import HTTPTypes
import Hummingbird
import Testing
import TollbookTestSupport

@testable import TollbookHTTP

/// Which pages of other sites may call (CORS).
@Suite struct CrossOriginTests {
  private static let named = "https://app.example"
  private static let asked = "GET, HEAD, POST, PUT, PATCH, DELETE"

  @Test func `a page of a named origin may call and read, problems too`() async throws {
    let stand = try await Stand { $0.corsOrigins = [Self.named] }
    try await stand.serving { caller in
      let bought = try await caller.batch(["B000000001"], headers: [.origin: Self.named])
      #expect(bought.status == 200)
      let wrong = try await caller.get("/nothing", [.origin: Self.named])
      #expect(wrong.status == 404)
      for answer in [bought, wrong] {
        #expect(answer.headers[.accessControlAllowOrigin] == Self.named)
        #expect(answer.headers[.accessControlAllowCredentials] == nil)
        #expect(answer.headers[.crossOriginResourcePolicy] == "cross-origin")
        #expect(answer.headers[values: .vary].contains("Origin"))
        let exposed = answer.headers[.accessControlExposeHeaders] ?? ""
        #expect(exposed.lowercased().contains("request-id"), "\(exposed)")
      }
    }
  }

  @Test func `a browser that asks before it sends is told what it may send`() async throws {
    let stand = try await Stand {
      $0.corsOrigins = [Self.named]
      $0.accessKey = "open sesame"
    }
    try await stand.serving { caller in
      let asked = try await caller.send(
        .options, "/keepa/batch-analyze",
        [.origin: Self.named, .accessControlRequestMethod: "POST"])
      #expect(asked.status == 204)
      #expect(asked.headers[.accessControlAllowOrigin] == Self.named)
      #expect(asked.headers[.accessControlAllowMethods] == Self.asked)
      let headers = asked.headers[.accessControlAllowHeaders]?.lowercased() ?? ""
      for name in ["authorization", "content-type", "idempotency-key", "x-api-key"] {
        #expect(headers.contains(name), "\(headers)")
      }
      #expect(asked.headers[.accessControlMaxAge] == "600")
      // The key is needed all the same.
      let refused = try await stand.whileTimePasses {
        try await caller.batch(["B000000001"], headers: [.origin: Self.named])
      }
      #expect(refused.status == 401)
      #expect(refused.headers[.accessControlAllowOrigin] == Self.named)
      #expect(stand.callCount == 0)
    }
  }

  @Test(arguments: [
    "https://app.example.evil.example", "http://app.example", "https://app.example:8443",
    "https://other.example", "null", "",
  ])
  func `a page of any other origin may do neither`(_ origin: String) async throws {
    let stand = try await Stand { $0.corsOrigins = [Self.named] }
    try await stand.serving { caller in
      let refused = try await caller.batch(["B000000001"], headers: [.origin: origin])
      let asked = try await caller.send(
        .options, "/keepa/batch-analyze", [.origin: origin, .accessControlRequestMethod: "POST"])
      for answer in [refused, asked] {
        #expect(answer.status == 403)
        #expect(answer.headers[.accessControlAllowOrigin] == nil)
        #expect(answer.headers[.accessControlAllowMethods] == nil)
        #expect(answer.headers[.crossOriginResourcePolicy] == "same-origin")
      }
      #expect(stand.callCount == 0)
    }
  }

  @Test(arguments: [nil, "cross-site", "same-site", "same-origin", "none"] as [String?])
  func `at pages and forms a named origin is foreign like any other`(_ site: String?) async throws {
    let stand = try await Stand()
    try await stand.browsing(corsOrigins: [Self.named]) { caller in
      var browser = Browser(caller)
      // That of a page which this very browser was shown.
      let token = try await browser.token(at: "/books")
      var headers: HTTPFields = [.origin: Self.named]
      headers[.secFetchSite] = site
      headers[.secFetchMode] = "navigate"
      headers[.secFetchDest] = "document"
      let form = [("form_token", token), ("mark", "a")]
      var answers = [
        try await browser.post("/books/marks", form, headers),
        try await browser.post("/photos", [("token", token)], headers),
        try await browser.get("/books", headers), try await browser.get("/books/cover", headers),
      ]
      headers[.accessControlRequestMethod] = "POST"
      answers.append(try await caller.send(.options, "/books/marks", headers))
      for answer in answers {
        #expect(answer.status == 403)
        #expect(answer.headers[.accessControlAllowOrigin] == nil)
        #expect(answer.headers[.accessControlAllowMethods] == nil)
        #expect(answer.headers[.crossOriginResourcePolicy] == "same-origin")
      }
      // Of Tollbook's own page it is taken.
      #expect(try await browser.post("/books/marks", form).status == 200)
    }
  }

  @Test func `what a browser marks as cross-site may come from a named origin alone`()
    async throws
  {
    let stand = try await Stand { $0.corsOrigins = [Self.named] }
    try await stand.serving { caller in
      for (origin, status) in [(nil, 403), ("https://other.example", 403), (Self.named, 200)] {
        var headers: HTTPFields = [.secFetchSite: "cross-site", .secFetchMode: "cors"]
        headers[.origin] = origin
        #expect(stand.callCount == 0)
        let answer = try await caller.batch(["B000000001"], headers: headers)
        #expect(answer.status == status)
        #expect(answer.headers[.accessControlAllowOrigin] == (status == 200 ? Self.named : nil))
      }
      #expect(stand.callCount > 0)
    }
  }

  @Test func `under a foreign Host not even a named origin may call`() async throws {
    let stand = try await Stand { $0.corsOrigins = [Self.named] }
    try await stand.serving { caller in
      var headers: HTTPFields = [.origin: Self.named, .plainHost: "evil.example"]
      let called = try await caller.batch(["B000000001"], headers: headers)
      headers[.accessControlRequestMethod] = "POST"
      let asked = try await caller.send(.options, "/keepa/batch-analyze", headers)
      for answer in [called, asked] {
        #expect(answer.status == 421)
        #expect(answer.headers[.accessControlAllowMethods] == nil)
        #expect(answer.headers[.accessControlAllowHeaders] == nil)
      }
      #expect(stand.callCount == 0)
    }
  }

  @Test func `where no origin is named no answer speaks of origins`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let own = try await caller.get("/health", [.origin: "http://localhost:3000"])
      #expect(own.status == 200)
      #expect(!own.headers.contains { $0.name.canonicalName.hasPrefix("access-control") })
      #expect(own.headers[.vary] == nil)
    }
  }

  @Test(
    arguments: [
      ("https://app.example", "https://app.example"),
      ("HTTPS://App.Example", "https://app.example"),
      ("https://app.example:443", "https://app.example"),
      ("http://app.example:80", "http://app.example"),
      ("http://127.0.0.1:3000", "http://127.0.0.1:3000"), ("*", nil), ("https://*", nil),
      ("https://*.example", nil), ("https://app.example/", nil), ("https://app.example/page", nil),
      ("https://ann:secret@app.example", nil), ("app.example", nil), ("ftp://app.example", nil),
      ("https://", nil), ("", nil), ("null", nil),
    ] as [(String, String?)])
  func `an origin is a scheme, a host and perhaps a port`(_ text: String, _ origin: String?) {
    #expect(HTTPSettings.origin(text) == origin)
  }
}
