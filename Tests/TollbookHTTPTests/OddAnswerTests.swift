import Hummingbird
import JSONText
import Keepa
import Testing
import TollbookSimulators
import TollbookTestSupport

@testable import TollbookHTTP

/// Answers of Keepa that are not as they were asked for: what clients get of them, what is kept, and what it has cost.
struct OddAnswerTests {
  private static let asins = ["B000000001", "B000000002", "B000000003"]

  /// The drop-in path for the three.
  private static let path = "/keepa/product?domain=1&asin=\(asins.joined(separator: ","))"

  private func asins(_ answer: Answer) -> [String?] { answer.strings("products", "asin") }

  /// A product under another name.
  private static func renamed(_ product: String, _ name: String) -> String {
    asins.reduce(product) { $0.replacing("\"\($1)\"", with: "\"\(name)\"") }
  }

  @Test func `an answer in another order is put into that of the request`() async throws {
    let stand = try await Stand()
    stand.keepa.twist(.products { $0.reversed() })
    try await stand.serving { caller in
      let first = try await caller.inflated(Self.path)
      #expect(asins(first) == Self.asins)
      #expect(first.int("tokensConsumed") == 3)
      let second = try await caller.inflated(Self.path)
      #expect(asins(second) == Self.asins)
      #expect(second.int("tokensConsumed") == 0)
      for place in 0..<3 {
        #expect(second["products.\(place)"]?.bytes == first["products.\(place)"]?.bytes)
      }
      try await caller.expectBooks(spent: 3)
    }
  }

  @Test func `a product that is missing is one that Keepa does not have, and is remembered`()
    async throws
  {
    let stand = try await Stand()
    stand.keepa.twist(.products { Array($0.dropFirst()) })
    try await stand.serving { caller in
      let first = try await caller.inflated(Self.path)
      #expect(first.status == 200)
      #expect(asins(first) == ["B000000002", "B000000003"])
      #expect(first.int("tokensConsumed") == 3)
      let calls = stand.callCount
      let second = try await caller.inflated(Self.path)
      #expect(asins(second) == ["B000000002", "B000000003"])
      #expect(stand.callCount == calls)
      let own = try await caller.send(.post, "/api/v1/products/1/B000000001/score", body: "{}")
      #expect(own.status == 404)
      #expect(own.string("detail") == "Keepa does not know B000000001 in domain 1")
      #expect(stand.callCount == calls)
      try await caller.expectBooks(spent: 3)
    }
  }

  @Test func `a product that comes twice is answered once`() async throws {
    let stand = try await Stand()
    stand.keepa.twist(.products { [$0[1]] + $0 + [$0[1]] })
    try await stand.serving { caller in
      #expect(asins(try await caller.inflated(Self.path)) == Self.asins)
      #expect(asins(try await caller.inflated(Self.path)) == Self.asins)
      try await caller.expectBooks(spent: 3)
    }
  }

  @Test func `null is dropped, is not taken for unknown, and is asked for again`() async throws {
    let stand = try await Stand()
    stand.keepa.twist(.products { ["null"] + $0.dropFirst() })
    try await stand.serving { caller in
      let first = try await caller.inflated(Self.path)
      #expect(first.status == 200, "\(first.text.prefix(300))")
      #expect(asins(first) == ["B000000002", "B000000003"])
      #expect(first.int("tokensConsumed") == 3)
      try await caller.expectBooks(spent: 3)
      let second = try await caller.inflated(Self.path)
      #expect(asins(second) == Self.asins)
      #expect(second.int("tokensConsumed") == 1)
      try await caller.expectBooks(spent: 4)
    }
  }

