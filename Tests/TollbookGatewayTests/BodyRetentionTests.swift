import FoundationEssentials
import Keepa
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite struct `Keeping bodies` {
  private func bodies(in world: World) throws -> Int {
    try world.log.environment.withReadTransaction { (transaction) throws(LMDBError) in
      try transaction.count(in: world.log.tables.bodies)
    }
  }

  private func dropBodies(of world: World) throws {
    try world.log.environment.withWriteTransaction { (transaction) throws(LMDBError) in
      try transaction.clear(world.log.tables.bodies)
    }
  }

  private func pruned(in world: World) throws -> [BodiesPruned] {
    try world.events().compactMap { event in
      if case .bodiesPruned(let event) = event { event } else { nil }
    }
  }

  @Test func `a body stays as long as an entry names it, and then for the retention`() async throws
  {
    let world = try await World { $0.bodyRetention = 10 * day }
    _ = await world.ask(asins(2))
    world.time.advance(byMilliseconds: 60 * day)
    await world.gateway.pruneBodies()
    #expect(try bodies(in: world) == 2)

    // Bought again with other content: the old bodies have no name from now on.
    _ = await world.ask(asins(2))
    #expect(try bodies(in: world) == 4)
    world.time.advance(byMilliseconds: 10 * day)
    await world.gateway.pruneBodies()
    #expect(try pruned(in: world).isEmpty)
    world.time.advance(byMilliseconds: 1)
    await world.gateway.pruneBodies()

    #expect(try bodies(in: world) == 2)
    let event = try #require(try pruned(in: world).first)
    #expect(event.bodies.count == 2)
    #expect(event.storedBytes > 0)
    let asin = try #require(KeepaASIN(asins(1)[0]))
    #expect(try world.gateway.product(asin, in: .unitedStates).body != nil)
    #expect(try LogVerifier(world.log).verify().damages == [])
  }

  @Test func `what is purged or evicted loses its bodies after the retention`() async throws {
    let world = try await World { $0.bodyRetention = 0 }
    _ = await world.ask(asins(3))
    _ = try await PurgeOrder(scope: .key("shared/keepa.product/1/\(asins(1)[0])"), isHard: true)
      .carryOut(on: world.log)
    world.time.advance(byMilliseconds: 1)
    await world.gateway.pruneBodies()
    #expect(try bodies(in: world) == 2)
    world.time.advance(byMilliseconds: 90 * day)
    for _ in 0..<2 { await world.gateway.sweep() }
    world.time.advance(byMilliseconds: 1)
    await world.gateway.pruneBodies()
    #expect(try bodies(in: world) == 0)
    #expect(try LogVerifier(world.log).verify().damages == [])
  }

  @Test func `a soft purge keeps the bodies`() async throws {
    let world = try await World { $0.bodyRetention = 0 }
    _ = await world.ask(asins(3))
    _ = try await PurgeOrder(scope: .all).carryOut(on: world.log)
    world.time.advance(byMilliseconds: day)
    await world.gateway.pruneBodies()
    #expect(try bodies(in: world) == 3)
    #expect(try pruned(in: world).isEmpty)
  }

  @Test func `a body that was pruned is stored again when it is bought again`() async throws {
    let world = try await World { $0.bodyRetention = 0 }
    let body = Body(Array("{\"asin\":\"B000000001\"}".utf8))
    func write() async throws {
      var event = CacheWritten()
      event.resource = "shared/keepa.product/1/B000000001"
      event.presence = .present
      event.body = .init(body.digest)
      try await world.log.append([.cacheWritten(event)], bodies: [body])
    }
    for _ in 0..<2 {
      try await write()
      #expect(try bodies(in: world) == 1)
      _ = try await PurgeOrder(scope: .all, isHard: true).carryOut(on: world.log)
      world.time.advance(byMilliseconds: 1)
      await world.gateway.pruneBodies()
      #expect(try bodies(in: world) == 0)
    }
    try await write()
    #expect(try bodies(in: world) == 1)
    #expect(try LogVerifier(world.log).verify().damages == [])
  }

  @Test func `more bodies than one decision takes are pruned in one go`() async throws {
    let world = try await World(rate: 60, balance: 3_600) { $0.bodyRetention = 0 }
    for start in stride(from: 0, to: 1_200, by: 400) {
      _ = await world.ask(asins(start..<start + 400))
    }
    _ = try await PurgeOrder(scope: .all, isHard: true).carryOut(on: world.log)
    world.time.advance(byMilliseconds: 1)
    await world.gateway.pruneBodies()
    #expect(try bodies(in: world) == 0)
    #expect(try pruned(in: world).map(\.bodies.count) == [500, 500, 200])
  }

  @Test func `an entry without its body answers all the same, and is bought when asked for`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(1))
    try dropBodies(of: world)
    let answer = await world.ask(asins(1))
    #expect(answer.sources == [.cache])
    #expect(answer.outcomes.first?.entry?.summary.isEmpty == false)
    let asin = try #require(KeepaASIN(asins(1)[0]))
    guard case .withoutBody(let entry) = try world.gateway.product(asin, in: .unitedStates) else {
      Issue.record("its body is gone")
      return
    }
    #expect(entry.digest.count == 32)
    world.time.advance(byMilliseconds: 1)
    _ = await world.ask(asins(1)) { $0.maximumAge = 0 }
    #expect(try world.gateway.product(asin, in: .unitedStates).body != nil)
  }
}
