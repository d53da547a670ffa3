import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `Law 6: one paid call per product` {
  /// Begins requests until they all stand in line behind one held call.
  private func crowd(
    _ count: Int, _ world: World,
    _ change: @escaping @Sendable (inout ProductsRequest) -> Void = { _ in }
  ) async -> [Task<ProductsAnswer, Never>] {
    world.keepa.hold()
    let first = world.begin(asins(1), change)
    await world.keepa.waitForParked(1)
    let others = (1..<count).map { _ in world.begin(asins(1), change) }
    return [first] + others
  }

  @Test func `C16, Law 6: 50 identical requests at once make one call, 49 join for nothing`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(9..<10))
    let tasks = await crowd(50, world)
    await world.waitForDemands(50)
    world.keepa.letGo()
    var answers: [ProductsAnswer] = []
    for task in tasks { answers.append(await task.value) }
    #expect(world.keepa.calls.count == 2)
    #expect(answers.reduce(0) { $0 + $1.tokens[0] } == 1)
    let joined = answers.filter { $0.outcomes[0].isJoined }
    #expect(joined.allSatisfy { $0.tokens == [0] && $0.sources == [.keepa] })
    // Whoever came after the call had ended was answered from the cache.
    #expect(answers.count { $0.sources == [.cache] } + joined.count == 49)
    #expect(joined.count > 0)
  }

  @Test func `ten thousand identical requests at once make one call`() async throws {
    let world = try await World()
    _ = await world.ask(asins(9..<10))
    let tasks = await crowd(10_000, world)
    await world.waitForDemands(10_000)
    world.keepa.letGo()
    var tokens: Int64 = 0
    var joined = 0
    for task in tasks {
      let answer = await task.value
      tokens += answer.tokens[0]
      if answer.outcomes[0].isJoined { joined += 1 }
    }
    #expect(world.keepa.calls.count == 2)
    #expect(tokens == 1)
    #expect(joined == 9_999)
    await world.gateway.writeTallies()
    let reads = try world.events().reduce(0) { sum, event in
      guard case .readsTallied(let event) = event else { return sum }
      return sum + event.rows.reduce(0) { $0 + Int($1.joined) }
    }
    #expect(reads == 9_999)
  }

  @Test func `whoever joined gets the failure too`() async throws {
    let world = try await World { $0.retries.attempts = 1 }
    _ = await world.ask(asins(9..<10))
    world.keepa.script([.lost(charged: true)])
    let tasks = await crowd(5, world)
    await world.waitForDemands(5)
    world.keepa.letGo()
    for task in tasks {
      let answer = await task.value
      #expect(answer.reasons == [.upstreamUnavailable])
      #expect(answer.tokens == [0])
    }
  }

  @Test func `whoever joined gets the refusal of the upstream too`() async throws {
    let world = try await World()
    _ = await world.ask(asins(9..<10))
    world.keepa.script([.refused429(bare: false)])
    let tasks = await crowd(5, world)
    await world.waitForDemands(5)
    world.keepa.letGo()
    for task in tasks { #expect(await task.value.reasons == [.insufficientTokens]) }
    #expect(world.keepa.calls.count == 2)
  }

  @Test func `a richer call under way serves those who want less`() async throws {
    let world = try await World()
    _ = await world.ask(asins(9..<10))
    world.keepa.hold()
    let rich = world.begin(asins(1)) { $0.contentSet = .offers }
    await world.keepa.waitForParked(1)
    let poor = world.begin(asins(1))
    await world.waitForDemands(2)
    world.keepa.letGo()
    #expect(await rich.value.sources == [.keepa])
    let answer = await poor.value
    #expect(answer.outcomes[0].isJoined)
    #expect(answer.tokens == [0])
    #expect(world.keepa.calls.count == 2)
  }

  @Test func `a poorer call under way does not hold up who wants more`() async throws {
    let world = try await World()
    _ = await world.ask(asins(9..<10))
    world.keepa.hold()
    let poor = world.begin(asins(1))
    await world.keepa.waitForParked(1)
    let rich = world.begin(asins(1)) { $0.contentSet = .rating }
    await world.keepa.waitForParked(2)
    world.keepa.letGo()
    #expect(await poor.value.sources == [.keepa])
    #expect(await rich.value.outcomes[0].entry?.contentSet == 1)
    #expect(world.keepa.calls.count == 3)
  }

  @Test func `what was bought between look-up and claim is not paid for twice`() async throws {
    // Many requests at once for the same products, without holding anything back: every interleaving will do.
    for _ in 0..<20 {
      let world = try await World()
      let tasks = (0..<16).map { _ in world.begin(asins(3)) }
      var tokens: Int64 = 0
      for task in tasks { tokens += await task.value.tokens.reduce(0, +) }
      #expect(world.keepa.books.charged == 3)
      #expect(tokens == 3)
    }
  }

  @Test func `who waited for a refill takes from the cache what another has bought meanwhile`()
    async throws
  {
    let world = try await World(balance: 0)
    let patient = world.begin(asins(1)) { $0.wait = 5 * minute }
    await world.time.waitForSleepers(1)
    // By the wall clock the refill has come; the sleeper has not noticed yet.
    world.time.setWallClock(to: world.time.now.advanced(byMilliseconds: 41_000))
    #expect(await world.ask(asins(1)).sources == [.keepa])
    world.time.advance(byMilliseconds: 1_000)
    let answer = await patient.value
    #expect(answer.sources == [.cache])
    #expect(answer.tokens == [0])
    #expect(world.keepa.books.charged == 1)
  }

  @Test func `overlapping requests wait for each other's products without a deadlock`()
    async throws
  {
    let world = try await World()
    _ = await world.ask(asins(9..<10))
    world.keepa.hold()
    let left = world.begin(asins(0..<3))
    await world.keepa.waitForParked(1)
    let right = world.begin(Array(asins(1..<4).reversed()))
    await world.keepa.waitForParked(2)
    world.keepa.letGo()
    #expect(await left.value.tokens == [1, 1, 1])
    let answer = await right.value
    #expect(answer.tokens == [1, 0, 0])
    #expect(answer.outcomes.map(\.isJoined) == [false, true, true])
    #expect(world.keepa.books.charged == 5)
  }

  @Test func `a client that hangs up does not stop the paid call: it is stored`() async throws {
    let world = try await World()
    _ = await world.ask(asins(9..<10))
    world.keepa.hold()
    let client = world.begin(asins(2))
    await world.keepa.waitForParked(1)
    client.cancel()
    world.keepa.letGo()
    _ = await client.value
    #expect(try world.count(.fetchSucceeded) == 2)
    #expect(await world.ask(asins(2)).sources == [.cache, .cache])
    #expect(world.keepa.calls.count == 2)
  }

  @Test func `a client that hangs up during a retry does not lose it`() async throws {
    let world = try await World(jitter: 0.5)
    _ = await world.ask(asins(9..<10))
    world.keepa.script([.notSent])
    let client = world.begin(asins(1))
    // The retry waits for half of its longest delay.
    await world.time.waitForSleepers(1)
    client.cancel()
    world.time.advance(byMilliseconds: 1_000)
    _ = await client.value
    #expect(world.keepa.calls.count == 3)
    #expect(await world.ask(asins(1)).sources == [.cache])
  }

  @Test func `a client that hangs up while the balance is asked for spoils it for nobody`()
    async throws
  {
    let world = try await World()
    world.keepa.hold()
    let client = world.begin(asins(1))
    await world.keepa.waitForParked(1)
    let other = world.begin(asins(1..<2))
    client.cancel()
    for _ in 0..<200 { await Task.yield() }
    world.keepa.letGo()
    #expect(await other.value.sources == [.keepa])
    #expect(world.keepa.books.balanceQuestions == 1)
  }
}
