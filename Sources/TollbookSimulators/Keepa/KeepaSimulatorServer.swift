private import Deflate
package import Hummingbird
private import NIOCore

extension KeepaSimulator: ServedSimulator {
  package static let label = "keepa-simulator"

  package func response(
    to request: Request, _ context: SimulatorContext
  ) async throws -> Response {
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
    if answer.delivery == .withheld { return await context.closed() }
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
