import Testing
import TollbookEvents

@testable import DealScout

@Suite struct EbayAnswerTests {
  private static let now = Timestamp(milliseconds: 1_790_000_000_000)

  private static func errors(_ id: Int, _ domain: String, _ message: String = "m") -> String {
    #"{"errors":[{"errorId":\#(id),"domain":"\#(domain)","category":"REQUEST","#
      + #""message":"\#(message)"}]}"#
  }

  private func failure(
    _ status: Int, _ body: String, retryAfter: String? = nil
  ) throws -> EbayFailure {
    let headers = retryAfter.map { [(name: "retry-after", value: $0)] } ?? []
    let answer = EbayAnswer.read(
      status: status, headers: headers, body: Array(body.utf8), now: Self.now)
    guard case .failed(let failure) = answer else {
      throw Surprise(description: "\(status) \(body) is no failure")
    }
    return failure
  }

  private struct Surprise: Error, CustomStringConvertible { let description: String }

  @Test(arguments: [
    "{}", #" {"total":0} "#, #"{"warnings":[{"errorId":12012}]}"#, #"{"errors":[]}"#,
  ])
  func `200 with an object is a success, byte for byte`(_ text: String) {
    let body = Array(text.utf8)
    #expect(EbayAnswer.read(status: 200, body: body, now: Self.now) == .ok(body))
  }

