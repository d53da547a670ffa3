import Testing
import TollbookTestSupport

@testable import TollbookGateway

@Suite struct `What is bought again when there is too little room` {
  @Test(arguments: [EvictionTrace.Shape.zipf(0.8), .zipf(1), .scan], [1, 2] as [UInt64])
  func `at most nine tenths of what has to be bought again when the least recently used goes`(
    shape: EvictionTrace.Shape, seed: UInt64
  ) {
    let trace = EvictionTrace(seed: seed, shape, things: 1_000, reads: 12_000)
    let bound = trace.space / 10
    let recency = trace.play(.leastRecentlyUsed, bound: bound)
    let worth = trace.play(.greedyDual, bound: bound)
    print(
      "\(shape), seed \(seed): units bought again \(worth.again) by worth, \(recency.again) by"
        + " recency; hits \(worth.hits) and \(recency.hits) of 12000")
    #expect(recency.again > 0 && worth.evicted > 0)
    #expect(worth.again * 10 <= recency.again * 9)
  }

  @Test func `where all has room nothing is bought again by either`() {
    let trace = EvictionTrace(seed: 3, .zipf(1), things: 200, reads: 3_000)
    for rule in [EvictionTrace.Rule.leastRecentlyUsed, .greedyDual] {
      let outcome = trace.play(rule, bound: trace.space)
      #expect(outcome.again == 0)
      #expect(outcome.evicted == 0)
      #expect(outcome.hits > 2_000)
    }
  }
}
