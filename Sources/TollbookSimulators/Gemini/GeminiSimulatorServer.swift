package import Hummingbird
private import NIOCore

extension GeminiSimulator: ServedSimulator {
  package static let label = "gemini-simulator"

  package func response(
    to request: Request, _ context: SimulatorContext
  ) async throws -> Response {
    // A body that is too long is read one byte further than is allowed, so that it is refused.
    let answer = await answer(
      method: request.method.rawValue, path: request.uri.path,
      query: QueryText.parameters(request.uri.query ?? ""), headers: request.namedHeaders,
      body: try await request.bytes(atMost: GeminiRequest.longestBody + 1))
    guard answer.delivery != .withheld else { return await context.closed() }
    return Response(
      status: .init(code: answer.status), headers: [.contentType: answer.contentType],
      body: body(answer))
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