  @Test func `of null Tollbook's own routes say that the answer does not say anything about it`()
    async throws
  {
    let stand = try await Stand()
    stand.keepa.twist(.products { ["null"] + $0.dropFirst() }, .products { _ in ["null"] })
    try await stand.serving { caller in
      let batch = try await caller.batch(Self.asins)
      #expect(batch.strings("results", "source") == ["none", "keepa", "keepa"])
      #expect(batch.string("results.0.error.reason") == "upstream_unavailable")
      let score = try await caller.send(.post, "/api/v1/products/1/B000000001/score", body: "{}")
      #expect(score.status == 503)
      #expect(score.string("type") == "/problems/upstream-unavailable")
      try await caller.expectBooks(spent: 4)
    }
  }

  @Test func `an ASIN in another case is the same one, asked or answered`() async throws {
    let stand = try await Stand()
    stand.keepa.twist(.products { [Self.renamed($0[0], "b000000001")] + $0.dropFirst() })
    try await stand.serving { caller in
      let first = try await caller.inflated(Self.path)
      #expect(asins(first) == ["b000000001", "B000000002", "B000000003"])
      let second = try await caller.inflated(
        "/keepa/product?domain=1&asin=b000000002,B000000001,B000000002")
      #expect(asins(second) == ["B000000002", "b000000001"])
      #expect(second.int("tokensConsumed") == 0)
      #expect(try await caller.batch(["b000000001"]).int("stats.cache_hits") == 1)
      try await caller.expectBooks(spent: 3)
    }
  }

  @Test func `what nobody asked for is kept under its own name and handed to nobody`() async throws
  {
    let stand = try await Stand()
    stand.keepa.twist(.products { $0 + [Self.renamed($0[0], "B00STRANGE")] })
    try await stand.serving { caller in
      #expect(asins(try await caller.inflated(Self.path)) == Self.asins)
      try await caller.expectBooks(spent: 3)
      let calls = stand.callCount
      let stranger = try await caller.inflated("/keepa/product?domain=1&asin=B00STRANGE")
      #expect(asins(stranger) == ["B00STRANGE"])
      #expect(stranger.int("tokensConsumed") == 0)
      #expect(stand.callCount == calls)
    }
  }

  @Test func `a redirect is handed on as it came, and the asked one is not taken for unknown`()
    async throws
  {
    let stand = try await Stand()
    stand.keepa.twist(.products { [Self.renamed($0[0], "B00ANOTHER")] + $0.dropFirst() })
    try await stand.serving { caller in
      let first = try await caller.inflated(Self.path)
      #expect(first.status == 200)
      #expect(asins(first) == ["B00ANOTHER", "B000000002", "B000000003"])
      #expect(first.int("tokensConsumed") == 3)
      let own = try await caller.inflated("/keepa/product?domain=1&asin=B00ANOTHER")
      #expect(own.int("tokensConsumed") == 0)
      // Not in the cache, present or absent: it is asked for again.
      let again = try await caller.inflated("/keepa/product?domain=1&asin=B000000001")
      #expect(again.int("tokensConsumed") == 1)
      #expect(asins(again) == ["B000000001"])
      try await caller.expectBooks(spent: 4)
    }
  }

  @Test func `an answer about strangers alone is answered to nobody, and its cost is in the books`()
    async throws
  {
    let stand = try await Stand()
    stand.keepa.twist(
      .products { Self.replaced($0, "B00OTHER0") }, .products { Self.replaced($0, "B00OTHER0") })
    try await stand.serving { caller in
      let batch = try await caller.batch(Self.asins)
      #expect(batch.int("stats.failed") == 3)
      #expect(batch.int("stats.tokens_used") == 3)
      #expect(batch.string("results.0.error.detail")?.contains("B00OTHER00") == true)
      let answer = try await caller.inflated(Self.path)
      #expect(answer.int("tokensConsumed") == 3)
      #expect(asins(answer).isEmpty)
      try await caller.expectBooks(spent: 6)
    }
  }

  /// All products under other names, with a digit behind each.
  private static func replaced(_ products: [String], _ stem: String) -> [String] {
    products.enumerated().map { renamed($1, "\(stem)\($0)") }
  }
}
