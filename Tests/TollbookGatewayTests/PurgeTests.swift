import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite struct `Purging the cache` {
  private func name(_ index: Int) -> String { "shared/keepa.product/1/\(asins(index + 1)[index])" }

  private func world() async throws -> World {
    let world = try await World()
    _ = await world.ask(asins(3))
    return world
  }

  @Test func `a soft purge makes entries stale: they are bought again`() async throws {
    let world = try await world()

    let cost = try await PurgeOrder(scope: .all, note: "new firmware").carryOut(on: world.log)

    #expect((cost.entries, cost.amounts) == (3, [Amount(3, "tokens")]))
    #expect(cost.bytes > 0)
    let again = await world.ask(asins(3))
    #expect(again.sources == [.keepa, .keepa, .keepa])
    #expect(await world.ask(asins(3)).sources == [.cache, .cache, .cache])
    let purged = try world.events().compactMap { event -> CachePurged? in
      if case .cachePurged(let event) = event { event } else { nil }
    }
    #expect(purged.map(\.resource) == (0..<3).map(name))
    #expect(
      purged.allSatisfy {
        $0.amounts == [Amount(1, "tokens")] && $0.note == "new firmware" && !$0.hard
      })
    #expect(try world.meter()[.settled] == 6)
  }

  @Test func `K24, X12: a soft-purged entry answers, marked stale, if Keepa says no`() async throws
  {
    let world = try await world()
    _ = try await PurgeOrder(scope: .all).carryOut(on: world.log)
    world.keepa.setBalance(0)
    world.keepa.script([.failed503(charged: false), .failed503(charged: false)])

    let answer = await world.ask(asins(3))

    #expect(answer.sources == [.stale, .stale, .stale])
    #expect(answer.outcomes.allSatisfy { $0.entry?.isPurged == true && $0.problem != nil })
    // Only for as long as it would have answered in need without the purge.
    world.time.advance(byMilliseconds: 30 * day)
    world.keepa.setBalanceDown(true)
    world.keepa.setBalance(0)
    #expect(await world.ask(asins(3)).sources == [.none, .none, .none])
  }

  @Test func `X12: a hard-purged entry never answers again`() async throws {
    let world = try await world()

    let cost = try await PurgeOrder(scope: .all, isHard: true).carryOut(on: world.log)

    #expect((cost.entries, cost.amounts) == (3, [Amount(3, "tokens")]))
    world.keepa.script(Array(repeating: .failed503(charged: false), count: 8))
    #expect(await world.ask(asins(3)).sources == [.none, .none, .none])
    #expect(try count(in: world) == 0)
  }

  @Test func `the cost is told first, and telling it changes nothing`() async throws {
    let world = try await world()
    let head = world.log.head
    for isHard in [false, true] {
      let cost = try await PurgeOrder(scope: .all, isHard: isHard).cost(in: world.log)
      #expect((cost.entries, cost.amounts) == (3, [Amount(3, "tokens")]))
    }
    #expect(world.log.head == head)
    #expect(await world.ask(asins(3)).sources == [.cache, .cache, .cache])
  }

  @Test func `a key means its resource alone, a prefix all that begin so`() async throws {
    let world = try await World()
    _ = await world.ask(asins(12))

    let one = try await PurgeOrder(scope: .key(name(1))).carryOut(on: world.log)
    #expect(one.entries == 1)
    // B000000010 and B000000011 begin as no key does.
    let part = PurgeOrder(scope: .key("shared/keepa.product/1/B00000001"))
    #expect(try await part.cost(in: world.log).entries == 0)
    let some = PurgeOrder(scope: .prefix("shared/keepa.product/1/B00000001"))
    #expect(try await some.carryOut(on: world.log).entries == 2)
    #expect(try await PurgeOrder(scope: .prefix("account/")).cost(in: world.log).entries == 0)

    #expect(
      await world.ask(asins(12)).sources
        == (0..<12).map { [1, 10, 11].contains($0) ? .keepa : .cache })
  }

  @Test func `a soft purge takes nothing from what is stale already; a hard one removes it`()
    async throws
  {
    let world = try await world()
    #expect(try await PurgeOrder(scope: .all).carryOut(on: world.log).entries == 3)
    #expect(try await PurgeOrder(scope: .all).carryOut(on: world.log).entries == 0)
    #expect(try await PurgeOrder(scope: .all, isHard: true).carryOut(on: world.log).entries == 3)
    #expect(try await PurgeOrder(scope: .all, isHard: true).carryOut(on: world.log).entries == 0)
  }

  @Test func `more entries than one decision takes are purged, others decide in between`()
    async throws
  {
    let world = try await World(rate: 60, balance: 3_600)
    for start in stride(from: 0, to: 2_500, by: 500) {
      _ = await world.ask(asins(start..<start + 500))
    }
    let cost = try await PurgeOrder(scope: .all, isHard: true).carryOut(on: world.log)
    #expect(cost.entries == 2_500)
    #expect(cost.amounts == [Amount(2_500, "tokens")])
    #expect(try count(in: world) == 0)
    // No decision of a purge has more than its batch: each ends in a commit of its own here.
    let commits = try commitSizes(in: world)
    #expect((commits.max() ?? 0) <= PurgeCommand.batch)
    #expect(commits.suffix(3) == [1_000, 1_000, 500])
  }

  @Test func `what is bought after the order stays`() async throws {
    let world = try await world()
    let cache = CacheView(world.log)
    let through = world.log.head
    _ = await world.ask(asins(3..<5))
    let command = PurgeCommand(
      order: PurgeOrder(scope: .all, isHard: true), labels: { _ in [] }, through: through,
      now: world.time.now)
    let answer = try await world.log.decide { (state, _) throws(LogError) in
      try command.decide(cache, state)
    }.answer
    #expect(answer.cost.entries == 3)
    #expect(try count(in: world) == 2)
  }

  @Test func `an absent product is purged like any other`() async throws {
    let world = try await World()
    world.keepa.forget(asins(1))
    _ = await world.ask(asins(1))
    #expect(await world.ask(asins(1)).sources == [.cache])
    #expect(try await PurgeOrder(scope: .all).carryOut(on: world.log).entries == 1)
    #expect(await world.ask(asins(1)).sources == [.keepa])
  }

  @Test func `the sweeper removes a purged entry when its time is over, and notes it no sooner`()
    async throws
  {
    let world = try await world()
    _ = try await PurgeOrder(scope: .all).carryOut(on: world.log)
    for _ in 0..<2 { await world.gateway.sweep() }
    #expect(try world.swept() == (0, 0))
    world.time.advance(byMilliseconds: 90 * day)
    await world.gateway.sweep()
    #expect(try world.swept() == (0, 3))
  }

  @Test func `T41, X16: purging everything edits no event; the ledger stays as it was`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(20))
    world.keepa.script([.lost(charged: true)])
    _ = await world.ask(asins(20..<30))
    await world.gateway.writeTallies()
    let before = try world.log.environment.dump()
    let records = try records(in: world)

    _ = try await PurgeOrder(scope: .all).carryOut(on: world.log)
    _ = try await PurgeOrder(scope: .all, isHard: true).carryOut(on: world.log)
    world.time.advance(byMilliseconds: 31 * day)
    await world.gateway.pruneBodies()

    let after = try world.log.environment.dump()
    for table in LedgerFold.fold.tables { #expect(before[table] == after[table], "\(table)") }
    #expect(try records.elementsEqual(self.records(in: world).prefix(records.count)))
    #expect(try world.count(.cachePurged) > 0)
    #expect(try world.count(.bodiesPruned) == 1)
    #expect(try LogVerifier(world.log).verify().damages == [])
  }

  // MARK: Looking

  private func count(in world: World) throws -> Int {
    let cache = CacheView(world.log)
    return try world.log.read { (transaction) throws(LogError) in
      try cache.count(in: transaction)
    }
  }

  private func records(in world: World) throws -> [[UInt8]] {
    let log = world.log
    return try log.read { (transaction) throws(LogError) in
      var found: [[UInt8]] = []
      for position in 1...log.head {
        found.append(try log.reader.record(at: position, in: transaction) ?? [])
      }
      return found
    }
  }

  private func commitSizes(in world: World) throws -> [Int] {
    let log = world.log
    return try log.read { (transaction) throws(LogError) in
      var sizes: [Int] = []
      var position: Position = 1
      while let commit = try log.reader.commit(holding: position, in: transaction) {
        sizes.append(Int(commit.last - commit.first + 1))
        position = commit.last + 1
      }
      return sizes
    }
  }
}