  @Test func `errors beside items are about the others`() {
    let body = Array(#"{"items":[{}],"errors":[{"errorId":11001,"message":"gone"}]}"#.utf8)
    #expect(EbayAnswer.read(status: 200, body: body, now: Self.now) == .ok(body))
  }

  @Test func `204 has nothing to report`() {
    #expect(EbayAnswer.read(status: 204, body: [], now: Self.now) == .empty)
  }

  @Test(arguments: [
    // The sheet's table, row by row.
    (400, errors(12_001, "API_BROWSE"), EbayFailure.Reason.invalidRequest),
    (400, errors(12_004, "API_BROWSE"), .invalidRequest),
    (400, errors(12_006, "API_BROWSE"), .invalidRequest),
    (400, errors(12_023, "API_BROWSE"), .invalidRequest),
    (400, errors(12_029, "API_BROWSE"), .invalidRequest),
    (400, errors(12_512, "API_BROWSE"), .invalidRequest),
    (400, errors(0, "API_BROWSE", "offset must be a multiple of limit"), .invalidRequest),
    (400, errors(1_002, "OAuth"), .invalidRequest),
    (401, errors(1_001, "OAuth", "Invalid access token"), .tokenExpired), (401, "", .tokenExpired),
    (400, errors(1_001, "OAuth"), .tokenExpired),
    (403, errors(1_100, "ACCESS"), .scopeMissing), (403, errors(9, "ACCESS"), .forbidden),
    (403, "<html>", .forbidden), (403, "", .forbidden),
    (404, errors(11_001, "API_BROWSE"), .notFound), (200, errors(11_001, "API_BROWSE"), .notFound),
    (404, errors(2_002, "ACCESS"), .notFound), (404, "", .notFound), (404, "<html>", .unreadable),
    (400, errors(11_003, "API_BROWSE"), .notFound),
    (400, errors(11_004, "API_BROWSE"), .unavailable),
    (200, errors(11_004, "API_BROWSE"), .unavailable),
    (400, errors(11_006, "API_BROWSE"), .isGroup), (200, errors(11_005, "API_BROWSE"), .isGroup),
    (409, errors(12_013, "API_BROWSE"), .invalidRequest),
    (409, errors(12_019, "API_BROWSE"), .invalidRequest),
    (429, errors(2_001, "ACCESS"), .quota(until: nil)), (429, "", .quota(until: nil)),
    (403, errors(2_001, "ACCESS"), .quota(until: nil)),
    (500, errors(12_000, "API_BROWSE"), .trouble), (500, "", .trouble), (502, "<html>", .trouble),
    (503, "", .trouble), (408, "", .trouble), (200, errors(11_502, "API_BROWSE"), .trouble),
    (200, errors(12_001, "API_BROWSE"), .invalidRequest),
    // OAuth answers in its own form (RFC 6749, section 5.2).
    (
      401, #"{"error":"invalid_client","error_description":"client authentication failed"}"#,
      .keyRejected
    ),
    (400, #"{"error":"invalid_grant","error_description":"expired"}"#, .grantRejected),
    (400, #"{"error":"invalid_scope"}"#, .scopeMissing),
    (400, #"{"error":"unsupported_grant_type"}"#, .invalidRequest),
    (400, #"{"error":"invalid_request"}"#, .invalidRequest),
    (500, #"{"error":"server_error"}"#, .trouble),
    (400, #"{"error":"temporarily_unavailable"}"#, .trouble),
    (429, #"{"error":"too_many"}"#, .quota(until: nil)),
    (200, #"{"error":"invalid_client"}"#, .keyRejected),
    // Nothing that eBay would write.
    (200, "", .unreadable), (200, "[]", .unreadable), (200, "<html></html>", .unreadable),
    (200, "{", .unreadable), (400, "", .unreadable), (400, "<html>", .unreadable),
    (400, #"{"message":"x"}"#, .unreadable), (301, "", .unreadable), (0, "", .unreadable),
    (-7, "{}", .unreadable), (400, #"{"errors":{}}"#, .unreadable),
    (400, #"{"errors":[7]}"#, .invalidRequest),
  ])
  func `answers are told apart`(
    _ status: Int, _ body: String, _ reason: EbayFailure.Reason
  ) throws {
    let failure = try failure(status, body)
    #expect(failure.reason == reason)
    #expect(failure.status == status)
    #expect(!failure.message.isEmpty)
  }

  @Test(
    arguments: [
      ("17", 17_000), ("0", 1_000), ("86400", 86_400_000), ("999999", 86_400_000),
      ("999999999999999999", 86_400_000), (" 9 ", nil), ("-5", nil), ("1.5", nil), ("soon", nil),
      ("", nil), ("9999999999999999999", nil), ("٣", nil),
    ] as [(String, Int64?)])
  func `a wait is believed within bounds`(_ header: String, _ wait: Int64?) throws {
    let until = wait.map { Self.now.advanced(byMilliseconds: $0) }
    #expect(
      try failure(429, Self.errors(2_001, "ACCESS"), retryAfter: header).reason
        == .quota(until: until))
  }

  @Test func `what eBay says is told on one line and cut`() throws {
    let long = String(repeating: "x", count: 3_000)
    let failure = try failure(400, Self.errors(12_001, "API_BROWSE", "a\\nb\\u001b[1m \(long)"))
    #expect(failure.message.hasPrefix("a b [1m xxx"))
    #expect(failure.message.unicodeScalars.count <= EbayFailure.mostText)
    #expect(failure.id == 12_001)
    #expect(failure.description.hasPrefix("HTTP status 400, error 12001: a b"))
    let oauth = try self.failure(401, #"{"error":"invalid_client","error_description":"no"}"#)
    #expect(oauth.message == "invalid_client: no")
    #expect(oauth.description == "HTTP status 401: invalid_client: no")
  }

  @Test func `what may succeed later is known, and what may have counted`() throws {
    #expect(try failure(500, "").isTemporary)
    #expect(try failure(500, "").mayHaveCounted)
    #expect(try failure(429, "").isTemporary)
    #expect(!(try failure(429, "").mayHaveCounted))
    #expect(!(try failure(409, Self.errors(12_013, "API_BROWSE")).isTemporary))
    #expect(!(try failure(401, #"{"error":"invalid_client"}"#).isTemporary))
  }

  @Test func `entries and parameters are bounded`() {
    let parameter = #"{"name":"n","value":"v"}"#
    let parameters = Array(repeating: parameter, count: 30).joined(separator: ",")
    let entry = #"{"errorId":1,"parameters":[\#(parameters)]}"#
    let body = EbayErrorBody(
      Array(#"{"errors":[\#(Array(repeating: entry, count: 150).joined(separator: ","))]}"#.utf8))
    #expect(body.errors.count == 100)
    #expect(body.errors.first?.parameters.count == 20)
    let large = EbayErrorBody(
      Array(
        (#"{"errors":[{"errorId":1}],"x":""# + String(repeating: "y", count: 300_000) + #""}"#).utf8
      ))
    #expect(!large.isError)
  }
}
