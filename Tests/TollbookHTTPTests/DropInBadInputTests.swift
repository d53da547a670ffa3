import Deflate
import Hummingbird
import JSONText
import Keepa
import Testing
import TollbookSimulators
import TollbookTestSupport

@testable import TollbookHTTP

/// What is wrong with a request, by the drop-in paths and by Tollbook's own: said by name, before anything is bought.
struct DropInBadInputTests {
  private static let many = (0...100).map { "B\(100_000_000 + $0)" }

  @Test func `101 products are too many for a drop-in call, and two calls for a batch`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      let refused = try await caller.inflated(
        "/keepa/product?domain=1&asin=\(Self.many.joined(separator: ","))")
      #expect(refused.status == 400)
      #expect(refused.string("error.message") == "101 are named; Keepa takes up to 100")
      #expect(stand.callCount == 0)
      let batch = try await caller.batch(Self.many)
      #expect(batch.int("stats.api_fetches") == 101)
      #expect(stand.keepa.simulator.books.calls.count { $0.path == "/product" } == 2)
      try await caller.expectBooks(spent: 101)
      // One that is named twice is one.
      let twice = (Self.many.prefix(100) + ["B100000000"]).joined(separator: ",")
      let hundred = try await caller.inflated(
        "/keepa/product?domain=1&asin=\(twice)"
      )
      #expect(hundred.status == 200)
      #expect(hundred.int("tokensConsumed") == 0)
    }
  }

  @Test func `an ASIN and a code at once are refused by either way`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let dropIn = try await caller.inflated(
        "/keepa/product?domain=1&asin=B000000001&code=0012345678905")
      #expect(dropIn.status == 400)
      #expect(
        dropIn.string("error.message") == "asin and code are both given; send one of them")
      let own = try await caller.batch(["B000000001"], ",\"code\":\"0012345678905\"")
      #expect(own.status == 400)
      #expect(own.string("field") == "code")
    }
    #expect(stand.callCount == 0)
  }

  @Test(arguments: [
    "{", "[]", "7", "nothing", "{\"a\":1}{", "",
  ])
  func `a selection that is no JSON object is refused, in the query and as a body`(
    _ selection: String
  ) async throws {
    let stand = try await Stand()
    let encoded = selection.utf8.map {
      "%" + String($0 / 16, radix: 16) + String($0 % 16, radix: 16)
    }
    .joined()
    try await stand.serving { caller in
      for path in ["query?domain=1", "deal?"] {
        let inQuery = try await caller.inflated("/keepa/\(path)&selection=\(encoded)")
        #expect(inQuery.status == 400)
        #expect(inQuery.string("error.type") == "invalidParameter")
        #expect(inQuery.string("error.message")?.hasPrefix("selection is ") == true)
        let inBody = try await caller.inflatedPost("/keepa/\(path)", selection)
        #expect(inBody.status == 400)
        #expect(inBody.string("error.message")?.hasPrefix("selection is ") == true)
      }
      let own = try await caller.send(.post, "/api/v1/products/discover", body: selection)
      #expect(own.status == 400)
      #expect(own.headers[.contentType] == "application/problem+json")
    }
    #expect(stand.callCount == 0)
  }

  @Test(arguments: [
    ("query?domain=1", "{\"current_NEW_gte\":500,\"current_NEW_lte\":499}", "current_NEW"),
    (
      "query?domain=1", "{\"avg90_BUY_BOX_SHIPPING_lte\":0,\"avg90_BUY_BOX_SHIPPING_gte\":1}",
      "avg90"
    ),
    ("query?domain=1&stats=1", "{\"current_SALES_gte\":2,\"current_SALES_lte\":1}", "SALES"),
    ("deal?", "{\"domainId\":1,\"currentRange\":[500,499]}", "currentRange"),
  ])
  func `a range turned round is refused before it is paid for`(
    _ path: String, _ selection: String, _ name: String
  ) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.inflatedPost("/keepa/\(path)", selection)
      #expect(answer.status == 400)
      #expect(answer.string("error.type") == "invalidParameter")
      #expect(answer.string("error.message")?.contains(name) == true)
      #expect(answer.string("error.message")?.contains("nothing can lie between") == true)
      #expect(answer.int("tokensConsumed") == 0)
    }
    #expect(stand.callCount == 0)
  }

  @Test(arguments: [
    ("query?domain=1", "{\"current_NEW_gte\":500,\"current_NEW_lte\":500}"),
    // -1 stands for no offer, and for no upper end.
    ("query?domain=1", "{\"current_AMAZON_gte\":-1,\"current_AMAZON_lte\":-1}"),
    ("deal?", "{\"domainId\":1,\"priceTypes\":0,\"salesRankRange\":[100,-1]}"),
    ("deal?", "{\"domainId\":1,\"priceTypes\":0,\"deltaRange\":[0,5000]}"),
  ])
  func `a range that something can lie in goes on to Keepa`(
    _ path: String, _ selection: String
  ) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.inflatedPost("/keepa/\(path)", selection)
      #expect(answer.status == 200, "\(answer.text.prefix(300))")
    }
    #expect(
      stand.keepa.simulator.books.calls.count { path.hasPrefix($0.path.dropFirst()) } == 1)
  }

  @Test func `a category that does not exist is an empty answer, which is kept`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let category = try await caller.inflated("/keepa/category?domain=1&category=987654321")
      #expect(category.status == 200)
      #expect(category["categories"]?.members?.contains { _ in true } == false)
      #expect(category.int("tokensConsumed") == 1)
      let list = try await caller.inflated("/keepa/bestsellers?domain=1&category=987654321")
      #expect(list.status == 200)
      #expect(list["bestSellersList"] == nil)
      #expect(list.int("tokensConsumed") == 0)
      let found = try await caller.send(
        .post, "/api/v1/products/discover", body: "{\"category\":987654321}")
      #expect(found.status == 200)
      #expect(found.count("asins") == 0)
      #expect(found.int("total_count") == 0)
      let spent = 1 + (found.int("tokens_used") ?? 0)
      try await caller.expectBooks(spent: spent)
      let calls = stand.callCount
      _ = try await caller.inflated("/keepa/category?domain=1&category=987654321")
      _ = try await caller.inflated("/keepa/bestsellers?domain=1&category=987654321")
      let again = try await caller.send(
        .post, "/api/v1/products/discover", body: "{\"category\":987654321}")
      #expect(again["cache_hit"]?.bool == true)
      #expect(stand.callCount == calls)
      try await caller.expectBooks(spent: spent)
    }
  }

  @Test func `with access keys on, a wrong key buys nothing by any way`() async throws {
    let stand = try await Stand { $0.accessKey = "the-right-one" }
    try await stand.serving { caller in
      for method in [HTTPRequest.Method.get, .post] {
        for path in ["product?domain=1&asin=B000000001", "query?domain=1&selection={}", "token?"] {
          let answer = try await stand.whileTimePasses {
            try await caller.sendInflated(method, "/keepa/\(path)&key=wrong")
          }
          #expect(answer.status == 402)
          #expect(answer.string("error.type") == "unauthorized")
          #expect(answer.int("tokensLeft") == 0)
        }
      }
      for path in ["batch-analyze", "discover"] {
        let own = try await stand.whileTimePasses {
          try await caller.send(
            .post, path == "discover" ? "/api/v1/products/discover" : "/keepa/\(path)",
            [.authorization: "Bearer wrong"],
            body: "{\"bsr_max\":1,\"asinList\":[\"B000000001\"]}")
        }
        #expect(own.status == 401)
        #expect(own.string("type") == "/problems/unauthorized")
      }
    }
    #expect(stand.callCount == 0)
  }
}

