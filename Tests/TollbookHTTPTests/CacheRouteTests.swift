import JSONText
import Testing
import TollbookGateway
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct CacheRouteTests {
  @Test func `C02, C03: all counters are zero on a cold cache`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.get("/cache/stats")
      #expect(answer["success"]?.bool == true)
      #expect(
        answer.names("data.cache_stats") == [
          "hit_rate", "hit_ratio", "entries", "memory_mb", "hits", "misses", "evictions",
        ])
      for name in ["hit_rate", "hit_ratio", "entries", "hits", "misses", "evictions"] {
        #expect(answer["data.cache_stats.\(name)"]?.double == 0)
      }
      // C19: the service measures its own memory.
      #expect(try #require(answer["data.cache_stats.memory_mb"]?.double) > 0)
    }
  }

  @Test func `C02, X7: hits count at once, misses as they are bought`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      for _ in 0..<3 { _ = try await caller.batch(["B000000001"]) }
      let pending = try await caller.get("/cache/stats")
      #expect(pending.int("data.cache_stats.hits") == 3)
      #expect(pending.int("data.cache_stats.misses") == 1)
      #expect(pending["data.cache_stats.hit_rate"]?.double == 75)
      #expect(pending["data.cache_stats.hit_ratio"]?.double == 0.75)
      await stand.gateway.writeTallies()
      let written = try await caller.get("/cache/stats")
      #expect(written.int("data.cache_stats.hits") == 3)
      #expect(written.int("data.cache_stats.entries") == 1)
    }
  }

  @Test func `K22: an operator can list entries with their expiry, page by page`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let asins = (1...5).map { "B00000000\($0)" }
      _ = try await caller.batch(asins)
      var keys: [String?] = []
      var next: String? = ""
      var pages = 0
      while let cursor = next {
        let page = try await caller.get("/cache/entries?limit=2&cursor=\(cursor)")
        #expect(page.status == 200)
        keys += page.strings("entries", "key")
        next = page.string("next")
        pages += 1
      }
      #expect(keys == asins.map { "shared/keepa.product/1/\($0)" })
      #expect(pages == 3)
      let all = try await caller.get("/cache/entries")
      #expect(all.string("entries.0.expires_at") == "2026-11-28T08:00:01.000Z")
      #expect(all.string("entries.0.state") == "fresh")
    }
  }

  @Test func `entries are listed by state and kind`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001", "X000000001"])
      func count(_ query: String) async throws -> Int? {
        try await caller.get("/cache/entries?\(query)").count("entries")
      }
      #expect(try await count("state=fresh") == 1)
      #expect(try await count("state=negative") == 1)
      #expect(try await count("state=stale") == 0)
      #expect(try await count("kind=keepa.product") == 2)
      #expect(try await count("kind=ebay.search") == 0)
      stand.time.advance(byMilliseconds: 8 * 86_400_000)
      #expect(try await count("state=stale") == 1)
      #expect(try await count("state=expired") == 1)
    }
  }

  @Test func `an entry is found by its key, slashes and all`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      for path in ["shared/keepa.product/1/B000000001", "shared%2Fkeepa.product%2F1%2FB000000001"] {
        let answer = try await caller.get("/cache/entries/\(path)")
        #expect(answer.status == 200)
        #expect(answer.string("key") == "shared/keepa.product/1/B000000001")
        #expect(answer.string("entries.0.content_set") == "plain")
        #expect(answer.string("entries.0.body")?.utf8.count == 64)
        #expect(answer.string("entries.0.summary.title") != nil)
      }
      #expect(try await caller.get("/cache/entries/shared/keepa.product/1/B0").status == 404)
    }
  }
}
