import Keepa
import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams

@testable import TollbookGateway

@Suite struct `Accounts` {
  @Test func `one that was closed buys nothing, and others go on in the same call`() async throws {
    let world = try await World { $0.concurrentCalls = 1 }
    _ = await world.ask(asins(1))
    for id in ["acme", "zeta"] { try await world.openAccount(id) }
    try await CloseAccount(id: "acme", actor: "test").run(on: world.log)
    world.keepa.hold()
    let first = world.begin(asins(1..<2))
    await world.keepa.waitForParked(1)
    let acme = world.begin(asins(10..<12), as: "acme")
    let zeta = world.begin(asins(20..<22), as: "zeta")
    await world.waitForDemands(3)
    world.keepa.letGo()
    _ = await first.value
    #expect(await acme.value.reasons == [.accountClosed, .accountClosed])
    #expect(await zeta.value.sources == [.keepa, .keepa])
    #expect(world.keepa.calls.last?.asins == asins(20..<22))
  }

  @Test(.timeLimit(.minutes(5)))
  func `a demand of one that was closed is answered too if all of it is wanted or nothing`()
    async throws
  {
    let world = try await World()
    try await world.openAccount("acme")
    try await CloseAccount(id: "acme", actor: "test").run(on: world.log)
    var request = ProductsRequest(asins: asins(2).compactMap { KeepaASIN($0) })
    request.principal = Principal(account: "acme", scopes: [.fetch])
    var demand = request.demand
    demand.isWhole = true
    let answer = await world.gateway.answer(demand)
    #expect(answer.outcomes.map { $0.problem?.reason } == [.accountClosed, .accountClosed])
    #expect(world.keepa.calls.isEmpty)
  }

  @Test func `one is not closed while something is held for it`() async throws {
    let world = try await World { $0.retries.attempts = 1 }
    _ = await world.ask(asins(1))
    try await world.openAccount("acme")
    world.keepa.hold()
    world.keepa.script([.lost(charged: false)])
    let client = world.begin(asins(10..<13), as: "acme")
    await world.keepa.waitForParked(1)
    let text = "the account acme has 3 tokens reserved or in doubt; close it when that has ended"
    let whileReserved = await refusal {
      try await CloseAccount(id: "acme", actor: "").run(on: world.log)
    }
    #expect(whileReserved == AccountRefusal(.conflict, "account", text))
    world.keepa.letGo()
    _ = await client.value
    let whileInDoubt = await refusal {
      try await CloseAccount(id: "acme", actor: "").run(on: world.log)
    }
    #expect(whileInDoubt?.description == text)
    world.time.advance(byMilliseconds: 61_000)
    await world.gateway.keepaPurchaser?.watchMeters()
    try await CloseAccount(id: "acme", actor: "").run(on: world.log)
  }

  @Test func `one is opened once, and its name is not given again`() async throws {
    let world = try await World()
    try await world.openAccount("acme")
    #expect(
      await refusal { try await world.openAccount("acme") }?.description
        == "the account acme is open already")
    try await CloseAccount(id: "acme", actor: "").run(on: world.log)
    #expect(
      await refusal { try await world.openAccount("acme") }?.description
        == "the account acme was closed, and its name is not given again")
    #expect(
      await refusal { try await CloseAccount(id: "acme", actor: "").run(on: world.log) }?.kind
        == .conflict)
    #expect(
      await refusal { try await CloseAccount(id: "none", actor: "").run(on: world.log) }?.kind
        == .notFound)
    #expect(
      await refusal { try await world.setBudget("b", limit: 1, account: "acme") }?.description
        == "the account acme is closed")
  }

  @Test(arguments: [
    ("", "id is empty"), ("Acme", "id is “Acme”; it is made of a–z, 0–9, ., - and _"),
    ("a/b", "id is “a/b”; it is made of a–z, 0–9, ., - and _"),
    (String(repeating: "a", count: 65), "id has 65 bytes; 64 are allowed"),
  ])
  func `a name that is none is refused`(name: String, text: String) async throws {
    #expect(
      await refusal { _ = try OpenAccount(id: name, actor: "") }
        == AccountRefusal(.invalid, "id", text))
  }

  @Test func `a zone that does not exist is refused by name`() async throws {
    let refused = await refusal {
      _ = try OpenAccount(id: "acme", timeZone: "Mars/Base", actor: "")
    }
    #expect(
      refused
        == AccountRefusal(
          .invalid, "time_zone",
          "there is no time zone “Mars/Base”; it is a name such as Europe/Berlin"))
  }

  @Test func `there are so many accounts and so many keys, and no more`() async throws {
    let world = try await World()
    try await world.openAccount("acme")
    var order = try OpenAccount(id: "zeta", actor: "")
    order.most = 1
    let second = order
    #expect(
      await refusal { try await second.run(on: world.log) }
        == AccountRefusal(.conflict, "id", "1 accounts were opened; there can be no more"))
    var issue = try IssueAccessKey(
      AccessKey(), account: "acme", scopes: ["read"], known: [], now: world.time.now, actor: "")
    issue.most = 1
    try await issue.run(on: world.log, default: "default")
    let known = issue.key.id
    issue.key = AccessKey()
    let next = issue
    #expect(
      await refusal { try await next.run(on: world.log, default: "default") }?.description
        == "1 access keys were issued; there can be no more")
    var rotation = try RotateAccessKey(
      id: known, AccessKey(), overlap: 0, now: world.time.now, actor: "")
    rotation.most = 1
    let rotate = rotation
    #expect(await refusal { _ = try await rotate.run(on: world.log) }?.kind == .conflict)
  }

  // MARK: What a key is for

  @Test func `a key for other kinds gets nothing, not from the cache either`() async throws {
    let world = try await World()
    _ = await world.ask(asins(1))
    let answer = await world.ask(asins(2)) {
      $0.principal = Principal(
        account: "default", accessKey: "k", scopes: [.fetch], kinds: ["keepa.discovery"])
    }
    #expect(answer.sources == [.none, .none])
    #expect(answer.reasons == [.notAllowed, .notAllowed])
    #expect(answer.outcomes[0].problem?.detail == "the access key is not for keepa.product")
    let ok = await world.ask(asins(2)) {
      $0.principal = Principal(
        account: "default", accessKey: "k", scopes: [.fetch], kinds: ["keepa.product"])
    }
    #expect(ok.sources == [.cache, .keepa])
    let passed = await world.gateway.pass(
      "keepa.call", PassedRequest(path: "/x"),
      for: {
        var demand = ResourceDemand("keepa.call", [])
        demand.principal.kinds = ["keepa.product"]
        return demand
      }())
    guard case .failure(let problem) = passed.result else {
      Issue.record("it was passed through")
      return
    }
    #expect(problem.reason == .notAllowed)
  }

  @Test func `what belongs to an account is nobody else's`() {
    let resource = ResourceKey(account: "acme", kind: "extract.page", path: "1")
    let zeta = Principal(account: "zeta", scopes: [.read, .fetch])
    #expect(zeta.problem(with: resource)?.reason == .notAllowed)
    #expect(Principal(account: "acme", scopes: [.read]).problem(with: resource) == nil)
    #expect(Principal(account: "zeta", scopes: [.admin]).problem(with: resource) == nil)
  }

  private func refusal(_ body: () async throws -> Void) async -> AccountRefusal? {
    do { try await body() } catch { return error as? AccountRefusal }
    return nil
  }
}