/// Calls that are sent on and not kept.
struct PassedThroughTests {
  @Test func `what is passed through is charged, kept by nobody, and has a class of its own`()
    async throws
  {
    let stand = try await Stand { $0.simulator.balance = 1_200 }
    try await stand.serving { caller in
      var spent = 0
      for path in [
        "topseller?domain=1", "lightningdeal?domain=1&asin=B000000001",
        "product?domain=1&asin=B000000001&novel=1",
      ] {
        for _ in 0..<2 {
          let answer = try await caller.inflated("/keepa/\(path)")
          #expect(answer.status == 200)
          #expect((answer.int("tokensConsumed") ?? 0) > 0)
          spent += answer.int("tokensConsumed") ?? 0
        }
      }
      #expect(try await caller.get("/cache/entries").count("entries") == 0)
      try await caller.expectBooks(spent: spent)
      let audit = try await caller.get("/audit")
      #expect(audit.int("waste.0.passed_through") == spent, "\(audit.text.prefix(2_000))")
      #expect(audit.int("waste.0.handed_on") == 0)
      // By day it is told by the sums of hours, and by credential from the events.
      let events = try await caller.get("/audit?by=credential")
      #expect(events.int("waste.0.passed_through") == spent)
      #expect(events.int("waste.0.handed_on") == 0)
      #expect(audit.int("waste.0.total") == spent)
    }
  }
}

extension Caller {
  func inflatedPost(_ path: String, _ body: String) async throws -> Answer {
    try await sendInflated(.post, path, body: body)
  }

  func sendInflated(
    _ method: HTTPRequest.Method, _ path: String, body: String? = nil
  ) async throws -> Answer {
    let answer = try await send(method, path, body: body)
    guard answer.headers[.contentEncoding] == "gzip" else { return answer }
    return Answer(answer, bytes: try gunzip(answer.bytes, maximumLength: 64 << 20))
  }
}
