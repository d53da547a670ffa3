package import Hummingbird
private import NIOCore

extension EbaySimulator: ServedSimulator {
  package static let label = "ebay-simulator"

  /// Where the conditions stand, beside the books and the faults.
  private static let conditionsPath = "/_simulator/conditions"
  /// No form of OAuth comes near so many bytes; what is beyond is not read.
  private static let longestBody = 64 << 10

  package func response(
    to request: Request, _ context: SimulatorContext
  ) async throws -> Response {
    if request.uri.path == Self.conditionsPath {
      return try await conditionsResponse(to: request, context)
    }
    var headers: [String: String] = [:]
    for field in request.headers { headers[field.name.canonicalName] = field.value }
    let answer = await answer(
      method: request.method.rawValue, path: request.uri.path, query: request.uri.query ?? "",
      headers: headers, body: try await body(of: request),
      base: Self.base(request.head.authority))
    guard answer.delivery != .withheld else {
      try? await context.channel.close()
      return Response(status: .serviceUnavailable)
    }
    return Response(
      status: .init(code: answer.status), headers: fields(answer), body: body(answer))
  }

  /// Where the caller reaches the simulator, by the header `Host`.
  static func base(_ authority: String?) -> String {
    let isHost: (UInt8) -> Bool = { byte in
      48...57 ~= byte || 65...90 ~= byte || 97...122 ~= byte || "-._:[]".utf8.contains(byte)
    }
    guard let authority, 1...255 ~= authority.utf8.count, authority.utf8.allSatisfy(isHost) else {
      return "http://127.0.0.1"
    }
    return "http://\(authority)"
  }

  /// Tells the conditions after a POST has changed them.
  private func conditionsResponse(
    to request: Request, _ context: SimulatorContext
  ) async throws -> Response {
    if request.method == .post {
      do {
        conditions = try await request.decode(as: EbayConditions.self, context: context)
      } catch {
        return Response(
          status: .badRequest, headers: [.contentType: "text/plain;charset=UTF-8"],
          body: .init(byteBuffer: ByteBuffer(string: "\(error)\n")))
      }
    }
    return try context.responseEncoder.encode(conditions, from: request, context: context)
  }

  private func body(of request: Request) async throws -> [UInt8] {
    var bytes: [UInt8] = []
    for try await part in request.body where bytes.count < Self.longestBody {
      bytes += part.readableBytesView.prefix(Self.longestBody - bytes.count)
    }
    return bytes
  }

  private func fields(_ answer: EbayReply) -> HTTPFields {
    var fields: HTTPFields = [:]
    if let contentType = answer.contentType { fields[.contentType] = contentType }
    if let location = answer.location { fields[.location] = location }
    return fields
  }

  private func body(_ answer: EbayReply) -> ResponseBody {
    guard answer.delivery == .cut else {
      return ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body))
    }
    let half = ByteBuffer(bytes: answer.body.prefix(answer.body.count / 2))
    return ResponseBody(contentLength: answer.body.count) { writer in
      try await writer.write(half)
      throw BodyCut()
    }
  }
}
