import Keepa
import Synchronization
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct RefreshAheadTests {
  /// A world in which the first of some products have been read often, and will soon not be fresh.
  private func world(
    products: Int = 6, read: Int = 3, _ change: (inout GatewaySettings) -> Void = { _ in }
  ) async throws -> World {
    let world = try await World { settings in
      settings.refreshesAhead = true
      settings.retries.attempts = 1
      change(&settings)
    }
    _ = await world.ask(asins(products))
    for _ in 0..<6 {
      world.time.advance(byMilliseconds: day)
      if read > 0 { _ = await world.ask(asins(read)) }
    }
    await world.gateway.writeTallies()
    return world
  }

  /// Looks as often as the service does, for longer than it takes to the next refill.
  @discardableResult
  private func look(_ world: World, seconds: Int64 = 64) async -> [Purchaser.AheadTurn] {
    var turns: [Purchaser.AheadTurn] = []
    for _ in 0..<seconds * 1_000 / Purchaser.aheadInterval {
      world.time.advance(byMilliseconds: Purchaser.aheadInterval)
      turns.append(await turn(world))
    }
    return turns
  }

  private func turn(_ world: World) async -> Purchaser.AheadTurn {
    await world.gateway.purchasers[0].buyAhead(into: world.gateway.aheadReads)
  }

  private func bought(_ world: World) -> [[String]] {
    world.keepa.calls.dropFirst().map(\.asins)
  }

  @Test func `what would be lost buys what is read often, and nothing else`() async throws {
    let world = try await world()
    await look(world)
    #expect(bought(world).map { Set($0) } == [Set(asins(3))])
    await look(world)
    #expect(bought(world).count == 1, "what was bought anew has its time before it")
    // It was due a day later, and still is fresh.
    world.time.advance(byMilliseconds: 2 * day)
    #expect(await world.ask(asins(3)).sources == [.cache, .cache, .cache])
    #expect(await world.ask(asins(3..<4)).sources == [.keepa])
  }

  @Test func `it stands in the log with its reason, and later as used or never read`() async throws
  {
    let world = try await world()
    await look(world)
    let started = try world.events().compactMap { event in
      if case .fetchStarted(let event) = event { event } else { nil }
    }
    #expect(started.map(\.isAhead) == [false, true])
    #expect(started[1].demands.map(\.refresh) == [.ahead])
    #expect(started[1].demands.map(\.tags) == [["refresh:ahead"]])
    let charge = try #require(
      try world.events().compactMap { event in
        if case .tokensCharged(let event) = event { event } else { nil }
      }.last)
    #expect(charge.shares.allSatisfy { $0.use == .refreshed && $0.written > 0 })
    #expect(charge.payers.map(\.tags) == [["refresh:ahead"]])
    #expect(world.gateway.aheadReads.counts == AheadReads.Counts(bought: 3, used: 0))
    _ = await world.ask(asins(2))
    _ = await world.ask(asins(2))
    #expect(world.gateway.aheadReads.counts == AheadReads.Counts(bought: 3, used: 2))
  }

  @Test func `no more is spent before a refill than it overfills, over all looks`() async throws {
    let world = try await world(products: 90, read: 90)
    let before = world.keepa.books.charged
    // Just after a refill, until just after the next.
    var least = world.keepa.balance
    for _ in 0..<124 {
      world.time.advance(byMilliseconds: Purchaser.aheadInterval)
      _ = await turn(world)
      least = min(least, world.keepa.balance)
    }
    let spent = world.keepa.books.charged - before
    #expect(spent > 0 && spent <= 20)
    #expect(least >= world.keepa.capacity - 20)
    world.time.advance(byMilliseconds: 61_000)
    #expect(world.keepa.balance == world.keepa.capacity)
  }

  @Test(arguments: Seeds.all.prefix(20))
  func `Law: after the next refill there is as much as there would have been`(
    seed: UInt64
  ) async throws {
    let world = try await World { $0.refreshesAhead = true }
    var random = SeededGenerator(seed: seed)
    var turns = 0
    for _ in 0..<40 {
      let first = random.int(0...20)
      let names = asins(first..<first + random.int(1...random.pick([3, 10, 60])))
      #expect(await world.ask(names).reasons.allSatisfy { $0 == nil })
      world.time.advance(byMilliseconds: random.int64(1...20 * hour))
      await world.gateway.writeTallies()
      var otherwise = world.keepa.bucket
      for turn in await look(world, seconds: random.int64(2...120)) {
        if case .bought = turn { turns += 1 }
      }
      // The refill that makes up for what was spent last.
      world.time.advance(byMilliseconds: 61_000)
      otherwise.advance(to: world.time.now.milliseconds)
      #expect(world.keepa.balance == otherwise.balance)
    }
    #expect(turns > 0)
    #expect(try world.meter().residual == 0)
    #expect(try world.meter()[.settled] == world.keepa.books.charged)
  }

  @Test
  func `Law: who wants all that there would have been gets it, after the refill at the latest`()
    async throws
  {
    let world = try await world(products: 40, read: 40)
    while await turn(world) != .bought(20) { world.time.advance(byMilliseconds: 1_000) }
    #expect(world.keepa.balance == world.keepa.capacity - 20)
    let asked = world.time.now
    let client = world.begin(asins(1_000..<2_200))
    let isAnswered = Flag()
    let answer = Task {
      defer { isAnswered.set() }
      return await client.value
    }
    while !isAnswered.isSet {
      await world.log.settle()
      if world.time.sleeperCount > 0 { world.time.advance(byMilliseconds: 100) }
    }
    #expect(await answer.value.reasons.allSatisfy { $0 == nil })
    #expect(world.time.now < asked.advanced(byMilliseconds: 9_000))
    #expect(try world.count(.spendRefused) == 0)
  }

  @Test func `nothing is bought so late before a refill that it would be charged after it`()
    async throws
  {
    let world = try await world()
    func stand(before refill: Int64) {
      // Its refills come when somebody looks.
      _ = world.keepa.balance
      let wait = world.keepa.bucket.nextTick - refill - world.time.now.milliseconds
      world.time.advance(byMilliseconds: wait > 0 ? wait : wait + ModelBucket.tick)
    }
    // Nobody knows yet how long calls take.
    let pace = AheadPace()
    stand(before: pace.landing - 1)
    #expect(await turn(world) == .nothing("nothing is lost"))
    stand(before: pace.lead + 1)
    #expect(await turn(world) == .nothing("nothing is lost"))
    stand(before: pace.landing)
    #expect(await turn(world) == .bought(3))
    // The call took no time: the next may come later.
    let quicker = world.gateway.purchasers[0].aheadPace.withLock { $0 }
    #expect(quicker.landing < pace.landing)
  }

  @Test func `nothing is bought while the bucket has room`() async throws {
    let world = try await world()
    world.keepa.spendElsewhere(500)
    // The reading before each purchase shows what others have spent.
    await look(world)
    #expect(bought(world) == [])
  }

  @Test func `nothing is bought, nor asked, while somebody waits`() async throws {
    let world = try await world()
    world.keepa.hold()
    let client = world.begin(asins(500..<501))
    await world.keepa.waitForParked(1)
    let questions = world.keepa.books.balanceQuestions
    let turns = await look(world)
    #expect(turns.allSatisfy { $0 == .nothing("somebody waits") })
    #expect(world.keepa.books.balanceQuestions == questions)
    world.keepa.letGo()
    _ = await client.value
  }

  @Test func `nothing is bought after a stop, with a clock behind, or without a cache`()
    async throws
  {
    let behind = try await world()
    behind.time.setWallClock(to: behind.time.now.advanced(byMilliseconds: -day))
    #expect(await look(behind).allSatisfy { if case .nothing = $0 { true } else { false } })
    #expect(bought(behind) == [])
    let off = try await world(read: 0) { $0.isCacheOn = false }
    #expect(await turn(off) == .nothing("the cache is off"))
    let stopped = try await world()
    stopped.gateway.beginStop()
    #expect(await look(stopped).allSatisfy { $0 == .nothing("Tollbook is shutting down") })
    #expect(bought(stopped) == [])
  }

  @Test func `nothing is bought of an upstream that fails, refuses or rejects the key`()
    async throws
  {
    let failing = try await world()
    failing.keepa.script([.lost(charged: false)])
    _ = await failing.ask(asins(900..<901))
    #expect(await turn(failing) == .nothing("Keepa is unreachable"))
    let refusing = try await world()
    refusing.keepa.script([.refused429(bare: false)])
    _ = await refusing.ask(asins(900..<901))
    #expect(await turn(refusing) == .nothing("Keepa has refused a call"))
    let rejected = try await world()
    rejected.keepa.setKeyRejected(true)
    _ = await rejected.ask(asins(900..<901))
    #expect(await turn(rejected) == .nothing("Keepa is key_rejected"))
  }

  @Test func `nothing is bought while nobody knows the balance`() async throws {
    let fresh = try await World { $0.refreshesAhead = true }
    #expect(await turn(fresh) == .nothing("Keepa is unknown"))
    #expect(fresh.keepa.books.balanceQuestions == 0)
    let world = try await world()
    world.keepa.setBalanceDown(true)
    await look(world)
    #expect(bought(world) == [])
  }

  @Test func `a call that fails is not made again, and its reservation is in doubt`() async throws {
    let world = try await world { $0.retries.attempts = 3 }
    world.keepa.script([.lost(charged: true)])
    let turns = await look(world)
    #expect(turns.contains { if case .failed = $0 { true } else { false } })
    #expect(bought(world).count == 1)
    #expect(try world.meter()[.inDoubt] == 3)
  }

  @Test func `the housekeeping does it if it is asked to, and stops with it`() async throws {
    for isOn in [true, false] {
      let world = try await world { $0.refreshesAhead = isOn }
      let housekeeping = Task { await world.gateway.runHousekeeping() }
      await world.time.waitForSleepers(isOn ? 8 : 7)
      for _ in 0..<160 {
        world.time.advance(byMilliseconds: Purchaser.aheadInterval)
        await world.log.settle()
        await world.time.waitForSleepers(isOn ? 8 : 7)
      }
      housekeeping.cancel()
      await housekeeping.value
      #expect(bought(world).isEmpty != isOn)
      #expect(world.gateway.jobs.recurring.keys.contains("refresh_ahead") == isOn)
    }
  }
}
