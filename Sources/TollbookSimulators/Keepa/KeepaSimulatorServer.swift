private import Deflate
private import FoundationEssentials
package import Hummingbird
package import Logging
package import NIOCore
package import ServiceLifecycle

extension KeepaSimulator {
  /// A Hummingbird application that serves this simulator. It is a `Service`.
  ///
  /// - Parameters:
  ///   - port: 0 lets the system choose; `onServerRunning` then tells by `channel.localAddress`
  package func application(
    host: String = "127.0.0.1", port: Int = 0,
    logger: Logger = Logger(label: "keepa-simulator"),
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
    host: String = "127.0.0.1", port: Int = 0,
    logger: Logger = Logger(label: "keepa-simulator"),
    onServerRunning: @escaping @Sendable (_ channel: any Channel) async -> Void = { _ in }
  ) -> any Service {
    application(host: host, port: port, logger: logger, onServerRunning: onServerRunning)
  }

  /// Serves on a free port of this machine while `body` runs.
  ///
  /// - Parameter body: gets the base address, such as `http://127.0.0.1:40123`
  @discardableResult
  package func serving<Result: Sendable>(
    logger: Logger = Logger(label: "keepa-simulator") { _ in SwiftLogNoOpLogHandler() },
    _ body: @Sendable (_ base: String) async throws -> Result
  ) async throws -> Result {
    let (ports, port) = AsyncStream<Int>.makeStream()
    let application = application(logger: logger) { channel in
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
}

/// Keeps the connection of a request, so that it can be closed without an answer.
private struct SimulatorContext: RequestContext {
  var coreContext: CoreRequestContextStorage
  let channel: any Channel

  init(source: Source) {
    coreContext = .init(source: source)
    channel = source.channel
  }
}

/// Thrown in the middle of a body to close the connection there.
private struct BodyCut: Error {}

/// Turns requests into calls and answers into responses.
private struct SimulatorResponder: HTTPResponder {
  let simulator: KeepaSimulator

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
      return try context.responseEncoder.encode(simulator.books, from: request, context: context)
    case (.get, "/_simulator/faults"):
      return try context.responseEncoder.encode(simulator.faults, from: request, context: context)
    case (.post, "/_simulator/faults"):
      do {
        simulator.faults = try await request.decode(as: KeepaFaults.self, context: context)
      } catch {
        return Response(
          status: .badRequest, headers: [.contentType: "text/plain;charset=UTF-8"],
          body: .init(byteBuffer: ByteBuffer(string: "\(error)\n")))
      }
      return try context.responseEncoder.encode(simulator.faults, from: request, context: context)
    default:
      let answer = await simulator.answer(
        path: request.uri.path,
        parameters: KeepaParameters.decoding(query: request.uri.query ?? ""),
        body: try await posted(request))
      return try await response(answer, context)
    }
  }

  /// The longest body that is read; a thousand trackings are far shorter.
  private static let longestBody = 4 << 20

  /// What a request posts.
  private func posted(_ request: Request) async throws -> [UInt8] {
    guard request.method == .post else { return [] }
    return Array(buffer: try await request.body.collect(upTo: Self.longestBody))
  }

  private func response(
    _ answer: KeepaAnswer, _ context: SimulatorContext
  ) async throws -> Response {
    if answer.delivery == .withheld {
      try? await context.channel.close()
      return Response(status: .serviceUnavailable)
    }
    var headers: HTTPFields = [:]
    let bytes: [UInt8]
    switch answer.content {
    case .html:
      headers[.contentType] = "text/html;charset=UTF-8"
      bytes = answer.body
    case .png:
      headers[.contentType] = "image/png"
      bytes = answer.body
    case .json:
      headers[.contentType] = "application/json;charset=UTF-8"
      headers[.contentEncoding] = "gzip"
      bytes = gzip(answer.body, level: 1)
    }
    return Response(
      status: .init(code: answer.status), headers: headers,
      body: body(bytes, delivery: answer.delivery))
  }

  private func body(_ bytes: [UInt8], delivery: KeepaAnswer.Delivery) -> ResponseBody {
    let first = ByteBuffer(bytes: bytes[..<(bytes.count / 2)])
    let second = ByteBuffer(bytes: bytes[(bytes.count / 2)...])
    switch delivery {
    case .whole, .withheld: return ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
    case .stalled(let milliseconds):
      return ResponseBody(contentLength: bytes.count) { [simulator] writer in
        try await writer.write(first)
        await simulator.configuration.sleep(milliseconds)
        try await writer.write(second)
        try await writer.finish(nil)
      }
    case .cut(let announced):
      return ResponseBody(contentLength: announced ? bytes.count : nil) { writer in
        try await writer.write(first)
        throw BodyCut()
      }
    }
  }
}
