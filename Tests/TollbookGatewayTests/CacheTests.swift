import Keepa
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite struct `Answers from the cache and from Keepa` {
  @Test func `K09: three unknown products cost three tokens, K10: the same again cost nothing`()
    async throws
  {
    let world = try await World()
    let first = await world.ask(asins(3))
    #expect(first.sources == [.keepa, .keepa, .keepa])
    #expect(first.tokens == [1, 1, 1])
    #expect(world.keepa.calls.count == 1)
    let second = await world.ask(asins(3))
    #expect(second.sources == [.cache, .cache, .cache])
    #expect(second.tokens == [0, 0, 0])
    #expect(world.keepa.calls.count == 1)
    #expect(world.keepa.books.charged == 3)
    #expect(try world.meter()[.settled] == 3)
    #expect(try world.meter().residual == 0)
  }

  @Test func `K11: a mixed batch buys only what is missing`() async throws {
    let world = try await World()
    _ = await world.ask(asins(0..<2))
    let answer = await world.ask(asins(0..<5))
    #expect(answer.sources == [.cache, .cache, .keepa, .keepa, .keepa])
    #expect(world.keepa.calls.last?.asins == asins(2..<5))
  }

  @Test func `K16: what was bought is there after a restart`() async throws {
    let world = try await World()
    _ = await world.ask(asins(3))
    try await world.restart()
    #expect(await world.ask(asins(3)).sources == [.cache, .cache, .cache])
    #expect(world.keepa.calls.count == 1)
  }

  @Test func `K15: days 2 to 7 hit and day 8 buys again, to the millisecond`() async throws {
    let world = try await World()
    _ = await world.ask(asins(2))
    for _ in 1...6 {
      world.time.advance(byMilliseconds: day)
      #expect(await world.ask(asins(2)).sources == [.cache, .cache])
    }
    world.time.advance(byMilliseconds: day - 1)
    #expect(await world.ask(asins(2)).sources == [.cache, .cache])
    world.time.advance(byMilliseconds: 1)
    let answer = await world.ask(asins(2))
    #expect(answer.sources == [.keepa, .keepa])
    #expect(answer.tokens == [1, 1])
  }

  @Test func `K12: 50 products cost 50 tokens, duplicates are answered once`() async throws {
    let world = try await World()
    let answer = await world.ask(asins(50) + asins(50))
    #expect(answer.outcomes.count == 50)
    #expect(answer.outcomes.compactMap(\.problem).isEmpty)
    #expect(answer.tokens.reduce(0, +) == 50)
    #expect(world.keepa.books.charged == 50)
  }

  @Test func `calls carry at most 100 products`() async throws {
    let world = try await World()
    let answer = await world.ask(asins(250))
    #expect(answer.sources == Array(repeating: .keepa, count: 250))
    #expect(world.keepa.calls.map(\.asins.count).sorted() == [50, 100, 100])
    #expect(try world.count(.fetchStarted) == 3)
  }

  @Test func `X1: a demanded maximum age is kept, and paid for`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1))
    world.time.advance(byMilliseconds: hour)
    #expect(await world.ask(asins(1)) { $0.maximumAge = hour }.sources == [.cache])
    world.time.advance(byMilliseconds: 1)
    #expect(await world.ask(asins(1)) { $0.maximumAge = hour }.sources == [.keepa])
    #expect(world.keepa.calls.count == 2)
  }

  @Test func `a richer body serves a poorer request, and not the reverse`() async throws {
    let world = try await World()
    let rich = await world.ask(asins(1)) { $0.contentSet = .offers }
    #expect(rich.sources == [.keepa])
    #expect(await world.ask(asins(1)).sources == [.cache])
    #expect(await world.ask(asins(1)) { $0.contentSet = .rating }.sources == [.cache])
    _ = await world.ask(asins(1..<2))
    let poorFirst = await world.ask(asins(1..<2)) { $0.contentSet = .buyBox }
    #expect(poorFirst.sources == [.keepa])
    #expect(world.keepa.calls.count == 3)
  }

  @Test func `without its offers an answer is incomplete, and nothing older is shown as bought`()
    async throws
  {
    let world = try await World()
    let first = await world.ask(asins(1)) { $0.contentSet = .offers }
    #expect(first.reasons == [nil])
    world.time.advance(byMilliseconds: 8 * day)
    world.keepa.setCollectsOffers(false)
    let second = await world.ask(asins(1)) { $0.contentSet = .offers }
    #expect(second.sources == [.keepa])
    #expect(second.reasons == [.incomplete])
    #expect(second.outcomes[0].entry?.contentSet == 0)
    #expect(second.outcomes[0].entry?.fetched == world.time.now)
    // What came is there for who wants no more.
    #expect(await world.ask(asins(1)).sources == [.cache])
  }

  @Test func `an unknown product is remembered for a day, and costs what Keepa says`() async throws
  {
    let world = try await World()
    world.keepa.forget(asins(1))
    let first = await world.ask(asins(1))
    #expect(first.outcomes[0].entry?.isPresent == false)
    #expect(first.tokens == [1])
    world.time.advance(byMilliseconds: day - 1)
    #expect(await world.ask(asins(1)).sources == [.cache])
    world.time.advance(byMilliseconds: 1)
    #expect(await world.ask(asins(1)).sources == [.keepa])
  }

  @Test func `K23, D25: with the cache off everything is bought, and kept`() async throws {
    let world = try await World { $0.isCacheOn = false }
    for _ in 0..<3 { #expect(await world.ask(asins(2)).sources == [.keepa, .keepa]) }
    #expect(world.keepa.books.charged == 6)
    let asin = try #require(KeepaASIN(asins(1)[0]))
    #expect(try world.gateway.product(asin, in: .unitedStates).body != nil)
  }

  @Test func `without a key only the cache answers`() async throws {
    let world = try await World(isConfigured: false)
    let answer = await world.ask(asins(2))
    #expect(answer.reasons == [.notConfigured, .notConfigured])
    #expect(world.gateway.keepaStatus.state == .notConfigured)
    #expect(world.keepa.calls.isEmpty)
  }

  @Test func `a stored body is what Keepa sent, counts as a read and is never bought`() async throws
  {
    let world = try await World()
    let asin = try #require(KeepaASIN(asins(1)[0]))
    #expect(try world.gateway.product(asin, in: .unitedStates).body == nil)
    _ = await world.ask(asins(1))
    let stored = try #require(try world.gateway.product(asin, in: .unitedStates).body)
    #expect(
      String(decoding: try stored.content(), as: UTF8.self)
        == FakeAnswers.product(asins(1)[0], call: 1, .plain))
    #expect(world.gateway.tallies.pendingReads == 1)
    #expect(world.keepa.calls.count == 1)
  }

  // MARK: Grace

  @Test func `in grace the answer comes from the cache and one refresh runs behind`() async throws {
    let world = try await World { $0.products.present.grace = day }
    _ = await world.ask(asins(1))
    world.time.advance(byMilliseconds: 7 * day + 1)
    world.keepa.hold()
    // Ten readers see it in grace; the first refresh is under way or done when the others begin.
    for _ in 0..<10 { #expect(await world.ask(asins(1)).sources == [.cache]) }
    await world.keepa.waitForParked(1)
    world.keepa.letGo()
    await world.gateway.stop()
    #expect(world.keepa.calls.count == 2)
    #expect(world.keepa.books.charged == 2)
  }

  @Test func `a refresh whose turn comes after another's has nothing to do`() async throws {
    let world = try await World { $0.products.present.grace = day }
    _ = await world.ask(asins(1))
    world.time.advance(byMilliseconds: 7 * day + 1)
    let asin = try #require(KeepaASIN(asins(1)[0]))
    let demand = ProductsRequest(asins: [asin], maximumAge: 30 * day, wait: hour).demand
    let refresh = demand.refreshing(demand.resources, asked: .testStart, limit: nil)
    let buyer = try #require(world.gateway.keepaPurchaser)
    for _ in 0..<2 {
      _ = await buyer.buy(PurchaseOrder(refresh.resources, refresh, world.gateway.settings))
      world.time.advance(byMilliseconds: 1_000)
    }
    #expect(world.keepa.books.charged == 2)
  }

  @Test func `a refresh behind spends no more than the request allows`() async throws {
    let world = try await World { $0.products.present.grace = day }
    _ = await world.ask(asins(1))
    world.time.advance(byMilliseconds: 7 * day + 1)
    let answer = await world.ask(asins(0..<3)) { $0.maximumTokens = 2 }
    #expect(answer.sources == [.cache, .keepa, .keepa])
    await world.gateway.stop()
    #expect(world.keepa.books.charged == 3)
  }

  @Test func `beyond a thousand refreshes behind answers one more is left to who asks next`()
    async throws
  {
    let world = try await World { $0.products.present.grace = day }
    _ = await world.ask(asins(1))
    world.time.advance(byMilliseconds: world.gateway.settings.products.present.fresh)
    let open = (0..<JobKind.refresh.atOnce).compactMap { _ in
      world.gateway.jobs.open(.refresh) {}
    }
    #expect(open.count == 1_000)
    #expect(await world.ask(asins(1)).sources == [.cache])
    #expect(world.gateway.keepaPurchaser?.isIdle == true)
    world.gateway.jobs.close(open[0], .done())
    // One has ended, one may come.
    #expect(await world.ask(asins(1)).sources == [.cache])
    while world.keepa.calls.count < 2 { await Task.yield() }
    for id in open { world.gateway.jobs.close(id, .done()) }
  }

  @Test func `stale answers come when the upstream says no, and only within error-grace`()
    async throws
  {
    let world = try await World { $0.retries.attempts = 1 }
    _ = await world.ask(asins(1))
    world.time.advance(byMilliseconds: 8 * day)
    world.keepa.script([.failed503(charged: false)])
    let stale = await world.ask(asins(2))
    #expect(stale.sources == [.stale, .none])
    #expect(stale.reasons == [.upstreamUnavailable, .upstreamUnavailable])
    #expect(stale.tokens == [0, 0])
    world.time.advance(byMilliseconds: 22 * day)
    world.keepa.script([.failed503(charged: false)])
    #expect(await world.ask(asins(1)).sources == [.none])
  }

  @Test func `stale answers come when the balance says no`() async throws {
    let world = try await World(balance: 1)
    _ = await world.ask(asins(1))
    world.time.advance(byMilliseconds: 8 * day)
    world.keepa.setBalance(0)
    let answer = await world.ask(asins(1))
    #expect(answer.sources == [.stale])
    #expect(answer.reasons == [.insufficientTokens])
  }

  // MARK: A clock that was ahead

  @Test func `what was fetched under a clock that was ahead is not fresh under the true one`()
    async throws
  {
    let world = try await World()
    world.time.setWallClock(to: Timestamp.testStart.advanced(byMilliseconds: 365 * day))
    _ = await world.ask(asins(1))
    world.time.setWallClock(to: .testStart)
    let answer = await world.ask(asins(1))
    #expect(answer.sources == [.keepa])
    #expect(answer.tokens == [1])
    #expect(await world.ask(asins(1)) { $0.maximumAge = 0 }.sources == [.cache])
    #expect(world.keepa.calls.count == 2)
  }

  @Test func `it answers stale if nothing better can be had`() async throws {
    let world = try await World { $0.retries.attempts = 1 }
    world.time.setWallClock(to: Timestamp.testStart.advanced(byMilliseconds: 365 * day))
    _ = await world.ask(asins(1))
    world.time.setWallClock(to: .testStart)
    world.keepa.script([.failed503(charged: false)])
    #expect(await world.ask(asins(1)).sources == [.stale])
  }

  @Test func `a charge counts in the day of the wall clock, not of the commit`() async throws {
    let world = try await World()
    let ahead = Timestamp.testStart.advanced(byMilliseconds: 365 * day)
    world.time.setWallClock(to: ahead)
    _ = await world.ask(asins(1))
    world.time.setWallClock(to: .testStart)
    _ = await world.ask(asins(1..<2))
    let windows = try world.events().compactMap { event -> [String]? in
      if case .tokensCharged(let charge) = event { charge.windows } else { nil }
    }
    #expect(windows == [["day \(ahead.day)"], ["day \(Timestamp.testStart.day)"]])
  }

  @Test func `an entry fetched at this very instant is fresh, a millisecond later it is not yet`() {
    let instants = FreshnessPolicy().present.instants(fetched: .testStart)
    let before = Timestamp.testStart.advanced(byMilliseconds: -1)
    for age in [nil, 0, Int64.max] {
      #expect(
        Usability(fetched: .testStart, instants, at: .testStart, maximumAge: age) == .fresh)
      #expect(
        Usability(fetched: .testStart, instants, at: before, maximumAge: age) == .lastResort)
    }
  }

  @Test func `a soft purge takes the freshness of what was fetched by a clock that was ahead`()
    async throws
  {
    let world = try await World()
    let ahead = Timestamp.testStart.advanced(byMilliseconds: 365 * day)
    world.time.setWallClock(to: ahead)
    _ = await world.ask(asins(1))
    world.time.setWallClock(to: .testStart)
    #expect(try await PurgeOrder(scope: .all).carryOut(on: world.log).entries == 1)
    world.time.setWallClock(to: ahead)
    #expect(await world.ask(asins(1)).sources == [.keepa])
  }

  // MARK: A cache that cannot be read

  @Test func `a cache that cannot be read buys nothing`() async throws {
    let world = try await World()
    _ = await world.ask(asins(2))
    let readers = await HeldReaders(world.log.environment)
    let answer = await world.ask(asins(3))
    readers.letGo()
    #expect(answer.reasons == [.storageFailed, .storageFailed, .storageFailed])
    #expect(answer.tokens == [0, 0, 0])
    #expect(world.keepa.calls.count == 1)
    #expect(await world.ask(asins(3)).sources == [.cache, .cache, .keepa])
    #expect(world.keepa.calls.last?.asins == asins(2..<3))
  }

  /// Cuts the row of the first entry.
  private func damageEntry(of log: EventLog) throws {
    let entries = log.tables(of: CacheFold.fold)[0]
    try log.environment.withWriteTransaction { (transaction) throws(LMDBError) in
      guard let key = try transaction.reading.firstKey(in: entries) else { return }
      let row: [UInt8] = [1]
      try transaction.put(row.span, forKey: key.span, in: entries)
    }
  }

  @Test func `an entry that cannot be decoded is not bought again`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1))
    try damageEntry(of: world.log)
    #expect(await world.ask(asins(1)).reasons == [.storageFailed])
    #expect(world.keepa.calls.count == 1)
  }

  @Test func `a second look that fails, after the place in line was taken, buys nothing`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(1))
    let asin = try #require(KeepaASIN(asins(2)[1]))
    let buyer = try #require(world.gateway.keepaPurchaser)
    let readers = await HeldReaders(world.log.environment)
    let demand = ProductsRequest(asins: [asin]).demand
    let bought = await buyer.buy(
      PurchaseOrder(demand.resources, demand, world.gateway.settings))
    readers.letGo()
    guard case .failed(let problem)? = bought.first?.end else {
      Issue.record("it was bought, or refused by rule")
      return
    }
    #expect(problem.reason == .storageFailed)
    #expect(world.keepa.calls.count == 1)
    #expect(await world.ask(asins(2)).sources == [.cache, .keepa])
  }

  @Test func `what was bought and purged before the answer is an error, with its cost`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(9..<10))
    world.keepa.hold()
    let client = world.begin(asins(1))
    await world.keepa.waitForParked(1)
    let gate = WriterGate()
    await gate.close(world.log)
    world.keepa.letGo()
    while world.log.queueDepth < 1 { await Task.yield() }
    // In one commit with the answer, behind it.
    let cache = CacheView(world.log)
    let resource = KeepaUpstream.resource(try #require(KeepaASIN(asins(1)[0])), .unitedStates)
    let purge = Task { [log = world.log] in
      try await log.decide { (state, _) throws(LogError) in
        var event = CachePurged()
        event.resource = resource.description
        event.hard = true
        event.written = try cache.entry(resource, covering: 0, in: state)?.written ?? 0
        return Decision(events: [.cachePurged(event)], answer: event.written)
      }.answer
    }
    while world.log.queueDepth < 2 { await Task.yield() }
    gate.open()
    let answer = await client.value
    #expect(try await purge.value > 0)
    #expect(answer.sources == [.none])
    #expect(answer.reasons != [nil])
    #expect(answer.tokens == [1])
    #expect(await world.ask(asins(1)).sources == [.keepa])
  }

  @Test func `what was found and purged before the answer is an error, and costs nothing`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(9..<10))
    let cache = CacheView(world.log)
    let resource = KeepaUpstream.resource(try #require(KeepaASIN(asins(1)[0])), .unitedStates)
    let gate = WriterGate()
    await gate.close(world.log)
    // Kept by somebody else, found by the second look, and purged: in this order, in one commit.
    let entry = ImportedEntry(
      Write(resource, body: Array("{}".utf8), parts: 0), fetched: world.time.now)
    let kept = Task { [gateway = world.gateway] in try await gateway.keep([entry]) }
    while world.log.queueDepth < 1 { await Task.yield() }
    let client = world.begin(asins(1))
    while world.log.queueDepth < 2 { await Task.yield() }
    let purge = Task { [log = world.log] in
      try await log.decide { (state, _) throws(LogError) in
        var event = CachePurged()
        event.resource = resource.description
        event.hard = true
        event.written = try cache.entry(resource, covering: 0, in: state)?.written ?? 0
        return Decision(events: [.cachePurged(event)], answer: event.written)
      }.answer
    }
    while world.log.queueDepth < 3 { await Task.yield() }
    gate.open()
    let answer = await client.value
    #expect(try await kept.value.kept == 1)
    #expect(try await purge.value > 0)
    #expect(answer.sources == [.none])
    #expect(answer.reasons != [nil])
    #expect(answer.tokens == [0])
    #expect(world.keepa.calls.count == 1)
  }
}
