import Hummingbird
import JSONText
import Keepa
import Testing
import TollbookSimulators
import TollbookTestSupport

@testable import TollbookHTTP

/// What clients of the drop-in paths, and of Tollbook's own, get where Keepa says no or fails.
struct DropInFaultTests {
  /// A way for Keepa to say no at no cost, and what is made of it.
  struct Refusal: Sendable, CustomTestStringConvertible {
    let status: Int
    let sent: String
    /// The type in Keepa's envelope.
    let type: String
    /// The problem document of Tollbook's own routes, and its status.
    let problem: String
    let problemStatus: Int

    var testDescription: String { "\(status) \(sent)" }

    static let all = [
      Refusal(
        status: 400, sent: "invalidParameter", type: "invalidParameter",
        problem: "upstream-refused", problemStatus: 502),
      Refusal(
        status: 402, sent: "unauthorized", type: "unauthorized", problem: "upstream-refused",
        problemStatus: 502),
      Refusal(
        status: 404, sent: "notFound", type: "notFound", problem: "upstream-refused",
        problemStatus: 502),
      Refusal(
        status: 405, sent: "invalidParameter", type: "invalidParameter",
        problem: "upstream-refused", problemStatus: 502),
      Refusal(
        status: 429, sent: "notEnoughTokens", type: "notEnoughTokens", problem: "limit-reached",
        problemStatus: 429),
      Refusal(
        status: 500, sent: "internalServerError", type: "unavailable",
        problem: "upstream-unavailable", problemStatus: 503),
      Refusal(
        status: 503, sent: "unavailable", type: "unavailable", problem: "upstream-unavailable",
        problemStatus: 503),
    ]
  }

  /// Calls of each way that Keepa is asked: products, codes, lists, maps, and what is sent on.
  private static let calls = [
    "product?domain=1&asin=B000000001", "product?domain=1&code=0012345678905",
    "query?domain=1&selection=%7B%22current_SALES_gte%22:1%7D", "category?domain=1&category=1",
    "bestsellers?domain=1&category=1", "search?domain=1&type=category&term=toys",
    "deal?selection=%7B%22domainId%22:1,%22priceTypes%22:0%7D", "seller?domain=1&seller=A1B2C3D4E5",
    "graphimage?domain=1&asin=B000000001", "topseller?domain=1",
    "product?domain=1&asin=B000000001&novel=1",
  ]

  @Test(arguments: Refusal.all)
  func `the upstream's no goes on in Keepa's shape, with its status, and costs nothing`(
    _ refusal: Refusal
  ) async throws {
    for path in Self.calls {
      // A key that was refused once is not shown again: each call has a Tollbook of its own.
      let stand = try await Stand()
      stand.keepa.twist(.refused(refusal.status, refusal.sent))
      try await stand.serving { caller in
        let answer = try await caller.inflated("/keepa/\(path)")
        #expect(answer.status == refusal.status, "\(path)")
        #expect(answer.headers[.contentType] == "application/json;charset=utf-8")
        #expect(answer.string("error.type") == refusal.type, "\(path)")
        #expect(answer.string("error.message")?.isEmpty == false)
        #expect(answer.int("tokensConsumed") == 0)
        #expect(answer.int("refillRate") != nil)
        for name in ["products", "asinList", "categories", "bestSellersList", "deals", "sellers"] {
          #expect(answer[name] == nil, "\(path)")
        }
        try await caller.expectBooks(spent: 0)
      }
    }
  }

