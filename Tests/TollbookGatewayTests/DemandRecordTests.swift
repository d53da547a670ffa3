import Keepa
import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams

@testable import TollbookGateway

@Suite struct `What readers asked for is on the record` {
  @Test func `a purchase tells the age that its reader demanded`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1)) { $0.maximumAge = 90_500 }
    _ = await world.ask(asins(1..<2))
    let started = try world.started()
    let demands = started.flatMap(\.demands)
    #expect(demands.map(\.hasMaxAgeSeconds) == [true, false])
    #expect(demands.first?.maxAgeSeconds == 90)
    #expect(demands.map(\.isBehind) == [false, false])
    #expect(demands.map(\.askedMs) == [0, 0])
  }

  @Test func `a refresh behind tells so, and what its reader demanded, and when`() async throws {
    let world = try await World { $0.products.present.grace = day }
    _ = await world.ask(asins(1))
    world.time.advance(byMilliseconds: 7 * day + 5)
    let asked = world.time.now
    #expect(await world.ask(asins(1)) { $0.maximumAge = 30 * day }.sources == [.cache])
    while world.gateway.keepaPurchaser?.isIdle == false { await Task.yield() }
    let started = try world.started()
    #expect(started.map(\.demands[0].isBehind) == [false, true])
    #expect(started.last?.demands[0].askedMs == asked.milliseconds)
    #expect(started.last?.demands[0].maxAgeSeconds == UInt32(30 * day / 1_000))
  }

  @Test func `a refusal names what is refused, in request order`() async throws {
    let world = try await World(balance: 3)
    let wanted = asins(5)
    _ = await world.ask(wanted) { $0.maximumAge = hour }
    let refused = try world.refusals()
    #expect(refused.count == 1)
    #expect(
      refused.first?.refused == wanted[3...].map { "shared/keepa.product/1/\($0)" })
    #expect(refused.first?.demand.maxAgeSeconds == UInt32(hour / 1_000))
    #expect(refused.first?.demand.contentSet == 0)
    #expect(refused.first?.demand.isBehind == false)
  }

  @Test func `a refused refresh behind is told apart`() async throws {
    let world = try await World(balance: 2) { $0.products.present.grace = day }
    _ = await world.ask(asins(2))
    world.time.advance(byMilliseconds: 7 * day + 5)
    world.keepa.setBalance(1)
    // A call shows the ledger that all is spent.
    _ = await world.ask(asins(2..<3))
    let asked = world.time.now
    #expect(await world.ask(asins(2)).sources == [.cache, .cache])
    while world.gateway.keepaPurchaser?.isIdle == false { await Task.yield() }
    let refused = try world.refusals()
    #expect(refused.map(\.demand.isBehind) == [true])
    #expect(refused.first?.refused.count == 2)
    #expect(refused.first?.demand.askedMs == asked.milliseconds)
  }

  @Test func `a tally tells what was wanted, not only what answered`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1)) { $0.contentSet = .offers }
    _ = await world.ask(asins(1))
    await world.gateway.writeTallies()
    let rows = try world.tallies().flatMap(\.rows)
    #expect(rows.map(\.contentSet) == [7])
    #expect(rows.map(\.wantedContentSet) == [0])
    #expect(rows.map(\.hasWantedContentSet) == [true])
  }

  @Test func `a stale answer is booked where an event tells of the purchase that was tried`()
    async throws
  {
    let world = try await World(balance: 1)
    _ = await world.ask(asins(1))
    world.time.advance(byMilliseconds: 7 * day + 5)
    world.keepa.setBalance(-1_000)
    world.keepa.script([.requestRejected])
    #expect(await world.ask(asins(1)).sources == [.stale])
    await world.gateway.writeTallies()
    let row = try #require(try world.tallies().flatMap(\.rows).last)
    #expect(row.stale == 1)
    #expect(row.booked == 1)
  }

  @Test func `without a key what nobody answered is counted`() async throws {
    let world = try await World(isConfigured: false)
    let asked = world.time.now
    for _ in 0..<2 { #expect(await world.ask(asins(2)).sources == [.none, .none]) }
    await world.gateway.writeTallies()
    let tallies = try world.tallies()
    #expect(tallies.flatMap(\.rows).isEmpty)
    #expect(tallies.flatMap(\.unmet).map(\.unmet) == [2, 2])
    #expect(tallies.flatMap(\.unmet).allSatisfy { $0.firstReadMs == asked.milliseconds })
  }

  @Test func `a look into the cache is told apart from a request, found or not`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1))
    for name in asins(2) {
      _ = try world.gateway.product(try #require(KeepaASIN(name)), in: .unitedStates)
    }
    await world.gateway.writeTallies()
    let tallies = try world.tallies()
    #expect(tallies.flatMap(\.rows).map(\.peek) == [true])
    #expect(tallies.flatMap(\.rows).map(\.fresh) == [1])
    #expect(tallies.flatMap(\.unmet).map(\.peek) == [true])
  }

  @Test func `who joined a purchase that failed is counted, and who began it is not`() async throws
  {
    let world = try await World()
    world.keepa.hold()
    world.keepa.script([.requestRejected])
    let first = world.begin(asins(1))
    await world.keepa.waitForParked(1)
    let second = world.begin(asins(1))
    await world.waitForDemands(2)
    world.keepa.letGo()
    #expect(await first.value.sources == [.none])
    #expect(await second.value.sources == [.none])
    await world.gateway.writeTallies()
    let fetches = try world.started().count
    let unmet = try world.tallies().flatMap(\.unmet).reduce(0) { $0 + Int($1.unmet) }
    #expect(fetches + unmet == 2)
  }

  @Test func `a cache hit is counted at the instant that decided about it`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1))
    world.keepa.hold()
    let asked = world.time.now
    let client = world.begin(asins(2))
    await world.keepa.waitForParked(1)
    world.time.advance(byMilliseconds: 700)
    world.keepa.letGo()
    _ = await client.value
    await world.gateway.writeTallies()
    let rows = try world.tallies().flatMap(\.rows)
    #expect(rows.map(\.lastReadMs) == [asked.milliseconds])
  }
}

extension World {
  fileprivate func started() throws -> [FetchStarted] {
    try events().compactMap { if case .fetchStarted(let event) = $0 { event } else { nil } }
  }

  fileprivate func refusals() throws -> [SpendRefused] {
    try events().compactMap { if case .spendRefused(let event) = $0 { event } else { nil } }
  }

  fileprivate func tallies() throws -> [ReadsTallied] {
    try events().compactMap { if case .readsTallied(let event) = $0 { event } else { nil } }
  }
}
