package import TollbookEvents

/// What an HTTP answer of eBay's comes to.
package enum EbayAnswer: Hashable, Sendable {
  /// A JSON text, to be read by what was asked for. It may hold warnings.
  case ok([UInt8])
  /// Status 204: there is nothing to report.
  case empty
  case failed(EbayFailure)

  /// The longest wait that is believed, in seconds: no window is longer than a day.
  private static let longestWait: Int64 = 86_400

  /// Tells the answers apart by status, ids and words.
  ///
  /// - Parameter now: when the answer came.
  package static func read(
    status: Int, headers: [(name: String, value: String)] = [], body: [UInt8], now: Timestamp
  ) -> EbayAnswer {
    if status == 204 { return .empty }
    let error = EbayErrorBody(body)
    if status == 200 || status == 201, !error.isError, isObject(body) { return .ok(body) }
    let until = waiting(headers).map { now.advanced(byMilliseconds: $0 * 1_000) }
    let id = error.errors.first.flatMap { $0.id == 0 ? nil : $0.id }
    return .failed(
      EbayFailure(
        reason: reason(status, error, until), status: status, id: id,
        message: message(error, body)))
  }

  private static func reason(
    _ status: Int, _ error: EbayErrorBody, _ until: Timestamp?
  ) -> EbayFailure.Reason {
    if let word = error.oauthError { return ofOAuth(word, status, until) }
    // 2001 is the number of a used-up quota; the status is the same without a body.
    if status == 429 || error.errors.contains(where: { $0.id == 2_001 && $0.domain == "ACCESS" }) {
      return .quota(until: until)
    }
    if status >= 500 || error.has(12_000, 11_000, 11_502) { return .trouble }
    if error.errors.contains(where: { $0.id == 1_001 && $0.domain == "OAuth" }) {
      return .tokenExpired
    }
    if error.has(1_100) { return .scopeMissing }
    if error.has(11_001, 11_002, 11_003) { return .notFound }
    if error.has(11_004, 11_008) { return .unavailable }
    if error.has(11_005, 11_006) { return .isGroup }
    switch status {
    case 401: return .tokenExpired
    case 403: return .forbidden
    case 404, 410: return error.isError || !error.isPage ? .notFound : .unreadable
    case 408: return .trouble
    case 400..<500: return error.isError ? .invalidRequest : .unreadable
    default: return error.isError && status == 200 ? .invalidRequest : .unreadable
    }
  }

  private static func ofOAuth(
    _ word: String, _ status: Int, _ until: Timestamp?
  ) -> EbayFailure.Reason {
    if status == 429 { return .quota(until: until) }
    if status >= 500 { return .trouble }
    switch word {
    case "invalid_client", "unauthorized_client": return .keyRejected
    case "invalid_grant": return .grantRejected
    case "invalid_scope", "insufficient_scope": return .scopeMissing
    case "invalid_token": return .tokenExpired
    case "server_error", "temporarily_unavailable": return .trouble
    default: return status == 401 ? .keyRejected : .invalidRequest
    }
  }

  private static func message(_ error: EbayErrorBody, _ body: [UInt8]) -> String {
    if !error.text.isEmpty { return error.text.inOneLine(atMost: EbayFailure.mostText - 1) }
    if error.isPage { return "a page for a browser and no answer of eBay's API" }
    return body.isEmpty ? "an answer without a body" : "no answer of eBay's API"
  }

  /// `Retry-After` in seconds, if it is digits alone.
  private static func waiting(_ headers: [(name: String, value: String)]) -> Int64? {
    let header = headers.first { $0.name.lowercased() == "retry-after" }
    guard let text = header?.value.inOneLine(atMost: 40), EbayText.isDigits(text, 1...18),
      let seconds = Int64(text)
    else { return nil }
    return min(max(seconds, 1), longestWait)
  }

  /// Whether it begins and ends as an object does.
  private static func isObject(_ body: [UInt8]) -> Bool {
    let isSpace: (UInt8) -> Bool = { $0 == 0x20 || 0x09...0x0A ~= $0 || $0 == 0x0D }
    return body.first { !isSpace($0) } == UInt8(ascii: "{")
      && body.last { !isSpace($0) } == UInt8(ascii: "}")
  }
}
