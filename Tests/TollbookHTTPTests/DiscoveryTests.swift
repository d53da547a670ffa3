import Hummingbird
import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

@testable import TollbookHTTP

/// `POST /api/v1/products/discover`: the list for all filters, bought once.
struct DiscoveryTests {
  @Test func `a list is bought once, and cache_hit says so only the second time`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let first = try await caller.discover("{\"bsr_max\":50000,\"price_min\":5,\"limit\":3}")
      #expect(first.status == 200)
      #expect(first.count("asins") == 3)
      #expect(first["cache_hit"]?.bool == false)
      #expect(first.string("metadata.source") == "keepa_api")
      #expect(first.int("tokens_used") == 11)
      #expect(first.int("metadata.filters_applied.bsr_max") == 50_000)
      #expect(first.int("metadata.filters_applied.price_min") == 5)
      #expect(first["metadata.filters_applied.category"] == nil)
      let calls = stand.callCount
      // Another limit up to 50 is the same list.
      let second = try await caller.discover("{\"price_min\":5.00,\"bsr_max\":50000,\"limit\":20}")
      #expect(second["cache_hit"]?.bool == true)
      #expect(second.string("metadata.source") == "cache")
      #expect(second.int("tokens_used") == 0)
      for place in 0..<3 {
        #expect(second.string("asins.\(place)") == first.string("asins.\(place)"))
      }
      #expect(stand.callCount == calls)
    }
  }

  @Test func `an empty result is kept too`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let none = "{\"price_min\":0.01,\"price_max\":0.01}"
      let first = try await caller.discover(none)
      #expect(first.count("asins") == 0)
      #expect(first.int("tokens_used") == 10)
      let second = try await caller.discover(none)
      #expect(second.count("asins") == 0)
      #expect(second["cache_hit"]?.bool == true)
      #expect(second.int("tokens_used") == 0)
    }
  }

  @Test func `D08: a limit of 3 brings the three best-selling, of the list that all limits share`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      let all = try await caller.discover("{\"bsr_max\":50000}")
      #expect((all.count("asins") ?? 0) > 3)
      let calls = stand.callCount
      let three = try await caller.discover("{\"bsr_max\":50000,\"limit\":3}")
      #expect(three.count("asins") == 3)
      #expect(three.int("total_count") == all.int("total_count"))
      for place in 0..<3 {
        #expect(three.string("asins.\(place)") == all.string("asins.\(place)"))
      }
      #expect(three["cache_hit"]?.bool == true)
      let scored = try await caller.send(
        .post, "/api/v1/products/discover-with-scoring", body: "{\"bsr_max\":50000,\"limit\":3}")
      #expect(scored.strings("products", "asin") == (0..<3).map { all.string("asins.\($0)") })
      // Of the list nothing is asked; the three are bought in one call.
      #expect(scored.int("tokens_used") == 3)
      #expect(stand.callCount == calls + 1)
    }
  }

  @Test(
    arguments: [
      ("{}", "category"), ("{\"bsr_min\":5,\"bsr_max\":4}", "bsr_min"),
      ("{\"price_min\":5,\"price_max\":4}", "price_min"),
      ("{\"domain\":7,\"bsr_max\":1}", "domain"),
      ("{\"bsr_max\":0}", "bsr_max"), ("{\"price_min\":\"12\"}", "price_min"),
      ("{\"bsr_max\":9,\"limit\":0}", "limit"), ("{\"bsrmax\":9}", "bsrmax"),
    ])
  func `bad filters are refused by name and cost nothing`(body: String, field: String) async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.discover(body)
      #expect(answer.status == 400)
      #expect(answer.string("field") == field)
    }
    #expect(stand.callCount == 0)
  }

  @Test func `what was discovered stands in the old table`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let found = try await caller.discover("{\"bsr_max\":50000,\"price_min\":5}")
      let table = try await caller.get("/views/product_discovery_cache")
      #expect(table.count("rows") == 1)
      #expect(table.int("rows.0.bsr_max") == 50_000)
      #expect(table.int("rows.0.price_min") == 5)
      #expect(table["rows.0.category"]?.isNull == true)
      #expect(table.count("rows.0.asins") == found.count("asins"))
      #expect(table.int("rows.0.count") == found.count("asins"))
      _ = try await caller.batch(["B09T2ZLMHB"])
      let products = try await caller.get("/views/keepa_products_cache?limit=5")
      #expect(products.string("rows.0.asin") == "B09T2ZLMHB")
      #expect(products["rows.0.expires_at"]?.string != nil)
      // A row of lists is long: there are fewer to a page.
      let many = try await caller.get("/views/product_discovery_cache?limit=101")
      #expect(many.status == 400)
      #expect(many.string("field") == "limit")
      #expect(try await caller.get("/views/keepa_products_cache?limit=1000").status == 200)
    }
  }
}

