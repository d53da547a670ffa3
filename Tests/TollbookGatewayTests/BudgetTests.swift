import Keepa
import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `Law 7: what may be spent` {
  @Test func `the longest prefix is bought, the rest is told when to come back`() async throws {
    let world = try await World(balance: 3)
    let answer = await world.ask(asins(5))
    #expect(answer.sources == [.keepa, .keepa, .keepa, .none, .none])
    #expect(answer.reasons[3] == .insufficientTokens)
    let retryAt = try #require(answer.outcomes[3].problem?.retryAt)
    #expect(retryAt == Timestamp.testStart.advanced(byMilliseconds: 40_000))
    #expect(try world.count(.spendRefused) == 1)
    #expect(world.keepa.books.charged == 3)
    world.time.advance(byMilliseconds: 40_000)
    #expect(await world.ask(asins(5)).sources.suffix(2) == [.keepa, .keepa])
  }

  @Test func `max_tokens is kept over several calls`() async throws {
    let world = try await World()
    let answer = await world.ask(asins(250)) { $0.maximumTokens = 120 }
    #expect(answer.tokens.reduce(0, +) == 120)
    #expect(answer.reasons.count { $0 == .requestLimit } == 130)
  }

  @Test func `max_tokens of nothing buys nothing and answers from the cache`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1))
    let answer = await world.ask(asins(2)) { $0.maximumTokens = 0 }
    #expect(answer.sources == [.cache, .none])
    #expect(world.keepa.calls.count == 1)
  }

  @Test func `a refusal by Keepa is a refusal with a time, and free`() async throws {
    let world = try await World(balance: 100)
    _ = await world.ask(asins(1))
    world.keepa.setBalance(-30)
    let answer = await world.ask(asins(1..<2))
    #expect(answer.reasons == [.insufficientTokens])
    let retryAt = try #require(answer.outcomes[0].problem?.retryAt)
    #expect(retryAt == Timestamp.testStart.advanced(byMilliseconds: 40_000 + 60_200))
    #expect(try world.meter()[.free] == -30)
    #expect(try world.meter()[.unexplained] == 129)
    #expect(world.keepa.books.charged == 1)
  }

  @Test func `wait_seconds honours the time of a refusal by Keepa`() async throws {
    let world = try await World(balance: 100)
    _ = await world.ask(asins(1))
    world.keepa.setBalance(0)
    let client = world.begin(asins(1..<2)) { $0.wait = 2 * minute }
    await world.time.waitForSleepers(1)
    #expect(world.keepa.calls.count == 2)
    await pass(40_000, world, for: client)
    #expect(await client.value.sources == [.keepa])
    #expect(world.keepa.calls.count == 3)
  }

  @Test func `a refusal without an envelope does not become a storm`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1))
    world.time.advance(byMilliseconds: 10 * minute)
    world.keepa.script(Array(repeating: .refused429(bare: true), count: 1_000))
    let answer = await world.ask(asins(1..<2))
    #expect(answer.reasons == [.insufficientTokens])
    #expect(try #require(answer.outcomes[0].problem?.retryAt) > world.time.now)
    #expect(world.keepa.calls.count == 2)
    let patient = world.begin(asins(1..<2)) { $0.wait = 3 * minute }
    await pass(3 * minute, world, for: patient)
    #expect(await patient.value.reasons == [.insufficientTokens])
    #expect(world.keepa.calls.count <= 6)
  }

  @Test func `wait_seconds buys the rest as refills arrive`() async throws {
    let world = try await World(rate: 5, balance: 2)
    let client = world.begin(asins(12)) { $0.wait = 3 * minute }
    await pass(3 * minute, world, for: client)
    let answer = await client.value
    #expect(answer.sources == Array(repeating: .keepa, count: 12))
    #expect(world.keepa.calls.map(\.asins.count) == [2, 5, 5])
    #expect(try world.count(.spendRefused) == 0)
  }

  @Test func `wait_seconds ends in time, with a refusal on the record`() async throws {
    let world = try await World(rate: 5, balance: 2)
    let client = world.begin(asins(12)) { $0.wait = minute }
    await pass(minute, world, for: client)
    let answer = await client.value
    #expect(answer.sources.count { $0 == .keepa } == 7)
    #expect(answer.reasons.count { $0 == .insufficientTokens } == 5)
    #expect(try world.count(.spendRefused) == 1)
  }

  @Test func `wait_seconds does not wait for what will never fit`() async throws {
    let world = try await World(rate: 1, balance: 0)
    _ = await world.ask(asins(1))
    let answer = await world.ask(asins(1)) {
      $0.wait = hour
      $0.maximumTokens = 0
    }
    #expect(answer.reasons == [.requestLimit])
  }

  @Test func `a clock set back does not make a patient client wait for a day`() async throws {
    let world = try await World(balance: 0)
    let client = world.begin(asins(1)) { $0.wait = minute }
    await world.time.waitForSleepers(1)
    world.time.setWallClock(to: world.time.now.advanced(byMilliseconds: -day))
    await pass(minute + 1_000, world, for: client)
    #expect(await client.value.reasons == [.insufficientTokens])
  }

  @Test func `a balance question that fails does not hide a refusal`() async throws {
    let world = try await World(balance: 0)
    _ = await world.ask(asins(1))
    world.time.advance(byMilliseconds: 2 * minute)
    world.keepa.setBalance(-5_000)
    _ = await world.ask(asins(1))
    world.keepa.setBalanceDown(true)
    world.time.advance(byMilliseconds: 2 * minute)
    let answer = await world.ask(asins(1))
    #expect(answer.reasons == [.insufficientTokens])
  }

  @Test func `overdraft allow lets a call go out while anything is there`() async throws {
    let world = try await World(balance: 1) { $0.overdraft = .allow }
    let answer = await world.ask(asins(250))
    #expect(answer.sources.count { $0 == .keepa } == 100)
    #expect(answer.reasons.count { $0 == .insufficientTokens } == 150)
    #expect(world.keepa.calls.count == 1)
    #expect(try world.meter()[.free] == -99)
    #expect(await world.ask(asins(240..<241)).reasons == [.insufficientTokens])
    #expect(world.keepa.calls.count == 1)
  }

  @Test func `many at once never reserve more than there is`() async throws {
    let world = try await World(balance: 40)
    let tasks = (0..<20).map { index in world.begin(asins(index * 5..<index * 5 + 5)) }
    var bought = 0
    for task in tasks { bought += await task.value.sources.count { $0 == .keepa } }
    #expect(bought == 40)
    #expect(world.keepa.balance == 0)
    #expect(try world.meter()[.reserved] == 0)
    #expect(try world.meter()[.free] == 0)
  }

  /// Lets time pass in steps, each only when the client sleeps, until it has its answer.
  private func pass(
    _ milliseconds: Int64, _ world: World, for client: Task<ProductsAnswer, Never>
  ) async {
    let isDone = Flag()
    Task {
      _ = await client.value
      isDone.set()
    }
    var left = milliseconds
    while !isDone.isSet {
      if left > 0, world.time.sleeperCount > 0 {
        world.time.advance(byMilliseconds: 500)
        left -= 500
      }
      await world.log.settle()
    }
  }
}
