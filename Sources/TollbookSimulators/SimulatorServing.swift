package import Hummingbird
package import Logging
package import NIOCore
package import ServiceLifecycle

/// A simulator that can be put on a port: its books and faults stand under `/_simulator`; all else it answers itself.
package protocol ServedSimulator: AnyObject, Sendable {
  associatedtype ServedBooks: Encodable & Sendable
  associatedtype ServedFaults: Codable & Sendable

  /// What its logger is called, such as `keepa-simulator`.
  static var label: String { get }

  /// What it charged so far.
  var books: ServedBooks { get }
  /// The faults in force.
  var faults: ServedFaults { get set }

  /// Answers a request that is not for `/_simulator`.
  func response(to request: Request, _ context: SimulatorContext) async throws -> Response
}

extension ServedSimulator {
  /// A Hummingbird application that serves this simulator. It is a `Service`.
  ///
  /// - Parameters:
  ///   - port: 0 lets the system choose; `onServerRunning` then tells by `channel.localAddress`
  package func application(
    host: String = "127.0.0.1", port: Int = 0, logger: Logger = Logger(label: Self.label),
    onServerRunning: @escaping @Sendable (_ channel: any Channel) async -> Void = { _ in }
  ) -> some ApplicationProtocol {
    Application(
      responder: SimulatorResponder(simulator: self),
      configuration: ApplicationConfiguration(address: .hostname(host, port: port)),
      onServerRunning: onServerRunning,
      logger: logger)
  }

  /// The same as a value that a `ServiceGroup` takes.
  package func service(
    host: String = "127.0.0.1", port: Int = 0, logger: Logger = Logger(label: Self.label),
    onServerRunning: @escaping @Sendable (_ channel: any Channel) async -> Void = { _ in }
  ) -> any Service {
    application(host: host, port: port, logger: logger, onServerRunning: onServerRunning)
  }

  /// Serves on a free port of this machine while `body` runs.
  ///
  /// - Parameter body: gets the base address, such as `http://127.0.0.1:40123`
  @discardableResult
  package func serving<Result: Sendable>(
    logger: Logger = Logger(label: Self.label) { _ in SwiftLogNoOpLogHandler() },
    _ body: @Sendable (_ base: String) async throws -> Result
  ) async throws -> Result {
    try await servingOnFreePort({ application(logger: logger, onServerRunning: $0) }, body)
  }
}

/// Keeps the connection of a request, so that it can be closed without an answer.
package struct SimulatorContext: RequestContext {
  package var coreContext: CoreRequestContextStorage
  let channel: any Channel

  package init(source: Source) {
    coreContext = .init(source: source)
    channel = source.channel
  }

  /// Tells what can be changed, after a POST has changed it.
  func told<Value: Codable & Sendable>(
    _ value: Value, set: (Value) -> Void, to request: Request
  ) async throws -> Response {
    var value = value
    if request.method == .post {
      do { value = try await request.decode(as: Value.self, context: self) } catch {
        return Response(
          status: .badRequest, headers: [.contentType: "text/plain;charset=UTF-8"],
          body: .init(byteBuffer: ByteBuffer(string: "\(error)\n")))
      }
      set(value)
    }
    return try responseEncoder.encode(value, from: request, context: self)
  }

  /// Closes the connection without an answer.
  func closed() async -> Response {
    try? await channel.close()
    return Response(status: .serviceUnavailable)
  }
}

/// How the body of an answer travels.
package enum SimulatorDelivery: Sendable, Hashable {
  /// In one piece, with its length.
  case whole
  /// The first half, though the length of the whole was promised; then the connection closes.
  case cut
  /// Not at all: the connection closes without an answer.
  case withheld
}

extension ResponseBody {
  /// A body as it travels.
  init(_ bytes: [UInt8], _ delivery: SimulatorDelivery) {
    guard delivery == .cut else {
      self.init(byteBuffer: ByteBuffer(bytes: bytes))
      return
    }
    let half = ByteBuffer(bytes: bytes.prefix(bytes.count / 2))
    self.init(contentLength: bytes.count) { writer in
      try await writer.write(half)
      throw BodyCut()
    }
  }
}

extension Request {
  /// The header by names in lower case.
  var namedHeaders: [String: String] {
    headers.reduce(into: [:]) { $0[$1.name.canonicalName] = $1.value }
  }

  /// The first bytes of the body; what is beyond is not kept.
  func bytes(atMost most: Int) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await part in body where bytes.count < most {
      bytes += part.readableBytesView.prefix(most - bytes.count)
    }
    return bytes
  }
}

/// Thrown in the middle of a body to close the connection there.
struct BodyCut: Error {}

/// Turns requests into calls and answers into responses, each with the header that says so.
struct SimulatorResponder<Simulator: ServedSimulator>: HTTPResponder {
  let simulator: Simulator

  func respond(to request: Request, context: SimulatorContext) async throws -> Response {
    var response = try await route(request, context)
    if let name = HTTPFields.Element.Name("Tollbook-Upstream") {
      response.headers[name] = "simulated"
    }
    return response
  }

  private func route(_ request: Request, _ context: SimulatorContext) async throws -> Response {
    switch (request.method, request.uri.path) {
    case (.get, "/_simulator/books"):
      try context.responseEncoder.encode(simulator.books, from: request, context: context)
    case (.get, "/_simulator/faults"), (.post, "/_simulator/faults"):
      try await context.told(simulator.faults, set: { simulator.faults = $0 }, to: request)
    default:
      try await simulator.response(to: request, context)
    }
  }
}

/// Serves on a free port of this machine while `body` runs.
///
/// - Parameters:
///   - application: makes the application; it tells the port that it was given to its argument
///   - body: gets the base address, such as `http://127.0.0.1:40123`
func servingOnFreePort<Result: Sendable>(
  _ application: (
    _ onServerRunning: @escaping @Sendable (_ channel: any Channel) async -> Void
  ) -> some ApplicationProtocol,
  _ body: @Sendable (_ base: String) async throws -> Result
) async throws -> Result {
  let (ports, port) = AsyncStream<Int>.makeStream()
  let application = application { channel in
    port.yield(channel.localAddress?.port ?? 0)
  }
  return try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask {
      defer { port.finish() }
      try await application.run()
    }
    guard let bound = await ports.first(where: { _ in true }) else {
      // It never ran: the task knows why.
      try await group.waitForAll()
      throw CancellationError()
    }
    let result = try await body("http://127.0.0.1:\(bound)")
    group.cancelAll()
    _ = await group.nextResult()
    return result
  }
}
