import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing
import TollbookGateway

@testable import TollbookHTTP

/// The gate by itself, with a clock that the test moves.
@Suite struct RequestGateTests {
  private let channel = EmbeddedChannel(handler: RequestGate())

  private func head(
    _ uri: String = "/ledger", _ version: HTTPVersion = .http1_1, method: HTTPMethod = .GET,
    _ fields: [(String, String)] = [("Host", "localhost")]
  ) -> HTTPServerRequestPart {
    .head(HTTPRequestHead(version: version, method: method, uri: uri, headers: .init(fields)))
  }

  private var passedHead: HTTPRequestHead? {
    get throws {
      while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
        if case .head(let head) = part { return head }
      }
      return nil
    }
  }

  private var sentHead: HTTPResponseHead? {
    get throws {
      while let part = try channel.readOutbound(as: HTTPServerResponsePart.self) {
        if case .head(let head) = part { return head }
      }
      return nil
    }
  }

  private func answer() throws {
    try channel.writeOutbound(HTTPServerResponsePart.head(.init(version: .http1_1, status: .ok)))
    try channel.writeOutbound(HTTPServerResponsePart.end(nil))
  }

  @Test(arguments: [true, false])
  func `a client that has hung up, or sends no more, is known to be gone`(isHalf: Bool) throws {
    let gate = RequestGate()
    let channel = EmbeddedChannel(handler: gate)
    try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
    try channel.writeInbound(head())
    try channel.writeInbound(HTTPServerRequestPart.end(nil))
    #expect(!gate.client.isGone)
    if isHalf {
      channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed)
    } else {
      _ = try channel.finish()
    }
    #expect(gate.client.isGone)
  }

  @Test func `a body that has not come whole within the time is given up`() throws {
    try channel.writeInbound(head(method: .POST))
    // A byte now and then does not buy more time.
    for _ in 0..<2 {
      channel.embeddedEventLoop.advanceTime(by: .seconds(10))
      try channel.writeInbound(HTTPServerRequestPart.body(ByteBuffer(string: "{")))
      try channel.throwIfErrorCaught()
    }
    channel.embeddedEventLoop.advanceTime(by: .seconds(10) - .nanoseconds(1))
    try channel.throwIfErrorCaught()

    channel.embeddedEventLoop.advanceTime(by: .nanoseconds(1))
    #expect(throws: RequestTooSlow.self) { try channel.throwIfErrorCaught() }
    try answer()
    #expect(try sentHead?.headers["Connection"] == ["close"])
  }

  @Test func `a request that came whole may be answered as late as it likes`() throws {
    try channel.writeInbound(head(method: .POST))
    try channel.writeInbound(HTTPServerRequestPart.end(nil))
    channel.embeddedEventLoop.advanceTime(by: .hours(1))

    try channel.throwIfErrorCaught()
    try answer()
    #expect(try sentHead?.headers["Connection"] == [])
  }

  @Test func `an answer to half a request ends the connection`() throws {
    try channel.writeInbound(head(method: .POST))
    try channel.writeInbound(HTTPServerRequestPart.body(ByteBuffer(string: "{")))
    #expect(try passedHead != nil)
    try channel.writeOutbound(
      HTTPServerResponsePart.head(.init(version: .http1_1, status: .unauthorized)))
    try channel.writeInbound(HTTPServerRequestPart.body(ByteBuffer(string: "}")))

    #expect(try sentHead?.headers["Connection"] == ["close"])
    #expect(try channel.readInbound(as: HTTPServerRequestPart.self) != nil)
    #expect(try channel.readInbound(as: HTTPServerRequestPart.self) == nil)
    channel.embeddedEventLoop.advanceTime(by: RequestGate.requestTime)
    try channel.throwIfErrorCaught()
  }

  /// A version, what stands in `Connection`, and whether the connection ends.
  typealias Ending = (version: HTTPVersion, connection: [String], isLast: Bool)
  static let endings: [Ending] = [
    (.http1_1, [], false), (.http1_1, ["Close"], true), (.http1_1, ["TE , cLose"], true),
    (.http1_1, ["TE", "close"], true), (.http1_1, ["closed, keep-alive"], false),
    (.http1_0, [], true), (.http1_0, ["keep-alive"], true),
  ]

  @Test(arguments: endings)
  func `the connection ends after the answer where it must`(_ ending: Ending) throws {
    let fields = [("Host", "h")] + ending.connection.map { ("Connection", $0) }
    try channel.writeInbound(head("/ledger", ending.version, fields))
    try channel.writeInbound(HTTPServerRequestPart.end(nil))
    // What is sent behind the last request is not looked at.
    try channel.writeInbound(head("/events"))

    #expect(
      try passedHead?.headers["Connection"] == (ending.isLast ? ["close"] : ending.connection))
    #expect(try passedHead?.uri == (ending.isLast ? nil : "/events"))
    try answer()
    let sent = try #require(try sentHead)
    #expect(sent.version == ending.version)
    #expect(sent.headers["Connection"] == (ending.isLast ? ["close"] : []))
  }

  /// A version, header fields, and what is wrong.
  typealias Message = (version: HTTPVersion, fields: [(String, String)], fault: String?)
  static let messages: [Message] = [
    (.http1_1, [], "no-host"), (.http1_0, [], nil), (.http1_1, [("host", "a")], nil),
    (.http1_1, [("Host", "a"), ("hOST", "a")], "several-hosts"),
    (.http1_0, [("Host", "a"), ("Host", "b")], "several-hosts"),
    (.http1_1, [("Host", "a"), ("Expect", "100-Continue")], nil),
    (.http1_1, [("Host", "a"), ("Expect", "gold")], "expectation"),
    (.http1_1, [("Host", "a"), ("Expect", "100-continue, gold")], "expectation"),
    (.http1_0, [("Expect", "gold")], nil),
    (.http1_1, [("Host", "a"), ("Tollbook-Request-Fault", "no-host")], nil),
  ]

  @Test(arguments: messages)
  func `what is wrong with a message is found, and nobody can claim it`(
    _ message: Message
  ) throws {
    try channel.writeInbound(head("/ledger", message.version, message.fields))

    let found = try #require(try passedHead).headers["Tollbook-Request-Fault"]
    #expect(found == (message.fault.map { [$0] } ?? []))
  }

  @Test(arguments: [
    ("http://evil.example/ledger?a=b", "evil.example", "/ledger?a=b"),
    ("HTTPS://a:81", "a:81", "/"), ("http://a?x=1", "a", "/?x=1"),
    ("http://localhost@evil/", "localhost@evil", "/"), ("/http://a/", "localhost", "/http://a/"),
    ("*", "localhost", "*"),
  ])
  func `the host of an absolute target counts`(
    _ target: String, _ host: String, _ path: String
  ) throws {
    try channel.writeInbound(head(target))

    let passed = try #require(try passedHead)
    #expect(passed.headers["Host"] == [host])
    #expect(passed.uri == path)
  }

  @Test func `a body is asked for once it is wanted, and not when it is there`() throws {
    try channel.writeInbound(head(method: .POST, [("Host", "a"), ("Expect", "100-continue")]))
    #expect(try sentHead == nil)
    channel.triggerUserOutboundEvent(BodyIsWanted(), promise: nil)
    #expect(try sentHead?.status == .continue)
    try channel.writeInbound(HTTPServerRequestPart.end(nil))
    channel.triggerUserOutboundEvent(BodyIsWanted(), promise: nil)
    #expect(try sentHead == nil)
    try answer()
    #expect(try sentHead?.headers["Connection"] == [])
  }
}

