import Keepa
import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite struct `Doubts on budgets` {
  private func world() async throws -> World {
    // Of a bucket that is full nobody can tell what was taken.
    let world = try await World(balance: 400) { $0.retries.attempts = 1 }
    _ = await world.ask(asins(1))
    try await world.setBudget("spring", limit: 10, .hour)
    return world
  }

  private func observe(_ world: World) async {
    world.time.advance(byMilliseconds: 61_000)
    await world.gateway.keepaPurchaser?.watchMeters()
  }

  @Test(arguments: [true, false])
  func `one ends as that of the upstream's meter`(wasCharged: Bool) async throws {
    let world = try await world()
    world.keepa.script([.lost(charged: wasCharged)])
    _ = await world.ask(asins(10..<13))
    #expect(try world.standing("spring")?.inDoubt == 3)
    // What is in doubt counts as spent.
    #expect(try world.standing("spring")?.free == 6)
    await observe(world)
    let standing = try #require(try world.standing("spring"))
    #expect(standing.inDoubt == 0)
    #expect(standing.settled == (wasCharged ? 4 : 1))
    #expect(standing.free == (wasCharged ? 6 : 9))
    #expect(try world.residual() == 0)
  }

  @Test func `one that nobody can prove stays spent`() async throws {
    let world = try await world()
    world.keepa.script([.lost(charged: false)])
    _ = await world.ask(asins(10..<13))
    world.keepa.spendElsewhere(20)
    await observe(world)
    let standing = try #require(try world.standing("spring"))
    #expect(standing.inDoubt == 0)
    #expect(standing.unprovable == 3)
    #expect(standing.free == 6)
    #expect(try world.residual() == 0)
  }

  @Test func `one ends by hand with that of the meter`() async throws {
    let world = try await world()
    world.keepa.script([.lost(charged: true)])
    _ = await world.ask(asins(10..<13))
    let doubt = try #require(try world.holds().first { !$0.isLimitOnly })
    _ = try await ResolveCommand(
      fetch: doubt.fetch, attempt: doubt.attempt, settled: 2, note: "by the bill"
    ).run(on: world.log)
    let standing = try #require(try world.standing("spring"))
    #expect(standing.inDoubt == 0)
    #expect(standing.settled == 3)
    #expect(try world.holds().isEmpty)
    #expect(try world.residual() == 0)
  }

  @Test func `a call that was not sent is given back to its budget`() async throws {
    let world = try await world()
    world.keepa.script([.notSent])
    _ = await world.ask(asins(10..<13))
    #expect(try world.standing("spring")?.free == 9)
    #expect(try world.holds().isEmpty)
  }

  @Test func `a crash leaves a doubt on the budget too, and it ends with the meter's`()
    async throws
  {
    let world = try await world()
    world.keepa.hold()
    let client = world.begin(asins(10..<13))
    await world.keepa.waitForParked(1)
    #expect(try world.standing("spring")?.reserved == 3)
    await world.end(orderly: false)
    _ = await client.value
    try await world.reopen()
    #expect(try world.standing("spring")?.reserved == 0)
    #expect(try world.standing("spring")?.inDoubt == 3)
    await observe(world)
    #expect(try world.standing("spring")?.inDoubt == 0)
    #expect(try world.residual() == 0)
  }

  // MARK: Retries

  @Test func `a retry is admitted anew: what is in doubt leaves no room for it`() async throws {
    let world = try await World { $0.retries.attempts = 2 }
    _ = await world.ask(asins(1))
    try await world.setBudget("spring", limit: 4, .hour)
    world.keepa.script([.lost(charged: true)])
    let client = world.begin(asins(10..<12))
    #expect(await client.value.sources == [.none, .none])
    #expect(world.keepa.calls.count == 2)
    let ends = try world.events().compactMap { event -> FailureReason? in
      if case .fetchFailed(let event) = event { event.reason } else { nil }
    }
    #expect(ends == [.retryRefused])
    #expect(try world.standing("spring")?.inDoubt == 2)
    #expect(try world.standing("spring")?.reserved == 0)
  }

  @Test func `a retry counts on a budget that was made meanwhile, and on that alone once`()
    async throws
  {
    let world = try await World { $0.retries.attempts = 2 }
    _ = await world.ask(asins(1))
    world.keepa.hold()
    world.keepa.script([.notSent])
    let client = world.begin(asins(10..<12))
    await world.keepa.waitForParked(1)
    // What was held for the attempt that is not sent is free again when the next is decided.
    try await world.setBudget("spring", limit: 3, .hour)
    world.keepa.letGo()
    let isDone = Flag()
    let answer = Task {
      defer { isDone.set() }
      return await client.value
    }
    while !isDone.isSet { await world.pass(1_000) }
    #expect(await answer.value.sources == [.keepa, .keepa])
    #expect(try world.standing("spring")?.settled == 3)
    #expect(try world.standing("spring")?.free == 0)
    #expect(try world.residual() == 0)
  }

  @Test func `a budget that was paused meanwhile does not stop a retry`() async throws {
    let world = try await World { $0.retries.attempts = 2 }
    _ = await world.ask(asins(1))
    try await world.setBudget("spring", limit: 3, .hour)
    world.keepa.hold()
    world.keepa.script([.lost(charged: true)])
    let client = world.begin(asins(10..<12))
    await world.keepa.waitForParked(1)
    try await world.changeBudget("spring", isPaused: true)
    world.keepa.letGo()
    let isDone = Flag()
    let answer = Task {
      defer { isDone.set() }
      return await client.value
    }
    while !isDone.isSet { await world.pass(1_000) }
    #expect(await answer.value.sources == [.keepa, .keepa])
    #expect(try world.standing("spring")?.free == -2)
  }

  @Test(arguments: [true, false])
  func `a retry finds no room for its value where others have taken it meanwhile`(isHard: Bool)
    async throws
  {
    let world = try await World {
      $0.retries.attempts = 2
      $0.mostBudgetValues = 1
    }
    _ = await world.ask(asins(1))
    world.keepa.hold()
    world.keepa.script([.notSent])
    let bob = world.begin(asins(10..<11), as: "default", tags: ["user=bob"])
    await world.keepa.waitForParked(1)
    try await world.setBudget("each", limit: 5, .hour, tag: "user=*", isHard: isHard)
    let ann = world.begin(asins(20..<21), as: "default", tags: ["user=ann"])
    await world.keepa.waitForParked(2)
    world.keepa.letGo()
    let isDone = Flag()
    let answer = Task {
      defer { isDone.set() }
      return await bob.value
    }
    while !isDone.isSet { await world.pass(1_000) }
    #expect(await ann.value.sources == [.keepa])
    // One that refuses nothing leaves out what it has no room for.
    #expect(await answer.value.sources == [isHard ? .none : .keepa])
    let ends = try world.events().compactMap { event -> FailureReason? in
      if case .fetchFailed(let event) = event { event.reason } else { nil }
    }
    #expect(ends == (isHard ? [.retryRefused] : []))
    #expect(try world.gateway.budgets().map(\.tag) == ["user=ann"])
    #expect(try world.standing("each", tag: "user=ann")?.settled == 1)
    #expect(try world.holds().isEmpty)
    #expect(try world.residual() == 0)
  }

  @Test func `the value that an attempt was counted on has its room in the retry too`()
    async throws
  {
    let world = try await World {
      $0.retries.attempts = 2
      $0.mostBudgetValues = 1
    }
    _ = await world.ask(asins(1))
    try await world.setBudget("each", limit: 5, .hour, tag: "user=*")
    world.keepa.script([.notSent])
    let bob = world.begin(asins(10..<11), as: "default", tags: ["user=bob"])
    let isDone = Flag()
    let answer = Task {
      defer { isDone.set() }
      return await bob.value
    }
    while !isDone.isSet { await world.pass(1_000) }
    #expect(await answer.value.sources == [.keepa])
    #expect(world.keepa.calls.count == 3)
    #expect(try world.standing("each", tag: "user=bob")?.settled == 1)
  }
}
