import Hummingbird
import HummingbirdTesting
import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway
@testable import TollbookHTTP

/// What a client of Keepa's wire format gets that gives up after ten seconds, while Keepa takes longer.
@Suite(.timeLimit(.minutes(5)))
struct SlowCallTests {
  private static let offers = "product?domain=1&asin=B000000001&offers=20"

  /// A stand whose calls to Keepa stand still. Each has taken a second by then.
  private static func stand(
    _ held: HeldCalls, _ change: (inout Stand.Options) -> Void = { _ in }
  ) async throws -> Stand {
    try await Stand { options in
      options.simulator.latency = 1
      options.simulator.sleep = { _ in await held.stop() }
      change(&options)
    }
  }

  @Test func `after eight seconds a client is told, and its next try joins the call for nothing`()
    async throws
  {
    let held = HeldCalls()
    let stand = try await Self.stand(held)
    try await stand.servingLive { caller in
      let began = stand.time.now
      let first = Task { try await caller.keepa(Self.offers) }
      await held.wait(for: 1)
      stand.pass(until: began.advanced(byMilliseconds: 7_999))
      #expect(stand.purchaser.openDemands == 1)
      stand.pass(until: began.advanced(byMilliseconds: 8_000))
      let told = try await first.value
      #expect(told.status == 503)
      #expect(told.string("error.type") == "timeout")
      #expect(told.int("tokensConsumed") == 0)
      #expect(told.int("refillRate") == 20)
      #expect(told.headers[.retryAfter] == "1")
      let second = Task { try await caller.keepa(Self.offers) }
      while stand.purchaser.openDemands < 1 { await Task.yield() }
      held.letGo()
      let joined = try await second.value
      #expect(joined.status == 200)
      #expect(joined.int("tokensConsumed") == 0)
      #expect(joined.string("products.0.asin") == "B000000001")
      #expect(joined.headers[.cacheStatus] == "tollbook; fwd=miss; collapsed")
    }
    #expect(stand.productCalls == 1)
    #expect(stand.settled == stand.keepa.simulator.books.tokens)
  }

  @Test func `what a call brings that nobody waited for any more is in the cache`() async throws {
    let held = HeldCalls()
    let stand = try await Self.stand(held)
    try await stand.serving { caller in
      let first = Task { try await caller.keepa(Self.offers) }
      await held.wait(for: 1)
      stand.pass(8_000)
      let firstStatus = try await first.value.status
      #expect(firstStatus == 503)
      // Longer than any attempt took once, and shorter than a call may take.
      stand.time.advance(byMilliseconds: 90_000)
      held.letGo()
      while !stand.purchaser.isIdle { await Task.yield() }
      let second = try await caller.keepa(Self.offers)
      #expect(second.status == 200)
      #expect(second.int("tokensConsumed") == 0)
      #expect(second.headers[.cacheStatus] == "tollbook; hit")
    }
    #expect(stand.productCalls == 1)
  }

