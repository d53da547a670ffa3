import Keepa
import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite struct `Budgets` {
  @Test func `the longest prefix is bought, and the rest is refused by name`() async throws {
    let world = try await World()
    try await world.openAccount("acme")
    try await world.setBudget("spring", limit: 3, .day, account: "acme")
    let answer = await world.ask(asins(5), as: "acme")
    #expect(answer.sources == [.keepa, .keepa, .keepa, .none, .none])
    #expect(answer.budgets == [nil, nil, nil, "spring", "spring"])
    let problem = try #require(answer.outcomes[3].problem)
    #expect(problem.reason == .budgetExceeded)
    #expect(
      problem.detail
        == "the budget spring, day 2026-11-21, has 0 of 3 tokens left; wanted: 2")
    #expect(problem.retryAt == instant("2026-11-22T00:00:00Z"))
    let refusal = try #require(problem.budget)
    #expect(refusal.limit == 3)
    #expect(refusal.free == 0)
    #expect(refusal.wanted == 2)
    #expect(refusal.window == "day 2026-11-21")
    #expect(world.keepa.books.charged == 3)
    let refused = try world.events().compactMap { event -> SpendRefused? in
      if case .spendRefused(let event) = event { event } else { nil }
    }
    #expect(refused.map { $0.refusingWant.meter.owner } == ["spring"])
    let standing = try #require(try world.standing("spring"))
    #expect(standing.settled == 3)
    #expect(standing.free == 0)
    #expect(standing.frees == instant("2026-11-22T00:00:00Z"))
    #expect(try world.residual() == 0)
  }

  @Test func `of a budget the background leaves a share for those who wait for an answer`()
    async throws
  {
    let world = try await World { $0.budgetReserve = 25 }
    _ = await world.ask(asins(900..<901))
    // One is spent, and two are kept.
    try await world.setBudget("spring", limit: 11)
    try await world.setBudget("soft", limit: 1, isHard: false)
    var behind = ResourceDemand(
      "keepa.product",
      asins(9).compactMap { KeepaASIN($0) }.map { KeepaUpstream.resource($0, .unitedStates) })
    behind.isBackground = true
    guard case .success(let preview) = world.gateway.preview(behind) else {
      Issue.record("it cannot be told what it would cost")
      return
    }
    #expect(preview.fates.count { if case .bought = $0.fate { true } else { false } } == 8)
    let first = await world.gateway.answer(behind)
    #expect(first.outcomes.count { $0.problem == nil } == 8)
    #expect(first.outcomes[8].problem?.budget?.name == "spring")
    #expect(first.outcomes[8].problem?.budget?.free == 0)
    let second = await world.ask(asins(20..<23))
    #expect(second.sources == [.keepa, .keepa, .none])
    #expect(try world.standing("spring")?.free == 0)
  }

  @Test func `of two accounts in one call a budget refuses its own`() async throws {
    let world = try await World { $0.concurrentCalls = 1 }
    _ = await world.ask(asins(1))
    try await world.openAccount("acme")
    try await world.openAccount("zeta")
    try await world.setBudget("small", limit: 1, account: "acme")
    world.keepa.hold()
    let first = world.begin(asins(1..<2))
    await world.keepa.waitForParked(1)
    let acme = world.begin(asins(10..<13), as: "acme")
    await world.waitForDemands(2)
    let zeta = world.begin(asins(20..<23), as: "zeta")
    await world.waitForDemands(3)
    world.keepa.letGo()
    _ = await first.value
    #expect(await acme.value.sources == [.keepa, .none, .none])
    #expect(await acme.value.budgets == [nil, "small", "small"])
    #expect(await zeta.value.sources == [.keepa, .keepa, .keepa])
    #expect(world.keepa.calls.count == 3)
    #expect(Set(world.keepa.calls[2].asins) == Set(asins(10..<11) + asins(20..<23)))
    #expect(try world.standing("small")?.settled == 1)
    #expect(try world.holds().isEmpty)
    #expect(try world.residual() == 0)
  }

  @Test func `one that is soft and one that is paused count, and refuse nothing`() async throws {
    let world = try await World()
    try await world.setBudget("soft", limit: 1, isHard: false)
    try await world.setBudget("paused", limit: 1, isPaused: true)
    #expect(await world.ask(asins(3)).sources == [.keepa, .keepa, .keepa])
    for name in ["soft", "paused"] {
      let standing = try #require(try world.standing(name))
      #expect(standing.settled == 3)
      #expect(standing.free == -2)
    }
    try await world.changeBudget("paused", isPaused: false)
    let answer = await world.ask(asins(10..<11))
    #expect(answer.budgets == ["paused"])
    #expect(answer.outcomes[0].problem?.budget?.free == -2)
    #expect(try world.standing("soft")?.settled == 3)
  }

  @Test func `a limit that is raised or lowered counts from the next decision on`() async throws {
    let world = try await World()
    try await world.setBudget("spring", limit: 2)
    #expect(await world.ask(asins(3)).sources == [.keepa, .keepa, .none])
    try await world.changeBudget("spring", limit: 3)
    #expect(try world.standing("spring")?.free == 1)
    #expect(await world.ask(asins(3)).sources == [.cache, .cache, .keepa])
    try await world.changeBudget("spring", limit: 1)
    #expect(try world.standing("spring")?.free == -2)
    #expect(await world.ask(asins(10..<11)).budgets == ["spring"])
    try await world.changeBudget("spring", limit: 5)
    #expect(await world.ask(asins(10..<13)).sources == [.keepa, .keepa, .none])
    #expect(try world.residual() == 0)
  }

  @Test func `the tightest of several refuses, and nothing is held on the others`() async throws {
    let world = try await World()
    try await world.setBudget("wide", limit: 10)
    try await world.setBudget("tight", limit: 1)
    #expect(await world.ask(asins(3)).budgets == [nil, "tight", "tight"])
    #expect(try world.standing("wide")?.settled == 1)
    #expect(try world.standing("wide")?.reserved == 0)
  }

  @Test func `what one asker is refused does not take it from others`() async throws {
    let world = try await World { $0.concurrentCalls = 1 }
    _ = await world.ask(asins(1))
    try await world.setBudget("all", limit: 3)
    try await world.setBudget("ann", limit: 0, tag: "user=ann")
    world.keepa.hold()
    let first = world.begin(asins(1..<2))
    await world.keepa.waitForParked(1)
    // What ann is refused is not taken from what all share.
    let ann = world.begin(asins(10..<13), as: "default", tags: ["user=ann"])
    await world.waitForDemands(2)
    let bob = world.begin(asins(20..<22), as: "default", tags: ["user=bob"])
    await world.waitForDemands(3)
    world.keepa.letGo()
    _ = await first.value
    #expect(await ann.value.budgets == ["ann", "ann", "ann"])
    #expect(await bob.value.sources == [.keepa, .none])
    #expect(await bob.value.budgets == [nil, "all"])
  }

  @Test func `one has room for so many values of its tag, and refuses others by name`()
    async throws
  {
    let world = try await World { $0.mostBudgetValues = 2 }
    try await world.setBudget("each", limit: 5, .hour, tag: "user=*")
    func ask(_ user: String, _ first: Int) async -> ProductsAnswer {
      await world.ask(asins(first..<first + 1), as: "default", tags: ["user=\(user)"])
    }
    #expect(await ask("ann", 0).budgets == [nil])
    #expect(await ask("bob", 1).budgets == [nil])
    let cat = await ask("cat", 2)
    #expect(cat.budgets == ["each"])
    #expect(
      cat.outcomes[0].problem?.detail
        == "the budget each counts each value of its tag by itself, and 2 values are the most:"
        + " there is no room for user=cat")
    #expect(cat.outcomes[0].problem?.retryAt == nil)
    #expect(world.keepa.books.charged == 2)
    // Values that it has go on, in a later window too.
    world.time.advance(byMilliseconds: hour)
    #expect(await ask("ann", 3).budgets == [nil])
    #expect(await ask("bob", 4).budgets == [nil])
    #expect(await ask("cat", 5).budgets == ["each"])
    // One that refuses nothing counts what it has room for.
    try await world.changeBudget("each", isPaused: true)
    #expect(await ask("cat", 6).budgets == [nil])
    #expect(try world.gateway.budgets().map(\.tag) == ["user=ann", "user=bob"])
    #expect(try world.residual() == 0)
    // Made anew it has room again.
    try await world.removeBudget("each")
    try await world.setBudget("each", limit: 5, .hour, tag: "user=*")
    #expect(await ask("cat", 7).budgets == [nil])
  }

  // MARK: What was before

  @Test func `a new one opens with what its day has spent, in the zone of its account`()
    async throws
  {
    let world = try await World()
    try await world.openAccount("acme", zone: "Europe/Berlin")
    _ = await world.ask(asins(2), as: "acme")
    // In Berlin it is the next day.
    world.time.advance(byMilliseconds: 15 * hour + 30 * minute)
    _ = await world.ask(asins(10..<13), as: "acme")
    _ = await world.ask(asins(20..<24))
    try await world.setBudget("spring", limit: 5, .day, account: "acme")
    let standing = try #require(try world.standing("spring"))
    #expect(standing.settled == 3)
    #expect(standing.free == 2)
    #expect(standing.window == "day 2026-11-22")
    #expect(await world.ask(asins(30..<33), as: "acme").budgets == [nil, nil, "spring"])
    #expect(try world.standing("spring")?.settled == 5)
    #expect(try world.residual() == 0)
  }

  @Test func `one for each value of a tag opens with what the value has spent`() async throws {
    let world = try await World()
    _ = await world.ask(asins(2), as: "default", tags: ["branch=a", "user=ann"])
    _ = await world.ask(asins(2..<3), as: "default", tags: ["user=bob"])
    _ = await world.ask(asins(3..<9), as: "default")
    try await world.setBudget("each", limit: 3, tag: "user=*")
    let ann = await world.ask(asins(10..<12), as: "default", tags: ["branch=b", "user=ann"])
    #expect(ann.budgets == [nil, "each"])
    #expect(ann.outcomes[1].problem?.budget?.tag == "user=ann")
    let bob = await world.ask(asins(20..<23), as: "default", tags: ["user=bob"])
    #expect(bob.budgets == [nil, nil, "each"])
    #expect(await world.ask(asins(30..<33), as: "default").sources == [.keepa, .keepa, .keepa])
    #expect(try world.standing("each", tag: "user=ann")?.settled == 3)
    #expect(try world.standing("each", tag: "user=bob")?.settled == 3)
    #expect(try world.gateway.budgets().count == 2)
  }

  @Test func `what is held when one is made counts, and is counted once`() async throws {
    let world = try await World()
    _ = await world.ask(asins(10))
    world.keepa.hold()
    let client = world.begin(asins(10..<12))
    await world.keepa.waitForParked(1)
    try await world.setBudget("spring", limit: 15)
    #expect(try world.standing("spring")?.settled == 12)
    let next = world.begin(asins(20..<25))
    await world.keepa.waitForParked(2)
    world.keepa.letGo()
    _ = await client.value
    #expect(await next.value.budgets == [nil, nil, nil, "spring", "spring"])
    #expect(try world.standing("spring")?.settled == 15)
  }

  @Test func `several calls of one decision open a page once`() async throws {
    let world = try await World()
    _ = await world.ask(asins(10))
    try await world.setBudget("spring", limit: 200)
    #expect(await world.ask(asins(100..<250)).sources.allSatisfy { $0 == .keepa })
    #expect(world.keepa.calls.count == 3)
    let standing = try #require(try world.standing("spring"))
    #expect(standing.settled == 160)
    #expect(standing.free == 40)
    #expect(try world.residual() == 0)
  }

  @Test func `one that is made anew begins anew, and the old one stays in the books`() async throws
  {
    let world = try await World()
    try await world.setBudget("edition", limit: 2, .day, tag: "edition=*")
    _ = await world.ask(asins(3), as: "default", tags: ["edition=7"])
    try await world.removeBudget("edition")
    #expect(try world.standing("edition", tag: "edition=7") == nil)
    #expect(
      await world.ask(asins(10..<13), as: "default", tags: ["edition=7"]).budgets == [
        nil, nil, nil,
      ])
    try await world.setBudget("edition", limit: 6, .day, tag: "edition=*")
    let answer = await world.ask(asins(20..<22), as: "default", tags: ["edition=7"])
    #expect(answer.budgets == [nil, "edition"])
    #expect(answer.outcomes[1].problem?.budget?.tag == "edition=7")
    #expect(try world.standing("edition", tag: "edition=7")?.settled == 6)
    #expect(try world.gateway.budgets().count == 1)
  }

  @Test func `one of an access key counts what is asked with that key`() async throws {
    let world = try await World()
    let key = AccessKey()
    try await IssueAccessKey(
      key, account: "default", scopes: ["fetch"], known: [], now: world.time.now, actor: "test"
    ).run(on: world.log, default: "default")
    try await world.setBudget("key", limit: 1, accessKey: key.id)
    let with = await world.ask(asins(2)) {
      $0.principal = Principal(account: "default", accessKey: key.id, scopes: [.fetch])
    }
    #expect(with.budgets == [nil, "key"])
    #expect(await world.ask(asins(10..<12)).budgets == [nil, nil])
  }
}
