import Keepa
import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams

@testable import TollbookGateway

@Suite struct AheadPlanTests {
  private let now = Timestamp.testStart
  private let upstream = KeepaUpstream(FakeKeepa(time: ManualTime()), credential: "main")

  private func candidate(
    _ number: Int, chance: Double = 0.9, parts: UInt64 = 0, domain: Int = 1, age: Int64 = day
  ) -> AheadPlan.Candidate {
    let name = "\(domain)/\(asins(number..<number + 1)[0])"
    return AheadPlan.Candidate(
      need: Need(
        KeepaUpstream.product, ResourceKey(shared: KeepaUpstream.product, path: name),
        parts: parts),
      fetched: now.advanced(byMilliseconds: -age), chance: chance)
  }

  private func plan(_ candidates: [AheadPlan.Candidate], lost: Int64) -> AheadPlan? {
    AheadPlan(
      AheadPlan.ranked(candidates), for: upstream, lost: lost, on: upstream.meter, at: now)
  }

  private func names(_ plan: AheadPlan?) -> [String]? {
    plan?.needs.compactMap { $0.resource.map { String($0.path.dropFirst(2)) } }
  }

  @Test func `what is most likely of use comes first, and no more is bought than is lost`() {
    let candidates = [
      candidate(0, chance: 0.6), candidate(1, chance: 0.9), candidate(2, chance: 0.8),
      candidate(3, chance: 0.4),
    ]
    #expect(names(plan(candidates, lost: 2)) == [1, 2].map { asins($0..<$0 + 1)[0] })
    #expect(names(plan(candidates, lost: 100))?.count == 3)
    #expect(names(plan(candidates, lost: 0)) == nil)
    #expect(names(plan([], lost: 100)) == nil)
  }

  @Test func `what costs more than is lost makes way for what does not`() {
    let offers = candidate(0, chance: 1, parts: ContentSet.offers.rawValue)
    #expect(names(plan([offers, candidate(1)], lost: 1)) == [asins(1..<2)[0]])
    #expect(names(plan([offers, candidate(1)], lost: 1_000)) == [asins(0..<1)[0]])
  }

  @Test func `it is one call: of one marketplace, of the same parts, and not larger than a call`() {
    let others = [candidate(0, chance: 0.99, domain: 3)] + (1..<5).map { candidate($0) }
    #expect(names(plan(others, lost: 100)) == [asins(0..<1)[0]])
    let parts = [candidate(0, chance: 0.99, parts: 1)] + (1..<5).map { candidate($0) }
    #expect(names(plan(parts, lost: 100)) == [asins(0..<1)[0]])
    #expect(plan((0..<250).map { candidate($0) }, lost: 1_000)?.needs.count == 100)
  }

  @Test func `what somebody has bought meanwhile is younger than what is planned`() {
    let both = plan([candidate(0, age: 6 * day), candidate(1, age: 4 * day)], lost: 10)
    #expect(both?.age == 4 * day - 1)
  }

  @Test func `only what its name tells how to buy is bought anew`() {
    let product = ResourceKey(shared: KeepaUpstream.product, path: "1/B09T2ZLMHB")
    #expect(upstream.renewal(of: product, parts: 7)?.parts == 7)
    let seller = ResourceKey(shared: "keepa.seller", path: "1/A1")
    #expect(upstream.renewal(of: seller, parts: 0) == nil)
  }
}
