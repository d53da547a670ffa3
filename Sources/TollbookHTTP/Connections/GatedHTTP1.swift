import Hummingbird
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOHTTPTypes
import TollbookGateway

/// HTTP/1 as the library speaks it, with a gate on every connection.
struct GatedHTTP1: ServerChildChannel {
  typealias Value = HTTP1Channel.Value

  private let channel: HTTP1Channel

  init(
    configuration: HTTP1Channel.Configuration, responder: @escaping HTTPChannelHandler.Responder
  ) {
    channel = HTTP1Channel(
      responder: { request, writer, channel in
        try await responder(Self.announcing(request, channel), writer, channel)
      }, configuration: configuration)
  }

  func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
    self.channel.setup(channel: channel, logger: logger).flatMapThrowing { value in
      let pipeline = channel.pipeline.syncOperations
      let decoder = try pipeline.handler(type: ByteToMessageHandler<HTTPRequestDecoder>.self)
      try pipeline.addHandler(RequestGate(), position: .after(decoder))
      return value
    }
  }

  /// Answers the requests of a connection. Who works for them learns when the client has hung up.
  func handle(value: Value, logger: Logger) async {
    let connection = value.channel
    let gate = connection.eventLoop.submit {
      try connection.pipeline.syncOperations.handler(type: RequestGate.self).client
    }
    await ClientPresence.$current.withValue(try? await gate.get()) {
      await channel.handle(value: value, logger: logger)
    }
  }

  /// A client that waits to be asked for the body is asked when somebody begins to read it.
  private static func announcing(_ request: Request, _ channel: any Channel) -> Request {
    guard request.headers[.expect] != nil else { return request }
    var request = request
    request.body = RequestBody(asyncSequence: AnnouncedBody(body: request.body, channel: channel))
    return request
  }
}

extension HTTPServerBuilder {
  /// - Parameter idleTimeout: after which a connection is closed on which nothing is asked.
  static func gatedHTTP1(idleTimeout: TimeAmount) -> HTTPServerBuilder {
    HTTPServerBuilder { responder in
      GatedHTTP1(configuration: .init(idleTimeout: idleTimeout), responder: responder)
    }
  }
}

/// A body that asks for itself when it is read.
private struct AnnouncedBody: AsyncSequence, Sendable {
  let body: RequestBody
  let channel: any Channel

  func makeAsyncIterator() -> Iterator {
    Iterator(parts: body.makeAsyncIterator(), channel: channel)
  }

  struct Iterator: AsyncIteratorProtocol {
    var parts: RequestBody.AsyncIterator
    let channel: any Channel
    var isAnnounced = false

    @concurrent mutating func next() async throws -> ByteBuffer? {
      if !isAnnounced {
        isAnnounced = true
        try? await channel.triggerUserOutboundEvent(BodyIsWanted()).get()
      }
      return try await parts.next()
    }
  }
}
