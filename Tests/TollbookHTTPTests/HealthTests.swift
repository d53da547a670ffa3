import Glibc
import Hummingbird
import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

@testable import TollbookHTTP

@Suite struct HealthTests {
  @Test(arguments: ["/health", "/"])
  func `K01, C01, C15, X4: health says what the four systems said`(_ path: String) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.get(path)
      #expect(answer.status == 200)
      #expect(answer.string("status") == "ok")
      #expect(answer.string("service") == "tollbook")
      #expect(answer.string("version") == Stand.version)
      #expect(answer["simulated"]?.bool == true)
      #expect(answer["cache_enabled"]?.bool == true)
      #expect(
        answer.names("cache_stats") == ["hit_rate", "hit_ratio", "entries", "memory_mb"])
      #expect(answer["upstreams.keepa.configured"]?.bool == true)
      #expect(answer.string("upstreams.keepa.state") == "unknown")
      #expect(answer.int("position") == Int(stand.log.head))
      #expect(answer["reasons"] == nil)
      #expect(answer["upstreams.keepa.simulated"]?.isNull == true)
      #expect(answer.headers[.upstream] == "simulated")
    }
  }

  @Test func `what is bought shows in health`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      _ = try await caller.batch(["B000000001"])
      let answer = try await caller.get("/health")
      #expect(answer.string("upstreams.keepa.state") == "ready")
      #expect(answer["upstreams.keepa.simulated"]?.bool == true)
      #expect(answer.int("cache_stats.entries") == 1)
      #expect(answer["cache_stats.hit_rate"]?.double == 50)
    }
  }

  @Test func `without a key Tollbook is degraded and serves what it has`() async throws {
    let stand = try await Stand { $0.key = nil }
    try await stand.serving { caller in
      let health = try await caller.get("/health")
      #expect(health.status == 200)
      #expect(health.string("status") == "degraded")
      #expect(health.string("reasons.0.reason") == "keepa_not_configured")
      #expect(health["upstreams.keepa.configured"]?.bool == false)
      let answer = try await caller.batch(["B000000001"])
      #expect(answer.status == 200)
      #expect(answer.string("results.0.error.reason") == "upstream_not_configured")
      #expect(answer.int("stats.failed") == 1)
      #expect(answer["stats.tokens_remaining"]?.isNull == true)
    }
  }

  @Test func `a rejected key is one clear state`() async throws {
    let stand = try await Stand { $0.key = KeepaSimulator.sampleKey(7) }
    try await stand.serving { caller in
      let answer = try await caller.batch(["B000000001"])
      #expect(answer.string("results.0.error.reason") == "key_rejected")
      let health = try await caller.get("/health")
      #expect(health.string("status") == "degraded")
      #expect(health.string("reasons.0.reason") == "keepa_key_rejected")
      #expect(health.string("upstreams.keepa.state") == "key_rejected")
      #expect(!health.text.contains(KeepaSimulator.sampleKey(7)))
    }
  }

  @Test func `an event that a view cannot apply turns health`() async throws {
    let stand = try await Stand()
    var charge = TokensCharged()
    charge.fetch = 99
    charge.credential = "keepa:test"
    charge.unit = "tokens"
    charge.tokens = 1
    try await stand.log.append([.tokensCharged(charge)])
    try await stand.serving { caller in
      let health = try await caller.get("/health")
      #expect(health.string("status") == "degraded")
      #expect(health.string("reasons.0.reason") == "parked_events")
      #expect(try await caller.get("/metrics").text.contains("tollbook_parked_events 1\n"))
    }
  }

  @Test func `a full log is read-only: it answers from the cache and refuses the rest`()
    async throws
  {
    let stand = try await Stand { $0.log.mapSize = 4 << 20 }
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      await stand.fillUp()
      let health = try await caller.get("/health")
      #expect(health.status == 200)
      #expect(health.string("status") == "read_only")
      #expect(health.string("reasons.0.reason") == "read_only")
      #expect(try await caller.batch(["B000000001"]).int("stats.cache_hits") == 1)
      let refused = try await caller.batch(["B000000002"])
      #expect(refused.status == 503)
      #expect(refused.string("type") == "/problems/read-only")
      #expect(refused.headers[.retryAfter] == "30")
      #expect(try await caller.get("/log").string("writer.state") == "read_only")
    }
  }

  @Test func `below the reserve health is read-only with the reason, and the refusal says storage`()
    async throws
  {
    let stand = try await Stand { $0.log.reserveBytes = 1 << 60 }
    try await stand.serving { caller in
      let health = try await caller.get("/health")
      #expect(health.status == 200)
      #expect(health.string("status") == "read_only")
      #expect(health.string("reasons.0.reason") == "read_only")
      let detail = try #require(health.string("reasons.0.detail"))
      #expect(detail.contains("are kept for calls already paid"))
      let refused = try await caller.batch(["B000000001"])
      #expect(refused.status == 503)
      #expect(refused.string("type") == "/problems/read-only")
      #expect(refused.string("detail")?.contains("storage") == true)
      #expect(try await caller.get("/metrics").text.contains("tollbook_below_reserve 1\n"))
    }
  }

  @Test func `a clock that was ahead is told, and instants are looked up by the true one`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      let before = Int(stand.log.head)
      let now = stand.time.now
      stand.time.setWallClock(to: now.advanced(byMilliseconds: 365 * 86_400_000))
      try await stand.log.append([.serviceStarted(ServiceStarted())])
      #expect(try await caller.get("/health").string("status") == "ok")
      stand.time.setWallClock(to: now.advanced(byMilliseconds: 1_000))
      try await stand.log.append([.serviceStarted(ServiceStarted())])
      let health = try await caller.get("/health")
      #expect(health.string("status") == "degraded")
      #expect(health.string("reasons.0.reason") == "clock_ahead")
      let detail = try #require(health.string("reasons.0.detail"))
      #expect(detail.contains("events from position \(before + 1) on are dated up to 2027-"))
      let ledger = try await caller.get("/ledger?as_of=\(stand.time.now)")
      #expect(ledger.int("position") == before + 2)
      let earlier = try await caller.get("/ledger?as_of=\(now)")
      #expect(earlier.int("position") == before)
    }
  }

  @Test func `doubts of a key that is not used any more are told: no reading will settle them`()
    async throws
  {
    let stand = try await Stand()
    var move = Move()
    move.meter = MeterName(quotaGroup: "keepa:former", unit: "tokens")
    move.amount = 2
    var started = FetchStarted()
    started.operation = "keepa.product"
    started.demands = [Demand()]
    started.resources = ["shared/keepa.product/1/B000000001"]
    started.moves = [move]
    var doubt = ChargeInDoubt()
    doubt.fetch = stand.log.head + 1
    doubt.attempt = 1
    doubt.operation = started.operation
    doubt.moves = [move]
    try await stand.log.append([.fetchStarted(started)])
    let before = try await stand.serving { try await $0.get("/health") }
    #expect(before.string("status") == "ok")
    try await stand.log.append([.chargeInDoubt(doubt)])
    let health = try await stand.serving { try await $0.get("/health") }
    #expect(health.string("status") == "degraded")
    #expect(health.string("reasons.0.reason") == "doubts_without_reading")
    #expect(health.string("reasons.0.detail")?.contains("2 tokens in doubt on") == true)
  }

  @Test
  func `an upstream that is left alone is told, and the answer says what may have been spent`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000009"])
      stand.keepa.simulator.faults = KeepaFaults([KeepaFault(.drop, next: 5)])
      let doubt = try await caller.batch(["B000000001", "B000000002"])
      #expect(doubt.int("stats.tokens_used") == 0)
      #expect(doubt.int("stats.tokens_in_doubt") == 2)
      #expect(doubt.int("results.0.tokens_in_doubt") == 1)
      #expect(doubt.headers[.chargeInDoubt] == "2")
      #expect(try await caller.get("/health").string("status") == "ok")
      let discover = try await caller.send(
        .post, "/api/v1/products/discover", body: "{\"bsr_max\":5}")
      #expect(discover.status == 503)
      #expect(discover.headers[.chargeInDoubt] == "11")
      let wire = try await caller.inflated("/keepa/product?domain=1&asin=B000000003")
      #expect(wire.status == 503)
      #expect(wire.int("tokensConsumed") == 0)
      #expect(wire.headers[.chargeInDoubt] == "1")
      let passed = try await caller.inflated("/keepa/topseller?domain=1")
      #expect(passed.headers[.chargeInDoubt] == "50")
      let table = try await caller.batch(["B000000004"], headers: [.accept: "text/csv"])
      #expect(table.text.hasSuffix(",1,0,upstream_unavailable,\r\n"), "\(table.text)")
      let health = try await caller.get("/health")
      #expect(health.string("status") == "degraded")
      #expect(health.string("reasons.0.reason") == "keepa_paused")
      #expect(health.string("upstreams.keepa.state") == "paused")
      let cached = try await caller.batch(["B000000009"])
      #expect(cached.headers[.chargeInDoubt] == nil)
    }
  }

  @Test func `a reading that never ends is told with its process`() async throws {
    let stand = try await Stand()
    let service = HTTPService(
      gateway: stand.gateway,
      settings: HTTPSettings(version: Stand.version, startTime: stand.time.now), systems: [],
      checkpoints: nil)
    let readers = await HeldReaders(stand.log.environment, count: 1)
    for _ in 0..<3 {
      try await stand.log.append([.serviceStarted(ServiceStarted())])
    }
    let early = Health(service, longestLag: 4)
    let late = Health(service, longestLag: 3)
    let metrics = try await stand.serving { try await $0.get("/metrics").text }
    readers.letGo()
    #expect(early.status == "ok")
    #expect(late.status == "degraded")
    #expect(late.reasons.map(\.name) == ["long_reader"])
    #expect(late.reasons.first?.detail.contains("process \(getpid()) reads the log") == true)
    #expect(metrics.contains("tollbook_reader_lag{process=\"\(getpid())\"} 3\n"))
    #expect(Health(service, longestLag: 1).status == "ok")
  }

  @Test func `where nothing can be read a purchase is 503, and health says why`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"])
      let calls = stand.callCount
      let readers = await HeldReaders(stand.log.environment)
      let answer = try await caller.batch(["B000000001"])
      let health = try await caller.get("/health")
      let product = try await caller.get("/keepa/products/1/B000000001")
      readers.letGo()
      #expect(answer.status == 503)
      #expect(answer.string("type") == "/problems/storage-failed")
      #expect(answer.headers[.retryAfter] == "5")
      #expect(stand.callCount == calls)
      #expect(health.status == 200)
      #expect(health.string("status") == "degraded")
      #expect(health.string("reasons.0.reason") == "storage_failed")
      #expect(product.status == 503)
      let again = try await caller.batch(["B000000001"])
      #expect(again.int("stats.cache_hits") == 1)
      #expect(stand.callCount == calls)
    }
  }

  @Test func `a full queue is 503 with Retry-After`() async throws {
    let stand = try await Stand {
      $0.log.queueCapacity = 0
      $0.isStarted = false
    }
    try await stand.serving { caller in
      let answer = try await caller.batch(["B000000001"])
      #expect(answer.status == 503)
      #expect(answer.string("type") == "/problems/busy")
      #expect(answer.headers[.retryAfter] == "1")
    }
  }
}
