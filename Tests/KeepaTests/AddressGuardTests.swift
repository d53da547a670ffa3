import Synchronization
import Testing
import TollbookUpstreams

@Suite struct AddressGuardTests {
  @Test(arguments: [
    "0.0.0.0", "10.1.2.3", "100.64.0.1", "127.0.0.1", "127.255.255.254", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.168.1.1", "198.18.0.1",
    "198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
    "::ffff:127.0.0.1", "::ffff:a00:1", "::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "fc00::1",
    "fdff::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1", "2001::1", "3fff::1",
  ])
  func `an address of this machine, its networks or a group is not public`(text: String) throws {
    #expect(try #require(IPAddress(text)).isPublic == false)
  }

  @Test(arguments: [
    "1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "172.15.255.255",
    "172.32.0.0", "192.167.255.255", "192.169.0.0", "223.255.255.255", "2606:4700:4700::1111",
    "::ffff:1.1.1.1", "64:ff9b::101:101", "2a00:1450:4001:80b::200e", "2001:4860:4860::8888",
  ])
  func `any other address is`(text: String) throws {
    #expect(try #require(IPAddress(text)).isPublic)
  }

  @Test(arguments: [
    "", "1.2.3", "1.2.3.4.5", "1.2.3.256", "+1.2.3.4", "1::2::3", ":::", "12345::", "g::", "1:2:3",
  ])
  func `what is no address is none`(text: String) {
    #expect(IPAddress(text) == nil)
  }

  /// The system reads all these as 127.0.0.1 or ::1.
  @Test(arguments: [
    "http://127.0.0.1/", "http://2130706433/", "http://0177.0.0.1/", "http://0x7f.1/",
    "http://127.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://LOCALHOST/",
  ])
  func `loopback is refused however it is written`(text: String) async throws {
    let url = try GivenURL(text)
    await #expect(throws: AddressGuard.Refusal.self) {
      try await AddressGuard().address(of: url)
    }
  }

  @Test func `a host that is named may be anywhere, and no other`() async throws {
    let addresses = AddressGuard(allowing: ["127.0.0.1", "Inside.example"]) { _, _ in "10.0.0.1" }
    #expect(
      try await addresses.address(of: GivenURL("http://127.0.0.1/")).description == "10.0.0.1")
    #expect(
      try await addresses.address(of: GivenURL("http://inside.EXAMPLE/")).bytes == [10, 0, 0, 1])
    await #expect(throws: AddressGuard.Refusal.self) {
      try await addresses.address(of: GivenURL("http://a.inside.example/"))
    }
  }

  @Test func `a name that nobody knows is refused by its own name`() async throws {
    struct Unknown: Error {}
    let addresses = AddressGuard { _, _ in throw Unknown() }
    let url = try GivenURL("https://hooks.example/")
    let refusal = await #expect(throws: AddressGuard.Refusal.self) {
      try await addresses.address(of: url)
    }
    #expect(refusal?.kind == .unknownHost)
  }

  @Test(arguments: [
    "", "x", "file:///etc/passwd", "http://", "http:///a", "http://a b/", "http://a/#b",
    "http://u@a/", "http://a:99999/", "http://a\\@b/", "http://a/\u{e9}", "http+unix://a/",
    "http://a/" + String(repeating: "x", count: 2_000),
  ])
  func `what cannot be sent to is no address`(text: String) {
    #expect(throws: GivenURL.Problem.self) { try GivenURL(text) }
  }

  @Test func `of an address scheme, host and port may be shown`() throws {
    let url = try GivenURL("https://Hooks.example:8443/path?query=1")
    #expect(url.place == "https://Hooks.example:8443")
    #expect(url.host == "hooks.example")
    #expect(url.port == 8443)
  }
}

@Suite(.timeLimit(.minutes(5)))
struct MessageSenderTests {
  private func message(to url: String) throws -> OutgoingMessage {
    OutgoingMessage(try GivenURL(url), headers: [("Tollbook-Delivery", "1-w")], body: [0x7b, 0x7d])
  }

  private static func response(_ status: String, _ more: String = "", body: String = "") -> [UInt8]
  {
    Array(
      "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(more)\r\n\(body)".utf8)
  }

