import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `Jobs that outlive the process` {
  @Test func `a list is bought portion by portion, and what is fresh is left alone`() async throws {
    let world = try await World()
    _ = await world.ask(asins(50..<60))
    let job = try await world.warm(asins(250))
    let ended = try await world.finish(job)
    #expect(ended.state == .done)
    #expect(ended.progress == JobProgress(done: 250, total: 250))
    #expect(ended.record?.charged == [Amount(240, "tokens")])
    #expect(try world.count(.jobProgressed) == 3)
    #expect(world.keepa.books.charged == 250)
    // Nobody has read anything but the ten that were asked for.
    await world.gateway.writeTallies()
    #expect(try world.count(.readsTallied) == 0)
    let starts = try world.events().compactMap { event in
      if case .fetchStarted(let event) = event { event } else { nil }
    }
    #expect(starts.dropFirst().allSatisfy { $0.demands.map(\.refresh) == [.warm] })
    // Once more, it costs nothing.
    let again = try await world.finish(try await world.warm(asins(250)))
    #expect(again.state == .done)
    #expect(again.record?.charged == [])
  }

  @Test func `entries in grace are bought again`() async throws {
    let world = try await World()
    _ = await world.ask(asins(2))
    let policy = world.gateway.settings.products.present
    world.time.advance(byMilliseconds: policy.fresh)
    let job = try await world.finish(try await world.warm(asins(2)))
    #expect(job.record?.charged == [Amount(2, "tokens")])
    #expect(await world.ask(asins(2)).sources == [.cache, .cache])
  }

  @Test func `out of tokens it waits for refills, for as long as it takes`() async throws {
    let world = try await World(balance: 60)
    let job = try await world.finish(try await world.warm(asins(300)))
    #expect(job.state == .done)
    #expect(job.record?.charged == [Amount(300, "tokens")])
    #expect(world.time.now.milliseconds - job.queued.milliseconds > 10 * minute)
  }

  @Test func `budgets of tags and of access keys count it, and an access key's kinds bind it`()
    async throws
  {
    let world = try await World(balance: 100)
    _ = await world.ask(asins(900..<901))
    try await world.setBudget("north", limit: 7, tag: "branch=north")
    let key = AccessKey()
    try await IssueAccessKey(
      key, account: "default", scopes: ["fetch"], known: [], now: world.time.now, actor: "test"
    ).run(on: world.log, default: "default")
    try await world.setBudget("key", limit: 9, accessKey: key.id)
    let tagged = Principal(account: "default", tags: ["branch=north"])
    let first = try await world.finish(try await world.warm(asins(10), by: tagged))
    #expect(first.state == .failed)
    #expect(first.record?.charged == [Amount(7, "tokens")])
    let keyed = Principal(account: "default", accessKey: key.id)
    let second = try await world.finish(try await world.warm(asins(100..<120), by: keyed))
    #expect(second.state == .failed)
    #expect(second.record?.charged == [Amount(9, "tokens")])
    let other = Principal(account: "default", accessKey: "k2", kinds: ["keepa.search"])
    await #expect(throws: PurchaseProblem.self) { try await world.warm(asins(1), by: other) }
    #expect(try world.openJobs() == [])
  }

  @Test func `it leaves alone what is kept for those who wait for an answer`() async throws {
    let world = try await World(balance: 100) { $0.interactiveReserve = 40 }
    _ = await world.ask(asins(900..<901))
    let id = try await world.warm(asins(300))
    while try world.meter()[.settled] < 60 { await Task.yield() }
    await world.time.waitForSleepers(1)
    #expect(try world.meter()[.settled] == 60)
    // Who waits gets what is kept.
    #expect(await world.ask(asins(901..<930)).sources.allSatisfy { $0 == .keepa })
    #expect(try await world.finish(id).record?.charged == [Amount(300, "tokens")])
  }

  @Test func `what it will cost and when it will end is told as it goes on`() async throws {
    let world = try await World(balance: 150)
    _ = await world.ask(asins(0..<50))
    let id = try await world.warm(asins(300), limit: 200)
    while try world.job(id).progress.done < 100 { await Task.yield() }
    while try world.job(id).expectation?.units != 150 { await Task.yield() }
    let expected = try #require(try world.job(id).expectation)
    #expect(expected.unit == "tokens")
    let end = try #require(expected.end)
    let now = world.time.now
    // Fifty of them are there, the others are five refills.
    #expect((4 * 60_200...6 * 60_200).contains(end.milliseconds - now.milliseconds))
    let ended = try await world.finish(id)
    #expect(ended.expectation == nil)
    #expect(ended.record?.charged == [Amount(200, "tokens")])
  }

  @Test func `a bucket tells when so much will have been spent, and nil where nobody knows`()
    async throws
  {
    let bucket = RefillBucket(tick: 60_000, ticksToFill: 60)
    let world = try await World(rate: 20, balance: 50)
    let now = world.time.now
    #expect(bucket.instant(ofSpending: 1, keeping: 0, on: Meter(), at: now) == nil)
    _ = await world.ask(asins(1))
    let meter = try world.meter()
    let next = bucket.refill(after: now, of: try #require(meter.reading))
    func instant(_ amount: Int64, keeping reserve: Int64 = 0) -> Timestamp? {
      bucket.instant(ofSpending: amount, keeping: reserve, on: meter, at: now)
    }
    #expect(instant(49) == now)
    #expect(instant(50) == next)
    #expect(instant(69) == next)
    #expect(instant(70) == next.advanced(byMilliseconds: 60_000))
    #expect(instant(49, keeping: 1) == next)
    // Far more than it can hold is spent as it comes; what is kept can be all that there is.
    #expect(instant(49 + 20 * 10_000) == next.advanced(byMilliseconds: 9_999 * 60_000))
    #expect(instant(49, keeping: 1_200) == nil)
    #expect(instant(.max) == nil)
  }

  @Test func `what it may cost holds to the token`() async throws {
    let world = try await World()
    let job = try await world.finish(try await world.warm(asins(250), limit: 130))
    #expect(job.state == .done)
    #expect(job.detail == "its limit of 130 tokens buys nothing more")
    #expect(job.progress.done == 130)
    #expect(job.record?.charged == [Amount(130, "tokens")])
    #expect(world.keepa.books.charged == 130)
  }

  @Test func `after a kill it goes on, and what may have been spent counts on its limit`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(900..<901))
    world.keepa.hold()
    let id = try await world.warm(asins(250), limit: 130)
    await world.keepa.waitForParked(1)
    try await world.crash()
    // The call that was out is in doubt, or a reading has told by now that it was charged.
    #expect(try world.job(id).record?.spent("tokens") ?? 0 >= 100)
    let job = try await world.finish(id)
    #expect(job.state == .done)
    #expect(job.record?.spent("tokens") == 130)
    #expect(try world.count(.jobStarted) == 2)
  }

  @Test func `a stop leaves it open, and the next start takes it up where it was`() async throws {
    let world = try await World(balance: 130)
    let id = try await world.warm(asins(250))
    // The first portion is bought, and of the second what was there for it.
    while try world.meter()[.settled] < 130 { await Task.yield() }
    try await world.restart()
    #expect(try world.job(id).state.isOpen)
    #expect(try world.job(id).progress.done == 100)
    #expect(try world.count(.jobFinished) == 0)
    let job = try await world.finish(id)
    #expect(job.state == .done)
    #expect(job.progress == JobProgress(done: 250, total: 250))
    #expect(world.keepa.books.charged == 250)
  }

  @Test func `one that is cancelled has ended at once, and its call that is out is booked`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(900..<901))
    world.keepa.hold()
    let id = try await world.warm(asins(250))
    let waiting = try await world.warm(asins(300..<310))
    await world.keepa.waitForParked(1)
    #expect(try await world.gateway.cancelJob(id, actor: "somebody") == .cancelled)
    #expect(try await world.gateway.cancelJob(waiting, actor: "somebody") == .cancelled)
    #expect(try world.job(id).state == .cancelled)
    #expect(try world.job(waiting).state == .cancelled)
    world.keepa.letGo()
    while !world.gateway.jobs.isIdle { await Task.yield() }
    while world.gateway.keepaPurchaser?.isIdle == false { await Task.yield() }
    #expect(try world.job(id).record?.charged == [Amount(100, "tokens")])
    #expect(world.keepa.books.charged == 101)
    #expect(try await world.gateway.cancelJob(id, actor: "") == .hasEnded)
    #expect(try await world.gateway.cancelJob(.recorded(1), actor: "") == .unknown)
    let ends = try world.events().compactMap { event in
      if case .jobFinished(let event) = event { event.actor } else { nil }
    }
    #expect(ends == ["somebody", "somebody"])
  }

  @Test func `one that is cancelled while it waits for refills buys nothing more`() async throws {
    let world = try await World(balance: 60)
    let id = try await world.warm(asins(300))
    while try world.meter()[.settled] < 60 { await Task.yield() }
    _ = try await world.gateway.cancelJob(id, actor: "somebody")
    for _ in 0..<20_000 where !world.gateway.jobs.isIdle { await world.log.settle() }
    try #require(world.gateway.jobs.isIdle)
    #expect(world.gateway.keepaPurchaser?.isIdle == true)
    for _ in 0..<20 {
      world.time.advance(byMilliseconds: minute)
      await world.log.settle()
    }
    #expect(world.keepa.books.charged == 60)
    #expect(try world.job(id).state == .cancelled)
  }

  @Test func `what cannot be had is counted, and the rest is bought`() async throws {
    let world = try await World { $0.retries.attempts = 1 }
    world.keepa.script([.requestRejected])
    let job = try await world.finish(try await world.warm(asins(150)))
    #expect(job.state == .done)
    #expect(job.record?.failed == 100)
    #expect(job.detail.hasPrefix("100 of 150 could not be bought: "))
    #expect(job.record?.charged == [Amount(50, "tokens")])
  }

  @Test func `a key that is refused ends it`() async throws {
    let world = try await World { $0.retries.attempts = 1 }
    world.keepa.setKeyRejected(true)
    let job = try await world.finish(try await world.warm(asins(5)))
    #expect(job.state == .failed)
    #expect(job.detail.contains("key"))
  }

  @Test func `one over which the process ended five times is not begun again`() async throws {
    let world = try await World(balance: 0)
    let id = try await world.warm(asins(5))
    for start in 1...5 {
      while try world.count(.jobStarted) < start { await Task.yield() }
      try await world.crash()
    }
    let job = try await world.finish(id)
    #expect(job.state == .failed)
    #expect(job.detail == "the process ended 5 times while it ran, and it got no further")
  }

  @Test func `one that no system knows ends at the next start, and says so`() async throws {
    let world = try await World()
    var event = JobQueued()
    event.kind = "atlas.warm"
    let number = try await world.log.append([.jobQueued(event)]).answer
    try await world.restart()
    let job = try world.job(.recorded(number))
    #expect(job.state == .failed)
    #expect(job.detail == "no system of this Tollbook has jobs of kind atlas.warm")
  }

  @Test func `a request that cannot be read ends it`() async throws {
    let world = try await World()
    let id = try await world.gateway.queueJob(
      .warmKeepa, request: [0], total: 1, by: Principal(account: "default"))
    let job = try await world.finish(id)
    #expect(job.state == .failed)
    #expect(job.detail == "its request cannot be read")
  }

  @Test func `more than may be open are refused, and nothing is written`() async throws {
    let world = try await World(balance: 0)
    for _ in 0..<PurchaseJobKind.warmKeepa.mostOpen { _ = try await world.warm(asins(1)) }
    while try world.count(.jobStarted) == 0 { await Task.yield() }
    let head = world.log.head
    await #expect(
      throws: JobRefusal.full(
        kind: "keepa.warm", running: 1, waiting: PurchaseJobKind.warmKeepa.mostOpen - 1)
    ) {
      try await world.warm(asins(1))
    }
    #expect(world.log.head == head)
    // One ends, one may come, also while the cancelled one is still at it.
    let first = try #require(try world.gateway.recordedJobs(before: nil, limit: .max).last)
    _ = try await world.gateway.cancelJob(first.job.id, actor: "")
    let next = try await world.warm(asins(1))
    #expect(try world.job(next).state == .queued)
  }

  @Test(arguments: 1...100 as ClosedRange<UInt64>)
  func `no job spends beyond its limit, whatever ends meanwhile`(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let world = try await World(
      rate: random.int64(5...60), balance: random.int64(0...150), jitter: 0.5)
    let count = random.int(1...350)
    let limit: Int64? = random.chance(60) ? random.int64(1...300) : nil
    let id = try await world.warm(asins(count), limit: limit)
    var (ends, faults, turns) = (0, 0, 0)
    while try world.job(id).state.isOpen {
      turns += 1
      guard turns < 200_000 else {
        let job = try world.job(id)
        let sleepers = world.time.sleeperCount
        Issue.record(
          "seed \(seed): no end: \(job.state), \(job.detail), \(sleepers) sleep, \(ends) ends"
        )
        return
      }
      switch random.int(0...99) {
      case 0..<4 where ends < 4:
        ends += 1
        try await world.crash()
      case 4..<8 where ends < 4:
        ends += 1
        try await world.restart()
      case 8..<20 where faults < 8:
        faults += 1
        world.keepa.script([
          random.pick([
            .notSent, .lost(charged: true), .lost(charged: false), .failed500(charged: true),
            .timedOut(chargedAfter: nil), .refused429(bare: true),
          ])
        ])
      default:
        if world.time.sleeperCount > 0 {
          world.time.advance(byMilliseconds: random.int64(1...40_000))
        }
        // As the service does each second: a demand whose time is over is answered then.
        world.gateway.keepaPurchaser?.tick()
      }
      await world.log.settle()
      if let limit {
        #expect(try world.job(id).record?.spent("tokens") ?? 0 <= limit)
      }
    }
    let job = try world.job(id)
    #expect(job.state == .done, "\(job.detail)")
    // What it has cost is what was charged: nobody else has bought anything.
    let meter = try world.meter()
    #expect(job.record?.charged.count(of: "tokens") == meter[.settled])
    #expect(job.record?.held.count(of: "tokens") == meter[.inDoubt] + meter[.unprovable])
    #expect(meter.residual == 0)
    if limit == nil {
      #expect(await world.ask(asins(count)).sources.allSatisfy { $0 == .cache })
    }
  }
}

extension World {
  fileprivate func job(_ id: JobID) throws -> Job { try #require(try gateway.job(id)) }

  /// Lets the clock go on until a job has ended.
  fileprivate func finish(_ id: JobID) async throws -> Job {
    while try job(id).state.isOpen || gateway.jobs[id] != nil {
      await pass(1_000)
    }
    return try job(id)
  }
}
