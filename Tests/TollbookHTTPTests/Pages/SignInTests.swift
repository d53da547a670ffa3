import Hummingbird
import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct SignInTests {
  @Test func `without any access key pages need no sign-in`() async throws {
    let stand = try await Stand()
    try await stand.browsing { caller in
      var browser = Browser(caller)
      let page = try await browser.get("/books?q=a%3Cb")
      #expect(page.status == 200)
      #expect(page.title == "Books of default")
      #expect(page.text.contains("a&lt;b"))
      #expect(!page.text.contains("/sign-out"))
      let signIn = try await browser.get("/sign-in?next=/books")
      #expect(signIn.status == 303)
      #expect(signIn.headers[.location] == "/books")
      #expect(try await browser.get("/pages").text.contains("No access key is needed"))
    }
  }

  @Test func `where a key is needed, a page leads to the sign-in and back`() async throws {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      var browser = Browser(caller)
      let refused = try await browser.get("/books?q=a%26b&x")
      #expect(refused.status == 303)
      let location = try #require(refused.headers[.location])
      #expect(location == "/sign-in?next=%2Fbooks%3Fq%3Da%2526b%26x")
      let page = try await browser.get(location)
      #expect(page.status == 200)
      #expect(page.title == "Sign in")
      #expect(page.text.contains("name=\"next\" value=\"/books?q=a%26b&amp;x\""))
      let signedIn = try await browser.signIn("root", next: "/books?q=a%26b")
      #expect(signedIn.status == 303)
      #expect(signedIn.headers[.location] == "/books?q=a%26b")
      let books = try await browser.get("/books?q=a%26b")
      #expect(books.status == 200)
      #expect(books.text.contains("a&amp;b"))
      #expect(books.text.contains("action=\"/sign-out\""))
    }
  }

  @Test func `the session's cookie is for no script and no other site`() async throws {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      var browser = Browser(caller)
      let answer = try await browser.signIn("root")
      let cookie = try #require(
        answer.headers[values: .setCookie].first { $0.hasPrefix("tollbook_session=") })
      #expect(
        cookie.hasSuffix("; Path=/; HttpOnly; SameSite=Strict; Max-Age=43200"), "\(cookie)")
      #expect(!answer.text.contains("root"))
      // A browser that speaks TLS, to whatever stands before this listener, keeps it for TLS alone.
      var other = Browser(caller)
      let token = try await other.token(at: "/sign-in")
      let secure = try await other.post(
        "/sign-in", [("form_token", token), ("access_key", "root")],
        [.origin: "https://localhost"])
      let cookies = secure.headers[values: .setCookie]
      #expect(cookies.count == 1)
      #expect(cookies.first?.hasPrefix("__Host-tollbook_session=") == true)
      #expect(cookies.first?.contains("; Secure") == true)
      #expect(try await other.get("/books").status == 200)
    }
  }

  @Test(arguments: [
    "//evil.example", "https://evil.example/", "/\\evil.example", "javascript:alert(1)", "books",
    "",
    "/books\r\nSet-Cookie: a=b",
  ])
  func `it leads to Tollbook's own pages alone`(_ next: String) async throws {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      var browser = Browser(caller)
      let shown = try await browser.get("/sign-in?\(formText([("next", next)]))")
      #expect(shown.status == 200)
      #expect(!shown.text.contains("name=\"next\""))
      #expect(try await browser.signIn("root", next: next).headers[.location] == "/pages")
    }
  }

  @Test func `a wrong key waits for its answer, as one in a header does`() async throws {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      var browser = Browser(caller)
      let token = try await browser.token(at: "/sign-in")
      let wrong = Task { [browser] in
        var browser = browser
        return try await browser.post(
          "/sign-in", [("form_token", token), ("access_key", "wrong"), ("next", "/books")])
      }
      await stand.time.waitForSleepers(1)
      stand.time.advance(byMilliseconds: 49)
      #expect(stand.time.sleeperCount == 1)
      stand.time.advance(byMilliseconds: 1)
      let refused = try await wrong.value
      #expect(refused.status == 401)
      #expect(refused.isPage)
      #expect(refused.headers[.wwwAuthenticate] == "Bearer realm=\"tollbook\"")
      #expect(refused.text.contains("Not signed in: this access key is not known"))
      #expect(refused.text.contains("name=\"next\" value=\"/books\""))
      #expect(!refused.text.contains("value=\"wrong\""))
      #expect(refused.headers[values: .setCookie].isEmpty)
      // The next one waits longer, wherever it is shown.
      let header = Task { try await caller.get("/books", key: "wrong") }
      await stand.time.waitForSleepers(1)
      stand.time.advance(byMilliseconds: 99)
      #expect(stand.time.sleeperCount == 1)
      stand.time.advance(byMilliseconds: 1)
      #expect(try await header.value.status == 401)
      #expect(try await browser.signIn("").status == 400)
    }
  }

  @Test func `to sign in takes a token, too`() async throws {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      var browser = Browser(caller)
      let without = try await browser.post("/sign-in", [("access_key", "root")])
      #expect(without.status == 403)
      #expect(without.headers[values: .setCookie].isEmpty)
      let token = try await browser.token(at: "/sign-in")
      // That of another browser.
      var other = Browser(caller)
      _ = try await other.get("/sign-in")
      let foreign = try await other.post(
        "/sign-in", [("form_token", token), ("access_key", "root")])
      #expect(foreign.status == 403)
    }
  }

  @Test func `a session ends with its key, after twelve hours, and with the sign-out`()
    async throws
  {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      try await caller.open("acme")
      let (id, key) = try await caller.issue("acme")
      var browser = Browser(caller)
      #expect(try await browser.signIn(key).status == 303)
      #expect(try await browser.get("/books").title == "Books of acme")
      _ = try await caller.admin(.delete, "/admin/access-keys/\(id)")
      #expect(try await browser.get("/books").status == 303)

      let expiring = try await caller.issue(
        "acme", ["read"], ",\"expires_at\":\"\(stand.time.now.advanced(byMilliseconds: 5_000))\"")
      #expect(try await browser.signIn(expiring.key).status == 303)
      #expect(try await browser.get("/books").status == 200)
      stand.time.advance(byMilliseconds: 5_000)
      #expect(try await browser.get("/books").status == 303)

      #expect(try await browser.signIn("root").status == 303)
      stand.time.advance(byMilliseconds: PageSessions.lifetime - 1)
      #expect(try await browser.get("/books").status == 200)
      stand.time.advance(byMilliseconds: 1)
      #expect(try await browser.get("/books").status == 303)

      #expect(try await browser.signIn("root").status == 303)
      let old = browser
      let token = try await browser.token(at: "/books")
      let out = try await browser.post("/sign-out", [("form_token", token)])
      #expect(out.headers[.location] == "/sign-in")
      #expect(browser.cookies["tollbook_session"] == nil)
      // Who has kept the cookie has kept nothing.
      var kept = old
      #expect(try await kept.get("/books").status == 303)
    }
  }

  @Test func `who comes from another site is told how to go on`() async throws {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      var browser = Browser(caller)
      let link: HTTPFields = [
        .secFetchSite: "cross-site", .secFetchMode: "navigate", .secFetchDest: "document",
      ]
      #expect(try await browser.get("/books", link).status == 303)
      let page = try await browser.get("/sign-in?next=/books", link)
      #expect(page.text.contains("<a href=\"/books\">go on to the page</a>"))
    }
  }
}
