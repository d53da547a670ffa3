package import Hummingbird
package import Logging
package import NIOCore
package import ServiceLifecycle

extension GeminiSimulator {
  /// A Hummingbird application that serves this simulator. It is a `Service`.
  ///
  /// - Parameters:
  ///   - port: 0 lets the system choose; `onServerRunning` then tells by `channel.localAddress`
  package func application(
    host: String = "127.0.0.1", port: Int = 0,
    logger: Logger = Logger(label: "gemini-simulator"),
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
    logger: Logger = Logger(label: "gemini-simulator"),
    onServerRunning: @escaping @Sendable (_ channel: any Channel) async -> Void = { _ in }
  ) -> any Service {
    application(host: host, port: port, logger: logger, onServerRunning: onServerRunning)
  }

  /// Serves on a free port of this machine while `body` runs.
  ///
  /// - Parameter body: gets the base address, such as `http://127.0.0.1:40123`
  @discardableResult
  package func serving<Result: Sendable>(
    logger: Logger = Logger(label: "gemini-simulator") { _ in SwiftLogNoOpLogHandler() },
    _ body: @Sendable (_ base: String) async throws -> Result
  ) async throws -> Result {
    try await servingOnFreePort({ application(logger: logger, onServerRunning: $0) }, body)
  }
}

extension GeminiSimulator: ServedSimulator {
  func response(to request: Request, _ context: SimulatorContext) async throws -> Response {
    var headers: [String: String] = [:]
    for field in request.headers { headers[field.name.canonicalName] = field.value }
    let answer = await answer(
      method: request.method.rawValue, path: request.uri.path,
      query: QueryText.parameters(request.uri.query ?? ""), headers: headers,
      body: try await body(of: request))
    guard answer.delivery != .withheld else {
      try? await context.channel.close()
      return Response(status: .serviceUnavailable)
    }
    return Response(
      status: .init(code: answer.status), headers: [.contentType: answer.contentType],
      body: body(answer))
  }

  /// What a request posts. A body that is too long is read one byte further than is allowed, so that it is refused.
  private func body(of request: Request) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await part in request.body where bytes.count <= GeminiRequest.longestBody {
      bytes += part.readableBytesView.prefix(GeminiRequest.longestBody + 1 - bytes.count)
    }
    return bytes
  }

  private func body(_ answer: GeminiAnswer) -> ResponseBody {
    let chunks = answer.chunks.map { ByteBuffer(bytes: $0) }
    switch answer.delivery {
    case .whole, .withheld: return ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
    case .streamed: return Self.stream(chunks, isCut: false)
    case .cut(let count): return Self.stream(Array(chunks.prefix(count)), isCut: true)
    }
  }

  private static func stream(_ chunks: [ByteBuffer], isCut: Bool) -> ResponseBody {
    ResponseBody { writer in
      for chunk in chunks { try await writer.write(chunk) }
      if isCut { throw BodyCut() }
      try await writer.finish(nil)
    }
  }
}
