import Hummingbird
import JSONText
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
