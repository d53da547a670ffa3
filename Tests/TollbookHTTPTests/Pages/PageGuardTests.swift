import HTTPTypes
import Hummingbird
import Testing
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct PageGuardTests {
  @Test func `a session opens pages, and no other path`() async throws {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      var browser = Browser(caller)
      #expect(try await browser.signIn("root").status == 303)
      for path in ["/books", "/books/cover", "/pages"] {
        #expect(try await browser.get(path).status == 200, "\(path)")
      }
      for path in ["/ledger", "/events", "/me", "/metrics", "/admin/access-keys", "/nothing"] {
        #expect(try await browser.get(path).status == 401, "\(path)")
      }
      let post = try await browser.post(
        "/admin/accounts", [], [.contentType: "application/json"])
      #expect(post.status == 401)
      let warm = try await browser.post("/cache/warm", [], [.contentType: "application/json"])
      #expect(warm.status == 401)
      // Nor a method that a page does not have.
      for method in [HTTPRequest.Method.delete, .patch, .put, .post] {
        let cookie = browser.cookies.map { "\($0.key)=\($0.value)" }.joined(separator: "; ")
        #expect(try await caller.send(method, "/books", [.cookie: cookie]).status == 401)
      }
    }
  }

  @Test func `a form is taken with the token of a page that the same browser has seen`()
    async throws
  {
    let stand = try await Stand()
    try await stand.browsing { caller in
      var browser = Browser(caller)
      let token = try await browser.token(at: "/books")
      let taken = try await browser.post(
        "/books/marks", [("form_token", token), ("mark", "a&b")])
      #expect(taken.status == 200)
      #expect(taken.text.contains("a&amp;b by default"))

      let without = try await browser.post("/books/marks", [("mark", "a")])
      #expect(without.status == 403)
      #expect(without.isPage)
      #expect(without.title == "The form was not taken")
      #expect(without.text.contains("carries no token"))

      var other = Browser(caller)
      let noCookie = try await other.post("/books/marks", [("form_token", token)])
      #expect(noCookie.status == 403)
      #expect(noCookie.text.contains("allow cookies"))
      _ = try await other.get("/books")
      let foreign = try await other.post("/books/marks", [("form_token", token)])
      #expect(foreign.status == 403)
      #expect(foreign.text.contains("made for somebody else"))

      stand.time.advance(byMilliseconds: FormTokens.lifetime)
      let old = try await browser.post("/books/marks", [("form_token", token)])
      #expect(old.status == 403)
      #expect(old.text.contains("more than 4 hours"))
    }
  }

  @Test func `a token of before the sign-in, or of another session, does not count`() async throws {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      var browser = Browser(caller)
      let before = try await browser.token(at: "/sign-in")
      #expect(try await browser.signIn("root").status == 303)
      let token = try await browser.token(at: "/books")
      #expect(try await browser.post("/books/marks", [("form_token", token)]).status == 200)
      #expect(try await browser.post("/books/marks", [("form_token", before)]).status == 403)
      var other = Browser(caller)
      #expect(try await other.signIn("root").status == 303)
      #expect(try await other.post("/books/marks", [("form_token", token)]).status == 403)
      // Without a session it leads to the sign-in, whatever token it bears.
      var nobody = Browser(caller)
      let answer = try await nobody.post("/books/marks", [("form_token", token)])
      #expect(answer.status == 303)
      #expect(answer.headers[.location] == "/sign-in")
    }
  }

  @Test func `a form is taken with the scope that it needs`() async throws {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      try await caller.open("acme")
      let reader = try await caller.issue("acme", ["read"]).key
      var browser = Browser(caller)
      #expect(try await browser.signIn(reader).status == 303)
      let token = try await browser.token(at: "/books")
      let refused = try await browser.post("/books/marks", [("form_token", token)])
      #expect(refused.status == 403)
      #expect(refused.title == "The access key does not allow it")
      let fetcher = try await caller.issue("acme", ["fetch"]).key
      var other = Browser(caller)
      #expect(try await other.signIn(fetcher).status == 303)
      #expect(try await other.get("/books").status == 403)
    }
  }

  @Test func `a form with files that shows no token is not taken`() async throws {
    let stand = try await Stand()
    try await stand.browsing { caller in
      var browser = Browser(caller)
      let token = try await browser.token(at: "/books")
      let form: HTTPFields = [.contentType: "multipart/form-data; boundary=x"]
      #expect(try await browser.post("/photos", [("token", token)], form).status == 303)
      #expect(try await browser.post("/photos", [("other", token)], form).status == 403)
      #expect(try await browser.post("/photos", [("token", "1.ab")], form).status == 403)
    }
  }

  @Test(
    arguments: [
      ("localhost", "http://localhost", nil, true), ("localhost", "https://LOCALHOST", nil, true),
      ("localhost", nil, nil, true), ("localhost", nil, "none", true),
      ("localhost", "http://localhost", "same-origin", true),
      ("localhost", "http://localhost", "same-site", false),
      ("localhost", "http://localhost", "cross-site", false),
      ("localhost:8000", "http://localhost:8000", nil, true),
      ("localhost:8000", "http://localhost:3000", nil, false),
      ("localhost:8000", "http://localhost", nil, false),
      ("localhost:8000", "http://127.0.0.1:8000", nil, false),
      ("[::1]:8", "http://[::1]:8", nil, true),
      ("localhost", "null", nil, false), ("localhost", "", nil, false),
      ("localhost", "http://localhost.evil.example", nil, false),
    ] as [(String, String?, String?, Bool)])
  func `a form of another origin is foreign`(
    _ host: String, _ origin: String?, _ site: String?, _ isOwn: Bool
  ) {
    var head = HTTPRequest(method: .post, scheme: nil, authority: host, path: "/books/marks")
    head.headerFields[.origin] = origin
    head.headerFields[.secFetchSite] = site
    let request = Request(head: head, body: RequestBody(buffer: ByteBuffer()))
    var problem: Problem?
    do throws(Problem) { try PageDesk.refuseForeign(request) } catch { problem = error }
    #expect((problem == nil) == isOwn)
    #expect(problem == nil || problem?.kind == .foreignOrigin)
  }

  @Test(arguments: [
    ("https://evil.example", "same-origin"), ("null", "cross-site"),
    ("http://localhost", "cross-site"),
    ("http://localhost", "same-site"),
  ])
  func `a form from a page of another site is refused, in a page`(
    _ origin: String, _ site: String
  ) async throws {
    let stand = try await Stand()
    try await stand.browsing { caller in
      var browser = Browser(caller)
      let token = try await browser.token(at: "/books")
      let answer = try await browser.post(
        "/books/marks", [("form_token", token)], [.origin: origin, .secFetchSite: site])
      #expect(answer.status == 403)
      #expect(answer.isPage)
      #expect(answer.title == "Pages of other sites may not call Tollbook")
    }
  }

  @Test func `a link on another site leads to a page, and to nothing else`() async throws {
    let stand = try await Stand()
    try await stand.browsing { caller in
      let cases = [
        ("/books", "navigate", "document", 200), ("/books", "navigate", "iframe", 403),
        ("/books", "no-cors", "image", 403), ("/books", "cors", "empty", 403),
        ("/ledger", "navigate", "document", 403), ("/books/marks", "navigate", "document", 403),
        ("/nothing", "navigate", "document", 403),
      ]
      for (path, mode, destination, status) in cases {
        let answer = try await caller.get(
          path,
          [.secFetchSite: "cross-site", .secFetchMode: mode, .secFetchDest: destination])
        #expect(answer.status == status, "\(path) \(mode) \(destination)")
      }
    }
  }

  @Test func `what is no form, and a field that nobody knows, is refused`() async throws {
    let stand = try await Stand()
    try await stand.browsing { caller in
      var browser = Browser(caller)
      let token = try await browser.token(at: "/books")
      let fields = [("form_token", token), ("mark", "a")]
      for type in ["text/plain", "application/json", "multipart/form-data; boundary=x"] {
        let answer = try await browser.post("/books/marks", fields, [.contentType: type])
        #expect(answer.status == 415)
      }
      let coded = try await browser.post("/books/marks", fields, [.contentEncoding: "gzip"])
      #expect(coded.status == 415)
      #expect(try await browser.post("/books/marks", fields + [("x", "1")]).status == 400)
      #expect(try await browser.post("/books/marks", fields + [("mark", "b")]).status == 400)
      #expect(try await browser.post("/books/marks?x=1", fields).status == 400)
      let long = String(repeating: "x", count: FormFields.mostBytes)
      #expect(
        try await browser.post("/books/marks", [("form_token", token), ("mark", long)]).status
          == 413)
    }
  }

  @Test func `who shows an access key in a header sees pages, and forms need their token`()
    async throws
  {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      var browser = Browser(caller)
      let page = try await browser.get("/books", Caller.root)
      #expect(page.status == 200)
      let token = try #require(page.formToken)
      let taken = try await browser.post(
        "/books/marks", [("form_token", token)], Caller.root)
      #expect(taken.status == 200)
      let refused = try await browser.post("/books/marks", [("mark", "a")], Caller.root)
      #expect(refused.status == 403)
    }
  }
}
