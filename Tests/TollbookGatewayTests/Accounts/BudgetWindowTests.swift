import Keepa
import Testing
import TollbookEvents
import TollbookTestSupport

@testable import TollbookGateway

@Suite struct `Windows of budgets` {
  @Test func `a day ends at midnight in the zone of its account`() async throws {
    let world = try await World()
    try await world.openAccount("acme", zone: "Europe/Berlin")
    try await world.setBudget("day", limit: 2, .day, account: "acme")
    world.time.advance(byMilliseconds: 14 * hour + 30 * minute)
    let late = await world.ask(asins(3), as: "acme")
    #expect(late.budgets == [nil, nil, "day"])
    #expect(late.outcomes[2].problem?.retryAt == instant("2026-11-21T23:00:00Z"))
    world.time.advance(byMilliseconds: 30 * minute)
    #expect(await world.ask(asins(10..<13), as: "acme").budgets == [nil, nil, "day"])
    #expect(try world.standing("day")?.window == "day 2026-11-22")
  }

  @Test func `a day that the clocks make shorter ends an hour earlier`() async throws {
    let world = try await World()
    try await world.openAccount("acme", zone: "Europe/Berlin")
    try await world.setBudget("day", limit: 2, .day, account: "acme")
    let night = instant("2027-03-27T23:30:00Z")
    world.time.advance(byMilliseconds: night.milliseconds - world.time.now.milliseconds)
    #expect(await world.ask(asins(1), as: "acme").budgets == [nil])
    world.time.advance(byMilliseconds: 22 * hour)
    let late = await world.ask(asins(10..<12), as: "acme")
    #expect(late.budgets == [nil, "day"])
    #expect(late.outcomes[1].problem?.budget?.window == "day 2027-03-28")
    #expect(late.outcomes[1].problem?.retryAt == instant("2027-03-28T22:00:00Z"))
    world.time.advance(byMilliseconds: 30 * minute)
    #expect(await world.ask(asins(20..<22), as: "acme").budgets == [nil, nil])
  }

  @Test(arguments: [BudgetOrder.Window.minute, .hour, .day, .week, .month])
  func `a clock that is set back reopens no window that was spent`(
    window: BudgetOrder.Window
  ) async throws {
    let world = try await World()
    try await world.setBudget("window", limit: 2, window)
    #expect(await world.ask(asins(3)).budgets == [nil, nil, "window"])
    let spent = world.time.now
    let frees = try #require(try world.standing("window")?.frees)
    world.time.advance(byMilliseconds: frees.milliseconds - spent.milliseconds)
    #expect(await world.ask(asins(10..<12)).budgets == [nil, nil])
    world.time.setWallClock(to: spent)
    #expect(await world.ask(asins(20..<21)).budgets == ["window"])
    #expect(try world.residual() == 0)
  }

  @Test func `one that rolls frees bit by bit, also what it opened with`() async throws {
    let world = try await World()
    _ = await world.ask(asins(2))
    try await world.setBudget("rolling", limit: 5, .rolling(seconds: 3_600))
    #expect(await world.ask(asins(10..<12)).budgets == [nil, nil])
    #expect(try world.standing("rolling")?.free == 1)
    world.time.advance(byMilliseconds: 30 * minute)
    let answer = await world.ask(asins(20..<22))
    #expect(answer.budgets == [nil, "rolling"])
    #expect(answer.outcomes[1].problem?.budget?.window == "the last 3600 seconds")
    let retry = try #require(answer.outcomes[1].problem?.retryAt)
    world.time.advance(byMilliseconds: retry.milliseconds - world.time.now.milliseconds - 1)
    #expect(await world.ask(asins(30..<31)).budgets == ["rolling"])
    world.time.advance(byMilliseconds: 1)
    #expect(await world.ask(asins(30..<34)).budgets == [nil, nil, nil, nil])
    #expect(await world.ask(asins(40..<41)).budgets == ["rolling"])
  }

  @Test func `the time of a refusal by what one that rolls opens with is told right`() async throws
  {
    let world = try await World()
    _ = await world.ask(asins(5))
    try await world.setBudget("rolling", limit: 5, .rolling(seconds: 3_600))
    let answer = await world.ask(asins(10..<11))
    #expect(answer.budgets == ["rolling"])
    let retry = try #require(answer.outcomes[0].problem?.retryAt)
    #expect(retry > world.time.now)
    world.time.advance(byMilliseconds: retry.milliseconds - world.time.now.milliseconds)
    #expect(await world.ask(asins(10..<11)).budgets == [nil])
  }
}
