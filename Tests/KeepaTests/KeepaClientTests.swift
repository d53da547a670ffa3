import Foundation
import Keepa
import Testing
import TollbookEvents
import TollbookUpstreams

@Suite("Keepa over HTTP") struct KeepaClientTests {
  static let key = "k3y-that-must-not-be-seen"
  static let asin = KeepaASIN("B000000001")!
  static let request = KeepaProductRequest(domain: .germany, asins: [asin])

  static let body = """
    {"products":[{"asin":"B000000001","title":"A","csv":[]}],"timestamp":1700000000000,\
    "refillIn":1000,"refillRate":20,"tokensLeft":99,"tokensConsumed":1}
    """

  /// Runs a client against a server that follows a script; returns what the server has seen.
  private func with(
    base: String? = nil, script: @escaping @Sendable (Int) -> [LoopbackServer.Step],
    _ work: (KeepaClient) async throws -> Void
  ) async throws -> [String] {
    let server = LoopbackServer(script: script)
    defer { server.stop() }
    var settings = KeepaClient.Settings(base: try #require(BaseURL(base ?? server.base)))
    settings.client.silenceTimeout = .milliseconds(600)
    settings.client.maximumBody = 4_096
    let client = KeepaClient(
      credential: UpstreamCredential(id: "keepa:12345678", key: Self.key), settings: settings,
      now: { 1_700_000_000_123 })
    let result: Result<Void, any Error>
    do { result = .success(try await work(client)) } catch { result = .failure(error) }
    await client.shutdown()
    try result.get()
    return server.requests
  }

  @Test func `a gzipped answer is read, and the request says all that is free`() async throws {
    let requests = try await with { _ in
      [.answer(Self.body, headers: ["Tollbook-Upstream: simulated"], gzipped: true)]
    } _: { client in
      let call = await client.products(Self.request, within: .seconds(5))
      let answer = try call.result.get()
      #expect(answer.products.map(\.asin) == [Self.asin])
      #expect(answer.charge == .known(1))
      #expect(call.isSimulated)
      #expect(call.receivedBytes == Self.body.utf8.count)
      #expect(call.sentMilliseconds == 1_700_000_000_123)
      #expect(call.duration > .zero)
    }
    let head = try #require(requests.first)
    #expect(
      head.hasPrefix(
        "GET /product?key=\(Self.key)&domain=3&asin=B000000001&stats=90&history=1&videos=1"
          + "&aplus=1 HTTP/1.1\r\n"))
    #expect(head.lowercased().contains("accept-encoding: gzip\r\n"))
  }

  @Test func `E29: connections are kept, and the balance costs nothing`() async throws {
    let envelope = #"{"timestamp":5,"refillIn":7,"refillRate":20,"tokensLeft":-3}"#
    let requests = try await with { _ in
      [.answer(envelope)]
    } _: { client in
      for _ in 0..<3 {
        let reading = try await client.balance(within: .seconds(5)).result.get()
        #expect(reading.balance == -3)
        #expect(reading.nextRefillMilliseconds == 12)
      }
    }
    #expect(requests.count == 3)
    #expect(requests[0].hasPrefix("GET /token?key="))
  }

  @Test func `a body that never ends is timed out, by silence or by the limit`() async throws {
    let half = LoopbackServer.Step.send(LoopbackServer.Step.head(200, 1_000) + Array("{".utf8))
    let seen = try await with { _ in
      [half, .wait(milliseconds: 2_000), .close]
    } _: { client in
      let silence = try await failure(of: client, within: .seconds(5))
      #expect(silence.reason == .timedOut && silence.charge == .unknown)
      let limit = try await failure(of: client, within: .milliseconds(150))
      #expect(limit.reason == .timedOut && limit.charge == .unknown)
    }
    #expect(seen.count == 2)
  }

  @Test func `an answer that does not begin is timed out`() async throws {
    _ = try await with { _ in
      [.wait(milliseconds: 1_500), .close]
    } _: { client in
      let failure = try await failure(of: client, within: .milliseconds(150))
      #expect(failure.reason == .timedOut && failure.charge == .unknown)
    }
  }

