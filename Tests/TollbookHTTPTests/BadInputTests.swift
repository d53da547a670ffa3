import Hummingbird

import Testing
import TollbookLog

@testable import Keepa
@testable import TollbookHTTP

/// One way to ask wrongly, and what is said about it.
struct BadInput: CustomTestStringConvertible, Sendable {
  let testDescription: String
  let body: String
  let type: String
  let field: String?
  var status = 400

  static let all = [
    BadInput(
      testDescription: "no JSON", body: "{\"asinList\":[", type: "invalid-json", field: nil),
    BadInput(testDescription: "nothing", body: " ", type: "invalid-json", field: nil),
    BadInput(testDescription: "an array", body: "[]", type: "invalid-field", field: nil),
    BadInput(testDescription: "no list", body: "{}", type: "missing-field", field: "asinList"),
    BadInput(
      testDescription: "null for a list", body: #"{"asinList":null}"#, type: "missing-field",
      field: "asinList"),
    BadInput(
      testDescription: "an empty list", body: #"{"asinList":[]}"#, type: "invalid-field",
      field: "asinList"),
    BadInput(
      testDescription: "a string for a list", body: #"{"asinList":"B000000001"}"#,
      type: "invalid-field", field: "asinList"),
    BadInput(
      testDescription: "a number in the list", body: #"{"asinList":["B000000001",7]}"#,
      type: "invalid-field", field: "asinList[1]"),
    BadInput(
      testDescription: "1,001 products",
      body: "{\"asinList\":[\(list(of: 1_001))]}",
      type: "too-many-products", field: "asinList"),
    good(#""domain":99"#, "an unknown domain", "unknown-domain", "domain"),
    good(#""domain":7"#, "the reserved domain", "unknown-domain", "domain"),
    good(#""domain":"1""#, "a string for the domain", "invalid-field", "domain"),
    good(#""domain":1.5"#, "a broken domain", "invalid-field", "domain"),
    good(#""include":["stars"]"#, "an unknown part", "invalid-field", "include[0]"),
    good(
      "\"include\":[\(list(of: 17))]", "a list that is too long", "invalid-field", "include"),
    good(#""include":"rating""#, "a string for the parts", "invalid-field", "include"),
    good(#""wait_seconds":-1"#, "a negative wait", "invalid-field", "wait_seconds"),
    good(#""wait_seconds":301"#, "a long wait", "invalid-field", "wait_seconds"),
    good(#""wait_seconds":true"#, "yes for a wait", "invalid-field", "wait_seconds"),
    good(#""max_tokens":-1"#, "a negative limit", "invalid-field", "max_tokens"),
    good(#""max_tokens":"2""#, "a string for the limit", "invalid-field", "max_tokens"),
    good(#""max_token":0"#, "a misspelt limit", "invalid-field", "max_token"),
    good(#""MAX_TOKENS":0"#, "a limit in capitals", "invalid-field", "MAX_TOKENS"),
    good(
      #""max_tokens":0,"max_tokens":9"#, "a limit that stands twice", "invalid-field",
      "max_tokens"
    ),
    good(
      #""max_tokens":0,"max\u005ftokens":9"#, "the same, escaped", "invalid-field", "max_tokens"),
    good(#""domain":null,"domain":3"#, "null, then another", "invalid-field", "domain"),
    good(#""asinList":["B000000008"]"#, "two lists", "invalid-field", "asinList"),
    good(#""max_age_seconds":-1"#, "a negative age", "invalid-field", "max_age_seconds"),
    BadInput(
      testDescription: "a body over the limit",
      body: "{\"asinList\":[\"\(String(repeating: "A", count: 1 << 20))\"]}",
      type: "body-too-large", field: nil, status: 413),
  ]

  private static func list(of count: Int) -> String {
    Array(repeating: "\"B000000001\"", count: count).joined(separator: ",")
  }

  private static func good(
    _ member: String, _ what: String, _ type: String, _ field: String
  ) -> BadInput {
    BadInput(
      testDescription: what, body: "{\"asinList\":[\"B000000009\"],\(member)}", type: type,
      field: field)
  }
}

@Suite struct BadInputTests {
  @Test(arguments: BadInput.all)
  func `E26: bad input is refused by name, costs nothing and harms nobody`(
    _ input: BadInput
  ) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      let calls = stand.callCount
      let root = stand.log.root
      let answer = try await caller.post(input.body)
      #expect(answer.status == input.status)
      #expect(answer.headers[.contentType] == "application/problem+json")
      #expect(answer.string("type") == "/problems/\(input.type)")
      #expect(answer.string("field") == input.field)
      #expect(answer.int("status") == input.status)
      #expect(answer.string("title")?.isEmpty == false)
      #expect(answer.string("detail")?.isEmpty == false)
      #expect(answer.string("request_id") == answer.headers[.requestID])
      #expect(stand.callCount == calls)
      #expect(stand.log.root == root)
      #expect(try await caller.batch(["B000000001"]).int("stats.cache_hits") == 1)
    }
  }

  @Test func `invalid JSON is located`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.post(#"{"asinList":[}"#)
      #expect(answer.string("detail")?.contains("byte 13") == true)
    }
  }

  @Test(arguments: [
    ("/keepa/batch-analyze?max_tokens=0", "max_tokens"), ("/cache/purge?confirm=true", "confirm"),
  ])
  func `the query of a post is not passed over`(_ uri: String, _ name: String) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.send(.post, uri, body: #"{"asinList":["B000000001"]}"#)
      #expect(answer.status == 400)
      #expect(answer.string("field") == name)
      #expect(stand.callCount == 0)
    }
  }

  @Test(arguments: [
    #"{"all":true,"comfirm":true}"#, #"{"all":true,"dry_run":true,"dry_run":false,"confirm":true}"#,
  ])
  func `a purge that says things wrongly or twice purges nothing`(_ body: String) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      let answer = try await caller.send(.post, "/cache/purge", body: body)
      #expect(answer.status == 400)
      #expect(["comfirm", "dry_run"].contains(answer.string("field") ?? ""))
      #expect(try await caller.batch(["B000000001"]).int("stats.cache_hits") == 1)
    }
  }

  @Test(arguments: [
    "/audit?by=day&account=x&time_zone=UTC&limit=1&from=2026-11-01&to=2026-11-22&after=0",
    "/cache/entries?limit=1&kind=keepa.product&state=fresh", "/ledger?as_of=1", "/log?as_of=1",
    "/events?type=ServiceStarted&type=CacheWritten&account=x&resource=y&fetch=1&after=0&limit=1",
    "/events?from=2026-11-01&to=2026-11-22", "/cache/entries/shared/keepa.product/1/B0?as_of=1",
    "/ledger/charges?account=x&operation=y&from=2026-11-01&to=2026-11-22&cursor=1&limit=1",
    "/keepa/products/1/B000000001?as_of=1", "/cache/stats?kind=keepa.product",
    "/cache/performance?hours=1", "/cache/performance?hours=168", "/health?&", "/ledger?",
    "/cache/entries?cursor=",
  ])
  func `every name that is documented is known`(_ uri: String) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.get(uri)
      #expect(answer.status != 400, "\(answer.text)")
    }
  }

  @Test func `an unknown path is named`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.get("/keepa/nothing?x=1")
      #expect(answer.status == 404)
      #expect(answer.string("type") == "/problems/not-found")
      #expect(answer.string("detail")?.contains("/keepa/nothing") == true)
    }
  }

  @Test(arguments: [
    ("/health", "GET, HEAD"), ("/", "GET, HEAD"), ("/keepa/batch-analyze", "POST"),
    ("/keepa/products/1/B000000001", "GET, HEAD"), ("/cache/entries/shared/x/1/2", "GET, HEAD"),
    ("/events", "GET, HEAD"), ("/metrics", "GET, HEAD"), ("/cache/health", "GET, HEAD"),
    ("/cache/performance", "GET, HEAD"), ("/cache/recommendations", "GET, HEAD"),
  ])
  func `a wrong method is answered with the right ones`(
    _ path: String, _ allowed: String
  ) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      for method in [HTTPRequest.Method.get, .post, .put, .patch, .delete, .options] {
        if allowed.contains(method.rawValue) { continue }
        let answer = try await caller.send(method, path)
        #expect(answer.status == 405)
        #expect(answer.headers[.allow] == allowed)
        #expect(answer.string("type") == "/problems/method-not-allowed")
      }
    }
  }

  @Test(arguments: [
    ("/cache/entries?limit=x", "limit"), ("/cache/entries?limit=0", "limit"),
    ("/cache/entries?limit=1001", "limit"), ("/cache/entries?state=ripe", "state"),
    ("/cache/entries?cursor=xyz", "cursor"), ("/cache/entries?cursor=abcd", "cursor"),
    ("/events?type=Nothing", "type"), ("/events?after=-1", "after"),
    ("/events?limit=many", "limit"), ("/events/first", "position"),
    ("/ledger/charges?from=yesterday", "from"), ("/ledger/charges?cursor=x", "cursor"),
    ("/ledger/charges?from=2026-11-22&to=2026-11-21", "to"),
    ("/keepa/products/1/B00", "asin"), ("/keepa/products/99/B000000001", "domain"),
    ("/keepa/products/us/B000000001", "domain"), ("/ledger?asof=3", "asof"),
    ("/ledger?as_of=1&as_of=2", "as_of"), ("/ledger?as_of=&as_of=2", "as_of"),
    ("/ledger?as%5Fof=1", "as%5Fof"), ("/ledger?AS_OF=1", "AS_OF"),
    ("/events?limit=1&limit=5", "limit"), ("/events?form=2026-11-21", "form"),
    ("/events/1?as_of=1", "as_of"), ("/events/stream?afer=1", "afer"),
    ("/audit?form=2026-11-21", "form"), ("/log?at=1", "at"), ("/metrics?x", "x"),
    ("/cache/stats?x=1", "x"), ("/snapshots?limit=1", "limit"), ("/log/key?x=1", "x"),
    ("/keepa/products/1/B000000001?max_age=1", "max_age"), ("/health?x=1", "x"),
    ("/ledger?as_of=", "as_of"), ("/metrics?as_of", "as_of"), ("/log?as_of=&", "as_of"),
    ("/keepa/products/1/B000000001?as_of=", "as_of"), ("/ledger/charges?account=", "account"),
    ("/events?type=ServiceStarted&type=", "type"), ("/cache/entries?state=", "state"),
    ("/audit?from=", "from"), ("/events/stream?after=", "after"),
    ("/cache/stats?kind=ebay.search", "kind"), ("/cache/stats?kind=", "kind"),
    ("/cache/stats?kind=keepa", "kind"), ("/cache/stats?kind=keepa.product&as_of=1", "as_of"),
    ("/cache/health?hours=1", "hours"), ("/cache/health?as_of=1", "as_of"),
    ("/cache/performance?hours=0", "hours"), ("/cache/performance?hours=169", "hours"),
    ("/cache/performance?hours=x", "hours"), ("/cache/performance?hours=-1", "hours"),
    ("/cache/performance?hours=1.5", "hours"), ("/cache/performance?hours=", "hours"),
    ("/cache/performance?hours=1&hours=2", "hours"), ("/cache/performance?days=1", "days"),
    ("/cache/performance?hours=99999999999999999999", "hours"),
    ("/cache/recommendations?hours=1", "hours"),
  ])
  func `E26: a bad parameter is refused by name`(_ uri: String, _ name: String) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.get(uri)
      #expect(answer.status == 400)
      #expect(answer.string("field") == name)
    }
  }

  @Test(arguments: [
    ("B00000000\u{200B}", "character 10 is U+200B, ZERO WIDTH SPACE"),
    ("Ｂ000000001", "character 1 is “Ｂ” (U+FF22, FULLWIDTH LATIN CAPITAL LETTER B)"),
    ("В000000001", "character 1 is “В” (U+0412, CYRILLIC CAPITAL LETTER VE)"),
    ("B00000000\n", "character 10 is U+000A"), ("B00000000-", "character 10 is “-” (U+002D"),
    ("B00", "it has 3 characters;"), ("B0000000012", "it has 11 characters;"),
    ("", "it has no characters;"), ("306406152", "a leading zero was lost: 0306406152"),
    ("80442957x", "a leading zero was lost: 080442957X"), ("306406157", "it has 9 characters;"),
  ])
  func `an error about an ASIN names the character or the length`(
    _ text: String, _ words: String
  ) async throws {
    #expect("\(ASINFault(text))".contains(words))
    let stand = try await Stand()
    try await stand.serving { caller in
      let escaped = text.replacing("\n", with: "\\n")
      let answer = try await caller.batch([escaped])
      #expect(answer.string("results.0.error.reason") == "invalid_asin")
      #expect(answer.string("results.0.error.detail")?.contains(words) == true)
    }
  }

  @Test func `a body that comes too slowly is answered with 408`() async throws {
    struct Slow: AsyncSequence, AsyncIteratorProtocol, Sendable {
      func makeAsyncIterator() -> Slow { self }
      func next() async throws -> ByteBuffer? { throw RequestTooSlow() }
    }
    let request = Request(
      head: .init(method: .post, scheme: "http", authority: "localhost", path: "/"),
      body: RequestBody(asyncSequence: Slow()))
    let problem = await #expect(throws: Problem.self) {
      _ = try await JSONFields(of: request, limit: 10, names: [])
    }
    #expect(problem?.status == .requestTimeout)
    #expect(problem?.detail == "a request must arrive whole within 30 seconds")
  }
}
