import Bytes
import Foundation
import Hummingbird
import LMDB
import Logging
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct `Access keys over HTTP` {
  private func stand() async throws -> Stand { try await Stand { $0.accessKey = "root" } }

  @Test func `who shows no key, or none that is known, is refused`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let none = try await caller.get("/ledger")
      #expect(none.status == 401)
      #expect(none.headers[.wwwAuthenticate] == "Bearer realm=\"tollbook\"")
      for wrong in [
        "tollbook_aaaaaaaa_bbbb", "tollbook__", "root2", String(repeating: "k", count: 1 << 20),
      ] {
        let answer = try await stand.whileTimePasses { try await caller.get("/ledger", key: wrong) }
        #expect(answer.status == 401)
        #expect(answer.string("type") == "/problems/unauthorized")
        #expect(!answer.text.contains(wrong))
      }
      #expect(try await caller.get("/health").status == 200)
    }
  }

  @Test func `without any key all may be done, and with the first one a key is needed`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      #expect(try await caller.get("/ledger").status == 200)
      let issued = try await caller.send(
        .post, "/admin/access-keys", body: "{\"account\":\"default\",\"scopes\":[\"admin\"]}")
      #expect(issued.status == 201)
      let key = try #require(issued.string("key"))
      #expect(try await caller.get("/ledger").status == 401)
      #expect(try await caller.get("/ledger", key: key).status == 200)
      #expect(try await caller.get("/ledger", [.apiKey: key]).status == 200)
      #expect(try await caller.get("/ledger", [.accessKey: key]).status == 200)
    }
  }

  @Test func `a key does what its scopes say`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      try await caller.open("acme")
      let read = try await caller.issue("acme", ["read"]).key
      let fetch = try await caller.issue("acme", ["fetch"]).key
      #expect(try await caller.get("/me", key: read).status == 200)
      let bearer: HTTPFields = [.authorization: "Bearer \(read)"]
      let bought = try await caller.batch(["B000000001"], headers: bearer)
      #expect(bought.status == 403)
      #expect(
        bought.string("detail")
          == "this needs an access key with the scope fetch; yours has read")
      #expect(stand.callCount == 0)
      let looked = try await caller.get("/ledger", key: fetch)
      #expect(looked.status == 403)
      for path in ["/admin/accounts", "/admin/access-keys", "/admin/budgets"] {
        let answer = try await caller.send(.post, path, bearer, body: "{}")
        #expect(answer.status == 403)
        #expect(answer.string("type") == "/problems/forbidden")
      }
      #expect(try await caller.send(.delete, "/admin/accounts/acme", bearer).status == 403)
      #expect(try await caller.send(.patch, "/admin/budgets/b", bearer, body: "{}").status == 403)
      #expect(try await caller.get("/admin/access-keys", key: read).status == 403)
      #expect(
        try await caller.send(
          .post, "/cache/purge", bearer, body: "{\"all\":true,\"confirm\":true}"
        ).status == 403)
    }
  }

  @Test func `a key that expired or was revoked says so, and opens nothing`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let (id, key) = try await caller.issue(
        "default", ["read"], ",\"expires_at\":\"2026-11-21T09:00:00Z\"")
      #expect(
        try await caller.get("/me", key: key).string("expires_at") == "2026-11-21T09:00:00.000Z")
      stand.time.advance(byMilliseconds: 3_599_999)
      #expect(try await caller.get("/me", key: key).status == 200)
      stand.time.advance(byMilliseconds: 1)
      let expired = try await stand.whileTimePasses { try await caller.get("/me", key: key) }
      #expect(expired.status == 401)
      #expect(expired.string("detail") == "the access key expired at 2026-11-21T09:00:00.000Z")
      #expect(try await caller.admin(.delete, "/admin/access-keys/\(id)").status == 409)

      let (other, second) = try await caller.issue("default", ["read"])
      let revoked = try await caller.admin(.delete, "/admin/access-keys/\(other)")
      #expect(revoked.status == 200)
      #expect(revoked.string("status") == "revoked")
      let answer = try await stand.whileTimePasses { try await caller.get("/me", key: second) }
      #expect(answer.status == 401)
      #expect(answer.string("detail")?.hasPrefix("the access key was revoked at ") == true)
      #expect(try await caller.admin(.delete, "/admin/access-keys/none").status == 404)
    }
  }

  @Test func `a key that is rotated opens until the overlap is over`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let (id, old) = try await caller.issue(
        "default", ["read"], ",\"requests_per_minute\":100,\"kinds\":[\"keepa.product\"]")
      let rotated = try await caller.admin(
        .post, "/admin/access-keys/\(id)/rotate", "{\"overlap_seconds\":60}")
      #expect(rotated.status == 201)
      #expect(rotated.string("replaces") == id)
      #expect(rotated.int("requests_per_minute") == 100)
      #expect(rotated.string("kinds.0") == "keepa.product")
      let new = try #require(rotated.string("key"))
      #expect(try await caller.get("/me", key: old).status == 200)
      #expect(try await caller.get("/me", key: new).status == 200)
      stand.time.advance(byMilliseconds: 60_000)
      #expect(try await caller.get("/me", key: new).status == 200)
      let gone = try await stand.whileTimePasses { try await caller.get("/me", key: old) }
      #expect(gone.status == 401)
      for (body, status) in [
        ("{\"overlap_seconds\":-1}", 400), ("{\"overlap_seconds\":7776001}", 400), ("{}", 409),
      ] {
        let answer = try await caller.admin(.post, "/admin/access-keys/\(id)/rotate", body)
        #expect(answer.status == status, "\(body)")
      }
    }
  }

  @Test(arguments: [
    ("{\"scopes\":[\"read\"]}", 400, "account"),
    ("{\"account\":\"nobody\",\"scopes\":[\"read\"]}", 404, "account"),
    ("{\"account\":\"default\"}", 400, "scopes"),
    ("{\"account\":\"default\",\"scopes\":[]}", 400, "scopes"),
    ("{\"account\":\"default\",\"scopes\":[\"root\"]}", 400, "scopes"),
    ("{\"account\":\"default\",\"scopes\":[\"read\"],\"kinds\":[\"x\"]}", 400, "kinds"),
    (
      "{\"account\":\"default\",\"scopes\":[\"read\"],\"expires_at\":\"2020-01-01T00:00:00Z\"}",
      400, "expires_at"
    ),
    ("{\"account\":\"default\",\"scopes\":[\"read\"],\"expires_at\":\"soon\"}", 400, "expires_at"),
    (
      "{\"account\":\"default\",\"scopes\":[\"read\"],\"requests_per_minute\":0}", 400,
      "requests_per_minute"
    ),
    ("{\"account\":\"default\",\"scopes\":[\"read\"],\"secret\":\"x\"}", 400, "secret"),
  ])
  func `a key that cannot be issued is refused by name`(
    _ body: String, _ status: Int, _ field: String
  ) async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let head = stand.log.head
      let answer = try await caller.admin(.post, "/admin/access-keys", body)
      #expect(answer.status == status)
      #expect(answer.string("field") == field)
      #expect(stand.log.head == head)
    }
  }

  @Test func `a key of a closed account opens nothing`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      try await caller.open("acme")
      let key = try await caller.issue("acme").key
      let closed = try await caller.admin(.delete, "/admin/accounts/acme")
      #expect(closed.status == 200)
      #expect(closed.string("status") == "closed")
      let answer = try await stand.whileTimePasses { try await caller.get("/me", key: key) }
      #expect(answer.status == 401)
      #expect(answer.string("detail") == "the account acme of the access key is closed")
    }
  }

  @Test func `a key for some kinds gets no others`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let key = try await caller.issue("default", ["fetch"], ",\"kinds\":[\"keepa.query\"]").key
      let answer = try await caller.batch(
        ["B000000001"], headers: [.authorization: "Bearer \(key)"])
      #expect(answer.string("results.0.error.reason") == "not_allowed")
      #expect(stand.callCount == 0)
    }
  }

  // MARK: How often

  @Test func `requests a minute are counted, told, and refused beyond`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let key = try await caller.issue("default", ["read"], ",\"requests_per_minute\":2").key
      let other = try await caller.issue("default", ["read"]).key
      let first = try await caller.get("/me", key: key)
      #expect(first.status == 200)
      #expect(first.headers[.rateLimitPolicy] == "\"requests\";q=2;w=60")
      #expect(first.headers[.rateLimit] == "\"requests\";r=1;t=60")
      stand.time.advance(byMilliseconds: 20_500)
      #expect(
        try await caller.get("/me", key: key).headers[.rateLimit] == "\"requests\";r=0;t=40")
      let refused = try await caller.get("/me", key: key)
      #expect(refused.status == 429)
      #expect(refused.string("type") == "/problems/too-many-requests")
      #expect(refused.headers[.retryAfter] == "40")
      #expect(refused.headers[.rateLimit] == "\"requests\";r=0;t=40")
      // Nobody else is slowed.
      let free = try await caller.get("/me", key: other)
      #expect(free.status == 200)
      #expect(free.headers[.rateLimit] == nil)
      stand.time.advance(byMilliseconds: 39_500)
      #expect(try await caller.get("/me", key: key).status == 200)
    }
  }

  // MARK: Where keys are not

  @Test func `a key is told once, and stands nowhere else`() async throws {
    let recorder = LogRecorder()
    let stand = try await Stand {
      $0.accessKey = "root-canary-0123456789"
      $0.logger = recorder.logger(.trace)
    }
    try await stand.serving { caller in
      let root: HTTPFields = [.accessKey: "root-canary-0123456789"]
      let issued = try await caller.send(
        .post, "/admin/access-keys", root,
        body: "{\"account\":\"default\",\"scopes\":[\"admin\"]}")
      let id = try #require(issued.string("id"))
      let first = try #require(issued.string("key"))
      let rotated = try await caller.send(
        .post, "/admin/access-keys/\(id)/rotate", root, body: "{\"overlap_seconds\":60}")
      let second = try #require(rotated.string("key"))
      let wrong = "tollbook_wrongwro_canarycanarycanarycanary"
      _ = try await stand.whileTimePasses { try await caller.get("/me", key: wrong) }
      _ = try await caller.get("/keepa/product?domain=1&asin=B000000001&key=\(first)")
      _ = try await caller.batch(["B000000002"], headers: [.apiKey: second])
      var shown = ""
      for path in [
        "/me", "/admin/access-keys", "/accounts", "/budgets", "/events", "/ledger", "/metrics",
        "/health",
      ] {
        let answer = try await caller.get(path, root)
        #expect(answer.status == 200, "\(path)")
        shown += answer.text
      }
      shown += recorder.told.joined(separator: "\n")
      let secrets = [first, second, wrong].map { String($0.split(separator: "_")[2]) }
      for secret in secrets + ["root-canary-0123456789"] {
        #expect(!shown.contains(secret))
        #expect(try !stand.stores(secret))
      }
      #expect(shown.contains(id))
      #expect(try stand.stores(id))
    }
  }
}

extension Stand {
  /// Whether a text stands in any row of any table.
  fileprivate func stores(_ text: String) throws -> Bool {
    let wanted = Data(text.utf8)
    let tables = try log.environment.openTables(log.environment.tableNames())
    return try log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      var isThere = false
      for table in tables {
        try transaction.scan(table) { (key, value) throws(LMDBError) in
          let bytes = Data([UInt8](copying: key) + [0] + [UInt8](copying: value))
          isThere = isThere || bytes.range(of: wanted) != nil
          return isThere ? .stop : .next
        }
      }
      return isThere
    }
  }
}
