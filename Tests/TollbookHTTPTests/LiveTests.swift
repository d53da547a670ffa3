import Foundation
import Hummingbird
import HummingbirdTesting
import Keepa
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
          TestClient.Request("/ledger", method: .get, authority: "evil.example")
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

  @Test(arguments: [
    ("GET /health HTTP/1.0\r\n\r\n", "HTTP/1.0 200 "),
    ("GET /health HTTP/1.0\r\nHost: 10.0.0.7\r\nConnection: keep-alive\r\n\r\n", "HTTP/1.0 200 "),
    ("GET /ledger HTTP/1.0\r\n\r\n", "HTTP/1.0 421 "),
    ("GET /ledger HTTP/1.0\r\nHost: localhost\r\n\r\n", "HTTP/1.0 200 "),
    ("GET /health HTTP/1.1\r\nHost: 10.0.0.7:8000\r\nConnection: Close\r\n\r\n", "HTTP/1.1 200 "),
    ("GET /ledger HTTP/1.1\r\nHost: localhost\r\nConnection: TE, close\r\n\r\n", "HTTP/1.1 200 "),
    ("GET /health HTTP/1.1\r\nConnection: close\r\n\r\n", "HTTP/1.1 400 "),
    (
      "GET /ledger HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      "HTTP/1.1 400 "
    ),
    (
      "GET http://evil.example/ledger HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
      "HTTP/1.1 421 "
    ),
    (
      "GET http://localhost/ledger HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
      "HTTP/1.1 200 "
    ),
  ])
  func `what old clients, probes and proxies send is answered, and the connection ends`(
    _ request: String, _ status: String
  ) async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let connection = try RawConnection(port: try #require(caller.client.port))
      try connection.send(request)
      let answer = await connection.all()
      #expect(answer.hasPrefix(status), "\(answer)")
      #expect(answer.contains("Connection: close\r\n"))
      #expect(answer.contains("Tollbook-Request-Id: "))
    }
  }

  @Test func `a stream goes to HTTP/1.0 without chunks`() async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let connection = try RawConnection(port: try #require(caller.client.port))
      try connection.send("GET /events/stream?after=0 HTTP/1.0\r\nHost: localhost\r\n\r\n")
      let answer = try await connection.until("data: ")
      #expect(answer.hasPrefix("HTTP/1.0 200 "))
      #expect(!answer.lowercased().contains("transfer-encoding"))
    }
  }

  @Test func `a client that waits to be asked for its body is asked`() async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let connection = try RawConnection(port: try #require(caller.client.port))
      let body = #"{"asinList":["B000000001"]}"#
      try connection.send(post(body, "Host: localhost\r\nExpect: 100-Continue\r\n"))
      #expect(try await connection.until("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n")
      try connection.send(body)
      let answer = await connection.all()
      #expect(answer.contains("\r\n\r\nHTTP/1.1 200 OK\r\n"))
      #expect(stand.keepa.body(of: "B000000001") != nil)
    }
  }

  @Test(arguments: [
    ("Host: evil.example\r\nExpect: 100-continue\r\n", "HTTP/1.1 421 "),
    ("Host: localhost\r\nExpect: gold\r\n", "HTTP/1.1 417 "),
    ("Host: localhost\r\nExpect: 100-continue\r\nContent-Encoding: gzip\r\n", "HTTP/1.1 415 "),
  ])
  func `a refusal does not wait for the body, and the connection ends`(
    _ fields: String, _ status: String
  ) async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let connection = try RawConnection(port: try #require(caller.client.port))
      try connection.send(post(#"{"asinList":["B000000001"]}"#, fields))
      let answer = await connection.all()
      #expect(answer.hasPrefix(status), "\(answer)")
      #expect(!answer.contains("100 Continue"))
      #expect(stand.callCount == 0)
    }
  }

  @Test func `requests that come at once are answered one after the other`() async throws {
    let stand = try await Stand()
    try await stand.servingLive { caller in
      let connection = try RawConnection(port: try #require(caller.client.port))
      let request = "GET /health HTTP/1.1\r\nHost: localhost\r\n"
      try connection.send("\(request)\r\n\(request)\r\n\(request)Connection: close\r\n\r\n")
      let answer = await connection.all()
      #expect(answer.components(separatedBy: "HTTP/1.1 200 OK\r\n").count == 4)
      #expect(answer.components(separatedBy: "Connection: close\r\n").count == 2)
    }
  }

  /// The head of a post, without its body.
  private func post(_ body: String, _ fields: String) -> String {
    "POST /keepa/batch-analyze HTTP/1.1\r\n\(fields)Content-Type: application/json\r\n"
      + "Connection: close\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
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
