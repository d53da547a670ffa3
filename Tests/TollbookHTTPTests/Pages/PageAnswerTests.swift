import Hummingbird
import Testing
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct PageAnswerTests {
  @Test func `a page has its own policy, once, and all other headers`() async throws {
    let stand = try await Stand()
    try await stand.browsing { caller in
      var browser = Browser(caller)
      let answers = [
        try await browser.get("/books"), try await browser.get("/books?x=1"),
        try await browser.post("/books/marks", []),
      ]
      #expect(answers.map(\.status) == [200, 400, 403])
      for answer in answers {
        #expect(answer.isPage)
        let expected: [(HTTPFields.Element.Name, String)] = [
          (
            .contentSecurityPolicy,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
              + "frame-ancestors 'none'; base-uri 'none'"
          ),
          (.referrerPolicy, "same-origin"), (.xContentTypeOptions, "nosniff"),
          (.frameOptions, "DENY"), (.crossOriginResourcePolicy, "same-origin"),
          (.cacheControl, "no-store"), (.upstream, "simulated"),
        ]
        for (name, value) in expected { #expect(answer.headers[values: name] == [value]) }
        #expect(answer.text.contains("Simulated: no real upstream"))
      }
    }
  }

  @Test func `the stylesheet is kept for a year, and needs no key`() async throws {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      var browser = Browser(caller)
      let page = try await browser.get("/sign-in")
      let match = page.text.firstMatch(of: /href="(\/pages\/style-[0-9a-f]{16}\.css)"/)
      let path = String(try #require(match).output.1)
      let sheet = try await caller.get(path)
      #expect(sheet.status == 200)
      #expect(sheet.text == Stylesheet.text)
      #expect(sheet.headers[.contentType] == "text/css; charset=utf-8")
      #expect(sheet.headers[values: .cacheControl] == ["public, max-age=31536000, immutable"])
      #expect(sheet.headers[.xContentTypeOptions] == "nosniff")
      let tag = try #require(sheet.headers[.eTag])
      let again = try await caller.get(path, [.ifNoneMatch: tag])
      #expect(again.status == 304)
      #expect(again.bytes.isEmpty)
      #expect(try await caller.get(path, [.ifNoneMatch: "\"x\""]).status == 200)
    }
  }

  @Test func `a problem at a page is a page to who asks for one, and JSON to all others`()
    async throws
  {
    let stand = try await Stand()
    try await stand.browsing { caller in
      var browser = Browser(caller)
      let page = try await browser.get("/books?mark=%3Cscript%3E")
      #expect(page.status == 400)
      #expect(page.isPage)
      #expect(page.title == "A parameter has a value that is not accepted")
      #expect(page.text.contains("is no parameter of /books"))
      let id = try #require(page.headers[.requestID])
      #expect(page.text.contains("<code>\(id)</code>"))
      for accept in ["application/json", "*/*", "application/json, text/html", "text/plain", ""] {
        let json = try await browser.get("/books?mark=1", [.accept: accept])
        #expect(json.headers[.contentType] == "application/problem+json")
        #expect(json.string("type") == "/problems/invalid-parameter")
      }
      let json = try await browser.get("/ledger?x=1")
      #expect(json.headers[.contentType] == "application/problem+json")
      let token = try await browser.token(at: "/books")
      let missing = try await browser.post(
        "/books/marks", [("form_token", token), ("mark", "none")])
      #expect(missing.status == 404)
      #expect(missing.text.contains("There is no such book."))
      let method = try await browser.get("/books/marks")
      #expect(method.status == 405)
      #expect(method.isPage)
      #expect(method.headers[.allow] == "POST")
    }
  }

  @Test func `where there is nothing a browser is told so by a page, and all others by JSON`()
    async throws
  {
    let stand = try await Stand()
    try await stand.browsing { caller in
      var browser = Browser(caller)
      let page = try await browser.get("/books/7/%3Cb%3E\u{202E}x")
      #expect(page.status == 404)
      #expect(page.isPage)
      #expect(page.title == "There is nothing here")
      #expect(page.text.contains("There is nothing at /books/7/"))
      #expect(page.text.contains(">Books</a>"))
      #expect(!page.text.unicodeScalars.contains("\u{202E}"))
      #expect(!page.text.contains("<b>"))
      for accept in ["application/json", "*/*", ""] {
        let json = try await browser.get("/nowhere", [.accept: accept])
        #expect(json.status == 404)
        #expect(json.headers[.contentType] == "application/problem+json")
      }
    }
    try await stand.browsing(accessKey: "root") { caller in
      var browser = Browser(caller)
      let page = try await browser.get("/nowhere")
      #expect(page.status == 401)
      #expect(page.isPage)
    }
  }

  @Test func `a filter that was left empty counts as left out`() async throws {
    let stand = try await Stand()
    try await stand.browsing { caller in
      var browser = Browser(caller)
      let page = try await browser.get("/books?q=")
      #expect(page.status == 200)
      #expect(page.text.contains("all</main>"))
      #expect(try await browser.get("/books?q=a&q=b").status == 400)
    }
  }

  @Test func `the list of pages leads to each`() async throws {
    let stand = try await Stand()
    try await stand.browsing(accessKey: "root") { caller in
      try await caller.open("acme")
      let (id, key) = try await caller.issue("acme")
      var browser = Browser(caller)
      #expect(try await browser.signIn(key).headers[.location] == "/pages")
      let page = try await browser.get("/pages")
      #expect(page.text.contains("<li><a href=\"/books\">Books</a></li>"))
      #expect(page.text.contains("<bdi>acme</bdi>"))
      #expect(page.text.contains("with the key \(id)."))
      #expect(!page.text.contains(key))
    }
  }

  @Test func `a page asked for by HEAD has no body`() async throws {
    let stand = try await Stand()
    try await stand.browsing { caller in
      let answer = try await caller.send(.head, "/books")
      #expect(answer.status == 200)
      #expect(answer.bytes.isEmpty)
      #expect(answer.headers[.contentType] == "text/html; charset=utf-8")
    }
  }
}
