import Hummingbird
import HummingbirdTesting
import NIOCore
import Synchronization
import Testing
import TollbookTestSupport

@testable import TollbookHTTP

/// What only a socket shows.
@Suite struct LiveTests {
  @Test func `K02, K04: products over a socket, kept alive`() async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let bought = try await caller.batch(["B000000001", "B000000002", "B000000003"])
      #expect(bought.status == 200)
      #expect(bought.int("stats.tokens_used") == 3)
      let head = try await caller.send(.head, "/keepa/products/1/B000000001")
      #expect(head.status == 200)
      #expect(head.bytes.isEmpty)
      let get = try await caller.get("/keepa/products/1/B000000001")
      #expect(get.bytes == stand.keepa.body(of: "B000000001"))
      let tag = try #require(get.headers[.eTag])
      let unchanged = try await caller.get("/keepa/products/1/B000000001", [.ifNoneMatch: tag])
      #expect(unchanged.status == 304)
      #expect(try await caller.send(.head, "/nothing").status == 404)
      #expect(try await caller.batch(["B000000001"]).int("stats.cache_hits") == 1)
    }
  }

  @Test func `a foreign Host is refused over a socket`() async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let port = try #require(caller.client.port)
      let status = try await TestClient.withClient(host: "localhost", port: port) { client in
        try await client.execute(
          TestClient.Request("/health", method: .get, authority: "evil.example")
        ).status.code
      }
      #expect(status == 421)
    }
  }

  @Test func `a body over the limit is refused over a socket, in one piece or in many`()
    async throws
  {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let large = String(repeating: " ", count: (1 << 20) + 1)
      let answer = try await caller.post(large)
      #expect(answer.status == 413)
    }
    try await stand.servingLive { caller in
      let answer = try await caller.get("/health")
      #expect(answer.status == 200)
    }
  }

  @Test func `the bound port is told, and the control socket answers`() async throws {
    let stand = try await Stand()
    let folder = try TemporaryFolder()
    let (channels, running) = AsyncStream<SocketAddress?>.makeStream()
    let control = stand.application.controlApplication(socket: "\(folder.path)/control.sock") {
      running.yield($0.localAddress)
    }
    let application = stand.application.application { running.yield($0.localAddress) }
    await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await control.run() }
      group.addTask { try await application.run() }
      var addresses: [SocketAddress?] = []
      for await address in channels.prefix(2) { addresses.append(address) }
      #expect(addresses.contains { $0?.pathname == "\(folder.path)/control.sock" })
      #expect(addresses.contains { ($0?.port ?? 0) > 0 })
      group.cancelAll()
      while await group.nextResult() != nil {}
    }
  }
}
