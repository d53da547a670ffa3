import Hummingbird
import JSONText
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct `Budgets over HTTP` {
  private func stand() async throws -> Stand { try await Stand { $0.accessKey = "root" } }

  @Test func `a budget is made, changed, paused and removed`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      try await caller.open("acme", zone: "Europe/Berlin")
      let made = try await caller.budget(
        "spring", limit: 5, scope: "{\"account\":\"acme\",\"tag\":{\"branch\":\"TEST\"}}",
        window: "\"month\"", ",\"thresholds\":[50,100]")
      #expect(made.status == 201)
      #expect(made.string("name") == "spring")
      #expect(made.string("scope.account") == "acme")
      #expect(made.string("scope.tag.branch") == "TEST")
      #expect(made.string("window") == "month")
      #expect(made.string("in") == "month 2026-11")
      #expect(made.string("frees_at") == "2026-11-30T23:00:00.000Z")
      #expect(made.int("limit") == 5)
      #expect(made.int("free") == 5)
      #expect(made["hard"]?.bool == true)
      #expect(made["thresholds"]?.array?.map { $0.int } == [50, 100])
      let raised = try await caller.admin(.patch, "/admin/budgets/spring", "{\"limit\":9}")
      #expect(raised.status == 200)
      #expect(raised.int("free") == 9)
      let paused = try await caller.admin(.patch, "/admin/budgets/spring", "{\"paused\":true}")
      #expect(paused["paused"]?.bool == true)
      #expect(paused.int("limit") == 9)
      let soft = try await caller.admin(.patch, "/admin/budgets/spring", "{\"hard\":false}")
      #expect(soft["hard"]?.bool == false)
      let gone = try await caller.admin(.delete, "/admin/budgets/spring")
      #expect(gone["removed"]?.bool == true)
      #expect(try await caller.admin(.delete, "/admin/budgets/spring").status == 404)
      let unknown = try await caller.admin(.patch, "/admin/budgets/spring", "{\"limit\":1}")
      #expect(unknown.status == 404)
      #expect(unknown.string("detail") == "there is no budget spring")
      let rolling = try await caller.budget(
        "rolling", limit: 5, window: "{\"rolling_seconds\":3600}")
      #expect(rolling.int("window.rolling_seconds") == 3_600)
      #expect(rolling.string("in") == "the last 3600 seconds")
    }
  }

  @Test(arguments: [
    ("{\"unit\":\"tokens\",\"limit\":5,\"window\":\"day\"}", 400, "name"),
    ("{\"name\":\"B\",\"unit\":\"tokens\",\"limit\":5,\"window\":\"day\"}", 400, "name"),
    ("{\"name\":\"b\",\"limit\":5,\"window\":\"day\"}", 400, "unit"),
    ("{\"name\":\"b\",\"unit\":\"acorns\",\"limit\":5,\"window\":\"day\"}", 400, "unit"),
    ("{\"name\":\"b\",\"unit\":\"USD\",\"limit\":\"5.00\",\"window\":\"day\"}", 400, "unit"),
    ("{\"name\":\"b\",\"unit\":\"tokens\",\"window\":\"day\"}", 400, "limit"),
    ("{\"name\":\"b\",\"unit\":\"tokens\",\"limit\":-1,\"window\":\"day\"}", 400, "limit"),
    ("{\"name\":\"b\",\"unit\":\"tokens\",\"limit\":\"5\",\"window\":\"day\"}", 400, "limit"),
    ("{\"name\":\"b\",\"unit\":\"tokens\",\"limit\":5}", 400, "window"),
    ("{\"name\":\"b\",\"unit\":\"tokens\",\"limit\":5,\"window\":\"year\"}", 400, "window"),
    (
      "{\"name\":\"b\",\"unit\":\"tokens\",\"limit\":5,\"window\":{\"rolling_seconds\":59}}", 400,
      "window"
    ),
    (
      "{\"name\":\"b\",\"unit\":\"tokens\",\"limit\":5,\"window\":\"day\",\"thresholds\":[0]}", 400,
      "thresholds"
    ),
  ])
  func `a budget that cannot be made is refused by name`(
    _ body: String, _ status: Int, _ field: String
  ) async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let head = stand.log.head
      let answer = try await caller.admin(.post, "/admin/budgets", body)
      #expect(answer.status == status)
      #expect(answer.string("field") == field)
      #expect(stand.log.head == head)
    }
  }

  @Test(arguments: [
    ("{\"account\":\"nobody\"}", 404, "account", "there is no account nobody"),
    ("{\"access_key\":\"none\"}", 404, "scope", "there is no access key none"),
    ("{\"upstream\":\"amazon\"}", 400, "scope", "there is no upstream “amazon”"),
    ("{\"owner\":\"x\"}", 400, "scope", "“owner” is no member of scope"),
    ("{\"account\":\"\"}", 400, "scope", "account in scope must be a name"),
    ("{\"account\":\"default\",\"account\":\"default\"}", 400, "scope", "account stands twice"),
    ("{\"operation\":\"a\\u0000b\"}", 400, "scope", "in scope can be no name"),
    ("{\"tag\":{\"user\":\"a\\u0000b\"}}", 400, "scope", "has a control character in it"),
    ("{\"tag\":{\"User\":\"a\"}}", 400, "scope", "is no tag"),
    ("{\"tag\":{\"a\":\"1\",\"b\":\"2\"}}", 400, "scope", "tag in scope is one name with a value"),
    ("[]", 400, "scope", "scope must be an object"),
  ])
  func `a scope of what is not there is refused by name`(
    _ scope: String, _ status: Int, _ field: String, _ text: String
  ) async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      let answer = try await caller.budget("b", limit: 1, scope: scope)
      #expect(answer.status == status)
      #expect(answer.string("field") == field)
      #expect(answer.string("detail")?.contains(text) == true, "\(answer.text)")
    }
  }

  @Test func `of two with the same name the second is refused, and the first stays`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      #expect(try await caller.budget("b", limit: 1).status == 201)
      let second = try await caller.budget("b", limit: 2)
      #expect(second.status == 409)
      #expect(
        second.string("detail") == "there is a budget b already; change it, or remove it")
      #expect(
        try await caller.get("/budgets", Caller.root).ints("budgets", "limit") == [1])
    }
  }

  @Test func `one below what is spent is made, shows it, and refuses all`() async throws {
    let stand = try await stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001", "B000000002"], headers: Caller.root)
      let made = try await caller.budget("b", limit: 1)
      #expect(made.status == 201)
      #expect(made.int("settled") == 2)
      #expect(made.int("free") == -1)
      let refused = try await caller.batch(["B000000003"], headers: Caller.root)
      #expect(refused.string("results.0.error.reason") == "budget_exceeded")
      let raised = try await caller.admin(.patch, "/admin/budgets/b", "{\"limit\":3}")
      #expect(raised.int("free") == 1)
      let bought = try await caller.batch(["B000000003"], headers: Caller.root)
      #expect(bought.strings("results", "source") == ["keepa"])
      try await caller.expectBooks(spent: 3, Caller.root)
    }
  }

  @Test func `of a batch each item says why, and a single demand is 429 with the budget`()
    async throws
  {
    let stand = try await stand()
    try await stand.serving { caller in
      try await caller.open("acme")
      let key = try await caller.issue("acme").key
      let bearer: HTTPFields = [.authorization: "Bearer \(key)"]
      try await caller.budget("spring", limit: 1, scope: "{\"account\":\"acme\"}")
      let batch = try await caller.batch(["B000000001", "B000000002"], headers: bearer)
      #expect(batch.strings("results", "source") == ["keepa", "none"])
      #expect(batch.string("results.1.error.reason") == "budget_exceeded")
      #expect(batch.string("results.1.error.retry_at") == "2026-11-22T00:00:00.000Z")
      #expect(batch.string("results.1.error.budget") == "spring")
      #expect(batch.string("results.1.error.window") == "day 2026-11-21")
      #expect(batch.int("results.1.error.limit") == 1)
      #expect(batch.int("results.1.error.free") == 0)
      #expect(batch.string("results.1.error.unit") == "tokens")
      #expect(batch.headers[.rateLimitPolicy] == #""spring";q=1;qu="tokens";w=86400"#)
      let midnight = Timestamp(milliseconds: 1_795_305_600_000)
      let left = (midnight.milliseconds - stand.time.now.milliseconds + 999) / 1_000
      #expect(batch.headers[.rateLimit] == "\"spring\";r=0;t=\(left)")
      let single = try await caller.send(
        .post, "/api/v1/products/discover", bearer, body: "{\"bsr_max\":50000}")
      #expect(single.status == 429)
      #expect(single.headers[.contentType] == "application/problem+json")
      #expect(single.string("reason") == "budget_exceeded")
      #expect(single.string("budget") == "spring")
      #expect(single.string("window") == "day 2026-11-21")
      #expect(single.int("limit") == 1)
      #expect(single.int("free") == 0)
      // It costs more than the whole limit: no waiting helps.
      #expect(single["retry_at"] == nil)
      #expect(single.headers[.retryAfter] == nil)
      #expect(single.headers[.rateLimitPolicy] == #""spring";q=1;qu="tokens";w=86400"#)
      #expect(single.headers[.rateLimit] == #""spring";r=0"#)
      let keepa = try await caller.keepa("product?domain=1&asin=B000000009&key=\(key)")
      #expect(keepa.status == 429)
      #expect(keepa.string("error.type") == "budgetExceeded")
      #expect(keepa.headers[.rateLimit] == batch.headers[.rateLimit])
      // Who has another account goes on.
      let other = try await caller.batch(["B000000002"], headers: Caller.root)
      #expect(other.strings("results", "source") == ["keepa"])
      #expect(other.headers[.rateLimit] == nil)
    }
  }

  @Test func `the header tells the tightest budget, beside the rate of the access key`()
    async throws
  {
    let stand = try await stand()
    try await stand.serving { caller in
      try await caller.open("acme")
      let key = try await caller.issue("acme", ["read", "fetch"], ",\"requests_per_minute\":9").key
      try await caller.budget(
        "daily", limit: 2, scope: "{\"tag\":{\"user\":\"ann\"}}", window: "\"day\"")
      try await caller.budget(
        "ever", limit: 1, scope: "{\"tag\":{\"user\":\"*\"}}", window: "\"total\"")
      var headers: HTTPFields = [.authorization: "Bearer \(key)", .tags: "user=bob"]
      let bob = try await caller.batch(["B000000001", "B000000002"], headers: headers)
      #expect(bob.string("results.1.error.tag") == "user=bob")
      let policy = try #require(bob.headers[.rateLimitPolicy])
      #expect(policy == #""ever user=bob";q=1;qu="tokens", "requests";q=9;w=60"#)
      #expect(
        bob.headers[.rateLimit]?.hasPrefix(#""ever user=bob";r=0, "requests";r=8;t="#) == true)
      // A refusal of the whole request tells both too.
      headers[.tags] = "user=ann"
      let ann = try await caller.send(
        .post, "/api/v1/products/discover", headers, body: "{\"bsr_max\":50000}")
      #expect(ann.status == 429)
      #expect(ann.headers[.rateLimitPolicy]?.hasPrefix(#""requests";q=9;w=60, "#) == true)
    }
  }
}
