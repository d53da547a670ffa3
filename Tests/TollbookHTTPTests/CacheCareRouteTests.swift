import JSONText
import Testing
import TollbookArchive
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookTestSupport

@testable import TollbookHTTP

private let minute: Int64 = 60_000
private let hour: Int64 = 3_600_000
private let day: Int64 = 86_400_000

/// `GET /cache/stats` of one kind, `/cache/health`, `/cache/performance` and `/cache/recommendations`.
@Suite struct CacheCareRouteTests {
  /// One whose memory is no matter, however many tests run beside it.
  private func roomyStand(
    _ change: (inout Stand.Options) -> Void = { _ in }
  ) async throws -> Stand {
    try await Stand {
      $0.memoryLimit = 1 << 50
      change(&$0)
    }
  }

  private func asins(_ count: Int) -> [String] {
    (0..<count).map { "B00000\(1_000 + $0)" }
  }

  // MARK: Of one kind

  @Test func `C02: each kind has figures of its own`() async throws {
    let stand = try await roomyStand()
    try await stand.serving { caller in
      _ = try await caller.batch(asins(2))
      for _ in 0..<3 { _ = try await caller.batch([asins(1)[0]]) }
      for isWritten in [false, true] {
        if isWritten { await stand.gateway.writeTallies() }
        let products = try await caller.get("/cache/stats?kind=keepa.product")
        #expect(products.string("data.kind") == "keepa.product")
        #expect(
          products.names("data.cache_stats") == [
            "hit_rate", "hit_ratio", "entries", "memory_mb", "hits", "misses", "evictions",
          ])
        #expect(products.int("data.cache_stats.hits") == 3)
        #expect(products.int("data.cache_stats.misses") == 2)
        #expect(products["data.cache_stats.hit_rate"]?.double == 60)
        #expect(products["data.cache_stats.hit_ratio"]?.double == 0.6)
        #expect(products.int("data.cache_stats.entries") == 2)
        #expect(products.int("data.cache_stats.evictions") == 0)
        let codes = try await caller.get("/cache/stats?kind=keepa.code")
        for name in ["hits", "misses", "entries", "evictions"] {
          #expect(codes.int("data.cache_stats.\(name)") == 0)
        }
      }
    }
  }

  @Test func `removed entries count with their kind, once`() async throws {
    let stand = try await roomyStand()
    try await stand.serving { caller in
      _ = try await caller.batch(asins(3))
      // Marked as no longer fresh first, removed when it is not kept any more.
      for _ in 0..<2 {
        stand.time.advance(byMilliseconds: 91 * day)
        await stand.gateway.sweep()
        _ = try await caller.get("/cache/stats?kind=keepa.product")
      }
      let all = try await caller.get("/cache/stats")
      #expect(all.int("data.cache_stats.evictions") == 3)
      let products = try await caller.get("/cache/stats?kind=keepa.product")
      #expect(products.int("data.cache_stats.evictions") == 3)
      #expect(products.int("data.cache_stats.entries") == 0)
      let codes = try await caller.get("/cache/stats?kind=keepa.code")
      #expect(codes.int("data.cache_stats.evictions") == 0)
    }
  }

  @Test func `a kind that is not known is refused, and the known ones are named`() async throws {
    let stand = try await roomyStand()
    try await stand.serving { caller in
      let answer = try await caller.get("/cache/stats?kind=ebay.search")
      #expect(answer.status == 400)
      #expect(answer.string("field") == "kind")
      #expect(answer.string("detail")?.contains("ebay.search") == true)
      #expect(answer.string("detail")?.contains("keepa.product") == true)
    }
  }

  // MARK: Health

  @Test func `C03, C09: a cold cache is ok, and its figures are zero`() async throws {
    let stand = try await roomyStand()
    try await stand.serving { caller in
      let answer = try await caller.get("/cache/health")
      #expect(answer.status == 200)
      #expect(answer["success"]?.bool == true)
      #expect(answer.string("data.status") == "ok")
      #expect(answer["data.cold"]?.bool == true)
      #expect(answer.count("data.active_alerts") == 0)
      for name in ["hit_rate", "hit_ratio", "error_rate", "hits", "misses", "requests", "errors"] {
        #expect(answer["data.metrics.\(name)"]?.double == 0, "\(name)")
      }
      #expect(answer["data.metrics.avg_response_time_ms"]?.double == nil)
      #expect(try #require(answer["data.metrics.memory_mb"]?.double) > 0)
      #expect(answer["data.metrics.memory_usage_percent"]?.double != nil)
    }
  }

  @Test func `C09: the last 15 minutes are looked at, and no more`() async throws {
    let stand = try await roomyStand()
    try await stand.serving { caller in
      _ = try await caller.batch(asins(10))
      for _ in 0..<10 { _ = try await caller.batch(asins(10)) }
      let pending = try await caller.get("/cache/health")
      await stand.gateway.writeTallies()
      let written = try await caller.get("/cache/health")
      for answer in [pending, written] {
        #expect(answer["data.cold"]?.bool == false)
        #expect(answer.string("data.status") == "ok")
        #expect(answer.int("data.metrics.hits") == 100)
        #expect(answer.int("data.metrics.misses") == 10)
        #expect(answer["data.metrics.hit_rate"]?.double == 90.91)
        // Who watches is not counted.
        #expect(answer.int("data.metrics.requests") == 11)
        #expect(answer["data.metrics.p95_response_time_ms"]?.double != nil)
        #expect(answer.string("data.states.hit_rate") == "ok")
      }
      stand.time.advance(byMilliseconds: 14 * minute)
      #expect(try await caller.get("/cache/health").int("data.metrics.hits") == 100)
      stand.time.advance(byMilliseconds: minute)
      let later = try await caller.get("/cache/health")
      #expect(later.int("data.metrics.hits") == 0)
      #expect(later.int("data.metrics.requests") == 0)
      #expect(later["data.cold"]?.bool == true)
    }
  }

  @Test func `C41: a cache that misses too often says so, by which rule`() async throws {
    let stand = try await roomyStand()
    try await stand.serving { caller in
      _ = try await caller.batch(asins(50))
      _ = try await caller.batch(asins(50))
      _ = try await caller.batch(asins(10))
      let answer = try await caller.get("/cache/health")
      #expect(answer.string("data.status") == "warning")
      #expect(answer.count("data.active_alerts") == 1)
      #expect(answer.string("data.active_alerts.0.name") == "cache.hit_rate")
      #expect(answer.string("data.active_alerts.0.severity") == "warning")
      #expect(answer.string("data.active_alerts.0.rule") == "50 <= hit_rate < 70")
      #expect(answer["data.active_alerts.0.value"]?.double == 54.55)
      #expect(answer["data.active_alerts.0.threshold"]?.double == 70)
    }
  }

  @Test func `X8: memory is told by the limit that is set, cold or not`() async throws {
    let stand = try await Stand { $0.memoryLimit = 4_096 }
    try await stand.serving { caller in
      let answer = try await caller.get("/cache/health")
      #expect(answer["data.cold"]?.bool == true)
      #expect(answer.string("data.status") == "critical")
      #expect(answer.strings("data.active_alerts", "name") == ["cache.memory"])
    }
  }

  // MARK: Performance

  @Test func `C10: by five minutes, and what was spared by the hours`() async throws {
    let stand = try await roomyStand()
    try await stand.serving { caller in
      _ = try await caller.batch(asins(2))
      for _ in 0..<3 { _ = try await caller.batch(asins(2)) }
      await stand.gateway.writeTallies()
      let answer = try await caller.get("/cache/performance?hours=1")
      #expect(answer.status == 200)
      #expect(answer["success"]?.bool == true)
      #expect(answer.string("data.from") == "2026-11-21T07:00:00.000Z")
      #expect(answer.int("data.bucket_seconds") == 300)
      #expect(answer["data.hit_rate"]?.double == 75)
      #expect(answer["data.hit_ratio"]?.double == 0.75)
      #expect(answer.string("data.amounts.0.unit") == "tokens")
      #expect(answer.int("data.amounts.0.charged") == 2)
      #expect(answer.int("data.amounts.0.avoided") == 6)
      #expect(answer["data.amounts.0.hit_rate_by_amount"]?.double == 75)
      #expect(answer.string("data.latency.since") == "2026-11-21T08:00:00.000Z")
      #expect(answer.int("data.latency.requests") == 4)
      #expect(answer.int("data.latency.cached.requests") == 3)
      #expect(answer.count("data.buckets") == 13)
      // Nobody knows what was before the process.
      #expect(answer["data.buckets.11.latency"]?.isNull == true)
      #expect(answer["data.buckets.11.hit_rate"]?.isNull == true)
      #expect(answer["data.buckets.12.hit_rate"]?.double == 75)
      #expect(answer.int("data.buckets.12.hits") == 6)
      #expect(answer.int("data.buckets.12.misses") == 2)
      #expect(answer.int("data.buckets.12.amounts.0.charged") == 2)
      #expect(answer["data.buckets.12.amounts.0.avoided"]?.isNull == true)
      #expect(answer.int("data.buckets.12.latency.requests") == 4)
    }
  }

  @Test func `C10: of more than two hours each hour has its figures`() async throws {
    let stand = try await roomyStand()
    try await stand.serving { caller in
      _ = try await caller.batch(asins(2))
      stand.time.advance(byMilliseconds: 2 * hour)
      _ = try await caller.batch(asins(2))
      let pending = try await caller.get("/cache/performance")
      await stand.gateway.writeTallies()
      for answer in [pending, try await caller.get("/cache/performance?hours=24")] {
        #expect(answer.int("data.hours") == 24)
        #expect(answer.int("data.bucket_seconds") == 3_600)
        #expect(answer.count("data.buckets") == 25)
        #expect(answer["data.buckets.22.hit_rate"]?.double == 0)
        #expect(answer.int("data.buckets.22.amounts.0.charged") == 2)
        #expect(answer["data.buckets.23.hit_rate"]?.isNull == true)
        #expect(answer.int("data.buckets.23.latency.requests") == 0)
        #expect(answer["data.buckets.24.hit_rate"]?.double == 100)
        #expect(answer["data.hit_rate"]?.double == 50)
      }
      #expect(try await caller.get("/cache/performance?hours=168").count("data.buckets") == 169)
    }
  }

  @Test func `C10: a trend compares the whole hours with as many before them`() async throws {
    let stand = try await roomyStand()
    try await stand.serving { caller in
      let young = try await caller.get("/cache/performance?hours=1")
      #expect(young["data.trends.hit_rate.direction"]?.isNull == true)
      _ = try await caller.batch(asins(2))
      _ = try await caller.batch(asins(2))
      await stand.gateway.writeTallies()
      stand.time.advance(byMilliseconds: hour)
      _ = try await caller.batch(asins(2))
      await stand.gateway.writeTallies()
      stand.time.advance(byMilliseconds: hour)
      let answer = try await caller.get("/cache/performance?hours=1")
      #expect(answer.string("data.trends.from") == "2026-11-21T08:00:00.000Z")
      #expect(answer.string("data.trends.between") == "2026-11-21T09:00:00.000Z")
      #expect(answer.string("data.trends.to") == "2026-11-21T10:00:00.000Z")
      #expect(answer["data.trends.hit_rate.before"]?.double == 50)
      #expect(answer["data.trends.hit_rate.after"]?.double == 100)
      #expect(answer["data.trends.hit_rate.change"]?.double == 50)
      #expect(answer.string("data.trends.hit_rate.direction") == "rising")
      #expect(answer.string("data.trends.amounts.0.charged.direction") == "falling")
    }
  }

  @Test func `what others spent a plain key is not told`() async throws {
    let stand = try await roomyStand { $0.accessKey = "root" }
    try await stand.serving { caller in
      try await caller.open("acme")
      let key = try await caller.issue("acme").key
      _ = try await caller.batch(asins(2), headers: Caller.root)
      let all = try await caller.get("/cache/performance", Caller.root)
      #expect(all.int("data.amounts.0.charged") == 2)
      for hours in [1, 24] {
        let own = try await caller.get("/cache/performance?hours=\(hours)", key: key)
        #expect(own.status == 200)
        #expect(own.count("data.amounts") == 0)
        #expect(own.int("data.misses") == 2)
      }
      #expect(try await caller.get("/cache/recommendations", key: key).status == 403)
      #expect(try await caller.get("/cache/health", key: key).status == 200)
    }
  }

  @Test(arguments: [
    (50.0, 51.0, CacheTrend.Direction.steady), (50, 51.01, .rising), (50, 49, .steady),
    (50, 48.99, .falling),
  ])
  func `a rate is steady within a point`(
    _ before: Double, _ after: Double, _ direction: CacheTrend.Direction
  ) {
    let trend = CacheTrend(before: before, after: after, steadyWithin: .points(1))
    #expect(trend.direction == direction)
    #expect(CacheTrend(before: nil, after: after, steadyWithin: .points(1)).change == nil)
  }

  // MARK: Recommendations

  @Test func `C11: before the first look there is no advice`() async throws {
    let stand = try await roomyStand()
    try await stand.serving { caller in
      let answer = try await caller.get("/cache/recommendations")
      #expect(answer["success"]?.bool == true)
      #expect(answer["data.as_of"]?.isNull == true)
      #expect(answer["data.age_seconds"]?.isNull == true)
      #expect(answer.count("data.recommendations") == 0)
    }
  }

  @Test func `C11: advice is what other windows would have spared, and what was not tried`()
    async throws
  {
    let stand = try await roomyStand()
    try await stand.serving { caller in
      _ = try await caller.batch(asins(5))
      stand.time.advance(byMilliseconds: 8 * day)
      _ = try await caller.batch(asins(5))
      await stand.gateway.writeTallies()
      guard case .done = await stand.application.service.advise() else {
        Issue.record("the look failed")
        return
      }
      stand.time.advance(byMilliseconds: minute)
      let answer = try await caller.get("/cache/recommendations")
      #expect(answer.int("data.age_seconds") == 60)
      #expect(answer.string("data.recommendations.0.severity") == "high")
      #expect(answer.string("data.recommendations.0.kind") == "keepa.product")
      #expect(answer.string("data.recommendations.0.change") == "keepa.product.fresh=14d")
      #expect(answer.int("data.recommendations.0.would_have_saved") == 5)
      #expect(answer.string("data.recommendations.0.unit") == "tokens")
      #expect(answer.int("data.recommendations.0.what_if.in_force.cost.low") == 5)
      #expect(answer.int("data.recommendations.0.what_if.tried.cost.high") == 0)
      let skipped = answer.strings("data.skipped", "kind")
      #expect(skipped.contains("keepa.code"))
      #expect(!skipped.contains("keepa.product"))
    }
  }

  @Test func `a look that nobody waits for any longer ends, and keeps nothing`() async throws {
    let stand = try await roomyStand()
    let look = AdviceLook(
      source: .init(stand.log), systems: stand.application.service.systems, overdraft: .never,
      now: stand.time.now)
    #expect(try look.result(while: { false }).get() == nil)
    #expect(stand.application.service.advisor.advice == nil)
  }

  @Test(arguments: [
    (Int64(0), Int64(100), CacheAdvice.Severity?.none), (-5, 100, nil), (4, 100, nil),
    (5, 100, .low), (19, 100, .low), (20, 100, .medium), (49, 100, .medium), (50, 100, .high),
    (100, 100, .high), (5, 0, nil),
  ])
  func `how much is spared says how loud it is told`(
    _ saved: Int64, _ cost: Int64, _ severity: CacheAdvice.Severity?
  ) {
    #expect(CacheAdvice.severity(of: saved, from: cost) == severity)
  }

  @Test func `policies are written as the command line takes them`() {
    var policy = FreshnessPolicy()
    (policy.present.fresh, policy.absent.fresh) = (7 * day, 90 * minute)
    #expect(
      AdviceLook.texts(for: "a.b", policy) == [
        "a.b.fresh=14d", "a.b.fresh=28d", "a.b.absent.fresh=3h",
      ])
    (policy.present.fresh, policy.absent.fresh) = (0, .max)
    #expect(AdviceLook.texts(for: "a.b", policy) == [])
  }
}
