import Hummingbird
import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport

@testable import TollbookGateway
@testable import TollbookHTTP

/// What people see of purchases that were made ahead.
@Suite(.timeLimit(.minutes(5)))
struct RefreshAheadRouteTests {
  private let used = "B000000001"
  private let wasted = "B000000002"

  @Test func `it is a line of the ledger with its reason, and an audit tells what was of use`()
    async throws
  {
    let stand = try await Stand { $0.gateway.refreshesAhead = true }
    try await stand.serving { caller in
      for _ in 0..<7 {
        _ = try await caller.batch([used, wasted])
        stand.time.advance(byMilliseconds: 86_400_000 - 60_000)
      }
      await stand.gateway.writeTallies()
      for _ in 0..<128 {
        stand.time.advance(byMilliseconds: Gateway.aheadInterval)
        _ = await stand.gateway.refreshAhead()
      }
      // Now both would have to be bought again.
      stand.time.advance(byMilliseconds: 3_600_000)
      let answer = try await caller.batch([used])
      #expect(answer.int("stats.cache_hits") == 1)
      #expect(answer.int("stats.tokens_used") == 0)
      stand.time.advance(byMilliseconds: 8 * 86_400_000)
      await stand.gateway.writeTallies()
      await stand.gateway.sweep()

      let charges = try await caller.get("/ledger/charges")
      #expect(charges.ints("charges", "tokens") == [2, 2])
      #expect(charges.string("charges.1.tags.0") == "refresh:ahead")
      #expect(charges["charges.0.tags"] == nil)
      let audit = try await caller.get("/audit")
      #expect(audit.int("waste.0.served") == 2)
      #expect(audit.int("waste.0.refreshed_and_used") == 1)
      #expect(audit.int("waste.0.never_read") == 1)
      let metrics = try await caller.get("/metrics").text
      #expect(metrics.contains("tollbook_refreshes_ahead_total{outcome=\"bought\"} 2\n"))
      #expect(metrics.contains("tollbook_refreshes_ahead_total{outcome=\"used\"} 1\n"))
    }
  }
}
