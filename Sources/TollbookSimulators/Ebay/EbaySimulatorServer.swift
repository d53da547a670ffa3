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
      return try await context.told(conditions, set: { conditions = $0 }, to: request)
    }
    let answer = await answer(
      method: request.method.rawValue, path: request.uri.path, query: request.uri.query ?? "",
      headers: request.namedHeaders, body: try await request.bytes(atMost: Self.longestBody),
      base: Self.base(request.head.authority))
    guard answer.delivery != .withheld else { return await context.closed() }
    return Response(
      status: .init(code: answer.status), headers: fields(answer),
      body: ResponseBody(answer.body, answer.delivery))
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

  private func fields(_ answer: EbayReply) -> HTTPFields {
    var fields: HTTPFields = [:]
    if let contentType = answer.contentType { fields[.contentType] = contentType }
    if let location = answer.location { fields[.location] = location }
    return fields
  }
}
