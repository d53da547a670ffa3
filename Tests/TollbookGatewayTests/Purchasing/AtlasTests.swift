import Keepa
import Synchronization
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite(.timeLimit(.minutes(30)))
struct `An upstream that is nothing like Keepa` {
  private func names(_ range: Range<Int>) -> [String] { range.map { "p\($0)" } }

  @Test func `a price is a step of how many are asked, and what nobody tells settles by price`()
    async throws
  {
    let world = try await AtlasWorld()
    #expect(await world.places(names(0..<20)).sources == Array(repeating: .upstream, count: 20))
    #expect(world.weight[.settled] == 2)
    let many = await world.places(names(20..<50))
    #expect(many.outcomes.reduce(0) { $0 + $1.cost } == 10)
    #expect(world.weight[.settled] == 12)
    #expect(world.requests[.settled] == 2)
    #expect(world.money[.settled] == 2 * AtlasUpstream.price)
    let charges = try world.events().compactMap { event -> TokensCharged? in
      if case .tokensCharged(let charge) = event { charge } else { nil }
    }
    #expect(charges.map(\.moves.count) == [3, 3])
    #expect(charges.flatMap(\.moves).allSatisfy { $0.basis == .price })
    #expect(try world.books() == (0, 0, 0))
  }

  @Test func `more than a call takes is cut into calls, each with its own price`() async throws {
    let world = try await AtlasWorld()
    let answer = await world.places(names(0..<65))
    #expect(answer.sources.allSatisfy { $0 == .upstream })
    #expect(world.atlas.books.calls.map(\.names.count).sorted() == [15, 50])
    #expect(world.weight[.settled] == 12)
  }

  @Test func `one figure for a whole minute shows what others used, and that counts at once`()
    async throws
  {
    let world = try await AtlasWorld()
    world.atlas.useElsewhere(89)
    _ = await world.places(names(0..<1))
    #expect(world.weight[.settled] == 2)
    #expect(world.weight[.unexplained] == 89)
    #expect(world.weight[.free] == 9)
    let refused = await world.places(names(20..<45))
    #expect(refused.reasons.allSatisfy { $0 == .limitReached || $0 == nil })
    let problem = try #require(refused.outcomes.last?.problem)
    #expect(problem.detail.contains("weight"))
    #expect(problem.retryAt?.milliseconds == (world.time.now.milliseconds / 60_000 + 1) * 60_000)
    // What fits is bought all the same: 20 places weigh 2.
    #expect(refused.sources.filter { $0 == .upstream }.count == 20)
    #expect(try world.books() == (0, 0, 0))
  }

  @Test func `a window that is used up is waited for until it turns`() async throws {
    let world = try await AtlasWorld()
    world.atlas.useElsewhere(98)
    _ = await world.places(names(0..<1))
    let patient = Task { await world.places(names(1..<2)) { $0.wait = 90_000 } }
    await world.time.waitForSleepers(1)
    while world.atlas.books.calls.count < 2 {
      await world.pass(1_000)
    }
    #expect(await patient.value.sources == [.upstream])
    #expect(world.weight[.settled] == 2)
  }

  @Test func `if one key is refused the other one of the group is used`() async throws {
    let world = try await AtlasWorld()
    world.atlas.reject("atlas:one")
    #expect(await world.places(["a"]).sources == [.upstream])
    #expect(world.atlas.books.calls.map(\.credential) == ["atlas:one", "atlas:two"])
    world.atlas.reject("atlas:two")
    #expect(await world.places(["b"]).reasons == [.keyRejected])
    #expect(await world.places(["c"]).reasons == [.keyRejected])
    #expect(world.atlas.books.calls.count == 3)
    // Who says that it is good again has it tried again at once.
    world.atlas.accept("atlas:two")
    try await world.gateway.changeCredential(
      "atlas:two", status: "active", limit: nil, weight: nil, actor: "somebody")
    #expect(await world.places(["c"]).sources == [.upstream])
  }

