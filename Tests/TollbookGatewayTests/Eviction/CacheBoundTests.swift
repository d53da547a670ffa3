import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite struct `A bound for what bodies take` {
  // MARK: Nothing to do

  @Test func `below the bound nothing goes`() async throws {
    let world = try await World { $0.cacheBytes = 1 << 20 }
    for number in 0..<20 { try await world.keep(number) }
    world.time.advance(byMilliseconds: hour)
    let head = world.log.head
    #expect(await world.gateway.boundBodies() == .done())
    #expect(world.log.head == head)
    #expect(try world.kept() == Array(0..<20))
  }

  @Test func `pages that are not full are no reason to remove anything`() async throws {
    // One page of 4 KiB, in which one body lies.
    let world = try await World { $0.cacheBytes = 2_000 }
    try await world.keep(1)
    world.time.advance(byMilliseconds: hour)
    let head = world.log.head
    #expect(await world.gateway.boundBodies() == .done())
    #expect(world.log.head == head)
  }

  // MARK: What goes

  @Test func `above the bound the entry of the least worth goes with its body`() async throws {
    let world = try await World { $0.cacheBytes = 4_000 }
    try await world.keep(1, cost: 5)
    try await world.keep(2, cost: 1)
    try await world.keep(3, cost: 1)
    try await world.keep(4, cost: 2)
    try await world.read(2, times: 3)
    world.time.advance(byMilliseconds: hour)
    let ending = await world.gateway.boundBodies()

    #expect(ending == .done("made room: entries 1, bodies 1"))
    #expect(try world.kept() == [1, 2, 4])
    #expect(try world.bodies() == 3)
    let sweeps = try world.sweeps()
    let row = try #require(sweeps.first?.event.entries.first)
    #expect(sweeps.map(\.event.entries.count) == [1])
    #expect(row.resource == Shelf.resource(3))
    #expect(row.evicted)
    // The reason: it was still to be kept.
    #expect(row.untilMs > sweeps[0].time.milliseconds)
    let pruned = try world.pruned()
    #expect(pruned.map(\.bodies.count) == [1])
    #expect(pruned.allSatisfy { $0.storedBytes > Shelf.size })
    #expect(try world.total(.entriesEvicted) == 1)
    #expect(try LogVerifier(world.log).verify().damages == [])

    // There is room now.
    let head = world.log.head
    #expect(await world.gateway.boundBodies() == .done())
    #expect(world.log.head == head)
  }

  @Test func `what cost nothing goes first, then what is stale, then what is fresh`() async throws {
    let world = try await World { $0.cacheBytes = 5_000 }
    try await world.keep(1, cost: 9, fresh: minute, errorGrace: 2 * minute)
    try await world.keep(2, cost: 9, fresh: minute)
    try await world.keep(3, cost: 1)
    try await world.keep(4, cost: 0)
    try await world.keep(5, cost: 1)
    for number in [1, 2, 4] { try await world.read(number, times: 50) }
    world.time.advance(byMilliseconds: hour)
    var order: [Int] = []
    for number in 6...9 {
      let before = try world.kept()
      _ = await world.gateway.boundBodies()
      order += Set(before).subtracting(try world.kept()).sorted()
      try await world.keep(number, cost: 30)
      world.time.advance(byMilliseconds: hour)
    }
    // Number 1 answers nobody any more and goes with number 4; number 2 answers when Keepa cannot.
    #expect(order == [4, 1, 2, 3])
    #expect(try await world.rebuiltIsEqual())
  }

  @Test func `bodies that no entry names go before entries, and before their retention is over`()
    async throws
  {
    let world = try await World { $0.cacheBytes = 3_000 }
    for number in 1...2 { try await world.keep(number) }
    for number in 1...2 { try await world.keep(number, content: 70 + number) }
    #expect(try world.bodies() == 4)
    // They may still be read by whoever found the entries before.
    _ = await world.gateway.boundBodies()
    #expect(try world.bodies() == 4)
    world.time.advance(byMilliseconds: hour)
    _ = await world.gateway.boundBodies()
    #expect(try world.kept() == [1, 2])
    #expect(try world.bodies() == 2)
    #expect(try world.sweeps().isEmpty)
    #expect(try LogVerifier(world.log).verify().damages == [])
  }

  @Test func `a body that another entry names stays, and goes with the last of them`() async throws
  {
    let world = try await World { $0.cacheBytes = 2_500 }
    try await world.keep(1, cost: 0, content: 7)
    try await world.keep(2, cost: 5, content: 7)
    try await world.keep(3, cost: 1)
    try await world.keep(4, cost: 9)
    world.time.advance(byMilliseconds: hour)
    _ = await world.gateway.boundBodies()
    // Number 1 alone makes no room.
    #expect(try world.kept() == [2, 4])
    #expect(try world.bodies() == 2)
    #expect(try world.gateway.body(of: #require(try world.entry(2)))?.content() == Shelf.content(7))
    try await world.keep(5, cost: 20)
    world.time.advance(byMilliseconds: hour)
    _ = await world.gateway.boundBodies()
    #expect(try world.kept() == [4, 5])
    #expect(try world.bodies() == 2)
    #expect(try LogVerifier(world.log).verify().damages == [])
  }

  @Test func `an entry without a body stays, since it takes nothing`() async throws {
    let world = try await World { $0.cacheBytes = 1 }
    var event = CacheWritten()
    event.resource = Shelf.resource(1)
    event.presence = .absent
    try await world.log.append([.cacheWritten(event)])
    try await world.keep(2)
    world.time.advance(byMilliseconds: hour)
    _ = await world.gateway.boundBodies()
    #expect(try world.kept() == [1])
  }

  @Test func `answers that are kept for who asks again neither count nor go`() async throws {
    let world = try await World { $0.cacheBytes = 2_000 }
    let key = [UInt8](repeating: 1, count: 32)
    _ = try await world.gateway.beginRequest(key, key, by: Principal(account: "default"))
    let answer = Shelf.content(1_000, bytes: 20_000)
    try await world.gateway.endRequest(key, status: 200, answer: answer)
    try await world.keep(1)
    world.time.advance(byMilliseconds: hour)
    _ = await world.gateway.boundBodies()
    #expect(try world.kept() == [1])
    #expect(try world.bodies() == 2)
  }

  // MARK: How much at once

  @Test func `many go in events of a bounded number of rows`() async throws {
    let world = try await World { $0.cacheBytes = 1 }
    for start in stride(from: 0, to: 600, by: 100) {
      try await world.keep(Array(start..<start + 100))
    }
    world.time.advance(byMilliseconds: hour)
    let ending = await world.gateway.boundBodies()
    #expect(ending == .done("made room: entries 600, bodies 600"))
    #expect(try world.kept().isEmpty)
    #expect(try world.bodies() == 0)
    #expect(try world.sweeps().map(\.event.entries.count) == [250, 250, 100])
    #expect(try world.pruned().map(\.bodies.count) == [250, 250, 100])
    #expect(try await world.rebuiltIsEqual())
  }

  // MARK: What is in use

  @Test func `below one body what is bought is answered, and goes when nobody waits for it`()
    async throws
  {
    let world = try await World { $0.cacheBytes = 1 }
    let first = await world.ask(asins(2))
    #expect(first.sources == [.keepa, .keepa])
    guard case .done(let detail) = await world.gateway.boundBodies() else {
      Issue.record("it should be done")
      return
    }
    #expect(detail.hasSuffix("bytes are taken of 1: what is left may be in use"))
    #expect(await world.ask(asins(2)).sources == [.cache, .cache])

    world.time.advance(byMilliseconds: hour)
    _ = await world.gateway.boundBodies()
    #expect(try world.kept().isEmpty)
    let again = await world.ask(asins(2))
    #expect(again.sources == [.keepa, .keepa])
    #expect(again.tokens == [1, 1])
    #expect(try LogVerifier(world.log).verify().damages == [])
  }

  @Test func `where no room can be made the next look comes a minute later`() async throws {
    let world = try await World { $0.cacheBytes = 1 }
    try await world.keep(1)
    _ = await world.gateway.boundBodies()
    try await world.keep(2, fetched: -10 * minute)
    #expect(await world.gateway.boundBodies() == .done())
    world.time.advance(byMilliseconds: minute)
    _ = await world.gateway.boundBodies()
    #expect(try world.kept() == [1])
  }

  @Test func `who had found the entry still gets its body`() async throws {
    let world = try await World { $0.cacheBytes = 1 }
    try await world.keep(1)
    world.time.advance(byMilliseconds: hour)
    let entry = try #require(try world.entry(1))
    _ = await world.gateway.boundBodies()
    #expect(try world.bodies() == 0)
    #expect(try world.gateway.body(of: entry)?.content() == Shelf.content(1))
    world.time.advance(byMilliseconds: hour)
    _ = await world.gateway.boundBodies()
    #expect(try world.gateway.body(of: entry) == nil)
  }

  @Test func `bodies kept for readers are bounded, and the first go first`() throws {
    let kept = EvictedBodies()
    let bodies = (0..<20).map { Body(Shelf.content($0, bytes: 1 << 20)) }
    for (index, body) in bodies.enumerated() { kept.keep([body, body], at: Int64(index)) }
    let there = bodies.map { kept[$0.digest] != nil }
    #expect(there.count { $0 } == 15)
    #expect(there == there.sorted { !$0 && $1 })
    kept.forget(before: 19)
    #expect(bodies.map { kept[$0.digest] != nil }.count { $0 } == 1)
    #expect(kept[bodies[19].digest] != nil)
  }

  @Test func `what was written or read since somebody looked does not go`() async throws {
    let world = try await World()
    for number in 1...4 { try await world.keep(number) }
    let found = try (1...4).map {
      EvictCommand.Victim(try #require(try world.entry($0)), space: 1_000)
    }
    try await world.keep(1, content: 7)
    try await world.read(2, times: 1)
    _ = try await PurgeOrder(scope: .key(Shelf.resource(3)), isHard: true).carryOut(on: world.log)
    let command = EvictCommand(victims: found)
    let (cache, reader) = (world.gateway.cache, world.log.reader)
    let answer = try await world.log.decide { (state, _) throws(LogError) in
      try command.decide(cache, reader, state)
    }.answer
    #expect(answer.entries == [found[3].written])
    #expect(answer.bodies == 1)
    #expect(try world.kept() == [1, 2])
    #expect(try world.gateway.body(of: #require(try world.entry(1)))?.content() == Shelf.content(7))
  }

  // MARK: Restarts and laws

  @Test func `after a restart it goes on`() async throws {
    let world = try await World { $0.cacheBytes = 4_000 }
    for number in 1...6 { try await world.keep(number, cost: Int64(number)) }
    world.time.advance(byMilliseconds: hour)
    _ = await world.gateway.boundBodies()
    #expect(try world.kept() == [4, 5, 6])
    #expect(world.gateway.bound.clock.value > 0)
    try await world.restart()
    #expect(world.gateway.bound.clock.value == 0)
    try await world.keep(7, cost: 2)
    world.time.advance(byMilliseconds: hour)
    _ = await world.gateway.boundBodies()
    #expect(try world.kept() == [4, 5, 6])
    #expect(try await world.rebuiltIsEqual())
  }

  @Test func `the housekeeping makes room by itself`() async throws {
    let world = try await World { $0.cacheBytes = 4_000 }
    for number in 1...6 { try await world.keep(number) }
    world.time.advance(byMilliseconds: hour)
    let gateway = world.gateway
    let housekeeping = Task { await gateway.runHousekeeping() }
    while try world.kept().count > 3 { await Task.yield() }
    housekeeping.cancel()
    await housekeeping.value
    #expect(try world.bodies() == 3)
  }

  @Test(arguments: Seeds.all.prefix(20))
  func `whatever is bought and read, the bound holds and replay gives the same views`(
    seed: UInt64
  ) async throws {
    var random = SeededGenerator(seed: seed)
    let world = try await World { $0.cacheBytes = 20_000 }
    for step in 0..<60 {
      for _ in 0..<random.int(0...6) {
        try await world.keep(
          random.int(0...30), cost: random.int64(0...4), content: random.int(0...40),
          bytes: random.pick([200, 900, 3_000]), fresh: random.pick([hour, 40 * day]))
      }
      for number in try world.kept() where random.chance(20) {
        try await world.read(number, times: random.int(1...3))
      }
      if random.chance(10) { await world.gateway.sweep() }
      if random.chance(10) { await world.gateway.pruneBodies() }
      if random.chance(5) { try await world.restart() }
      world.time.advance(byMilliseconds: hour)
      _ = await world.gateway.boundBodies()
      #expect(try world.space() <= 20_000, "seed \(seed), step \(step)")
      for number in try world.kept() {
        let entry = try #require(try world.entry(number))
        #expect(try world.gateway.body(of: entry) != nil, "seed \(seed), step \(step)")
      }
    }
    #expect(try await world.rebuiltIsEqual(), "seed \(seed)")
    #expect(try LogVerifier(world.log).verify().damages == [], "seed \(seed)")
  }
}
