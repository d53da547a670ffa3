import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `Attempts, retries and doubt` {
  @Test func `an attempt without an answer is in doubt in the commit that reserves its retry`()
    async throws
  {
    let world = try await World()
    world.keepa.script([.timedOut(chargedAfter: 0)])
    let answer = await world.ask(asins(3))
    #expect(answer.tokens == [1, 1, 1])
    let events = try world.events()
    let doubt = try #require(events.firstIndex { $0.kind == .chargeInDoubt })
    let failed = try #require(events.firstIndex { $0.kind == .fetchAttemptFailed })
    guard case .fetchAttemptFailed(let event) = events[failed] else { return }
    #expect(event.nextAttempt == 2)
    #expect(event.moves.map(\.amount) == [3])
    #expect(event.payers == [Payer(account: "default", kind: "keepa.product", weight: 3)])
    // Positions begin at 1.
    let log = world.log
    let commits = try log.read { (reading) throws(LogError) in
      try [doubt, failed].map { (index) throws(LogError) in
        try log.reader.commit(holding: Position(index + 1), in: reading)?.last
      }
    }
    #expect(commits[0] != nil)
    #expect(commits[0] == commits[1])
    #expect(try world.holds().map(\.state) == [.inDoubt])
    #expect(try world.meter()[.settled] == 3)
    #expect(try world.meter()[.inDoubt] == 3)
    #expect(world.keepa.books.charged == 6)
  }

  @Test func `a doubt counts from the end of its attempt: nothing was sent after that`()
    async throws
  {
    let world = try await World { $0.retries.attempts = 1 }
    _ = await world.ask(asins(9..<10))
    world.keepa.script([.lost(charged: true)])
    world.keepa.hold()
    let client = world.begin(asins(1))
    await world.keepa.waitForParked(1)
    world.time.advance(byMilliseconds: 50_000)
    world.keepa.letGo()
    _ = await client.value
    #expect(try world.meter().lastDoubtSent == world.time.now)
  }

  @Test func `each attempt has its own reservation`() async throws {
    let world = try await World()
    world.keepa.script([.lost(charged: true), .lost(charged: false)])
    _ = await world.ask(asins(2))
    #expect(try world.holds().map(\.attempt) == [1, 2])
    #expect(try world.holds().map(\.amount) == [2, 2])
    #expect(world.keepa.calls.count == 3)
  }

  @Test func `what was never sent is released and not in doubt`() async throws {
    let world = try await World()
    world.keepa.script([.notSent, .notSent])
    #expect(await world.ask(asins(1)).sources == [.keepa])
    #expect(try world.count(.reservationReleased) == 2)
    #expect(try world.count(.chargeInDoubt) == 0)
    #expect(try world.meter()[.free] == world.keepa.balance)
  }

  @Test func `after the last attempt the fetch has failed and nothing is reserved`() async throws {
    let world = try await World()
    world.keepa.script(Array(repeating: .lost(charged: true), count: 5))
    let answer = await world.ask(asins(1))
    #expect(answer.reasons == [.upstreamUnavailable])
    #expect(world.keepa.calls.count == 3)
    #expect(try world.count(.fetchFailed) == 1)
    #expect(try world.meter()[.reserved] == 0)
    #expect(try world.meter()[.inDoubt] == 3)
    #expect(world.gateway.keepaStatus.state == .unreachable)
  }

  @Test(arguments: [true, false])
  func `a 500 that tells its cost is charged or released, not in doubt`(isCharged: Bool)
    async throws
  {
    let world = try await World()
    world.keepa.script([.failed500(charged: isCharged)])
    _ = await world.ask(asins(2))
    #expect(try world.meter()[.inDoubt] == 0)
    #expect(try world.meter()[.settled] == world.keepa.books.charged)
    #expect(world.keepa.books.charged == (isCharged ? 4 : 2))
  }

  @Test(arguments: [
    FakeKeepa.Fault.failed503(charged: true), .lost(charged: true),
    .timedOut(chargedAfter: nil),
  ])
  func `an answer that failed or did not come is in doubt and tried again`(
    fault: FakeKeepa.Fault
  ) async throws {
    let world = try await World()
    world.keepa.script([fault])
    #expect(await world.ask(asins(1)).sources == [.keepa])
    #expect(try world.meter()[.inDoubt] == 1)
  }

  @Test func `an answer that came and cannot be read is in doubt, told, and not paid for again`()
    async throws
  {
    let world = try await World()
    world.keepa.script([.unreadable(charged: true)])
    let answer = await world.ask(asins(2))
    #expect(answer.reasons == [.upstreamUnavailable, .upstreamUnavailable])
    #expect(answer.outcomes.map(\.inDoubt) == [1, 1])
    #expect(answer.outcomes.map(\.paid) == [0, 0])
    #expect(answer.outcomes[0].problem?.detail.contains("could not be asked") == false)
    #expect(try world.meter()[.inDoubt] == 2)
    #expect(world.keepa.calls.count == 1)
  }

  @Test func `what failed attempts have cost is told beside what the last one cost`()
    async throws
  {
    let world = try await World()
    world.keepa.script([.failed500(charged: true), .lost(charged: true)])
    let answer = await world.ask(asins(2))
    #expect(answer.tokens == [1, 1])
    #expect(answer.outcomes.map(\.paid) == [2, 2])
    #expect(answer.outcomes.map(\.inDoubt) == [1, 1])
    #expect(world.keepa.books.charged == 6)
  }

  @Test(arguments: [FakeKeepa.Fault.error200, .requestRejected])
  func `a request that Keepa rejects is not sent again`(fault: FakeKeepa.Fault) async throws {
    let world = try await World()
    world.keepa.script([fault])
    #expect(await world.ask(asins(1)).reasons == [.requestRejected])
    #expect(world.keepa.calls.count == 1)
    #expect(try world.meter()[.free] == world.keepa.balance)
  }

  @Test func `a retry that does not fit the meter is refused, and that ends the fetch`()
    async throws
  {
    let world = try await World(balance: 5)
    world.keepa.script([.lost(charged: true)])
    let answer = await world.ask(asins(4))
    #expect(answer.reasons.allSatisfy { $0 == .upstreamUnavailable })
    #expect(world.keepa.calls.count == 1)
    guard
      case .fetchFailed(let event)? = try world.events().first(where: { $0.kind == .fetchFailed })
    else {
      Issue.record("the fetch has no end")
      return
    }
    #expect(event.reason == .retryRefused)
  }

  @Test func `a request's own limit counts every attempt, the doubtful ones too`() async throws {
    let world = try await World()
    world.keepa.script([.lost(charged: true)])
    let answer = await world.ask(asins(3)) { $0.maximumTokens = 5 }
    #expect(answer.sources == [.none, .none, .none])
    #expect(world.keepa.books.charged == 3)
    world.keepa.script([.lost(charged: true)])
    let enough = await world.ask(asins(3)) { $0.maximumTokens = 6 }
    #expect(enough.sources == [.keepa, .keepa, .keepa])
  }

  @Test func `an attempt that was released gives its tokens back to the request's limit`()
    async throws
  {
    let world = try await World()
    world.keepa.script([.notSent, .failed500(charged: false)])
    let answer = await world.ask(asins(3)) { $0.maximumTokens = 3 }
    #expect(answer.sources == [.keepa, .keepa, .keepa])
  }

  @Test func `all attempts end within the total deadline, whatever is done to the clock`()
    async throws
  {
    let world = try await World(jitter: 0.999) {
      $0.retries.attempts = 100
      $0.retries.totalTimeout = 20_000
      $0.retries.attemptTimeout = 5_000
    }
    _ = await world.ask(asins(9..<10))
    world.keepa.script(Array(repeating: .notSent, count: 100))
    let client = world.begin(asins(1))
    var waited: Int64 = 0
    while try world.count(.fetchFailed) == 0 {
      if world.time.sleeperCount > 0 {
        world.time.advance(byMilliseconds: 100)
        waited += 100
        // Set back again and again, the wall clock never reaches a deadline of its own.
        world.time.setWallClock(to: .testStart)
      }
      await world.log.settle()
    }
    _ = await client.value
    #expect(waited <= 20_000)
    #expect(world.keepa.calls.count < 20)
  }

  @Test func `a clock that jumps ahead costs no attempt its time`() async throws {
    let world = try await World(jitter: 0.5)
    _ = await world.ask(asins(9..<10))
    world.keepa.script([.notSent])
    let client = world.begin(asins(1))
    await world.time.waitForSleepers(1)
    world.time.setWallClock(to: world.time.now.advanced(byMilliseconds: day))
    world.time.advance(byMilliseconds: 1_000)
    #expect(await client.value.sources == [.keepa])
  }

  @Test func `the jitter stays below a limit that doubles, and the total time is kept`() {
    let policy = RetryPolicy()
    #expect(policy.delay(after: 1, elapsed: 0, random: 0) == 0)
    #expect(policy.delay(after: 1, elapsed: 0, random: 0.999_999) == 250)
    #expect(policy.delay(after: 2, elapsed: 0, random: 0.999_999) == 500)
    #expect(policy.delay(after: 3, elapsed: 0, random: 0) == nil)
    #expect(policy.delay(after: 1, elapsed: 59_000, random: 0) == 0)
    #expect(policy.delay(after: 1, elapsed: 59_001, random: 0) == nil)
  }

  // MARK: Calls that take long

  @Test func `a call has the time that its upstream says, and so long an end may wait for it`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(1))
    #expect(world.keepa.calls[0].limit == .seconds(120))
    #expect(world.gateway.longestCall == 120_000)
    let unconfigured = try await World(isConfigured: false)
    #expect(unconfigured.gateway.longestCall == RetryPolicy().attemptTimeout)
  }

  @Test func `another attempt has what is left of the time of all`() async throws {
    let world = try await World()
    _ = await world.ask(asins(9..<10))
    world.keepa.script([.lost(charged: false)])
    world.keepa.hold()
    let client = world.begin(asins(1))
    await world.keepa.waitForParked(1)
    world.time.advance(byMilliseconds: 50_000)
    world.keepa.letGo()
    #expect(await client.value.sources == [.keepa])
    #expect(world.keepa.calls.map(\.limit) == [.seconds(120), .seconds(120), .seconds(70)])
  }

  @Test func `the time of an attempt follows from its upstream, the settings and what is left`() {
    let policy = RetryPolicy()
    #expect(policy.attemptLimit(nil, elapsed: 0) == 30_000)
    #expect(policy.attemptLimit(nil, elapsed: 45_000) == 15_000)
    #expect(policy.attemptLimit(nil, elapsed: 61_000) < 0)
    #expect(policy.attemptLimit(120_000, elapsed: 0) == 120_000)
    #expect(policy.attemptLimit(120_000, elapsed: 59_000) == 61_000)
    #expect(policy.attemptLimit(5_000, elapsed: 0) == 5_000)
    // Who asks may want to have less, and never has more.
    #expect(policy.attemptLimit(120_000, asked: 30_000, elapsed: 0) == 30_000)
    #expect(policy.attemptLimit(120_000, asked: 30_000, elapsed: 30_250) == 29_750)
    #expect(policy.attemptLimit(nil, asked: 40_000, elapsed: 0) == 30_000)
  }

  @Test func `no attempt is made for which nobody would wait`() {
    let policy = RetryPolicy()
    #expect(policy.delay(after: 1, elapsed: 0, left: 1_000, random: 0) == 0)
    #expect(policy.delay(after: 1, elapsed: 0, left: 999, random: 0) == nil)
    #expect(policy.delay(after: 1, elapsed: 0, left: 1_100, random: 0.999_999) == nil)
  }

  @Test func `an attempt that had the time of who asks is given up, in doubt, and made once more`()
    async throws
  {
    let world = try await AtlasWorld()
    var request = PassedRequest(path: "from here to there")
    request.attemptLimit = 20_000
    var demand = ResourceDemand("atlas.route", [], account: "acme")
    demand.deadline = 60_000
    world.atlas.script([.timedOut(charged: true)])
    world.atlas.hold()
    let (sent, asked) = (request, demand)
    let client = Task { await world.gateway.pass("atlas.route", sent, for: asked) }
    await world.atlas.waitForParked(1)
    world.time.advance(byMilliseconds: 20_000)
    world.atlas.letGo()
    while world.atlas.books.calls.count < 2 { await world.pass(25) }
    let answer = await client.value
    #expect(try answer.result.get().status == 200)
    #expect(answer.inDoubt == 1)
    #expect(world.atlas.books.limits == [.seconds(20), .seconds(20)])
    let failed = try world.events().compactMap { event -> FetchAttemptFailed? in
      if case .fetchAttemptFailed(let event) = event { event } else { nil }
    }
    #expect(failed.map(\.reason) == [.timedOut])
    #expect(failed.map(\.nextAttempt) == [2])
  }

  // MARK: Answers that cannot be true

  @Test func `products that were not asked for are kept for nothing, one that comes twice once`()
    async throws
  {
    let world = try await World()
    world.keepa.script([.tooMany])
    _ = await world.ask(asins(2))
    #expect(try world.count(.cacheWritten) == 3)
    #expect(await world.ask(["B0NOTASKED"]).sources == [.cache])
    #expect(world.keepa.books.charged == 2)
  }

  @Test func `what an answer says nothing about is a failure of that product alone`()
    async throws
  {
    let world = try await World()
    world.keepa.script([.firstUnanswered])
    let answer = await world.ask(asins(3))
    #expect(answer.sources == [.none, .keepa, .keepa])
    #expect(answer.reasons[0] == .upstreamUnavailable)
    #expect(answer.outcomes[0].problem?.isUnanswered == true)
    // It was paid for with the others.
    #expect(answer.outcomes.map(\.paid) == [1, 1, 1])
    #expect(try world.meter()[.settled] == 3)
  }

  @Test func `an answer whose cost is not told is stored, and in doubt`() async throws {
    let world = try await World(balance: 600)
    world.keepa.script([.damagedEnvelope])
    let answer = await world.ask(asins(2))
    #expect(answer.sources == [.keepa, .keepa])
    #expect(try world.meter()[.inDoubt] == 2)
    world.time.advance(byMilliseconds: 61_000)
    _ = await world.ask(asins(5..<6))
    #expect(try world.meter()[.inDoubt] == 0)
    #expect(try world.meter()[.settled] == world.keepa.books.charged)
  }

  @Test(arguments: [-5, Int64.min, Int64.max, Int64.max / 2, 1 << 41])
  func `a cost that cannot be true is in doubt, not in the books`(claim: Int64) async throws {
    let world = try await World()
    world.keepa.script([.claimsCost(claim), .claimsCost(claim)])
    _ = await world.ask(asins(2))
    _ = await world.ask(asins(2..<4))
    #expect(try world.meter()[.settled] == 0)
    #expect(try world.meter()[.inDoubt] > 0)
    #expect(try world.meter().residual == 0)
  }

  @Test(arguments: [Int64.min, -1 << 50, 1 << 50, Int64.max])
  func `a balance that cannot be true is not taken down`(claim: Int64) async throws {
    let world = try await World()
    world.keepa.script([.claimsBalance(claim)])
    _ = await world.ask(asins(2))
    #expect(try world.meter().reading?.balance == 1_200)
    #expect(try world.meter()[.free] == 1_198)
    #expect(try world.meter()[.unexplained] == 0)
  }

  @Test func `impossible readings are told from possible ones`() {
    func reading(
      _ balance: Int64, rate: Int64 = 20, at: Int64 = 1_795_248_000_000, next: Int64? = nil,
      reduction: Int64 = 0
    ) -> UpstreamReading? {
      UpstreamReading(
        balance: balance, upstreamMilliseconds: at, nextRefillMilliseconds: next ?? at,
        refillRate: rate, flowReductionThousandths: reduction
      ).believable
    }
    #expect(reading(-340) != nil)
    #expect(reading(5, rate: 0) == nil)
    #expect(reading(5, rate: -1) == nil)
    #expect(reading(5, rate: .max) == nil)
    #expect(reading(5, at: -1) == nil)
    #expect(reading(5, at: .max) == nil)
    #expect(reading(5, next: 0) == nil)
    #expect(reading(5, reduction: -9_000)?.flowReductionThousandths == 0)
    #expect(reading(5, reduction: .max)?.flowReductionThousandths == 20_000)
  }
}
