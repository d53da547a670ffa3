import Foundation
import Hummingbird
import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

@testable import TollbookHTTP

private let three = ["B000000001", "B000000002", "B000000003"]

@Suite struct BatchTests {
  @Test func `K09, K12, K13: three unknown products cost three tokens of 1,200`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.batch(three, ",\"domain\":1")
      #expect(answer.status == 200)
      #expect(answer.int("stats.requested") == 3)
      #expect(answer.int("stats.cache_hits") == 0)
      #expect(answer.int("stats.api_fetches") == 3)
      #expect(answer.int("stats.tokens_used") == 3)
      #expect(answer.int("stats.tokens_remaining") == 1_197)
      #expect(answer.strings("results", "asin") == three)
      #expect(answer.strings("results", "source") == ["keepa", "keepa", "keepa"])
      #expect(answer.ints("results", "tokens") == [1, 1, 1])
      #expect(answer.string("source") == "keepa_api")
      #expect(answer["cache_hit"]?.bool == false)
      #expect(answer.headers[.charge] == "3")
    }
  }

  @Test func `K05, K10, K28: the same request again costs nothing and says cache`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(three)
      let calls = stand.callCount
      let answer = try await caller.batch(three)
      #expect(answer.int("stats.cache_hits") == 3)
      #expect(answer.int("stats.api_fetches") == 0)
      #expect(answer.int("stats.tokens_used") == 0)
      #expect(answer["stats.hit_rate"]?.double == 100)
      #expect(answer["stats.hit_ratio"]?.double == 1)
      #expect(answer.strings("results", "source") == ["cache", "cache", "cache"])
      #expect(answer.string("source") == "cache")
      #expect(answer["cache_hit"]?.bool == true)
      #expect(answer.headers[.charge] == "0")
      #expect(stand.callCount == calls)
    }
  }

  @Test func `K11, X6: a mixed batch buys only what is missing`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch([three[1]])
      let answer = try await caller.batch(three)
      #expect(answer.int("stats.cache_hits") == 1)
      #expect(answer.int("stats.api_fetches") == 2)
      #expect(answer.int("stats.tokens_used") == 2)
      #expect(answer["stats.hit_rate"]?.double == 33.33)
      #expect(answer["stats.hit_ratio"]?.double == 0.3333)
      #expect(answer.strings("results", "source") == ["keepa", "cache", "keepa"])
      #expect(answer.string("source") == "mixed")
      #expect(answer["cache_hit"]?.bool == false)
    }
  }

  @Test func `K14: the balance says when it was observed`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(three)
      let bought = stand.time.now.description
      stand.time.advance(byMilliseconds: 60_000)
      let answer = try await caller.batch(three)
      #expect(answer.int("stats.tokens_remaining") == 1_197)
      #expect(answer.string("stats.tokens_observed_at") == bought)
      #expect(answer.int("results.0.age_seconds") == 60)
    }
  }

  @Test func `K08, K15: on day eight a product is bought again`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch([three[0]])
      stand.time.advance(byMilliseconds: 7 * 86_400_000 - 1)
      #expect(try await caller.batch([three[0]]).int("stats.cache_hits") == 1)
      stand.time.advance(byMilliseconds: 1)
      let answer = try await caller.batch([three[0]])
      #expect(answer.int("stats.api_fetches") == 1)
      #expect(answer.int("stats.tokens_used") == 1)
    }
  }

  @Test func `K19: a product of another marketplace is another product`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch([three[0]], ",\"domain\":1")
      let german = try await caller.batch([three[0]], ",\"domain\":3")
      #expect(german.int("stats.api_fetches") == 1)
      #expect(german.int("results.0.domain") == 3)
      #expect(german.string("results.0.currency") == "EUR")
      #expect(try await caller.batch([three[0]]).int("stats.cache_hits") == 1)
    }
  }

  @Test func `a product named twice is answered in each place and paid once`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.batch([three[0], three[1], three[0].lowercased()])
      #expect(answer.strings("results", "asin") == [three[0], three[1], three[0]])
      #expect(answer.ints("results", "tokens") == [1, 1, 0])
      #expect(answer.string("results.2.title") == answer.string("results.0.title"))
      #expect(answer.int("stats.requested") == 3)
      #expect(answer.int("stats.api_fetches") == 2)
      #expect(answer.int("stats.joined") == 1)
      #expect(answer.int("stats.tokens_used") == 2)
      #expect(stand.keepa.simulator.books.tokens == 2)
    }
  }

  @Test func `an ASIN that is none has an error of its own and costs nothing`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.batch(["B00", three[0], "B0000000-1", ""])
      #expect(answer.status == 200)
      #expect(answer.strings("results", "asin") == ["B00", three[0], "B0000000-1", ""])
      #expect(answer.strings("results", "source") == ["none", "keepa", "none", "none"])
      #expect(answer.string("results.0.error.reason") == "invalid_asin")
      #expect(answer.names("results.0") == ["asin", "domain", "source", "tokens", "error"])
      #expect(answer["results.1.error"]?.isNull == true)
      #expect(answer.int("stats.failed") == 3)
      #expect(answer.int("stats.tokens_used") == 1)
      #expect(answer.string("source") == "mixed")
      let calls = stand.callCount
      let head = stand.log.head
      let none = try await caller.batch(["nothing"])
      #expect(none.status == 200)
      #expect(none.string("source") == "none")
      #expect(stand.callCount == calls)
      #expect(stand.log.head == head)
    }
  }

  @Test func `an ASIN that Keepa does not know is told as not found, and told again for nothing`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      let bought = try await caller.batch(["X000000001"])
      #expect(bought.string("results.0.source") == "keepa")
      #expect(bought.string("results.0.error.reason") == "not_found")
      #expect(bought["results.0.title"] == nil)
      let again = try await caller.batch(["X000000001"])
      #expect(again.string("results.0.source") == "cache")
      #expect(again.string("results.0.error.reason") == "not_found")
      #expect(again.int("stats.tokens_used") == 0)
      #expect(again["cache_hit"]?.bool == true)
    }
  }

  @Test func `a result has its fields in the documented order`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.batch([three[0]])
      #expect(answer.names("") == ["results", "stats", "source", "cache_hit"])
      #expect(
        answer.names("results.0") == [
          "asin", "domain", "source", "title", "brand", "manufacturer", "root_category",
          "root_category_name", "image", "currency", "amazon", "new", "used", "fba", "buy_box",
          "sales_rank", "offers_new", "offers_used", "monthly_sold", "rating", "review_count",
          "referral_fee_percent", "fba_fee", "package", "keepa_last_update", "fetched_at",
          "expires_at", "age_seconds", "hit_count", "tokens", "not_bought", "error",
        ])
      #expect(
        answer.names("stats") == [
          "requested", "cache_hits", "stale_hits", "joined", "api_fetches", "failed", "refused",
          "tokens_used", "tokens_in_doubt", "tokens_remaining", "tokens_observed_at", "retry_at",
          "hit_rate", "hit_ratio",
        ])
      #expect(
        answer.names("results.0.new") == [
          "current", "average_30_days", "average_90_days", "lowest", "highest",
        ])
      #expect(answer.string("results.0.currency") == "USD")
      #expect(answer.string("results.0.fetched_at") == "2026-11-21T08:00:01.000Z")
      #expect(answer.string("results.0.expires_at") == "2026-11-28T08:00:01.000Z")
    }
  }

  @Test func `gated fields are null and named until they are bought`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let plain = try await caller.batch([three[0]])
      #expect(plain["results.0.rating"]?.isNull == true)
      #expect(plain["results.0.buy_box"]?.isNull == true)
      #expect(
        plain["results.0.not_bought"]?.array?.map(\.string) == ["rating", "buybox", "offers"])
      let rated = try await caller.batch([three[0]], ",\"include\":[\"rating\"]")
      #expect(rated.string("results.0.source") == "keepa")
      let rating = try #require(rated["results.0.rating"]?.double)
      #expect((0...5).contains(rating) && (rating * 10).rounded() == rating * 10)
      #expect(rated["results.0.not_bought"]?.array?.map(\.string) == ["buybox", "offers"])
      // A richer body serves a poorer request.
      #expect(try await caller.batch([three[0]]).int("stats.cache_hits") == 1)
    }
  }

  @Test func `max_tokens buys the longest prefix and refuses the rest by name`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.batch(three, ",\"max_tokens\":2")
      #expect(answer.strings("results", "source") == ["keepa", "keepa", "none"])
      #expect(answer.string("results.2.error.reason") == "max_tokens_reached")
      #expect(answer.int("stats.refused") == 1)
      #expect(answer.int("stats.tokens_used") == 2)
    }
  }

  @Test func `who is refused as a whole is told in the header when to try again`() async throws {
    let stand = try await Stand { $0.simulator.balance = 0 }
    try await stand.serving { caller in
      let answer = try await caller.send(
        .post, "/api/v1/products/discover", body: "{\"bsr_max\":5}")
      #expect(answer.status == 429)
      let instant = try #require(answer.string("retry_at").flatMap { Timestamp(rfc3339: $0) })
      let wait = instant.milliseconds - stand.time.now.milliseconds
      #expect(answer.headers[.retryAfter] == "\((wait + 999) / 1_000)")
    }
    #expect(stand.keepa.simulator.books.tokens == 0)
  }

  @Test func `without tokens the answer says when to try again`() async throws {
    let stand = try await Stand { $0.simulator.balance = 0 }
    try await stand.serving { caller in
      let answer = try await caller.batch([three[0]])
      #expect(answer.status == 200)
      #expect(answer.string("results.0.error.reason") == "insufficient_tokens")
      #expect(answer.string("results.0.error.retry_at") != nil)
      #expect(answer.string("stats.retry_at") == answer.string("results.0.error.retry_at"))
      #expect(answer.int("stats.refused") == 1)
      #expect(stand.keepa.simulator.books.tokens == 0)
    }
  }

  @Test func `X1: a request may ask for fresher data, in the header or in the body`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch([three[0]])
      stand.time.advance(byMilliseconds: 3_600_000)
      let header = try await caller.batch([three[0]], headers: [.cacheControl: "max-age=3600"])
      #expect(header.int("stats.cache_hits") == 1)
      // Many clients say no-cache by habit: it does not spend.
      let habit = try await caller.batch([three[0]], headers: [.cacheControl: "no-cache"])
      #expect(habit.int("stats.cache_hits") == 1)
      let fresher = try await caller.batch([three[0]], headers: [.cacheControl: "max-age=60"])
      #expect(fresher.int("stats.api_fetches") == 1)
      stand.time.advance(byMilliseconds: 120_000)
      let body = try await caller.batch([three[0]], ",\"max_age_seconds\":60")
      #expect(body.int("stats.api_fetches") == 1)
    }
  }

  @Test func `a stale product is served, marked, when Keepa is out of order`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch([three[0]])
      stand.time.advance(byMilliseconds: 8 * 86_400_000)
      stand.keepa.simulator.faults = KeepaFaults([KeepaFault(.http500, next: 1)])
      let answer = try await caller.batch([three[0], three[0]])
      #expect(answer.strings("results", "source") == ["stale", "stale"])
      #expect(answer.string("results.0.error.reason") == "upstream_unavailable")
      #expect(answer.int("stats.stale_hits") == 2)
      #expect(answer.string("results.0.title") != nil)
    }
  }

  @Test func `the sums of a batch account for every place`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch([three[0]])
      let answer = try await caller.batch(
        [three[0], three[0], "nope", three[1], three[1], three[2], "X000000001"],
        ",\"max_tokens\":1")
      let parts = ["cache_hits", "stale_hits", "joined", "api_fetches", "failed", "refused"]
      let sum = parts.reduce(0) { $0 + (answer.int("stats.\($1)") ?? -1) }
      #expect(sum == 7)
      #expect(answer.int("stats.requested") == 7)
      #expect(answer.int("stats.cache_hits") == 2)
    }
  }

  @Test func `K23: with the cache switched off everything is bought`() async throws {
    let stand = try await Stand { $0.gateway.isCacheOn = false }
    try await stand.serving { caller in
      _ = try await caller.batch([three[0]])
      let again = try await caller.batch([three[0]])
      #expect(again.int("stats.api_fetches") == 1)
      #expect(try await caller.get("/health")["cache_enabled"]?.bool == false)
    }
  }
}
