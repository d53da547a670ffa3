import Hummingbird
import HummingbirdTesting
import Keepa
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import TollbookHTTP

/// What may spend is made once for an idempotency key, and its answer repeated for a day.
@Suite(.timeLimit(.minutes(5)))
struct IdempotencyTests {
  private static let key: HTTPFields = [.idempotencyKey: "order-1"]
  private static let live = ",\"max_age_seconds\":0"
  private static let product = "/keepa/product?domain=1&asin=B000000001"

  private func rows(_ stand: Stand) throws -> [RequestRow] {
    let requests = RequestsView(stand.log)
    return try stand.log.read { (reading) throws(LogError) in
      try requests.due(before: Timestamp(milliseconds: .max), limit: 100, in: reading)
    }.map(\.request)
  }

  @Test func `a repeat gets the same answer in every byte, and costs nothing`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let first = try await caller.batch(
        ["B000000001", "B000000002"], Self.live, headers: Self.key)
      #expect(first.status == 200)
      #expect(first.int("stats.tokens_used") == 2)
      #expect(first.headers[.idempotencyReplayed] == nil)
      stand.time.advance(byMilliseconds: 3_600_000)
      let second = try await caller.batch(
        ["B000000001", "B000000002"], Self.live, headers: Self.key)
      #expect(second.status == 200)
      #expect(second.bytes == first.bytes)
      #expect(second.headers[.idempotencyReplayed] == "true")
      for name in [HeaderName.charge, .position, .contentType] {
        #expect(second.headers[name] == first.headers[name], "\(name)")
      }
      // What bears no key, or another one, is made.
      stand.time.advance(byMilliseconds: 1_000)
      let without = try await caller.batch(["B000000001", "B000000002"], Self.live)
      #expect(without.int("stats.tokens_used") == 2)
      stand.time.advance(byMilliseconds: 1_000)
      let other = try await caller.batch(
        ["B000000001", "B000000002"], Self.live, headers: [.idempotencyKey: "order-2"])
      #expect(other.int("stats.tokens_used") == 2)
      try await caller.expectBooks(spent: 6)
    }
  }

  @Test func `the same key with another request is 422, whatever differs`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      #expect(try await caller.batch(["B000000001"], headers: Self.key).status == 200)
      var tagged = Self.key
      tagged[.tags] = "branch=north"
      let others = [
        try await caller.batch(["B000000002"], headers: Self.key),
        try await caller.batch(["B000000001"], ",\"domain\":2", headers: Self.key),
        try await caller.batch(["B000000001"], headers: tagged),
        try await caller.get(Self.product, Self.key),
      ]
      #expect(others.map(\.status) == [422, 422, 422, 422])
      #expect(others[0].string("type") == "/problems/idempotency-key-reused")
      #expect(others[0].string("field") == "Idempotency-Key")
      try await caller.expectBooks(spent: 1)
    }
  }

  @Test func `100 callers of one key pay once`() async throws {
    let held = HeldCalls()
    let stand = try await Stand { options in
      options.simulator.latency = 1
      options.simulator.sleep = { _ in await held.stop() }
    }
    try await stand.serving { caller in
      let answers = try await withThrowingTaskGroup { group in
        for _ in 0..<100 {
          group.addTask { try await caller.batch(["B000000001"], Self.live, headers: Self.key) }
        }
        await held.wait(for: 1)
        while stand.application.service.idempotency.waitingCount < 99 { await Task.yield() }
        let other = try await caller.batch(["B000000002"], headers: Self.key)
        #expect(other.status == 422)
        held.letGo()
        return try await group.reduce(into: [Answer]()) { $0.append($1) }
      }
      #expect(answers.allSatisfy { $0.status == 200 })
      #expect(Set(answers.map(\.bytes)).count == 1)
      #expect(answers.count { $0.headers[.idempotencyReplayed] == nil } == 1)
      try await caller.expectBooks(spent: 1)
    }
    #expect(stand.keepa.simulator.books.tokens == 1)
  }

  @Test func `a request goes on when its client hangs up, and the answer is there afterwards`()
    async throws
  {
    let held = HeldCalls()
    let stand = try await Stand { options in
      options.simulator.latency = 1
      options.simulator.sleep = { _ in await held.stop() }
    }
    try await stand.servingLive { caller in
      let client = ClientPresence()
      let first = Task {
        try await ClientPresence.$current.withValue(client) {
          try await caller.batch(["B000000001"], Self.live, headers: Self.key)
        }
      }
      await held.wait(for: 1)
      client.leave()
      first.cancel()
      held.letGo()
      let again = try await caller.batch(["B000000001"], Self.live, headers: Self.key)
      #expect(again.status == 200)
      #expect(again.int("stats.tokens_used") == 1)
      #expect(again.headers[.idempotencyReplayed] == "true")
      try await caller.expectBooks(spent: 1)
    }
  }

  @Test func `what fails is made anew, and what it has bought by then is not bought again`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      stand.keepa.twist(.refused(503, "maintenance"))
      let failed = try await caller.inflated(Self.product, Self.key)
      #expect(failed.status >= 500)
      let second = try await caller.inflated(Self.product, Self.key)
      #expect(second.status == 200)
      #expect(second.headers[.idempotencyReplayed] == nil)
      let third = try await caller.inflated(Self.product, Self.key)
      #expect(third.bytes == second.bytes)
      #expect(third.headers[.idempotencyReplayed] == "true")
    }
    #expect(stand.keepa.simulator.books.tokens == 1)
  }

  @Test func `a refusal by a budget keeps no key: it may be asked again when there is room`()
    async throws
  {
    let stand = try await Stand { $0.accessKey = "root" }
    try await stand.serving { caller in
      try await caller.budget("small", limit: 1)
      var headers = Caller.root
      headers[.idempotencyKey] = "order-1"
      let path = "/keepa/product?domain=1&asin=B000000001,B000000002"
      let refused = try await caller.inflated(path, headers)
      #expect(refused.status == 429)
      _ = try await caller.admin(.patch, "/admin/budgets/small", "{\"limit\":10}")
      let bought = try await caller.inflated(path, headers)
      #expect(bought.status == 200)
      #expect(bought.int("tokensConsumed") == 2)
      #expect(bought.headers[.idempotencyReplayed] == nil)
    }
  }

  @Test func `while it is in doubt what it has cost it is 409, and afterwards it is made anew`()
    async throws
  {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000009"])
      stand.keepa.simulator.faults = KeepaFaults([KeepaFault(.drop, next: 1)])
      #expect(try await caller.inflated(Self.product, Self.key).status == 503)
      let doubt = try #require(stand.doubt)
      let repeated = try await caller.inflated(Self.product, Self.key)
      #expect(repeated.status == 409)
      #expect(repeated.text.contains("fetch \(doubt.fetch) of an earlier try"))
      try await caller.expectBooks(spent: 1, inDoubt: 1)
      _ = try await stand.gateway.resolve(
        fetch: doubt.fetch, attempt: doubt.attempt, settled: 0, note: "it never arrived")
      let bought = try await caller.inflated(Self.product, Self.key)
      #expect(bought.status == 200)
      #expect(bought.int("tokensConsumed") == 1)
      #expect(try rows(stand).first?.fetches.count == 2)
    }
  }

  /// As if the process had ended between the purchase and the answer.
  private func begin(
    _ stand: Stand, _ demand: (inout ResourceDemand) -> Void = { _ in }
  ) async throws -> ResourceDemand {
    let asin = try #require(KeepaASIN("B000000001"))
    let domain = try #require(KeepaDomain(rawValue: 1))
    var asked = ResourceDemand("keepa.product", [KeepaUpstream.resource(asin, domain)])
    demand(&asked)
    let key = try #require(IdempotencyKey("order-1", of: asked.principal)?.digest)
    let beginning = try await stand.gateway.beginRequest(
      key, Array(repeating: 1, count: 32), by: asked.principal)
    guard case .begun(let mark) = beginning else {
      Issue.record("it was not begun: \(beginning)")
      return asked
    }
    asked.principal.request = mark
    return asked
  }

  @Test func `what was bought before the process ended is the answer, also where it must be live`()
    async throws
  {
    let stand = try await Stand()
    let first = try await begin(stand) { $0.age = .live }
    let bought = await stand.gateway.answer(first)
    #expect(bought.outcomes.first?.cost == 1)
    stand.time.advance(byMilliseconds: 60_000)
    let second = try await begin(stand) { $0.age = .live }
    #expect(second.principal.request?.since != nil)
    let found = await stand.gateway.answer(second)
    #expect(found.outcomes.first?.source == .cache)
    #expect(found.outcomes.first?.entry == bought.outcomes.first?.entry)
    #expect(stand.keepa.simulator.books.tokens == 1)
  }

  @Test func `what was bought before and is gone is not bought again under the same key`()
    async throws
  {
    let stand = try await Stand()
    _ = await stand.gateway.answer(try await begin(stand))
    _ = try await stand.serving { caller in
      try await caller.send(
        .post, "/cache/purge", body: #"{"all":true,"hard":true,"confirm":true}"#)
    }
    let again = await stand.gateway.answer(try await begin(stand))
    #expect(again.outcomes.first?.problem?.reason == .answerLost)
    #expect(stand.keepa.simulator.books.tokens == 1)
  }

  @Test func `after a day it is forgotten with its answer, and the key is new`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"], Self.live, headers: Self.key)
      let body = try #require(try rows(stand).first?.body)
      #expect(try stand.gateway.keptAnswer(body) != nil)
      stand.time.advance(byMilliseconds: 86_399_000)
      await stand.gateway.forgetRequests()
      #expect(try rows(stand).count == 1)
      stand.time.advance(byMilliseconds: 1)
      await stand.gateway.forgetRequests()
      #expect(try rows(stand) == [])
      #expect(try stand.gateway.keptAnswer(body) == nil)
      let anew = try await caller.batch(["B000000001"], Self.live, headers: Self.key)
      #expect(anew.int("stats.tokens_used") == 1)
      #expect(anew.headers[.idempotencyReplayed] == nil)
      // Also where nobody has forgotten it in time.
      stand.time.advance(byMilliseconds: 86_402_000)
      let last = try #require(try rows(stand).first?.body)
      let once = try await caller.batch(["B000000002"], headers: Self.key)
      #expect(once.int("stats.tokens_used") == 1)
      #expect(try stand.gateway.keptAnswer(last) == nil)
      #expect(try rows(stand).count == 1)
    }
    #expect(try LogVerifier(stand.log.environment).verify().damages == [])
  }

  @Test func `an answer is kept as it is, and apart from the same one to another request`() throws {
    let answer = KeptAnswer(
      status: .created, headers: [.contentType: "text/plain", .location: "/jobs/1: 2"],
      content: ByteBuffer(string: "a\r\n\r\nb"))
    let bytes = answer.bytes(ofRequest: [1])
    #expect(bytes != answer.bytes(ofRequest: [2]))
    let read = try #require(KeptAnswer(bytes))
    #expect(read.status == answer.status)
    #expect(read.headers == answer.headers)
    #expect(read.content == answer.content)
    #expect(KeptAnswer([]).map(\.status) == nil)
    #expect(KeptAnswer(Array("HTTP/1.1 OK\r\n\r\n".utf8)).map(\.status) == nil)
  }

  @Test(arguments: [0, 1])
  func `an answer above the bound is told and not kept, and a repeat is made anew for nothing`(
    excess: Int
  ) async throws {
    let length = try await Stand().serving { caller in
      try await caller.batch(["B000000001"], Self.live, headers: Self.key).bytes.count
    }
    let stand = try await Stand { $0.longestKeptAnswer = length - excess }
    try await stand.serving { caller in
      let first = try await caller.batch(["B000000001"], Self.live, headers: Self.key)
      #expect(first.status == 200)
      #expect(first.bytes.count == length)
      #expect(first.int("stats.tokens_used") == 1)
      let row = try #require(try rows(stand).first)
      #expect(row.state == (excess > 0 ? .failed : .answered))
      #expect(row.body.isEmpty == (excess > 0))
      stand.time.advance(byMilliseconds: 3_600_000)
      let second = try await caller.batch(["B000000001"], Self.live, headers: Self.key)
      #expect(second.status == 200)
      #expect(second.headers[.idempotencyReplayed] == (excess > 0 ? nil : "true"))
      #expect(second.int("stats.tokens_used") == (excess > 0 ? 0 : 1))
      #expect(second.string("results.0.source") == (excess > 0 ? "cache" : "keepa"))
      // The key is still that of the first request.
      let other = try await caller.batch(["B000000002"], headers: Self.key)
      #expect(other.status == 422)
      try await caller.expectBooks(spent: 1)
    }
    #expect(stand.keepa.simulator.books.tokens == 1)
  }

  @Test func `the body of a request with a key has a bound`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      // That of the route, which is told.
      let bound = 4 << 20
      let long = String(repeating: " ", count: bound + 1)
      let answer = try await caller.post(long, Self.key)
      #expect(answer.status == 413)
      #expect(answer.string("detail")?.contains("up to \(bound) bytes") == true, "\(answer.text)")
      #expect(try rows(stand) == [])
    }
  }

  @Test func `the key of one access key says nothing to another`() async throws {
    let stand = try await Stand { $0.accessKey = "root" }
    try await stand.serving { caller in
      try await caller.open("acme")
      try await caller.open("zeta")
      for account in ["acme", "zeta"] {
        let key = try await caller.issue(account).key
        let answer = try await caller.batch(
          ["B000000001"], Self.live, headers: [.accessKey: key, .idempotencyKey: "order-1"])
        #expect(answer.status == 200)
        #expect(answer.int("stats.tokens_used") == 1)
        #expect(answer.headers[.idempotencyReplayed] == nil)
        stand.time.advance(byMilliseconds: 1_000)
      }
    }
  }

  @Test func `a job is queued once`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      var headers = Self.key
      headers[.prefer] = "respond-async"
      let first = try await caller.batch(["B000000001"], headers: headers)
      let second = try await caller.batch(["B000000001"], headers: headers)
      #expect(first.status == 202)
      #expect(second.status == 202)
      #expect(second.bytes == first.bytes)
      #expect(second.headers[.location] == first.headers[.location])
      #expect(try await caller.get("/jobs?kind=keepa.batch").count("jobs") == 1)
    }
  }

  @Test func `a dry run takes no key, and what only reads heeds none`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      var headers = Self.key
      headers[.dryRun] = "1"
      let told = try await caller.batch(["B000000001"], headers: headers)
      #expect(told.status == 200)
      let ledger = try await caller.get("/ledger", Self.key)
      #expect(ledger.status == 200)
      #expect(try rows(stand) == [])
    }
  }

  @Test(arguments: [
    "", " \u{e9}", String(repeating: "k", count: 256),
  ])
  func `a key that is none is refused by name, and nothing is bought`(key: String) async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      let answer = try await caller.batch(["B000000001"], headers: [.idempotencyKey: key])
      #expect(answer.status == 400)
      #expect(answer.string("field") == "Idempotency-Key")
      try await caller.expectBooks(spent: 0)
    }
  }

  @Test func `where nothing would heed a key it is refused`() async throws {
    let stand = try await Stand { $0.accessKey = "root" }
    try await stand.serving { caller in
      var headers = Caller.root
      headers[.idempotencyKey] = "order-1"
      let answer = try await caller.send(
        .post, "/admin/accounts", headers, body: "{\"id\":\"acme\"}")
      #expect(answer.status == 400)
      #expect(answer.string("field") == "Idempotency-Key")
      #expect(try await caller.admin(.get, "/accounts").count("accounts") == 0)
    }
  }

  @Test func `an answer that is not kept any more is 409, and nothing is bought`() async throws {
    let stand = try await Stand()
    try await stand.serving { caller in
      _ = try await caller.batch(["B000000001"], Self.live, headers: Self.key)
      try stand.removeBodies()
      let answer = try await caller.batch(["B000000001"], Self.live, headers: Self.key)
      #expect(answer.status == 409)
      #expect(answer.string("type") == "/problems/answer-lost")
      try await caller.expectBooks(spent: 1)
    }
  }
}
