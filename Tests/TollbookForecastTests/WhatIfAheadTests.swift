import Testing
import TollbookEvents
import TollbookForecast
import TollbookTestSupport

@testable import TollbookGateway

private let hour: Int64 = 3_600_000
private let day: Int64 = 86_400_000

/// What was bought ahead was bought because it was about to end, and not because somebody read it.
@Suite struct WhatIfAheadTests {
  @Test func `the policy that was in force is predicted to the token, with what was bought ahead`()
    async throws
  {
    let policy = FreshnessPolicy()
    let world = try await WhatIfWorld(policy) { $0.refreshesAhead = true }
    let asins = ["B000000001", "B000000002"]
    try await world.live(
      (0..<7).map { WhatIfDemand(at: Int64($0) * (day - 60_000), asins: asins) })
    world.time.advance(byMilliseconds: day - 10 * 60_000)
    for _ in 0..<128 {
      world.time.advance(byMilliseconds: Gateway.aheadInterval)
      _ = await world.gateway.refreshAhead()
    }
    #expect(world.gateway.aheadReads.counts.bought == 2)
    let now = world.time.now.milliseconds - Timestamp.testStart.milliseconds
    try await world.live([WhatIfDemand(at: now + hour, asins: asins)])
    #expect(world.charged == 4)
    #expect(try await world.recorded().cost == Bounds(4))
    #expect(try await world.predict(policy).cost == Bounds(4))
  }
}