  @Test func `what nobody asked for is kept for nothing, and a warning is handed on`() async throws
  {
    let world = try await AtlasWorld()
    _ = await world.places(["a"])
    let near = await world.places(["near a"])
    #expect(near.sources == [.cache])
    #expect(world.atlas.books.calls.count == 1)
    let succeeded = try world.events().compactMap { event -> FetchSucceeded? in
      if case .fetchSucceeded(let event) = event { event } else { nil }
    }
    #expect(succeeded.flatMap(\.handedOn).map(\.reason) == [.unasked])
    let written = try world.events().compactMap { event -> CacheWritten? in
      if case .cacheWritten(let event) = event { event } else { nil }
    }
    #expect(written.map { $0.amounts.count(of: "weight") } == [2, 0])
  }

  @Test func `a call that is passed through is charged to the call itself, and its pieces go on`()
    async throws
  {
    let world = try await AtlasWorld()
    let pieces = Mutex<[String]>([])
    let request = PassedRequest(
      path: "from here to there",
      sink: { piece in
        pieces.withLock { $0.append(String(decoding: piece, as: UTF8.self)) }
      })
    let answer = await world.gateway.pass(
      "atlas.route", request, for: ResourceDemand("atlas.route", [], account: "acme"))
    #expect(try answer.result.get().body == Array("route from here to there".utf8))
    #expect(answer.cost == 1)
    #expect(pieces.withLock { $0 } == ["route", "from", "here", "to", "there"])
    let charge = try #require(
      try world.events().compactMap { event -> TokensCharged? in
        if case .tokensCharged(let charge) = event { charge } else { nil }
      }.first)
    #expect(charge.shares.map(\.resource) == [""])
    #expect(charge.shares.map(\.use) == [.handedOn])
    // It brought a place beside the answer.
    #expect(await world.places(["on the way"]).sources == [.cache])
    // Two such calls are two calls.
    _ = await world.gateway.pass(
      "atlas.route", request, for: ResourceDemand("atlas.route", [], account: "acme"))
    #expect(world.atlas.books.calls.count == 2)
    #expect(try world.books() == (0, 0, 0))
  }

  @Test func `what has to be bought before is bought once, and again when it is over`()
    async throws
  {
    let world = try await AtlasWorld(needsPass: true)
    let tasks = ["a", "b", "c"].map { name in Task { await world.places([name]) } }
    for task in tasks { #expect(await task.value.sources == [.upstream]) }
    #expect(world.atlas.books.calls.count { $0.operation == "atlas.pass" } == 1)
    world.time.advance(byMilliseconds: 3_600_001)
    #expect(await world.places(["d"]).sources == [.upstream])
    #expect(world.atlas.books.calls.count { $0.operation == "atlas.pass" } == 2)
    // A secret is no body.
    let written = try world.events().compactMap { event -> String? in
      if case .cacheWritten(let event) = event { event.resource } else { nil }
    }
    #expect(!written.contains { $0.contains("atlas.pass") })
    #expect(try world.books() == (0, 0, 0))
  }

  @Test(arguments: [
    String(repeating: "x", count: 600), "a\0b", "../b", "a/../b", "a//b", "", "line\nbreak",
  ])
  func `a name that cannot be a key is refused before anything is reserved`(name: String)
    async throws
  {
    let world = try await AtlasWorld()
    let head = world.log.head
    let answer = await world.places([name])
    #expect(answer.reasons == [.requestRejected])
    #expect(world.log.head == head)
    #expect(world.atlas.books.calls.isEmpty)
    let both = await world.places([name, "a"])
    #expect(both.reasons == [.requestRejected, nil])
    await world.gateway.writeTallies()
    #expect(try world.books() == (0, 0, 0))
  }

  // MARK: Booked with the answer

  @Test func `a light call is written down with its answer, in one commit, and held until then`()
    async throws
  {
    let world = try await AtlasWorld()
    world.atlas.useElsewhere(98)
    _ = await world.tick("first")
    let head = world.log.head
    world.atlas.hold()
    let call = Task { await world.tick("a") }
    await world.atlas.waitForParked(1)
    #expect(world.log.head == head)
    // One of the hundred is left, and the call that is out has taken it.
    #expect(await world.tick("b").reasons == [.limitReached])
    world.atlas.letGo()
    #expect(await call.value.sources == [.upstream])
    let log = world.log
    let commits = try log.read { (transaction) throws(LogError) in
      try log.reader.commit(holding: head + 2, in: transaction)
    }
    let kinds = try world.events().suffix(from: Int(head)).map(\.kind)
    #expect(kinds.prefix(1) == [.spendRefused] || kinds.prefix(1) == [.fetchStarted])
    #expect(kinds.contains(.fetchStarted) && kinds.contains(.tokensCharged))
    #expect(commits != nil)
    #expect(world.weight[.settled] == 2)
    #expect(world.weight[.reserved] == 0)
    #expect(try world.books() == (0, 0, 0))
  }

  @Test func `a light call that a crash cut off left nothing, and the next figure tells of it`()
    async throws
  {
    let world = try await AtlasWorld()
    _ = await world.tick("first")
    world.atlas.hold()
    let call = Task { await world.tick("a") }
    await world.atlas.waitForParked(1)
    let head = world.log.head
    await world.end()
    _ = await call.value
    try await world.reopen()
    #expect(try world.events().count == Int(head) + 1)
    _ = await world.tick("b")
    #expect(world.weight[.settled] == 2)
    #expect(world.weight[.unexplained] == 1)
    #expect(try world.books() == (0, 0, 0))
  }

  @Test func `a light call that failed is written down with its failure, and its retry before it`()
    async throws
  {
    let world = try await AtlasWorld()
    world.atlas.script([.timedOut(charged: true)])
    let task = Task { await world.tick("a") }
    while world.atlas.books.calls.count < 2 {
      await world.pass(100)
    }
    #expect(await task.value.sources == [.upstream])
    let kinds = try world.events().map(\.kind)
    #expect(kinds.filter { $0 == .fetchStarted }.count == 1)
    #expect(kinds.filter { $0 == .fetchAttemptFailed }.count == 1)
    #expect(world.weight[.inDoubt] == 1)
    #expect(try world.books() == (0, 0, 0))
  }

  // MARK: Doubts

  @Test func `each meter's doubt ends by its own rule`() async throws {
    let world = try await AtlasWorld()
    world.atlas.script([
      .timedOut(charged: true), .timedOut(charged: true), .timedOut(charged: true),
    ])
    let task = Task { await world.places(["a"]) }
    let isDone = Flag()
    let answer = Task {
      defer { isDone.set() }
      return await task.value
    }
    while !isDone.isSet {
      await world.pass(100)
    }
    #expect(await answer.value.reasons == [.upstreamUnavailable])
    #expect(world.money[.inDoubt] == 3 * AtlasUpstream.price)
    #expect(world.requests[.inDoubt] == 3)
    // The minute is over, and no figure of it comes any more: what was in doubt stays spent there.
    world.time.advance(byMilliseconds: 3 * minute)
    await world.purchaser.watchMeters()
    #expect(world.money[.inDoubt] == 0)
    #expect(world.money[.unprovable] == 3 * AtlasUpstream.price)
    #expect(world.requests[.inDoubt] == 3)
    let today = world.gateway.page(
      AtlasUpstream.requests.inWindow(AtlasUpstream.requestRule.window(at: world.time.now).name))
    world.time.advance(byMilliseconds: 24 * hour)
    await world.purchaser.watchMeters()
    #expect(today[.inDoubt] == 3)
    let ledger = LedgerView(world.log)
    let doubts = try world.log.read { (transaction) throws(LogError) in
      try ledger.holds(in: transaction).filter { $0.state == .inDoubt }
    }
    #expect(doubts.isEmpty)
    #expect(try world.books() == (0, 0, 0))
  }

  @Test
  func `an upstream that says no is asked again when its window has turned, by nobody before`()
    async throws
  {
    let world = try await AtlasWorld()
    world.atlas.script([.tooMany])
    let refused = await world.places(["a"])
    #expect(refused.reasons == [.insufficientTokens])
    let retryAt = try #require(refused.outcomes[0].problem?.retryAt)
    #expect(retryAt.milliseconds == (world.time.now.milliseconds / 60_000 + 1) * 60_000)
    for name in ["b", "c", "d"] {
      #expect(await world.places([name]).reasons == [.insufficientTokens])
    }
    #expect(world.atlas.books.calls.count == 1)
    world.time.advance(byMilliseconds: retryAt.milliseconds - world.time.now.milliseconds)
    #expect(await world.places(["b"]).sources == [.upstream])
  }

  @Test func `the body of what was answered is read without counting it once more`() async throws {
    let world = try await AtlasWorld()
    let answer = await world.places(["a"])
    let entry = try #require(answer.outcomes[0].entry)
    let body = try #require(try world.gateway.body(of: entry))
    #expect(try body.content() == Array("{\"place\":\"a\"}".utf8))
    #expect(world.gateway.tallies.pendingReads == 0)
    #expect(world.gateway.status(of: "atlas")?.state == .ready)
  }

  // MARK: Both together

  @Test func `one upstream that fails does not hold up the other`() async throws {
    let world = try await AtlasWorld()
    world.atlas.hold()
    let stuck = (0..<10).map { index in Task { await world.places(["stuck \(index)"]) } }
    await world.atlas.waitForParked(1)
    let product = await world.gateway.products(
      ProductsRequest(asins: [KeepaASIN("B000000001")!]))
    #expect(product.outcomes.map(\.source) == [.keepa])
    world.atlas.letGo()
    for task in stuck { #expect(await task.value.sources == [.upstream]) }
  }

  @Test(arguments: Seeds.all.prefix(60))
  func `the laws hold over a log of both`(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    let world = try await AtlasWorld(needsPass: seed % 3 == 0, balance: 300)
    var tasks: [Task<Void, Never>] = []
    for _ in 0..<60 {
      step(world, &random, &tasks)
      for _ in 0..<10 { await Task.yield() }
      let books = try world.books()
      #expect(books.residual == 0 && books.parked == 0, "seed \(seed)")
      #expect(world.weight[.free] + world.weight[.unexplained] >= 0, "seed \(seed)")
      #expect(world.money[.free] >= 0, "seed \(seed)")
    }
    let isDone = Flag()
    Task { [tasks] in
      for task in tasks { await task.value }
      await world.gateway.stop()
      isDone.set()
    }
    while !isDone.isSet {
      world.atlas.letGo()
      world.keepa.letGo()
      await world.pass(500)
    }
    #expect(try world.books() == (0, 0, 0), "seed \(seed)")
    #expect(try await world.rebuilt() == [], "seed \(seed)")
  }

  private func step(
    _ world: AtlasWorld, _ random: inout SeededGenerator, _ tasks: inout [Task<Void, Never>]
  ) {
    switch random.int(0...9) {
    case 0..<4:
      let names = (0..<random.int(1...30)).map { _ in "p\(random.int(0...40))" }
      let limit = random.chance(20) ? random.int64(0...12) : nil
      tasks.append(
        Task {
          _ = await world.places(names) { $0.limit = limit }
        })
    case 4:
      let name = "t\(random.int(0...5))"
      tasks.append(Task { _ = await world.tick(name) })
    case 5:
      let asins = (0..<random.int(1...5)).compactMap { _ in
        KeepaASIN("B00000000\(random.int(0...9))")
      }
      tasks.append(Task { _ = await world.gateway.products(ProductsRequest(asins: asins)) })
    case 6:
      world.atlas.script([
        random.pick([
          .notSent, .timedOut(charged: true), .timedOut(charged: false), .failed500, .unreadable,
        ])
      ])
    case 7: world.atlas.useElsewhere(random.int64(1...20))
    case 8: world.time.advance(byMilliseconds: random.int64(1...40_000))
    default: if random.chance(50) { world.atlas.hold() } else { world.atlas.letGo() }
    }
  }
}
