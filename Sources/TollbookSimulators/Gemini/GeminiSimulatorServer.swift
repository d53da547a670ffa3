package import Hummingbird
private import NIOCore

extension GeminiSimulator: ServedSimulator {
  package static let label = "gemini-simulator"

  package func response(
    to request: Request, _ context: SimulatorContext
  ) async throws -> Response {
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
