import Hummingbird
import Testing
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct GuardTests {
  @Test(arguments: [
    ("localhost", true), ("LOCALHOST:8000", true), ("127.0.0.1:1", true), ("[::1]:8000", true),
    ("tollbook.internal:443", true), ("evil.example", false), ("localhost.evil.example", false),
    ("127.0.0.1.evil.example:8000", false), ("localhost:8000@evil.example", false), ("", false),
    ("localhost:65535", true), ("localhost:65536", false), ("localhost:99999", false),
    ("localhost:8o", false), ("localhost:٣", false),
  ])
  func `a foreign Host is refused`(_ host: String, _ isAllowed: Bool) async throws {
    let stand = try await Stand { $0.allowedHosts = ["Tollbook.internal"] }
    try await stand.serving { caller in
      let answer = try await caller.batch(["B000000001"], headers: [.plainHost: host])
      #expect(answer.status == (isAllowed ? 200 : 421))
      if !isAllowed {
        #expect(answer.string("type") == "/problems/foreign-host")
        #expect(stand.callCount == 0)
      }
    }
  }

  @Test(arguments: [
    ("http://localhost:3000", true), ("http://127.0.0.1:8000", true), ("null", false),
    ("https://evil.example", false), ("http://localhost.evil.example", false), ("", false),
  ])
  func `a page of another site cannot call`(_ origin: String, _ isAllowed: Bool) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.batch(["B000000001"], headers: [.origin: origin])
      #expect(answer.status == (isAllowed ? 200 : 403))
      if !isAllowed { #expect(stand.callCount == 0) }
    }
  }

  @Test func `what a browser marks as cross-site is refused`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      for value in ["same-origin", "none", "same-site"] {
        #expect(try await caller.get("/health", [.secFetchSite: value]).status == 200)
      }
      for value in ["Cross-Site", "same-origin, cross-site"] {
        let answer = try await caller.get("/health", [.secFetchSite: value])
        #expect(answer.status == 403)
        #expect(answer.string("field") == "Sec-Fetch-Site")
      }
    }
  }

  @Test(arguments: [
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/jsonp", "",
  ])
  func `a post that is not declared as JSON is refused`(_ type: String) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let body = #"{"asinList":["B000000001"]}"#
      let answer = try await caller.post(body, [.contentType: type])
      #expect(answer.status == 415)
      #expect(stand.callCount == 0)
      for coding in ["gzip", "identity, gzip", "br"] {
        let coded = try await caller.post(body, [.contentEncoding: coding])
        #expect(coded.status == 415)
        #expect(coded.string("field") == "Content-Encoding")
        #expect(coded.headers[.acceptEncoding] == "identity")
        #expect(stand.callCount == 0)
      }
      let json = try await caller.post(
        body, [.contentType: "Application/JSON; charset=utf-8", .contentEncoding: "Identity"])
      #expect(json.status == 200)
    }
  }

  @Test func `with an access key only who shows it is let in`() async throws {
    let stand = try await Stand { $0.accessKey = "open sesame" }
    try await stand.serving { caller in
      let refused = try await caller.get("/ledger")
      #expect(refused.status == 401)
      #expect(refused.headers[.wwwAuthenticate] == "Bearer realm=\"tollbook\"")
      #expect(refused.string("type") == "/problems/unauthorized")
      for wrong in ["Bearer open sesamE", "Bearer open", "Basic open sesame", "Bearer ", "x"] {
        let refused = try await stand.whileTimePasses {
          try await caller.get("/ledger", [.authorization: wrong])
        }
        #expect(refused.status == 401)
      }
      #expect(
        try await caller.get("/ledger", [.authorization: "bearer open sesame"]).status == 200)
      #expect(try await caller.get("/ledger", [.accessKey: "open sesame"]).status == 200)
      #expect(try await caller.get("/nothing").status == 401)
      #expect(try await caller.get("/health").status == 200)
      _ = try await caller.batch(["B000000001"], headers: [.accessKey: "open sesame"])
      let product = try await caller.get(
        "/keepa/products/1/B000000001", [.accessKey: "open sesame"])
      #expect(product.headers[.cacheControl] == "private, max-age=604800")
    }
  }

  @Test func `E27: every answer has the security headers, errors too`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answers = [
        try await caller.get("/health"), try await caller.get("/nothing"),
        try await caller.post("{"), try await caller.send(.delete, "/health"),
        try await caller.get("/ledger", [.plainHost: "evil.example"]),
      ]
      for answer in answers {
        #expect(answer.headers[.xContentTypeOptions] == "nosniff")
        #expect(answer.headers[.referrerPolicy] == "no-referrer")
        #expect(answer.headers[.frameOptions] == "DENY")
        #expect(
          answer.headers[.contentSecurityPolicy] == "default-src 'none'; frame-ancestors 'none'")
        #expect(answer.headers[.crossOriginResourcePolicy] == "same-origin")
        #expect(answer.headers[.cacheControl] == "no-store")
        #expect(answer.headers[.upstream] == "simulated")
        #expect(answer.headers[.requestID]?.isEmpty == false)
      }
      #expect(Set(answers.map { $0.headers[.requestID] }).count == answers.count)
    }
  }

  @Test func `other addresses than this machine's own need an access key`() {
    var settings = HTTPSettings(version: "1", startTime: .testStart)
    #expect(settings.problem() == nil)
    for host in ["localhost", "127.0.0.2", "::1"] {
      settings.host = host
      #expect(settings.problem() == nil)
    }
    for host in ["127.evil.example", "127.0.0.1.evil.example", "127.0.0.256", "127.0.0."] {
      settings.host = host
      #expect(settings.problem()?.contains("TOLLBOOK_ACCESS_KEY") == true, "\(host)")
    }
    settings.host = "0.0.0.0"
    #expect(settings.problem()?.contains("TOLLBOOK_ACCESS_KEY") == true)
    settings.accessKey = "x"
    #expect(settings.problem() == nil)
    settings.accessKey = ""
    #expect(settings.problem() != nil)
    settings.accessKey = "x"
    settings.port = 70_000
    #expect(settings.problem()?.contains("70000") == true)
  }

  @Test(arguments: [
    ("192.0.2.7", "192.0.2.7:8000", true), ("192.0.2.7", "192.0.2.8:8000", false),
    ("tollbook.lan", "Tollbook.LAN", true), ("tollbook.lan", "evil.lan", false),
    ("fe80::1", "[FE80::1]:80", true), ("[fe80::1]", "[fe80::1]", true),
    ("fe80::1", "[fe80::2]", false), ("fe80::1", "fe80::1", false),
    ("0.0.0.0", "0.0.0.0:8000", false), ("::", "[::]:8000", false), ("::", "::", false),
  ])
  func `the address that is listened on is an allowed host`(
    _ address: String, _ host: String, _ isAllowed: Bool
  ) async throws {
    let stand = try await Stand {
      $0.host = address
      $0.accessKey = "x"
    }
    try await stand.serving { caller in
      for host in [host, "localhost"] {
        let answer = try await caller.get("/ledger", [.plainHost: host, .accessKey: "x"])
        #expect(answer.status == (isAllowed || host == "localhost" ? 200 : 421))
      }
    }
  }

  @Test(arguments: ["10.0.0.7:8000", "evil.example", "", "localhost:99999"])
  func `health answers under every name, nothing else does`(_ host: String) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      #expect(try await caller.get("/health", [.plainHost: host]).string("status") == "ok")
      #expect(try await caller.send(.head, "/health", [.plainHost: host]).status == 200)
      for path in ["/", "/ledger", "/metrics", "/nothing"] {
        let answer = try await caller.get(path, [.plainHost: host])
        #expect(answer.status == 421)
        #expect(answer.string("field") == "Host")
      }
      // Not even that for a page of another site.
      let page: HTTPFields = [.plainHost: host, .origin: "http://evil.example"]
      #expect(try await caller.get("/health", page).status == 403)
    }
  }

  @Test(arguments: [
    ("no-host", 400, "invalid-message", "Host"), ("several-hosts", 400, "invalid-message", "Host"),
    ("expectation", 417, "unmet-expectation", "Expect"),
  ])
  func `a message that breaks a rule is refused, and costs nothing`(
    _ fault: String, _ status: Int, _ type: String, _ field: String
  ) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.batch(["B000000001"], headers: [.requestFault: fault])
      #expect(answer.status == status)
      #expect(answer.string("type") == "/problems/\(type)")
      #expect(answer.string("field") == field)
      #expect(stand.callCount == 0)
    }
  }
}