/// `POST /keepa/import`: what was bought elsewhere answers here at no cost.
struct ImportRouteTests {
  @Test func `an imported product answers, costs nothing and is no purchase`() async throws {
    let source = try await Stand()
    let body = try await source.serving { caller in
      _ = try await caller.batch(["B09T2ZLMHB"])
      return try await caller.get("/keepa/products/1/B09T2ZLMHB").text
    }
    let stand = try await Stand()
    stand.time.advance(byMilliseconds: 2 * 86_400_000)
    let bought = stand.time.now.advanced(byMilliseconds: -86_400_000)
    try await stand.serving { caller in
      let order = "{\"products\":[\(body)],\"fetched_at\":\"\(bought)\"}"
      let kept = try await caller.send(.post, "/keepa/import", body: order)
      #expect(kept.status == 200)
      #expect(kept.int("kept") == 1)
      let again = try await caller.send(.post, "/keepa/import", body: order)
      #expect(again.int("kept") == 0)
      #expect(again.int("left_out") == 1)
      let calls = stand.callCount
      let answer = try await caller.batch(["B09T2ZLMHB"])
      #expect(answer.int("stats.cache_hits") == 1)
      #expect(answer.int("stats.tokens_used") == 0)
      #expect(answer.string("results.0.fetched_at") == bought.description)
      #expect(stand.callCount == calls)
      let audit = try await caller.get("/audit")
      #expect(audit["total.bought"]?.int64 ?? audit["bought"]?.int64 ?? 0 == 0)
      // Six of its seven days are left.
      stand.time.advance(byMilliseconds: 6 * 86_400_000 + 1_000)
      let old = try await caller.batch(["B09T2ZLMHB"])
      #expect(old.int("stats.tokens_used") == 1)
    }
  }

  @Test
  func
    `products may have times of their own, the youngest of one counts, a dry run keeps none`()
    async throws
  {
    let stand = try await Stand()
    stand.time.advance(byMilliseconds: 100 * 86_400_000)
    let now = stand.time.now
    let products = ["B000000001", "B000000002", "B000000001", "B000000003"].map {
      "{\"asin\":\"\($0)\",\"title\":\"A thing\",\"csv\":[[1,2]]}"
    }
    let times = [2, 1, 1, 99].map { now.advanced(byMilliseconds: -$0 * 86_400_000) }
    let order =
      "{\"products\":[\(products.joined(separator: ","))],\"fetched_at\":"
      + "[\(times.map { "\"\($0)\"" }.joined(separator: ","))]}"
    let head = stand.log.head
    try await stand.serving { caller in
      let trial = try await caller.send(
        .post, "/keepa/import", [.dryRun: "1"], body: order)
      #expect(trial["dry_run"]?.bool == true)
      #expect(trial.int("kept") == 2)
      #expect(stand.log.head == head)
      let kept = try await caller.send(.post, "/keepa/import", body: order)
      #expect(kept["dry_run"] == nil)
      #expect(kept.int("kept") == 2)
      #expect(kept.int("left_out") == 2)
      #expect(kept.int("too_old") == 1)
      #expect(kept.int("known") == 0)
      let again = try await caller.send(.post, "/keepa/import", body: order)
      #expect(again.int("known") == 2)
      let answer = try await caller.batch(["B000000001", "B000000002"])
      #expect(answer.string("results.0.fetched_at") == times[2].description)
      #expect(answer.string("results.1.fetched_at") == times[1].description)
      #expect(answer.int("stats.tokens_used") == 0)
      for (times, field) in [
        ("[\"2020-01-01T00:00:00Z\"]", "fetched_at"), ("[1,1,1,1]", "fetched_at[0]"),
        ("[\"2020-01-01T00:00:00Z\",\"a\",\"b\",\"c\"]", "fetched_at[1]"),
      ] {
        let refused = try await caller.send(
          .post, "/keepa/import",
          body: "{\"products\":[\(products.joined(separator: ","))],\"fetched_at\":\(times)}")
        #expect(refused.status == 400)
        #expect(refused.string("field") == field)
      }
      let odd = try await caller.send(
        .post, "/keepa/import", [.dryRun: "yes"], body: order)
      #expect(odd.string("field") == "Tollbook-Dry-Run")
    }
  }

  @Test func `an import of more values than a hundred products hold is refused`() async throws {
    let stand = try await Stand()
    let zeros = String(repeating: "0,", count: 6 << 20)
    try await stand.serving { caller in
      let answer = try await caller.send(
        .post, "/keepa/import", body: "{\"products\":[\(zeros)0]}")
      #expect(answer.status == 400)
      #expect(answer.string("type") == "/problems/invalid-json")
    }
  }

  @Test(
    arguments: [
      ("{\"products\":[],\"fetched_at\":\"2020-01-01T00:00:00Z\"}", "products"),
      ("{\"products\":[{}],\"fetched_at\":\"2020-01-01T00:00:00Z\"}", "products[0]"),
      ("{\"products\":[{\"asin\":\"B09T2ZLMHB\"}]}", "fetched_at"),
      ("{\"products\":[{\"asin\":\"B09T2ZLMHB\"}],\"fetched_at\":\"yesterday\"}", "fetched_at"),
      (
        "{\"products\":[{\"asin\":\"B09T2ZLMHB\"}],\"fetched_at\":\"2999-01-01T00:00:00Z\"}",
        "fetched_at"
      ),
    ])
  func `what cannot be imported is refused by name`(body: String, field: String) async throws {
    let stand = try await Stand()
    let head = stand.log.head
    try await stand.serving { caller in
      let answer = try await caller.send(.post, "/keepa/import", body: body)
      #expect(answer.status == 400)
      #expect(answer.string("field") == field)
    }
    #expect(stand.log.head == head)
  }
}