/// The side that accepts connections.
@Suite struct ConnectionLimitTests {
  @Test func `so many connections are accepted and no more`() {
    var limit = ConnectionLimit(2, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    limit.connectionOpened()
    #expect(limit.isAcceptingNewConnections())
    limit.connectionOpened()
    #expect(!limit.isAcceptingNewConnections())
    limit.connectionClosed()
    #expect(limit.isAcceptingNewConnections())
  }

  @Test func `the listening socket rests when nothing can be accepted`() throws {
    let rest = AcceptRest(logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let channel = EmbeddedChannel(handler: rest)
    for _ in 0..<3 {
      channel.pipeline.fireErrorCaught(IOError(errnoCode: 24, reason: "accept"))
      #expect(isReading(channel) == false)
      channel.embeddedEventLoop.advanceTime(by: AcceptRest.restTime - .nanoseconds(1))
      #expect(isReading(channel) == false)
      channel.embeddedEventLoop.advanceTime(by: .nanoseconds(1))
      #expect(isReading(channel) == true)
    }
  }

  /// What was last set; the channel itself does not act on it.
  private func isReading(_ channel: EmbeddedChannel) -> Bool? {
    channel.options.last { $0.option is ChannelOptions.Types.AutoReadOption }?.value as? Bool
  }
}