  @Test func `a client that hangs up after the call was paid finds it in the cache`() async throws {
    let held = HeldCalls()
    let stand = try await Self.stand(held)
    try await stand.servingLive { caller in
      do {
        let connection = try RawConnection(port: try #require(caller.client.port))
        try connection.send("GET /keepa/\(Self.offers) HTTP/1.1\r\nHost: localhost\r\n\r\n")
        await held.wait(for: 1)
      }
      // The connection is closed by now, and Keepa takes its tokens.
      held.letGo()
      while !stand.purchaser.isIdle { await Task.yield() }
      let again = try await caller.keepa(Self.offers)
      #expect(again.status == 200)
      #expect(again.int("tokensConsumed") == 0)
      #expect(again.headers[.cacheStatus] == "tollbook; hit")
    }
    #expect(stand.productCalls == 1)
  }

  @Test func `who hangs up gives up what only waits, and not what others want too`() async throws {
    let held = HeldCalls()
    held.letGo()
    let stand = try await Self.stand(held) { $0.gateway.concurrentCalls = 1 }
    try await stand.servingLive { caller in
      // From here on the balance is known, and nothing else is asked of Keepa than what is bought.
      _ = try await caller.keepa("product?domain=1&asin=B000000009&offers=20")
      held.hold()
      let port = try #require(caller.client.port)
      let first = Task { try await caller.keepa("product?domain=1&asin=B000000001&offers=20") }
      await held.wait(for: 1)
      func ask(_ asin: String) throws -> RawConnection {
        let connection = try RawConnection(port: port)
        try connection.send(
          "GET /keepa/product?domain=1&asin=\(asin)&offers=20 HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return connection
      }
      let joined: RawConnection
      do {
        let connections = [try ask("B000000002"), try ask("B000000003")]
        while stand.purchaser.openDemands < 3 { await Task.yield() }
        joined = try ask("B000000003")
        while stand.purchaser.openDemands < 4 { await Task.yield() }
        withExtendedLifetime(connections) {}
      }
      // Both connections are closed by now: long before the eight seconds are over, and without a look at the clock.
      while stand.purchaser.openDemands > 2 { await Task.yield() }
      held.letGo()
      #expect(try await first.value.status == 200)
      #expect(try await joined.until("\r\n").hasPrefix("HTTP/1.1 200"), "it is his now")
      let second = try await caller.keepa("product?domain=1&asin=B000000002&update=-1")
      #expect(second.status == 200)
      #expect(second.string("products.0.asin") == nil, "it was not bought")
    }
    #expect(stand.purchaser.isIdle)
    #expect(
      stand.keepa.simulator.books.calls.flatMap(\.asins).sorted()
        == ["B000000001", "B000000003", "B000000009"])
    #expect(stand.settled == stand.keepa.simulator.books.tokens)
  }

  @Test func `the eight seconds are those of the request, however many calls it takes`()
    async throws
  {
    let held = HeldCalls()
    held.letGo()
    let stand = try await Self.stand(held)
    try await stand.serving { caller in
      _ = try await caller.keepa("product?domain=1&code=9780786222728")
      // What the code stands for is still known then, and its product has to be bought anew.
      stand.time.advance(byMilliseconds: 8 * 86_400_000)
      held.hold()
      let began = stand.time.now
      let client = Task {
        try await caller.keepa("product?domain=1&code=9780786222728,9780804429573")
      }
      await held.wait(for: 1)
      stand.pass(until: began.advanced(byMilliseconds: 5_000))
      held.step()
      await held.wait(for: 1)
      stand.pass(until: began.advanced(byMilliseconds: 7_999))
      #expect(stand.purchaser.openDemands == 1)
      stand.pass(until: began.advanced(byMilliseconds: 8_000))
      #expect(stand.purchaser.openDemands == 0)
      held.letGo()
      let status = try await client.value.status
      #expect(status == 503)
    }
  }

  @Test func `a failure is tried again within eight seconds, then the client gets Keepa's status`()
    async throws
  {
    let held = HeldCalls()
    let stand = try await Self.stand(held) {
      $0.gateway.retries.attempts = 3
      $0.simulator.faults = KeepaFaults([KeepaFault(.http500, next: 1)])
    }
    try await stand.serving { caller in
      let client = Task { try await caller.keepa(Self.offers) }
      await held.wait(for: 1)
      held.step()
      // The second attempt.
      await held.wait(for: 1)
      stand.pass(6_000)
      let told = try await client.value
      #expect(told.status == 500)
      #expect(told.string("error.type") == "unavailable")
      held.letGo()
      while !stand.purchaser.isIdle { await Task.yield() }
      #expect(try await caller.keepa(Self.offers).headers[.cacheStatus] == "tollbook; hit")
    }
    #expect(stand.productCalls == 2)
  }

  @Test func `nothing is tried again for which the client would not wait`() async throws {
    let held = HeldCalls()
    let stand = try await Self.stand(held) {
      $0.gateway.retries.attempts = 3
      $0.simulator.faults = KeepaFaults([KeepaFault(.http500, next: 1)])
    }
    try await stand.serving { caller in
      let client = Task { try await caller.keepa(Self.offers) }
      await held.wait(for: 1)
      // Seven and a half seconds after it was asked.
      stand.pass(6_500)
      held.letGo()
      let clientStatus = try await client.value.status
      #expect(clientStatus == 500)
    }
    #expect(stand.productCalls == 1)
  }

  @Test func `who asks for what is not kept is told that another try may cost again`()
    async throws
  {
    let held = HeldCalls()
    let stand = try await Self.stand(held)
    try await stand.serving { caller in
      let client = Task { try await caller.keepa("topseller?domain=1") }
      await held.wait(for: 1)
      stand.pass(8_000)
      let told = try await client.value
      #expect(told.status == 503)
      #expect(told.string("error.message")?.contains("not kept") == true)
      held.letGo()
    }
  }

  @Test func `out of tokens the next refill is told in a header too`() async throws {
    let stand = try await Stand { $0.simulator.balance = 0 }
    try await stand.serving { caller in
      let answer = try await caller.keepa("product?domain=1&asin=B000000001")
      #expect(answer.status == 429)
      let seconds = try #require(answer.headers[.retryAfter].flatMap { Int($0) })
      let wait = try #require(answer.int("refillIn"))
      #expect(seconds == (wait + 999) / 1_000)
    }
  }
}

extension Stand {
  fileprivate var purchaser: Purchaser { gateway.purchasers[0] }

  /// Calls for products that reached Keepa.
  fileprivate var productCalls: Int {
    keepa.simulator.books.calls.count { $0.path == "/product" }
  }

  /// What is booked as spent.
  fileprivate var settled: Int { Int(gateway.page(gateway.keepaMeter)[.settled]) }

  /// Lets time pass, and looks whose time is over.
  fileprivate func pass(_ milliseconds: Int64) {
    time.advance(byMilliseconds: milliseconds)
    purchaser.tick()
  }

  fileprivate func pass(until instant: Timestamp) {
    pass(instant.milliseconds - time.now.milliseconds)
  }
}
