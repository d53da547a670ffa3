package import Hummingbird
private import NIOCore

extension BinanceSimulator: ServedSimulator {
  package static let label = "binance-simulator"

  /// Where the conditions stand, beside the books and the faults.
  private static let conditionsPath = "/_simulator/conditions"

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
      headers: headers, address: context.channel.remoteAddress?.ipAddress ?? "unknown")
    guard answer.delivery != .withheld else {
      try? await context.channel.close()
      return Response(status: .serviceUnavailable)
    }
    return Response(
      status: .init(code: answer.status), headers: fields(answer), body: body(answer))
  }

  /// Tells the conditions after a POST has changed them.
  private func conditionsResponse(
    to request: Request, _ context: SimulatorContext
  ) async throws -> Response {
    if request.method == .post {
      do {
        conditions = try await request.decode(as: BinanceConditions.self, context: context)
      } catch {
        return Response(
          status: .badRequest, headers: [.contentType: "text/plain;charset=UTF-8"],
          body: .init(byteBuffer: ByteBuffer(string: "\(error)\n")))
      }
    }
    return try context.responseEncoder.encode(conditions, from: request, context: context)
  }

  private func fields(_ answer: BinanceReply) -> HTTPFields {
    var fields: HTTPFields = [:]
    if let contentType = answer.contentType { fields[.contentType] = contentType }
    if let usedWeight = answer.usedWeight {
      for text in ["X-MBX-USED-WEIGHT", "X-MBX-USED-WEIGHT-1M"] {
        if let name = HTTPFields.Element.Name(text) { fields[name] = usedWeight }
      }
    }
    if let seconds = answer.retryAfter { fields[.retryAfter] = String(seconds) }
    return fields
  }

  private func body(_ answer: BinanceReply) -> ResponseBody {
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
