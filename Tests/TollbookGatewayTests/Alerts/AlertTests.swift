import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `Alerts are raised and cleared` {
  @Test func `a share of a budget is told once in a window, however often it is looked at`()
    async throws
  {
    let world = try await AlertWorld()
    try await world.setBudget()
    await world.buy(0..<4)
    try await world.look()
    #expect(try world.raised().isEmpty)
    await world.buy(4..<5)
    for _ in 0..<3 { try await world.look() }
    await world.buy(5..<7)
    for _ in 0..<3 { try await world.look() }
    let alert = try #require(try world.raised().first)
    #expect(try world.raised().map(\.percent) == [50])
    #expect(alert.name == "budget.threshold")
    #expect(alert.budget == "daily")
    #expect(alert.settled == 5)
    #expect(alert.free == 5)
    #expect(alert.window == "day 2026-11-21")
    await world.buy(7..<8)
    try await world.look()
    #expect(try world.raised().map(\.percent) == [50, 80])
  }

  @Test func `a restart raises nothing again`() async throws {
    let world = try await AlertWorld()
    try await world.setBudget()
    await world.buy(0..<11)
    try await world.look()
    let raised = try world.raised().map(\.percent)
    try await world.crash()
    for _ in 0..<2 { try await world.look() }
    #expect(try world.raised().map(\.percent) == raised)
  }

  @Test func `the next window is told anew, and the alerts of the last are over`() async throws {
    let world = try await AlertWorld()
    try await world.setBudget()
    await world.buy(0..<5)
    try await world.look()
    world.time.advance(byMilliseconds: day)
    try await world.look()
    #expect(try world.open().isEmpty)
    #expect(try world.cleared() == ["its window is over"])
    await world.buy(5..<10)
    try await world.look()
    #expect(try world.raised().map(\.window) == ["day 2026-11-21", "day 2026-11-22"])
  }

  @Test func `a limit that is raised ends what is not reached any more, and is told of anew`()
    async throws
  {
    let world = try await AlertWorld()
    try await world.setBudget()
    await world.buy(0..<8)
    try await world.look()
    #expect(try world.open() == ["budget.threshold 80"])
    try await ChangeBudget("daily", limit: 15, now: world.time.now, actor: "test")
      .run(on: world.log)
    try await world.look()
    #expect(try world.open().isEmpty)
    #expect(try world.cleared() == ["the limit was changed"])
    await world.buy(8..<12)
    try await world.look()
    #expect(try world.raised().map(\.percent) == [80, 80])
    #expect(try world.raised().map(\.limit) == [10, 15])
  }

  @Test func `a budget that refuses is told of once, and one that was removed is over`()
    async throws
  {
    let world = try await AlertWorld()
    try await world.setBudget()
    for start in [0, 20, 40] {
      await world.buy(start..<start + 11)
      try await world.look()
    }
    #expect(try world.raised().count { $0.name == "budget.exceeded" } == 1)
    #expect(try world.raised().count == 2)
    try await RemoveBudget("daily", actor: "test").run(on: world.log)
    try await world.look()
    #expect(try world.open().isEmpty)
    #expect(try world.cleared().count == 2)
  }

  @Test
  func
    `of shares reached at once the highest is told, and the lower ones with it`()
    async throws
  {
    let world = try await AlertWorld()
    try await world.setBudget()
    await world.buy(0..<8)
    for _ in 0..<2 { try await world.look() }
    #expect(try world.raised().map(\.percent) == [80])
    await world.buy(8..<9)
    try await world.look()
    #expect(try world.raised().map(\.percent) == [80])
    await world.buy(9..<10)
    try await world.look()
    #expect(try world.raised().map(\.percent) == [80, 100])
  }

  @Test func `a share that is left again by a correction is not told after a higher one`()
    async throws
  {
    let world = try await AlertWorld()
    try await world.setBudget()
    await world.buy(0..<8)
    try await world.look()
    let log = world.log
    let charges = try log.read { (reading) throws(LogError) in
      try log.index.positions(of: .tokensCharged, after: 0, limit: 2, in: reading)
    }
    let charge = try #require(charges.first)
    _ = try await CorrectCharge(
      charge, by: .count(-2), reason: "booked twice", now: world.time.now, actor: "test"
    ).run(on: world.log)
    try await world.look()
    #expect(try world.raised().map(\.percent) == [80])
  }

  @Test func `a budget that was made anew is told of too`() async throws {
    let world = try await AlertWorld()
    try await world.setBudget()
    try await RemoveBudget("daily", actor: "test").run(on: world.log)
    try await world.setBudget()
    await world.buy(0..<5)
    try await world.look()
    #expect(try world.raised().map(\.percent) == [50])
  }

  @Test func `each value of a tag has alerts of its own`() async throws {
    let world = try await AlertWorld()
    var scope = BudgetRow.Scope()
    scope.account = "default"
    scope.tag = "user=*"
    try await world.setBudget(limit: 4, scope: scope)
    await world.buy(0..<2, tags: ["user=ann"])
    await world.buy(2..<3, tags: ["user=bob"])
    try await world.look()
    #expect(try world.raised().map(\.tag) == ["user=ann"])
    #expect(try world.raised().map(\.account) == ["default"])
    await world.buy(3..<4, tags: ["user=bob"])
    try await world.look()
    #expect(try world.raised().map(\.tag) == ["user=ann", "user=bob"])
    try await ChangeBudget("daily", limit: 100, now: world.time.now, actor: "test")
      .run(on: world.log)
    try await world.look()
    #expect(try world.open().isEmpty)
  }

  @Test func `the alert of a budget that rolls is over once enough is free again`() async throws {
    let world = try await AlertWorld()
    try await world.setBudget(limit: 4, window: .rolling(seconds: 3_600))
    await world.buy(0..<2)
    for _ in 0..<2 { try await world.look() }
    #expect(try world.raised().map(\.window) == [""])
    world.time.advance(byMilliseconds: 2 * hour)
    try await world.look()
    #expect(try world.cleared() == ["enough is free again"])
  }

  @Test func `a low balance is told of, and that it has risen`() async throws {
    let world = try await AlertWorld(balance: 52) { $0.lowBalance = 50 }
    await world.buy(0..<1)
    try await world.look()
    #expect(try world.raised().isEmpty)
    await world.buy(1..<4)
    for _ in 0..<2 { try await world.look() }
    let alert = try #require(try world.raised().first)
    #expect(try world.raised().count == 1)
    #expect(alert.name == "meter.low")
    #expect(alert.upstream == "keepa")
    #expect(alert.limit == 50)
    #expect(alert.free == 48)
    world.time.advance(byMilliseconds: 2 * minute)
    try await world.look()
    #expect(try world.open().isEmpty)
    #expect(try world.cleared().count == 1)
  }

  @Test func `without a setting a low balance is nobody's business`() async throws {
    let world = try await AlertWorld(balance: 3)
    await world.buy(0..<3)
    try await world.look()
    #expect(try world.raised().isEmpty)
  }

  @Test func `a credential that is refused is told of, and that it is taken again`() async throws {
    let world = try await AlertWorld()
    world.keepa.setKeyRejected(true)
    await world.buy(0..<1)
    for _ in 0..<2 { try await world.look() }
    #expect(try world.raised().map(\.name) == ["credential.rejected"])
    #expect(try world.raised().map(\.credential) == ["main"])
    world.keepa.setKeyRejected(false)
    world.time.advance(byMilliseconds: 2 * minute)
    await world.gateway.readMeters(of: "keepa")
    try await world.look()
    #expect(try world.open().isEmpty)
    #expect(try world.cleared() == ["it is taken again"])
  }

  @Test func `a key that cools is told of, and a meter that is closed is not said to be one`()
    async throws
  {
    let world = try await AlertWorld()
    try await world.addWebhook(["credential.cooling"])
    var model = Dimension()
    model.name = "model"
    model.value = "flash"
    let meter = MeterKey(owner: "main", dimensions: [model], unit: "requests")
    var event = CredentialCooled()
    event.credential = "main"
    event.quotaGroup = meter.closureName
    event.untilMs = world.time.now.milliseconds + minute
    event.detail = "slow down"
    try await world.log.append([.credentialCooled(event)])
    try await world.look()
    #expect(try world.raised().isEmpty)
    event.quotaGroup = "main"
    try await world.log.append([.credentialCooled(event)])
    for _ in 0..<2 { try await world.look() }
    #expect(try world.raised().map(\.name) == ["credential.cooling"])
    #expect(try world.raised().map(\.credential) == ["main"])
    try await world.deliver()
    #expect(world.bodies.count == 1)
    #expect(world.bodies.first?.contains("keepa wants no calls of the credential main") == true)
    world.time.advance(byMilliseconds: minute)
    try await world.look()
    #expect(try world.open().isEmpty)
    #expect(try world.cleared() == ["its time is over"])
  }
}
