private import Deflate
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
    try await servingOnFreePort({ application(logger: logger, onServerRunning: $0) }, body)
  }
}

extension KeepaSimulator: ServedSimulator {
  func response(to request: Request, _ context: SimulatorContext) async throws -> Response {
    let answer = await answer(
      path: request.uri.path,
      parameters: QueryText.parameters(request.uri.query ?? ""),
      body: try await posted(request))
    return try await response(answer, context)
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
      return ResponseBody(contentLength: bytes.count) { [configuration] writer in
        try await writer.write(first)
        await configuration.sleep(milliseconds)
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
