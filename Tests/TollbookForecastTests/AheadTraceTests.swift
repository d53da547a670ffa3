import Testing
import TollbookGateway
import TollbookSimulators
import TollbookTestSupport
import TollbookUpstreams

private let hour: Int64 = 3_600_000
private let day: Int64 = 86_400_000

/// A demand of three days, played with buying ahead and without it.
@Suite(.timeLimit(.minutes(10))) struct AheadTraceTests {
  private func play(
    seed: UInt64, isAhead: Bool, rate: Int = 20
  ) async throws -> (world: WhatIfWorld, books: AheadBooks) {
    let trace = ReferenceTrace(
      seed: seed, products: 40, requests: 600, milliseconds: 3 * day)
    var demand = trace.demand
    for place in demand.indices { demand[place].isAfterTally = place.isMultiple(of: 20) }
    let world = try await WhatIfWorld(.windows(fresh: 8 * hour), rate: rate) {
      $0.refreshesAhead = isAhead
    }
    let books = try await world.live(demand, looks: isAhead)
    return (world, books)
  }

  @Test(arguments: [1, 2] as [UInt64])
  func `Law: no token is spent ahead that the next refill would not have thrown away`(
    seed: UInt64
  ) async throws {
    let off = try await play(seed: seed, isAhead: false)
    let on = try await play(seed: seed, isAhead: true)
    #expect(off.books.ahead == 0 && off.books.wronglySpent == 0)
    #expect(on.books.ahead > 100)
    #expect(on.books.wronglySpent == 0)
    #expect(on.books.overtaken * 100 <= on.books.ahead)
    #expect(on.books.ahead <= off.books.lost)
    #expect(on.books.requested < off.books.requested, "what was bought ahead is of use")
    #expect(on.books.requested + on.books.ahead == on.world.charged)
    #expect(try on.world.settled() == on.world.charged)
    #expect(on.world.gateway.aheadReads.counts.bought > 100)
  }

  @Test func `what would not have been lost is counted once, and whether that was to be seen`() {
    let start: Int64 = 1_000_000
    var books = AheadBooks(TokenBucket(rate: 20, balance: 1_190, at: start))
    // Of the 20 that come 10 do not fit: 5 of the 15 would still be there.
    books.charge(15, isAhead: true, at: start + 100)
    #expect(books.wronglySpent == 5)
    #expect(books.overtaken == 0)
    // Now 3 more would have been of use.
    books.charge(3, isAhead: false, at: start + 200)
    books.advance(to: start + TokenBucket.tick)
    #expect(books.ahead == 15)
    #expect(books.wronglySpent == 5)
    #expect(books.overtaken == 3)
    #expect(books.lost == 0)
    books.advance(to: start + 3 * TokenBucket.tick)
    #expect(books.wronglySpent == 5)
    #expect(books.overtaken == 3)
    #expect(books.lost == 32)
    books.charge(20, isAhead: true, at: start + 3 * TokenBucket.tick + 1)
    books.advance(to: start + 4 * TokenBucket.tick)
    #expect(books.wronglySpent == 5, "all of it would have been lost")
  }
  @Test func `a look that spends nothing after a request has come spends nothing wrongly`() {
    let start: Int64 = 1_000_000
    var books = AheadBooks(TokenBucket(rate: 20, balance: 1_200, at: start))
    books.charge(20, isAhead: true, at: start + 100)
    books.charge(3, isAhead: false, at: start + 200)
    books.charge(0, isAhead: true, at: start + 300)
    #expect(books.wronglySpent == 0)
    // That was to be seen.
    books.charge(2, isAhead: true, at: start + 400)
    #expect(books.wronglySpent == 2)
    books.advance(to: start + TokenBucket.tick)
    #expect(books.wronglySpent == 2)
    #expect(books.overtaken == 3)
  }
}
