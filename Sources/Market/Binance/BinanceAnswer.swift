/// What an HTTP answer of the exchange comes to.
package enum BinanceAnswer: Hashable, Sendable {
  /// A JSON text, to be read by what was asked for.
  case ok([UInt8])
  case failed(BinanceFailure)

  /// Tells the answers apart by status, code and message.
  ///
  /// - Parameter now: when the answer came, in milliseconds since 1970.
  package static func read(
    status: Int, headers: [(name: String, value: String)], body: [UInt8], now: Int64
  ) -> BinanceAnswer {
    let error = BinanceErrorBody(body)
    let isError = error.isOfRegion || (error.code.map { $0 < 0 } ?? false)
    if status == 200, !isError, isJSON(body) { return .ok(body) }
    let retryAfter = BinanceHeaders(headers).first("Retry-After")
    let reason = reason(status, error, retryAfter: retryAfter, now)
    return .failed(
      BinanceFailure(
        reason: reason, status: status, code: error.code, message: message(status, error, body)))
  }

  private static func reason(
    _ status: Int, _ error: BinanceErrorBody, retryAfter: String?, _ now: Int64
  ) -> BinanceFailure.Reason {
    let limited = BinanceFailure.Reason.limited(
      until: BinanceWaiting.limited(retryAfter: retryAfter, now: now))
    let banned = BinanceFailure.Reason.banned(
      until: BinanceWaiting.banned(retryAfter: retryAfter, until: error.bannedUntil, now: now))
    switch status {
    case 418: return banned
    case 429: return limited
    case 451: return .restrictedRegion
    case 500...: return .trouble
    default: break
    }
    if error.isOfRegion { return .restrictedRegion }
    switch error.code {
    case -1_003: return error.bannedUntil == nil ? limited : banned
    // Unknown, disconnected, unexpected, timed out, overloaded: none says that the request was wrong.
    case -1_000, -1_001, -1_006, -1_007, -1_008: return .trouble
    default: break
    }
    switch status {
    case 403: return .firewall
    case 404: return .notFound
    case 408: return .trouble
    case 400..<500 where error.code != nil: return ofRequest(error)
    case 200 where error.code != nil: return ofRequest(error)
    default: return .unreadable
    }
  }

  private static func ofRequest(_ error: BinanceErrorBody) -> BinanceFailure.Reason {
    switch error.code {
    case -1_120: .unknownInterval
    case -1_121: .unknownSymbol
    default: .invalidRequest
    }
  }

  private static func message(
    _ status: Int, _ error: BinanceErrorBody, _ body: [UInt8]
  ) -> String {
    if !error.message.isEmpty { return error.message }
    if error.code != nil { return "an error without a message" }
    if error.isPage { return "a page for a browser and no answer of the exchange" }
    return body.isEmpty ? "an answer without a body" : "no answer of the exchange"
  }

  /// Whether it begins and ends as an object or array does.
  private static func isJSON(_ body: [UInt8]) -> Bool {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || 0x09...0x0A ~= $0 || $0 == 0x0D }
    guard let first = body.first(where: { !isSpace($0) }),
      let last = body.last(where: { !isSpace($0) })
    else { return false }
    return (first == UInt8(ascii: "{") && last == UInt8(ascii: "}"))
      || (first == UInt8(ascii: "[") && last == UInt8(ascii: "]"))
  }
}

/// The headers of an answer; names in any case.
struct BinanceHeaders {
  private let headers: [(name: String, value: String)]

  init(_ headers: [(name: String, value: String)]) { self.headers = headers }

  /// The values of a name, without blanks around them.
  func all(_ name: String) -> [String] {
    headers.filter { $0.name.lowercased() == name.lowercased() }.map { header in
      let value = header.value[...].drop { $0 == " " || $0 == "\t" }
      guard let last = value.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
      return String(value[...last])
    }
  }

  func first(_ name: String) -> String? { all(name).first }
}
