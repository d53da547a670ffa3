import Deflate
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import NIOEmbedded
import Synchronization
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookHTTP
@testable import tollbook

/// All that Tollbook answers, with every system that the program has, and clocks that stand still. Where its upstreams
/// should be nobody listens.
struct RouteStand: Sendable {
  /// A listener's routes, and what answers them.
  struct Listener: Sendable {
    let name: String
    let routes: [Route]
    let responder: any HTTPResponder<TollbookContext>
  }

  /// A method at a path, as it is registered.
  struct Route: Sendable, CustomStringConvertible {
    let method: HTTPRequest.Method
    let pattern: String

    var description: String { "\(method.rawValue) \(pattern)" }

    /// A path of this pattern at which the answer does not depend on what there is.
    var path: String {
      var steps = pattern.split(separator: "/").map(String.init)
      let hasOptions = steps.contains("{version}") || steps.contains("{options}")
      for (index, step) in steps.enumerated() {
        let name = step.filter { !":{}".contains($0) }
        guard name.count < step.count else { continue }
        steps[index] =
          switch name {
          case "first": hasOptions ? "~tags=branch=north" : "v1beta"
          case "options": "~tags=branch=north"
          case "version": "v1beta"
          case "call": "gemini-3.5-flash-lite:generateContent"
          case "asin": "B000000001"
          default: "1"
          }
      }
      return "/" + steps.joined(separator: "/")
    }
  }

  struct Answer: Sendable {
    let status: Int
    let headers: HTTPFields
    let text: String
    /// Bytes of the body that were read.
    var taken = 0
  }

  let gateway: Gateway
  /// The public one, and that of the command line.
  let listeners: [Listener]

  static func serving(
    _ change: @Sendable (inout HTTPSettings) -> Void = { _ in },
    _ scene: @Sendable (RouteStand) async throws -> Void
  ) async throws {
    let folder = try TemporaryFolder()
    let data = "\(folder.path)/data"
    let settings = try await SettingsLoader(flags: [.dataDirectory: data], isSimulated: true).load()
    let nowhere = try #require(BaseURL("http://127.0.0.1:1"))
    let places = SimulatorPlaces(keepa: nowhere, gemini: nowhere, binance: nowhere, ebay: nowhere)
    let opened = try Systems.all.map { try $0.open(settings, places) }
    let time = ManualTime()
    let log = try folder.openLog(folds: allFolds, time: time.source)
    var gatewaySettings = settings.gateway
    gatewaySettings.retries.attempts = 1
    gatewaySettings.gatherTime = 0
    let gateway = Gateway(
      log: log, upstreams: opened.map(\.upstream), settings: gatewaySettings, random: { 0 })
    var http = HTTPSettings(version: "test", startTime: time.now)
    change(&http)
    do {
      try await gateway.start(version: "test")
      try await scene(
        RouteStand(gateway, http, zip(Systems.http, opened).map { $1.http ?? $0 }))
    } catch {
      await close(gateway, opened.map(\.close))
      throw error
    }
    await close(gateway, opened.map(\.close))
  }

  private static func close(
    _ gateway: Gateway, _ upstreams: [@Sendable () async -> Void]
  ) async {
    await gateway.stop()
    for close in upstreams { await close() }
    gateway.log.close()
  }

  private init(_ gateway: Gateway, _ settings: HTTPSettings, _ systems: [HTTPSystem]) {
    self.gateway = gateway
    let application = TollbookApplication(
      gateway: gateway, settings: settings, systems: systems, logger: Self.quiet)
    listeners = [
      ("public", application.router()), ("control", application.controlRouter),
    ].map { name, router in
      Listener(
        name: name,
        routes: router.routes.map { Route(method: $0.method, pattern: $0.path.description) },
        responder: router.buildResponder())
    }
  }

  private static let quiet = {
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    return logger
  }()

  /// Sends a request without a socket.
  func send(
    _ route: Route, to listener: Listener, _ headers: HTTPFields, _ body: PouredBody
  ) async throws -> Answer {
    var answer = try await send(route, to: listener, headers, RequestBody(asyncSequence: body))
    answer.taken = body.taken
    return answer
  }

  func send(
    _ route: Route, to listener: Listener, _ headers: HTTPFields, _ body: RequestBody
  ) async throws -> Answer {
    let request = Request(
      head: HTTPRequest(
        method: route.method, scheme: "http", authority: "localhost", path: route.path,
        headerFields: headers), body: body)
    let context = TollbookContext(
      source: ApplicationRequestContextSource(
        channel: NIOAsyncTestingChannel(), logger: Self.quiet))
    let response = try await listener.responder.respond(to: request, context: context)
    let writer = AnswerWriter()
    try await response.body.write(writer)
    var bytes = Array(writer.content.withLock { $0 }.readableBytesView)
    if response.headers[.contentEncoding] == "gzip" {
      bytes = try gunzip(bytes, maximumLength: 1 << 20)
    }
    return Answer(
      status: response.status.code, headers: response.headers,
      text: String(decoding: bytes, as: UTF8.self))
  }
}

/// A body of so many bytes that comes in pieces, and counts what is read of it.
struct PouredBody: AsyncSequence, Sendable {
  typealias Element = ByteBuffer

  private final class Count: Sendable {
    let bytes = Mutex(0)
  }

  /// In bytes.
  static let piece = 1 << 16
  private static let pieces = ByteBuffer(repeating: UInt8(ascii: "x"), count: piece)

  private let beginning: ByteBuffer
  private let length: Int
  private let count = Count()

  /// - Parameters:
  ///   - length: in bytes, with the beginning.
  ///   - beginning: what stands before the rest, which is all the same.
  init(_ length: Int, beginning: String = "") {
    self.length = length
    self.beginning = ByteBuffer(string: beginning)
  }

  var taken: Int { count.bytes.withLock { $0 } }

  func makeAsyncIterator() -> Iterator { Iterator(body: self) }

  struct Iterator: AsyncIteratorProtocol {
    fileprivate let body: PouredBody

    func next() async throws -> ByteBuffer? {
      body.count.bytes.withLock { taken in
        let left = body.length - taken
        guard left > 0 else { return nil }
        let isFirst = taken == 0 && body.beginning.readableBytes > 0
        let source = isFirst ? body.beginning : PouredBody.pieces
        let next = source.getSlice(at: 0, length: Swift.min(left, source.readableBytes))
        taken += next?.readableBytes ?? 0
        return next
      }
    }
  }
}

private final class AnswerWriter: ResponseBodyWriter, Sendable {
  let content = Mutex(ByteBuffer())

  func write(_ buffer: ByteBuffer) async throws {
    content.withLock { _ = $0.writeImmutableBuffer(buffer) }
  }

  consuming func finish(_ trailingHeaders: HTTPFields?) async throws {}
}