/// A batch as a table.
struct BatchCSVTests {
  @Test func `where Tollbook itself cannot answer there is no table, but the same refusal`()
    async throws
  {
    let stand = try await Stand { $0.log.reserveBytes = 1 << 60 }
    try await stand.serving { caller in
      let answer = try await caller.batch(["B09T2ZLMHB"], headers: [.accept: "text/csv"])
      #expect(answer.status == 503)
      #expect(answer.string("type") == "/problems/read-only")
      #expect(answer.headers[.retryAfter] == "30")
    }
    #expect(stand.keepa.simulator.books.calls.allSatisfy { $0.path != "/product" })
  }

  @Test func `a batch is a table for a spreadsheet where that is asked for`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.batch(
        ["B09T2ZLMHB", "=1+1", "B09T2ZLMHB"], headers: [.accept: "text/csv"])
      #expect(answer.headers[.contentType]?.hasPrefix("text/csv") == true)
      let lines = answer.text.split(separator: "\r\n").map(String.init)
      #expect(lines.count == 4)
      #expect(lines[0].hasPrefix("asin,domain,source,title,brand,currency,buy_box,"))
      #expect(lines[1].hasPrefix("B09T2ZLMHB,1,keepa,"))
      #expect(lines[1].hasSuffix(",,1,,"))
      // What a spreadsheet would take for a formula is text.
      #expect(lines[2].hasPrefix("\"'=1+1\",1,"))
      #expect(lines[2].hasSuffix(",invalid_asin,"))
      // Its cost is told once.
      #expect(lines[3].hasSuffix(",0,,"))
      let both = try await caller.batch(
        ["B09T2ZLMHB"], headers: [.accept: "application/json, text/csv"])
      #expect(both.int("stats.cache_hits") == 1)
    }
  }
}

extension Caller {
  fileprivate func discover(_ body: String) async throws -> Answer {
    try await send(.post, "/api/v1/products/discover", body: body)
  }
}

/// Scores: what a product would bring, from what is cached of it.
struct ScoringRouteTests {
  @Test func `products are scored from what was bought once, and again from the cache`()
    async throws
  {
    let stand = try await Stand()
    let order = "{\"bsr_max\":50000,\"price_min\":5,\"limit\":3,\"costs\":{\"buy\":100}}"
    try await stand.serving { caller in
      let path = "/api/v1/products/discover-with-scoring"
      let first = try await caller.send(.post, path, body: order)
      #expect(first.status == 200)
      #expect(first.count("products") == 3)
      #expect(first["cache_hit"]?.bool == false)
      #expect(first.string("metadata.source") == "keepa_api")
      #expect(first.int("tokens_used") == 14)
      #expect(first.string("products.0.source") == "keepa_api")
      let second = try await caller.send(.post, path, body: order)
      #expect(second["cache_hit"]?.bool == true)
      #expect(second.string("metadata.source") == "cache")
      #expect(second.int("tokens_used") == 0)
      #expect(second["products.0.score_cached"]?.bool == true)
      #expect(second.int("products.0.profit") == first.int("products.0.profit"))
      let price = try #require(first.int("products.0.price"))
      let fees = try #require(first.int("products.0.fees.total"))
      #expect(first.int("products.0.profit") == price - fees - 100)
      // Other costs are another score of the same body.
      let asin = try #require(first.string("products.0.asin"))
      let dearer = try await caller.send(
        .post, "/api/v1/products/1/\(asin)/score", body: "{\"costs\":{\"buy\":150}}")
      #expect(dearer["cache_hit"]?.bool == true)
      #expect(dearer.int("product.profit") == price - fees - 150)
    }
  }