  @Test(arguments: [[], LoopbackServer.Step.head(200, 1_000) + Array("{\"a\":".utf8)] as [[UInt8]])
  func `a connection that is cut is lost`(begun: [UInt8]) async throws {
    let seen = try await with { _ in
      [.send(begun), .close]
    } _: { client in
      let failure = try await failure(of: client, within: .seconds(5))
      #expect(failure.reason == .connectionLost && failure.charge == .unknown)
    }
    #expect(seen.count == 1)
  }

  @Test func `a kept connection that is cut on the next request sends it once`() async throws {
    let seen = try await with { number in
      number == 0 ? [.answer(Self.body)] : [.close]
    } _: { client in
      _ = try await client.products(Self.request, within: .seconds(5)).result.get()
      let failure = try await failure(of: client, within: .seconds(5))
      #expect(failure.reason == .connectionLost && failure.charge == .unknown)
    }
    #expect(seen.count == 2)
  }

  @Test func `redirects are not followed`() async throws {
    let seen = try await with { _ in
      [.answer("", status: 302, headers: ["Location: /elsewhere"])]
    } _: { client in
      let failure = try await failure(of: client, within: .seconds(5))
      #expect(failure.reason == .unreadable)
    }
    #expect(seen.count == 1)
  }

  @Test(arguments: [
    ("https://api.keepa.com", "https://api.keepa.com"), ("http://[::1]:80/", "http://[::1]:80"),
    ("HTTP://Localhost:65535/keepa//", "http://Localhost:65535/keepa"),
  ])
  func `an address is kept without slashes at its end`(_ text: String, _ kept: String) {
    #expect(BaseURL(text)?.description == kept)
  }

  @Test(arguments: [
    "", "keepa", "api.keepa.com", "ftp://a", "nonsense://127.0.0.1", "https:/a", "http://",
    "http:///x", "http://a:abc", "http://a:-1", "http://a:", "http://a:0", "http://a:+80",
    "http://a:080", "http://127.0.0.1:65536", "http://a:99999999999999999999", "http://a:80:90",
    "http://[::1", "http://::1", "http://[x]", "http://a b", "http://a%20b", "http://kéepa.com",
    "http://a?key=1", "http://a?", "http://a#x", "http://user@a", "http://user:secret@a",
    "http://@a", "http://a\n",
  ])
  func `what cannot be connected to is no address`(_ text: String) {
    #expect(BaseURL(text) == nil)
  }

  @Test(arguments: [
    ("http://user:secret@a:1", "http://…@a:1"), ("user:secret@[::1", "…@[::1"),
    ("http://a:b@c@d", "http://…@d"), ("http://a?key=secret", "http://a?…"),
    ("http://a/#secret", "http://a/#…"), ("http://u:secret@a?secret", "http://…@a?…"),
    ("http://a:65536", "http://a:65536"), ("", ""),
    ("http://b,http://user:secret@a", "http://…@a"), ("user:secret@a,http://b", "…@a,http://b"),
    ("http://user:se,cret@a,http://b", "http://…@a,http://b"), ("a?secret://b", "a?…"),
  ])
  func `an address that is refused shows no secret`(_ text: String, _ shown: String) {
    #expect(BaseURL.masked(text) == shown)
  }

  @Test(arguments: ["http://127.0.0.1:1", "http://no-such-host.invalid"])
  func `what cannot be reached is not sent`(base: String) async throws {
    let seen = try await with(base: base) { _ in
      [.answer(Self.body)]
    } _: { client in
      let failure = try await failure(of: client, within: .seconds(8))
      #expect(failure.reason == .notSent && failure.charge == .none, "\(failure)")
    }
    #expect(seen.isEmpty)
  }

  @Test func `a failed TLS handshake is not sent`() async throws {
    let plain = LoopbackServer(greeting: Array("this is no TLS\r\n".utf8)) { _ in [] }
    defer { plain.stop() }
    let seen = try await with(base: "https://127.0.0.1:\(plain.port)") { _ in
      []
    } _: { client in
      let failure = try await failure(of: client, within: .seconds(8))
      #expect(failure.reason == .notSent && failure.charge == .none, "\(failure)")
    }
    #expect(seen.isEmpty)
  }

