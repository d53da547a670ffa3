import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `What waits to be bought` {
  // MARK: The end

  @Test func `a shutdown sends none of the calls that wait, and answers their clients`()
    async throws
  {
    let world = try await World { $0.concurrentCalls = 1 }
    _ = await world.ask(asins(999..<1_000))
    world.keepa.hold()
    let big = world.begin(asins(0..<300))
    await world.keepa.waitForParked(1)
    let other = world.begin(asins(500..<501))
    while world.gateway.keepaStatus.waiting < 201 { await Task.yield() }
    let stop = Task { await world.gateway.stop() }
    // Who waits is answered before the call that is out has come back.
    #expect(await other.value.reasons == [.stopping])
    world.keepa.letGo()
    await stop.value
    let answer = await big.value
    #expect(answer.sources.prefix(100).allSatisfy { $0 == .keepa })
    #expect(answer.reasons.suffix(200).allSatisfy { $0 == .stopping })
    #expect(world.keepa.calls.count == 2)
    #expect(try world.meter()[.reserved] == 0)
    #expect(try world.meter().residual == 0)
  }

  @Test func `a shutdown ends while a batch waits for the balance, and while a retry sleeps`()
    async throws
  {
    let world = try await World(jitter: 0.9)
    world.keepa.hold()
    let first = world.begin(asins(1))
    await world.keepa.waitForParked(1)
    let stop = Task { await world.gateway.stop() }
    while !(world.gateway.keepaPurchaser?.isStopping ?? true) { await Task.yield() }
    world.keepa.letGo()
    await stop.value
    #expect(await first.value.reasons == [.stopping])
    #expect(world.keepa.calls.isEmpty)

    let second = try await World(jitter: 0.9)
    _ = await second.ask(asins(9..<10))
    second.keepa.script([.lost(charged: false)])
    let client = second.begin(asins(1))
    await second.time.waitForSleepers(1)
    await second.gateway.stop()
    #expect(await client.value.reasons == [.stopping])
    #expect(await client.value.outcomes.map(\.inDoubt) == [1])
    #expect(try second.meter()[.reserved] == 0)
    #expect(second.keepa.calls.count == 2)
  }

  @Test func `a full disk answers those who wait, and a shutdown ends all the same`() async throws {
    var options = EventLog.Options.scratch
    options.mapSize = 4 << 20
    options.reserveBytes = 1 << 10
    let world = try await World(options: options) { $0.concurrentCalls = 2 }
    _ = await world.ask(asins(999..<1_000))
    world.keepa.hold()
    let paid = (0..<2).map { world.begin(asins($0 * 100..<$0 * 100 + 100)) }
    await world.keepa.waitForParked(2)
    let waiting = (0..<6).map { world.begin(asins(500 + $0..<501 + $0)) }
    while world.gateway.keepaStatus.waiting < 6 { await Task.yield() }
    await fill(world.log)
    world.keepa.letGo()
    for client in paid + waiting {
      #expect(await client.value.reasons.allSatisfy { $0 == .storageFull })
    }
    #expect(world.keepa.calls.count == 3)
    let isDone = Flag()
    Task {
      await world.gateway.stop()
      isDone.set()
    }
    while !isDone.isSet {
      await world.pass(100)
    }
    #expect(try world.holds().map(\.state) == [.reserved, .reserved])
  }

  private func fill(_ log: EventLog) async {
    var event = FetchFailed()
    event.detail = String(repeating: "x", count: 50_000)
    let filler = event
    while (try? await log.append([.fetchFailed(filler)])) != nil {}
  }

  // MARK: Deadlines and turns

  @Test func `a request is answered by its deadline, the queue counted, and not bought for`()
    async throws
  {
    let world = try await World {
      $0.concurrentCalls = 1
      $0.answerTimeout = 30_000
    }
    _ = await world.ask(asins(999..<1_000))
    world.keepa.hold()
    let big = world.begin(asins(0..<100))
    await world.keepa.waitForParked(1)
    let late = world.begin(asins(500..<501))
    while world.gateway.keepaStatus.waiting < 1 { await Task.yield() }
    world.time.advance(byMilliseconds: 30_000)
    world.gateway.purchasers[0].tick()
    #expect(await late.value.reasons == [.tooLate])
    #expect(await big.value.reasons.allSatisfy { $0 == .tooLate })
    world.keepa.letGo()
    await world.gateway.stop()
    // What was out is kept all the same.
    #expect(await world.ask(asins(0..<100)).sources.allSatisfy { $0 == .cache })
    #expect(world.keepa.calls.count == 2)
  }

  @Test func `a product waits for one call of each long request, not for all`() async throws {
    let world = try await World(rate: 100, balance: 6_000) { $0.concurrentCalls = 1 }
    _ = await world.ask(asins(5_999..<6_000))
    world.keepa.hold()
    let long = (0..<3).map { world.begin(asins($0 * 1_000..<$0 * 1_000 + 1_000)) }
    await world.keepa.waitForParked(1)
    while world.gateway.keepaStatus.waiting < 2_900 { await Task.yield() }
    let single = world.begin(asins(4_000..<4_001)) { $0.contentSet = .rating }
    while world.gateway.keepaStatus.waiting < 2_901 { await Task.yield() }
    let before = world.keepa.calls.count
    let isDone = Flag()
    Task {
      _ = await single.value
      isDone.set()
    }
    while !isDone.isSet {
      if let call = world.keepa.parked.first { world.keepa.letGo(call) }
      await Task.yield()
    }
    // The other two long requests had been there before it.
    let place = try #require(world.keepa.calls.firstIndex { $0.contentSet == .rating })
    #expect(place - before <= 2)
    let stop = Task { await world.gateway.stop() }
    while !(world.gateway.keepaPurchaser?.isStopping ?? true) { await Task.yield() }
    world.keepa.letGo()
    await stop.value
    for client in long { _ = await client.value }
  }

  @Test func `who wants less is bought what a richer request is refused`() async throws {
    let world = try await World(balance: 5)
    _ = await world.ask(asins(9..<10))
    let gate = WriterGate()
    await gate.close(world.log)
    let rich = world.begin(asins(1)) { $0.contentSet = .offers }
    while world.log.queueDepth < 1 { await Task.yield() }
    let poor = world.begin(asins(1))
    await world.waitForDemands(2)
    gate.open()
    #expect(await rich.value.reasons == [.insufficientTokens])
    #expect(await poor.value.sources == [.keepa])
  }

  // MARK: An upstream in trouble

  @Test func `an upstream that lastingly cannot be read is left alone, and health can tell`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(999..<1_000))
    world.keepa.script(Array(repeating: .unreadable(charged: true), count: 60))
    for index in 0..<60 {
      let answer = await world.ask(asins(index..<index + 1))
      #expect(answer.reasons == [.upstreamUnavailable])
    }
    #expect(world.keepa.calls.count == 1 + CircuitBreaker.failuresToOpen)
    #expect(try world.meter()[.inDoubt] == Int64(CircuitBreaker.failuresToOpen))
    #expect(world.gateway.keepaStatus.state == .paused)
    let retryAt = try #require(await world.ask(asins(1)).outcomes[0].problem?.retryAt)
    #expect(retryAt == world.time.now.advanced(byMilliseconds: CircuitBreaker.firstPause))
    #expect(world.gateway.keepaStatus.pausedUntil == retryAt)
    world.keepa.script([])
    world.time.advance(byMilliseconds: CircuitBreaker.firstPause)
    world.keepa.forget([])
    // The script still has pages: one probe, and a longer pause.
    #expect(await world.ask(asins(1)).reasons == [.upstreamUnavailable])
    #expect(world.keepa.calls.count == 2 + CircuitBreaker.failuresToOpen)
    #expect(await world.ask(asins(1)).reasons == [.upstreamUnavailable])
    #expect(world.keepa.calls.count == 2 + CircuitBreaker.failuresToOpen)
  }

  // MARK: What is written of reads that buy nothing

  @Test func `refusals are written with a bound, the rest as counts`() async throws {
    let world = try await World(balance: 0)
    _ = await world.ask(asins(1))
    await world.gateway.writeTallies()
    let before = try world.count(.spendRefused)
    for _ in 0..<100 {
      #expect(await world.ask(asins(500)).reasons.allSatisfy { $0 == .insufficientTokens })
    }
    await world.gateway.writeTallies()
    let refused = try world.events().compactMap { event -> SpendRefused? in
      if case .spendRefused(let event) = event { event } else { nil }
    }.dropFirst(before)
    #expect(refused.count == RefusalLog.mostEach + 1)
    #expect(refused.reduce(0) { $0 + Int($1.resources) } == 100 * 500)
    #expect(refused.allSatisfy { $0.refused.count <= RefusalLog.mostNames })
    #expect(refused.last?.refused == [])
    #expect(refused.last?.payers.map(\.weight) == [Int64(90 * 500)])
  }

  @Test func `reads beyond a bound are counted without their ages`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1))
    await world.gateway.writeTallies()
    for age in 1...(ReadTallies.mostRows + 50) {
      _ = await world.ask(asins(1)) { $0.maximumAge = Int64(age) * 1_000 }
    }
    #expect(world.gateway.tallies.pendingReads == Int64(ReadTallies.mostRows + 50))
    await world.gateway.writeTallies()
    let rows = try world.events().flatMap { event -> [ReadTally] in
      if case .readsTallied(let event) = event { event.rows } else { [] }
    }
    #expect(rows.count == ReadTallies.mostRows + 1)
    #expect(rows.reduce(0) { $0 + Int($1.fresh) } == ReadTallies.mostRows + 50)
    #expect(rows.filter { $0.resource.isEmpty }.map(\.fresh) == [50])
  }

  // MARK: Looking ahead

  @Test func `a preview says what would be cached, bought and refused, and changes nothing`()
    async throws
  {
    let world = try await World(balance: 4)
    _ = await world.ask(asins(1))
    let head = world.log.head
    let demand = ProductsRequest(asins: asins(6).compactMap { KeepaASIN($0) }).demand
    let preview = try world.gateway.preview(demand).get()
    let words = preview.fates.map { row in
      switch row.fate {
      case .cached: "cached"
      case .bought: "bought"
      case .unknown: "unknown"
      case .refused(let problem, _): problem.reason.rawValue
      }
    }
    #expect(
      words == [
        "cached", "bought", "bought", "bought", "insufficient_tokens", "insufficient_tokens",
      ])
    #expect(preview.calls == 1)
    #expect(preview.costs == [.init(unit: "tokens", expected: 3, atMost: 3)])
    #expect(world.log.head == head)
    #expect(world.gateway.tallies.pendingReads == 0)
    #expect(world.keepa.calls.count == 1)
    let answer = await world.ask(asins(6))
    #expect(answer.sources == [.cache, .keepa, .keepa, .keepa, .none, .none])
  }

  @Test func `a preview before the balance is known says so, and asks nobody`() async throws {
    let world = try await World()
    let preview = try world.gateway.preview(
      ProductsRequest(asins: [KeepaASIN("B000000001")!]).demand
    ).get()
    guard case .refused(let problem, _)? = preview.fates.first?.fate else {
      Issue.record("it says that it would be bought")
      return
    }
    #expect(problem.reason == .upstreamUnavailable)
    #expect(world.keepa.books.balanceQuestions == 0)
  }
}