  @Test func `a score is remembered for six hours and no longer, while its product stays fresh`()
    async throws
  {
    let stand = try await Stand()
    // From the beginning of a day: the day is part of what is scored.
    let day: Int64 = 86_400_000
    stand.time.advance(byMilliseconds: day - stand.time.now.milliseconds % day)
    let path = "/api/v1/products/1/B09T2ZLMHB/score"
    try await stand.serving { caller in
      func ask() async throws -> Answer { try await caller.send(.post, path, body: "{}") }
      #expect(try await ask()["product.score_cached"]?.bool == false)
      stand.time.advance(byMilliseconds: 6 * 3_600_000 - 1)
      #expect(try await ask()["product.score_cached"]?.bool == true)
      stand.time.advance(byMilliseconds: 1)
      let later = try await ask()
      #expect(later["product.score_cached"]?.bool == false)
      #expect(later.int("tokens_used") == 0)
      #expect(try await ask()["product.score_cached"]?.bool == true)
    }
    let off = try await Stand { $0.scoringFresh = 0 }
    try await off.serving { caller in
      for _ in 0..<2 {
        let answer = try await caller.send(.post, path, body: "{}")
        #expect(answer["product.score_cached"]?.bool == false)
      }
    }
  }

  @Test(
    arguments: [
      ("{\"costs\":5}", "costs"), ("{\"costs\":{\"by\":5}}", "costs.by"),
      ("{\"costs\":{\"buy\":-1}}", "costs.buy"), ("{\"costs\":{\"buy\":1.5}}", "costs.buy"),
      ("{\"cost\":{}}", "cost"), ("{\"costs\":{\"buy\":1,\"buy\":2}}", "costs.buy"),
    ])
  func `costs that cannot be are refused by name`(body: String, field: String) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.send(
        .post, "/api/v1/products/1/B09T2ZLMHB/score", body: body)
      #expect(answer.status == 400)
      #expect(answer.string("field") == field)
    }
    #expect(stand.callCount == 0)
  }

  @Test func `an unknown buying cost is the configured share of the price, and none if it says so`()
    async throws
  {
    var versions: Set<String> = []
    for share: Int64? in [5_000, 2_000, nil] {
      var configuration = ScoringConfiguration()
      configuration.buyRatio = share.flatMap { FeeRate(hundredths: $0) }
      let basis = try ScoringBasis(configuration: configuration)
      let stand = try await Stand { $0.scoring = basis }
      try await stand.serving { caller in
        let answer = try await caller.send(
          .post, "/api/v1/products/1/B09T2ZLMHB/score", body: "{}")
        let price = try #require(answer.int("product.price"))
        let fees = try #require(answer.int("product.fees.total"))
        let cost = share.map { Int((Double(price) * Double($0) / 10_000).rounded()) }
        #expect(answer.int("product.profit") == cost.map { price - fees - $0 })
        #expect(answer["product.roi"]?.isNull == (share == nil))
        let estimated = answer["product.estimated"]?.array?.compactMap(\.string) ?? []
        #expect(estimated.contains("buy:ratio") == (share != nil))
        #expect(answer.string("scoring_version") == basis.version)
      }
      versions.insert(basis.version)
    }
    #expect(versions.count == 3)
  }

  @Test func `costs of a product that are named twice are refused`() async throws {
    let stand = try await Stand()
    let costs = "\"B09T2ZLMHB\":{\"buy\":1},\"B09T2ZLMHB\":{\"buy\":2}"
    try await stand.serving { caller in
      let answer = try await caller.send(
        .post, "/api/v1/products/discover-with-scoring",
        body: "{\"bsr_max\":5,\"costs_by_asin\":{\(costs)}}")
      #expect(answer.status == 400)
      #expect(answer.string("detail")?.contains("B09T2ZLMHB stands twice") == true)
    }
    #expect(stand.callCount == 0)
  }
}