  @Test func `a call that is given up is lost`() async throws {
    _ = try await with { _ in
      [.wait(milliseconds: 1_000), .close]
    } _: { client in
      let task = Task { await client.products(Self.request, within: .seconds(5)) }
      try await Task.sleep(for: .milliseconds(100))
      task.cancel()
      guard case .failure(let failure) = await task.value.result else {
        Issue.record("no failure")
        return
      }
      #expect(failure.reason == .connectionLost && failure.charge == .unknown)
    }
  }

  @Test func `the key is in no error and no description`() async throws {
    let echo = """
      {"error":{"type":"invalidParameter","message":"bad key \(Self.key)"},"refillRate":0}
      """
    var seen: [String] = []
    _ = try await with { _ in
      [.answer(echo, status: 400)]
    } _: { client in
      let failure = try await failure(of: client, within: .seconds(5))
      #expect(failure.reason == .keyRejected)
      #expect(failure.detail == "invalidParameter: bad key (key)")
      var dumped = ""
      dump(client, to: &dumped)
      seen += ["\(failure)", "\(client)", String(reflecting: client), dumped]
    }
    let credential = UpstreamCredential(id: "keepa:12345678", key: Self.key)
    var dumped = ""
    dump(credential, to: &dumped)
    seen += ["\(credential)", String(reflecting: credential), dumped]
    for text in seen { #expect(!text.contains(Self.key)) }
    #expect("\(credential)" == "keepa:12345678")
  }

  private func failure(
    of client: KeepaClient, within limit: Duration
  ) async throws -> UpstreamFailure {
    let call = await client.products(Self.request, within: limit)
    guard case .failure(let failure) = call.result else {
      throw Unexpected(answer: "\(call.result)")
    }
    return failure
  }

  struct Unexpected: Error { let answer: String }
}

@Suite struct ConnectionPlaceTests {
  @Test(arguments: [
    ("192.0.2.7", "192.0.2.7", nil), ("192.0.2.7:8443", "192.0.2.7", 8_443),
    ("keepa.example", "keepa.example", nil), ("keepa.example:1", "keepa.example", 1),
    ("2001:db8::7", "2001:db8::7", nil), ("[2001:db8::7]", "2001:db8::7", nil),
    ("[2001:db8::7]:443", "2001:db8::7", 443),
  ])
  func `a place is a host or an address, with a port or not`(
    _ text: String, _ host: String, _ port: Int?
  ) throws {
    let place = try #require(ConnectionPlace(text))
    #expect(place.host == host)
    #expect(place.port == port)
    #expect(ConnectionPlace(place.description) == place)
  }

  @Test(arguments: [
    "", ":443", "a:", "a:0", "a:65536", "a:b", "a b", "[a]:1", "[::1", "https://a", "a/b", "a:1:2",
    "[127.0.0.1]", "user@a",
  ])
  func `what is no place is refused`(_ text: String) { #expect(ConnectionPlace(text) == nil) }

  @Test(arguments: [nil, "127.0.0.1", "localhost"])
  func `a call goes to the place and names the upstream`(_ host: String?) async throws {
    let server = LoopbackServer { _ in [.answer(KeepaClientTests.body)] }
    defer { server.stop() }
    // Nobody has that name; with a place its port is not that of the server either.
    let base = host == nil ? server.base : "http://keepa.invalid:9"
    var settings = KeepaClient.Settings(base: try #require(BaseURL("\(base)/v1")))
    settings.client.connectTo = host.flatMap { ConnectionPlace("\($0):\(server.port)") }
    let client = KeepaClient(
      credential: UpstreamCredential(id: "keepa:12345678", key: KeepaClientTests.key),
      settings: settings, now: { 1_700_000_000_123 })
    let call = await client.products(KeepaClientTests.request, within: .seconds(5))
    await client.shutdown()
    #expect(try call.result.get().products.count == 1)
    let head = try #require(server.requests.first)
    #expect(head.hasPrefix("GET /v1/product?"))
    let named = host == nil ? "127.0.0.1:\(server.port)" : "keepa.invalid:9"
    #expect(head.lowercased().contains("\r\nhost: \(named)\r\n"), "\(head)")
    #expect(head.lowercased().components(separatedBy: "\r\nhost:").count == 2)
  }
}
