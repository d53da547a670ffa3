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
      return try await context.told(conditions, set: { conditions = $0 }, to: request)
    }
    let answer = await answer(
      method: request.method.rawValue, path: request.uri.path, query: request.uri.query ?? "",
      headers: request.namedHeaders, address: context.channel.remoteAddress?.ipAddress ?? "unknown")
    guard answer.delivery != .withheld else { return await context.closed() }
    return Response(
      status: .init(code: answer.status), headers: fields(answer),
      body: ResponseBody(answer.body, answer.delivery))
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
}