  @Test func `a message goes to the address that was looked at, under its own name`() async throws {
    let server = LoopbackServer { _ in [.send(Self.response("204 No Content"))] }
    defer { server.stop() }
    let sender = MessageSender(AddressGuard(allowing: ["Hooks.example"]) { _, _ in "127.0.0.1" })
    let receipt = await sender.send(try message(to: "http://Hooks.example:\(server.port)/a?b=c"))
    #expect(receipt == MessageReceipt(status: 204))
    let head = try #require(server.requests.first)
    #expect(head.hasPrefix("POST /a?b=c HTTP/1.1"))
    #expect(head.lowercased().contains("host: hooks.example:\(server.port)"))
    #expect(head.contains("Tollbook-Delivery: 1-w"))
  }

  @Test func `a name that comes to stand for this machine is not connected to`() async throws {
    let server = LoopbackServer { _ in [.send(Self.response("200 OK"))] }
    defer { server.stop() }
    let answers = Mutex(["1.1.1.1", "127.0.0.1"])
    let addresses = AddressGuard { _, _ in answers.withLock { $0.removeFirst() } }
    let message = try message(to: "http://hooks.example:\(server.port)/")
    _ = try await addresses.address(of: message.url)
    let receipt = await MessageSender(addresses).send(message)
    #expect(receipt.status == 0)
    #expect(receipt.detail.contains("no public address"))
    #expect(server.requests.isEmpty)
  }

  @Test func `a redirect is not followed, to this machine or elsewhere`() async throws {
    let inside = LoopbackServer { _ in [.send(Self.response("200 OK"))] }
    let location = "Location: http://127.0.0.1:\(inside.port)/\r\n"
    let server = LoopbackServer { _ in [.send(Self.response("307 Moved", location))] }
    defer {
      inside.stop()
      server.stop()
    }
    let sender = MessageSender(AddressGuard(allowing: ["127.0.0.1"]))
    let receipt = await sender.send(try message(to: "http://127.0.0.1:\(server.port)/"))
    #expect(receipt == MessageReceipt(status: 307, detail: "redirects are not followed"))
    #expect(inside.requests.isEmpty)
  }

  @Test func `who never answers is given up`() async throws {
    let server = LoopbackServer { _ in [] }
    defer { server.stop() }
    let sender = MessageSender(
      AddressGuard(allowing: ["127.0.0.1"]), timeout: .milliseconds(200))
    let receipt = await sender.send(try message(to: "http://127.0.0.1:\(server.port)/"))
    #expect(receipt.status == 0)
    #expect(!receipt.isTaken)
  }

  @Test(arguments: [
    ("30", 30_000), ("0", 0), ("-5", nil), ("1e3", nil), ("12345678901", nil),
    ("Sat, 21 Nov 2026 08:30:00 GMT", nil),
  ])
  func `who asks to be left alone for some seconds is heard, and for anything else not`(
    header: String, pause: Int64?
  ) async throws {
    let server = LoopbackServer { _ in
      [.send(Self.response("429 Too Many Requests", "Retry-After: \(header)\r\n"))]
    }
    defer { server.stop() }
    let sender = MessageSender(AddressGuard(allowing: ["127.0.0.1"]))
    let receipt = await sender.send(try message(to: "http://127.0.0.1:\(server.port)/"))
    #expect(receipt == MessageReceipt(status: 429, retryAfter: pause))
  }

  @Test func `of an answer a few words are kept, and nothing that is as long or of the address`()
    async throws
  {
    let bodies = [
      "invalid_payload", String(repeating: "x", count: 1 << 20), "no secretpath here", "<html>",
    ]
    let server = LoopbackServer { number in
      [.send(Self.response("500 Oops", body: bodies[number]))]
    }
    defer { server.stop() }
    let sender = MessageSender(AddressGuard(allowing: ["127.0.0.1"]))
    var details: [String] = []
    for _ in bodies {
      let receipt = await sender.send(
        try message(to: "http://127.0.0.1:\(server.port)/secretpath"))
      #expect(receipt.status == 500)
      details.append(receipt.detail)
    }
    #expect(details == ["invalid_payload", "", "", ""])
  }
}
