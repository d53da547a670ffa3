import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `The first reading after a restore` {
  private func observations(_ world: World) throws -> [BalanceObserved] {
    try world.events().compactMap { event in
      if case .balanceObserved(let event) = event { event } else { nil }
    }
  }

  private func resolutions(_ world: World) throws -> [ChargeResolved] {
    try world.events().compactMap { event in
      if case .chargeResolved(let event) = event { event } else { nil }
    }
  }

  @Test func `what was bought since the copy is posted as the gap, to the token`() async throws {
    let world = try await World(balance: 600)
    _ = await world.ask(asins(3))
    await world.end(orderly: true)
    try world.keepCopy()
    try await world.reopen()
    _ = await world.ask(asins(10..<17))
    let lost = world.log.head
    try await world.restoreCopy()

    #expect(world.log.head < lost)
    #expect(try world.events().suffix(2).map(\.kind) == [.logRestored, .serviceStarted])
    #expect(try world.meter().awaitsRestoreGap)
    await world.gateway.keepaPurchaser?.watchMeters()

    let gap = try #require(try observations(world).last)
    #expect(gap.restoreGap)
    #expect(gap.unexplained == 7)
    let meter = try world.meter()
    #expect(meter.residual == 0)
    #expect(meter[.unexplained] == 7)
    #expect(meter[.settled] + meter[.unexplained] == world.keepa.books.charged)
    #expect(meter[.free] == world.keepa.balance)
    #expect(!meter.awaitsRestoreGap)

    // From then on all is as ever.
    world.time.advance(byMilliseconds: 61_000)
    _ = await world.ask(asins(20..<22))
    let next = try #require(try observations(world).last)
    #expect(!next.restoreGap)
    #expect(next.unexplained == 0)
    #expect(try world.meter()[.settled] == 5)
  }

  @Test func `nothing lost, nothing posted`() async throws {
    let world = try await World(balance: 600)
    _ = await world.ask(asins(3))
    await world.end(orderly: true)
    try world.keepCopy()
    try await world.reopen()
    try await world.restoreCopy()
    world.time.advance(byMilliseconds: 10 * minute)
    await world.gateway.keepaPurchaser?.watchMeters()
    let gap = try #require(try observations(world).last)
    #expect(gap.restoreGap)
    #expect(gap.unexplained == 0)
    #expect(gap.refill == 200)
    #expect(try world.meter().residual == 0)
  }

  @Test func `what the copy held for a call is kept as spent, whatever the balance says`()
    async throws
  {
    let world = try await World(balance: 600)
    _ = await world.ask(asins(9..<10))
    world.keepa.hold()
    let client = world.begin(asins(3))
    await world.keepa.waitForParked(1)
    #expect(try world.meter()[.reserved] == 3)
    try world.keepCopy()
    world.keepa.letGo()
    _ = await client.value
    try await world.restoreCopy()

    #expect(try world.meter()[.inDoubt] == 3)
    // Long enough for a reading to settle a doubt, had nothing been lost.
    world.time.advance(byMilliseconds: 5 * minute)
    await world.gateway.keepaPurchaser?.watchMeters()

    let resolution = try #require(try resolutions(world).last)
    #expect(resolution.evidence == .restored)
    #expect(resolution.doubts.map(\.unprovable) == [3])
    #expect(resolution.doubts.allSatisfy { $0.released == 0 && $0.settled == 0 })
    let meter = try world.meter()
    #expect(meter[.unprovable] == 3)
    #expect(meter[.unexplained] == 0)
    #expect(meter.residual == 0)
    #expect(meter[.settled] + meter[.unprovable] == world.keepa.books.charged)
  }

  @Test func `a call that was never charged is given back as unexplained, not released`()
    async throws
  {
    let world = try await World(balance: 600) { $0.retries.attempts = 1 }
    _ = await world.ask(asins(9..<10))
    world.keepa.script([.lost(charged: false)])
    _ = await world.ask(asins(3))
    #expect(try world.meter()[.inDoubt] == 3)
    await world.end(orderly: true)
    try world.keepCopy()
    try await world.reopen()
    try await world.restoreCopy()
    world.time.advance(byMilliseconds: 5 * minute)
    await world.gateway.keepaPurchaser?.watchMeters()
    let meter = try world.meter()
    #expect(meter[.unprovable] == 3)
    #expect(meter[.unexplained] == -3)
    #expect(meter[.free] == world.keepa.balance)
    #expect(meter.residual == 0)

    // Closed by hand: nothing was spent, nobody else moved anything, and there is no more than there was.
    let hold = try #require(try world.holds().first)
    _ = try await world.gateway.resolve(fetch: hold.fetch, attempt: 1, settled: 0, note: "a test")
    let closed = try world.meter()
    #expect(closed[.unprovable] == 0)
    #expect(closed[.unexplained] == 0)
    #expect(closed[.free] == world.keepa.balance)
    #expect(closed.residual == 0)
  }

  @Test func `nothing is bought on the balance of the copy: it is asked for first`() async throws {
    let world = try await World(balance: 600)
    _ = await world.ask(asins(3))
    await world.end(orderly: true)
    try world.keepCopy()
    try await world.reopen()
    _ = await world.ask(asins(10..<17))
    try await world.restoreCopy()
    let start = world.log.head

    world.keepa.setBalanceDown(true)
    #expect(await world.ask(asins(30..<31)).reasons == [.upstreamUnavailable])
    world.keepa.setBalanceDown(false)
    world.time.advance(byMilliseconds: 2 * minute)
    #expect(await world.ask(asins(30..<31)).sources == [.keepa])

    let kinds = try world.events().dropFirst(Int(start)).map(\.kind)
    let observed = try #require(kinds.firstIndex(of: .balanceObserved))
    let started = try #require(kinds.firstIndex(of: .fetchStarted))
    #expect(observed < started)
    #expect(try world.meter()[.unexplained] == 7)
  }

  @Test func `a restore is noted once, by the first start, whoever wrote before it`() async throws {
    let world = try await World(balance: 600)
    _ = await world.ask(asins(3))
    #expect(try world.count(.logRestored) == 0)
    await world.end(orderly: true)
    try await world.reopen { folder in
      try World.noteRestore(in: folder)
    }
    #expect(try world.count(.logRestored) == 1)
    try await world.restart()
    #expect(try world.count(.logRestored) == 1)
    #expect(try world.meter().awaitsRestoreGap)

    // Restored once more; a command without an owner writes before the service starts.
    await world.end(orderly: true)
    let position = world.log.head
    try await world.reopen { folder in
      try World.noteRestore(in: folder)
      try LogImporter(folder.own(), options: .scratch).begin(
        LogOrigin(position: position - 1, restored: .testStart, isWithoutBodies: true))
    }
    let restores = try world.events().compactMap { event -> LogRestored? in
      if case .logRestored(let event) = event { event } else { nil }
    }
    #expect(restores.count == 2)
    #expect(restores.last?.position == position - 1)
    #expect(restores.last?.withoutBodies == true)
    #expect(restores.last?.base == 0)
  }

  @Test(arguments: Seeds.all)
  func `Law 4: with any loss the ledger comes to what Keepa has charged`(seed: UInt64) async throws
  {
    var random = SeededGenerator(seed: seed)
    let world = try await World(balance: 500) { $0.retries.attempts = 2 }
    func act(_ count: Int) async {
      for _ in 0..<count {
        if random.chance(40) {
          world.keepa.script([
            random.pick([
              .lost(charged: true), .lost(charged: false), .failed500(charged: true),
              .timedOut(chargedAfter: 0), .unreadable(charged: true), .notSent,
            ])
          ])
        }
        let asked = Array(asins(40).shuffled(using: &random).prefix(random.int(1...5)))
        let answer = Task { await world.ask(asked) { $0.maximumAge = 0 } }
        let isDone = Flag()
        Task {
          _ = await answer.value
          isDone.set()
        }
        while !isDone.isSet {
          await world.pass(500)
        }
        world.time.advance(byMilliseconds: random.int64(0...20_000))
      }
    }
    await act(random.int(1...6))
    await world.end(orderly: true)
    try world.keepCopy()
    let copied = world.log.head
    try await world.reopen()
    await act(random.int(0...6))
    try await world.restoreCopy(orderly: random.chance(50))
    #expect(try world.events()[Int(copied)].kind == .logRestored)
    world.time.advance(byMilliseconds: random.int64(0...120_000))

    await world.gateway.keepaPurchaser?.watchMeters()
    var meter = try world.meter()
    let gap = try #require(try observations(world).last)
    #expect(gap.restoreGap)
    #expect(meter.residual == 0)
    #expect(meter[.inDoubt] == 0)
    #expect(meter[.reserved] == 0)
    #expect(
      try resolutions(world).filter { $0.evidence == .restored }
        .allSatisfy { $0.doubts.allSatisfy { $0.released == 0 } })
    let isExact = gap.refillLow == gap.refillHigh
    if isExact {
      #expect(
        meter[.settled] + meter[.unprovable] + meter[.unexplained] == world.keepa.books.charged)
      #expect(meter[.free] == world.keepa.balance)
    }
    // And goes on as ever.
    let unexplained = meter[.unexplained]
    world.time.advance(byMilliseconds: 5_000)
    await act(2)
    world.time.advance(byMilliseconds: 61_000)
    await world.gateway.keepaPurchaser?.watchMeters()
    meter = try world.meter()
    #expect(meter.residual == 0)
    if isExact { #expect(meter[.unexplained] == unexplained) }
    await world.end(orderly: true)
  }
}