  @Test(arguments: Refusal.all)
  func `Tollbook's own routes tell the same as a problem document`(
    _ refusal: Refusal
  ) async throws {
    for (path, body) in [
      ("/api/v1/products/1/B000000001/score", "{}"),
      ("/api/v1/products/discover", "{\"bsr_max\":5000}"),
      ("/api/v1/products/discover-with-scoring", "{\"bsr_max\":5000}"),
    ] {
      let stand = try await Stand()
      stand.keepa.twist(.refused(refusal.status, refusal.sent))
      try await stand.serving { caller in
        let answer = try await caller.send(.post, path, body: body)
        #expect(answer.status == refusal.problemStatus, "\(path)")
        #expect(answer.headers[.contentType] == "application/problem+json")
        #expect(answer.string("type") == "/problems/\(refusal.problem)", "\(path)")
        #expect(answer.string("detail")?.contains("Keepa") == true)
        try await caller.expectBooks(spent: 0)
      }
    }
  }

  @Test(arguments: [404, 405, 500, 503])
  func `a web page instead of Keepa's envelope is a failure, and no answer`(
    _ status: Int
  ) async throws {
    let stand = try await Stand()
    stand.keepa.twist(.page(status))
    try await stand.serving { caller in
      let answer = try await caller.inflated("/keepa/product?domain=1&asin=B000000001")
      #expect(answer.status == status)
      #expect(answer.string("error.type") == "unavailable")
      #expect(answer["products"] == nil)
      #expect(answer.int("tokensConsumed") == 0)
      // Nobody said what it cost.
      try await caller.expectBooks(spent: 0, inDoubt: 1)
      #expect(try await caller.get("/cache/stats").int("entries.total") ?? 0 == 0)
    }
  }

  @Test(arguments: calls.filter { !$0.hasPrefix("graphimage") })
  func `200 with an error is kept by nobody and is not taken for no data`(
    _ path: String
  ) async throws {
    let stand = try await Stand()
    stand.keepa.twist(.refused(200, "invalidParameter"))
    try await stand.serving { caller in
      let failed = try await caller.inflated("/keepa/\(path)")
      #expect(failed.status == 400)
      #expect(failed.string("error.type") == "invalidParameter")
      #expect(failed.int("tokensConsumed") == 0)
      #expect(try await caller.get("/cache/entries").count("entries") == 0)
      try await caller.expectBooks(spent: 0)
      // Asked again it is asked of Keepa again, and answered.
      let next = try await caller.inflated("/keepa/\(path)")
      #expect(next.status == 200)
      #expect(next["error"] == nil)
      #expect(stand.keepa.simulator.books.calls.contains { path.hasPrefix($0.path.dropFirst()) })
    }
  }

  @Test func `200 with an error is told of each product of a batch, and kept of none`()
    async throws
  {
    let stand = try await Stand()
    stand.keepa.twist(.refused(200, "invalidParameter"))
    try await stand.serving { caller in
      let failed = try await caller.batch(["B000000001", "B000000002"])
      #expect(failed.int("stats.failed") == 2)
      #expect(failed.strings("results", "source") == ["none", "none"])
      #expect(failed.string("results.0.error.reason") == "request_rejected")
      try await caller.expectBooks(spent: 0)
      let next = try await caller.batch(["B000000001", "B000000002"])
      #expect(next.int("stats.api_fetches") == 2)
      try await caller.expectBooks(spent: 2)
    }
  }

  @Test func `a graph that is no PNG is a failure in doubt, and the next one is bought`()
    async throws
  {
    let stand = try await Stand()
    stand.keepa.simulator.faults = KeepaFaults([KeepaFault(.notPNG, next: 1)])
    try await stand.serving { caller in
      let path = "/keepa/graphimage?domain=1&asin=B000000001"
      let failed = try await caller.inflated(path)
      #expect(failed.status == 503)
      #expect(failed.string("error.type") == "unavailable")
      #expect(failed.string("error.message")?.contains("not JSON") == true, "\(failed.text)")
      try await caller.expectBooks(spent: 0, inDoubt: 1)
      let picture = try await caller.get(path)
      #expect(picture.status == 200)
      #expect(picture.headers[.contentType] == "image/png")
      #expect(picture.bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]))
      #expect(try await caller.get(path).headers[.charge] == "0")
    }
  }
}
