import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `Start, housekeeping and shutdown` {
  @Test func `a call that was under way at a crash is in doubt from the next start on`()
    async throws
  {
    let world = try await World(balance: 600)
    _ = await world.ask(asins(9..<10))
    world.keepa.hold()
    let client = world.begin(asins(3))
    await world.keepa.waitForParked(1)
    try await world.crash()
    _ = await client.value
    #expect(try world.count(.serviceRecovered) == 1)
    #expect(try world.holds().map(\.state) == [.inDoubt])
    #expect(try world.meter()[.inDoubt] == 3)
    #expect(try world.meter()[.reserved] == 0)
    #expect(try world.meter().residual == 0)
    // It was charged after all: the next conclusive reading says so.
    world.time.advance(byMilliseconds: 61_000)
    await world.gateway.keepaPurchaser?.watchMeters()
    #expect(try world.meter()[.settled] == world.keepa.books.charged)
    #expect(try world.holds().isEmpty)
  }

  @Test func `a start after a clean end recovers nothing`() async throws {
    let world = try await World()
    _ = await world.ask(asins(3))
    try await world.restart()
    #expect(try world.count(.serviceStarted) == 2)
    #expect(try world.count(.serviceRecovered) == 0)
    #expect(try world.count(.credentialAdded) == 1)
  }

  @Test func `a doubt after a crash does not wait for a clock that was once wrong`() async throws {
    let world = try await World(balance: 600)
    _ = await world.ask(asins(9..<10))
    world.time.setWallClock(to: Timestamp.testStart.advanced(byMilliseconds: 365 * day))
    _ = await world.ask(asins(8..<9))
    world.time.setWallClock(to: Timestamp.testStart)
    world.keepa.hold()
    let client = world.begin(asins(3))
    await world.keepa.waitForParked(1)
    try await world.crash()
    _ = await client.value
    world.time.advance(byMilliseconds: 61_000)
    await world.gateway.keepaPurchaser?.watchMeters()
    #expect(try world.meter()[.inDoubt] == 0)
  }

  @Test func `a doubt is closed by hand, once and within what it holds`() async throws {
    let world = try await World { $0.retries.attempts = 1 }
    world.keepa.script([.lost(charged: true)])
    _ = await world.ask(asins(3))
    let hold = try #require(try world.holds().first)
    await #expect(throws: ResolveCommand.Refusal.moreThanHeld(amount: 4, held: 3, unit: "tokens")) {
      try await world.gateway.resolve(fetch: hold.fetch, attempt: 1, settled: 4, note: "")
    }
    let event = try await world.gateway.resolve(
      fetch: hold.fetch, attempt: 1, settled: 2, note: "the invoice says so")
    #expect(event.evidence == .operator)
    #expect(event.doubts.map(\.released) == [1])
    #expect(try world.meter()[.settled] == 2)
    #expect(try world.meter().residual == 0)
    await #expect(throws: ResolveCommand.Refusal.noSuchDoubt(fetch: hold.fetch, attempt: 1)) {
      try await world.gateway.resolve(fetch: hold.fetch, attempt: 1, settled: 0, note: "")
    }
  }

  @Test func `what is under way cannot be closed by hand, what is unprovable can`() async throws {
    let world = try await World { $0.retries.attempts = 1 }
    _ = await world.ask(asins(9..<10))
    world.keepa.hold()
    let client = world.begin(asins(2))
    await world.keepa.waitForParked(1)
    let hold = try #require(try world.holds().first)
    await #expect(throws: ResolveCommand.Refusal.stillUnderWay(fetch: hold.fetch, attempt: 1)) {
      try await world.gateway.resolve(fetch: hold.fetch, attempt: 1, settled: 0, note: "")
    }
    world.keepa.letGo()
    _ = await client.value
    world.keepa.script([.lost(charged: false)])
    _ = await world.ask(asins(5..<7))
    world.time.advance(byMilliseconds: hour)
    await world.gateway.keepaPurchaser?.watchMeters()
    #expect(try world.meter()[.unprovable] == 2)
    let doubt = try #require(try world.holds().first)
    #expect(try world.meter()[.free] == world.keepa.balance)
    _ = try await world.gateway.resolve(fetch: doubt.fetch, attempt: 1, settled: 0, note: "")
    #expect(try world.meter()[.unprovable] == 0)
    #expect(try world.meter().residual == 0)
    // The reading that made it unprovable has told what is there: giving back makes it no more.
    #expect(try world.meter()[.free] == world.keepa.balance)
  }

  // MARK: The sweeper

  @Test func `an entry expires once and is removed when its time is over`() async throws {
    let world = try await World()
    _ = await world.ask(asins(3))
    await world.gateway.sweep()
    #expect(try world.count(.entriesSwept) == 0)
    world.time.advance(byMilliseconds: 7 * day)
    for _ in 0..<3 { await world.gateway.sweep() }
    #expect(try world.swept() == (3, 0))
    #expect(try world.count(.entriesSwept) == 1)
    world.time.advance(byMilliseconds: 83 * day)
    for _ in 0..<3 { await world.gateway.sweep() }
    #expect(try world.swept() == (3, 3))
    let cache = CacheView(world.log)
    let left = try world.log.read { (transaction) throws(LogError) in
      try cache.count(in: transaction)
    }
    #expect(left == 0)
  }

  @Test func `more entries than one decision takes are swept in one go`() async throws {
    let world = try await World(rate: 60, balance: 3_600)
    for start in stride(from: 0, to: 1_500, by: 500) {
      _ = await world.ask(asins(start..<start + 500))
    }
    world.time.advance(byMilliseconds: 8 * day)
    await world.gateway.sweep()
    #expect(try world.swept() == (1_500, 0))
    #expect(try world.count(.entriesSwept) == 2)
  }

  @Test func `freshness never waits for the sweeper`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1))
    world.time.advance(byMilliseconds: 7 * day)
    #expect(await world.ask(asins(1)).sources == [.keepa])
    await world.gateway.sweep()
    #expect(try world.count(.entriesSwept) == 0)
  }

  // MARK: Tallies

  @Test func `reads of an interval are written as one event, merged by reader`() async throws {
    let world = try await World()
    _ = await world.ask(asins(2))
    for _ in 0..<5 { _ = await world.ask(asins(2)) }
    for _ in 0..<3 { _ = await world.ask(asins(1)) { $0.maximumAge = hour } }
    #expect(world.gateway.tallies.pendingReads == 13)
    await world.gateway.writeTallies()
    await world.gateway.writeTallies()
    let tallies = try world.events().compactMap { event -> ReadsTallied? in
      if case .readsTallied(let event) = event { event } else { nil }
    }
    #expect(tallies.count == 1)
    #expect(tallies.first?.rows.map(\.fresh).sorted() == [3, 5, 5])
    #expect(world.gateway.tallies.pendingReads == 0)
  }

  @Test func `tallies that the log refuses are kept and written later`() async throws {
    var options = EventLog.Options.scratch
    options.queueCapacity = 1
    let world = try await World(options: options)
    _ = await world.ask(asins(1))
    for _ in 0..<4 { _ = await world.ask(asins(1)) }
    let gate = WriterGate()
    await gate.close(world.log)
    let filler = Task { [log = world.log] in
      try? await log.decide { _, _ in Decision(answer: ()) }
    }
    while world.log.queueDepth < 1 { await Task.yield() }
    await world.gateway.writeTallies()
    #expect(world.gateway.tallies.pendingReads == 4)
    gate.open()
    _ = await filler.value
    await world.gateway.writeTallies()
    #expect(world.gateway.tallies.pendingReads == 0)
    #expect(try world.count(.readsTallied) == 1)
  }

  @Test func `the housekeeping ends when it is cancelled`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1))
    _ = await world.ask(asins(1))
    let housekeeping = Task { await world.gateway.runHousekeeping() }
    await world.time.waitForSleepers(7)
    world.time.advance(byMilliseconds: 1_000)
    while try world.count(.readsTallied) == 0 { await Task.yield() }
    // A client that gives up after ten seconds, and is told after eight, is told in time.
    #expect(world.gateway.jobs.recurring["deadlines"]?.interval == 250)
    housekeeping.cancel()
    await housekeeping.value
  }

  @Test func `a shutdown waits for calls under way, and writes the tallies`() async throws {
    let world = try await World()
    _ = await world.ask(asins(9..<10))
    _ = await world.ask(asins(9..<10))
    world.keepa.hold()
    let client = world.begin(asins(2))
    await world.keepa.waitForParked(1)
    let stop = Task { await world.gateway.stop() }
    while !(world.gateway.keepaPurchaser?.isStopping ?? true) { await Task.yield() }
    world.keepa.letGo()
    await stop.value
    #expect(await client.value.sources == [.keepa, .keepa])
    #expect(try world.meter()[.reserved] == 0)
    #expect(try world.count(.readsTallied) == 1)
  }

  @Test func `a shutdown is not held up by who waits for refills`() async throws {
    let world = try await World(balance: 0)
    let client = world.begin(asins(1)) { $0.wait = hour }
    await world.time.waitForSleepers(1)
    await world.gateway.stop()
    world.time.advance(byMilliseconds: 1_000)
    #expect(await client.value.reasons == [.insufficientTokens])
  }
}
