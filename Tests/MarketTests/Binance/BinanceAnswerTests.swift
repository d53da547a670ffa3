import Testing

@testable import Market

@Suite("what an answer comes to") struct BinanceAnswerTests {
  private static let now: Int64 = 1_790_000_000_000

  private func failure(
    _ status: Int, _ body: String, retryAfter: String? = nil, now: Int64 = now
  ) throws -> BinanceFailure {
    let headers = retryAfter.map { [(name: "retry-after", value: $0)] } ?? []
    let answer = BinanceAnswer.read(
      status: status, headers: headers, body: Array(body.utf8), now: now)
    guard case .failed(let failure) = answer else {
      throw Surprise(description: "\(status) \(body) is no failure")
    }
    return failure
  }

  private struct Surprise: Error, CustomStringConvertible { let description: String }

  private func reason(_ status: Int, _ body: String) throws -> BinanceFailure.Reason {
    try failure(status, body).reason
  }

  @Test(arguments: ["[]", "{}", "[[1]]", #" {"serverTime":1} "#, #"{"code":1}"#])
  func `200 with JSON is a success, byte for byte`(_ text: String) {
    let answer = BinanceAnswer.read(
      status: 200, headers: [], body: Array(text.utf8), now: Self.now)
    #expect(answer == .ok(Array(text.utf8)))
  }

  @Test(arguments: ["", " ", "<html></html>", "[1", "null", "\u{0}", "{", "OK"])
  func `200 without JSON is unreadable`(_ text: String) throws {
    #expect(try reason(200, text) == .unreadable)
  }

  @Test(arguments: [
    ("17", 17_000), ("1", 1_000), ("0", 1_000), (nil, 60_000), ("", 60_000), ("soon", 60_000),
    ("-5", 60_000), ("1.5", 60_000), ("3600", 3_600_000), ("3601", 3_600_000),
    ("99999999999999999999999", 3_600_000), ("9999999999", 3_600_000), (" 9 ", 9_000),
    ("٣", 60_000), ("Sun, 22 Nov 2026 08:49:37 GMT", 60_000),
  ])
  func `a limit holds as long as the header says, within bounds`(
    _ header: String?, _ wait: Int64
  ) throws {
    let body = #"{"code":-1003,"msg":"Too much request weight used; current limit is 6000"}"#
    let failure = try failure(429, body, retryAfter: header)
    #expect(failure.reason == .limited(until: Self.now + wait))
    #expect(failure.code == -1_003)
    #expect(failure.until == Self.now + wait)
    #expect(try self.failure(429, "<html>", retryAfter: header).reason == failure.reason)
  }

  @Test(
    arguments: [
      ("300", nil, 300_000), (nil, 240_000, 240_000), ("300", 240_000, 300_000),
      ("120", 240_000, 240_000), (nil, nil, 120_000), ("0", nil, 120_000), ("x", -5_000, 120_000),
      ("300", -5_000, 300_000), (nil, 400_000_000_000, 262_800_000),
      ("999999999999", nil, 262_800_000),
      (nil, 259_200_000, 259_200_000),
    ] as [(String?, Int64?, Int64)])
  func `a ban holds until the later of header and message, within bounds`(
    _ header: String?, _ told: Int64?, _ wait: Int64
  ) throws {
    let until = told.map { " IP banned until \(Self.now + $0)." } ?? ""
    let body = #"{"code":-1003,"msg":"Way too much request weight used;\#(until)"}"#
    let failure = try failure(418, body, retryAfter: header)
    #expect(failure.reason == .banned(until: Self.now + wait))
  }

  @Test func `the code of too many requests is a limit unless a ban is told`() throws {
    let limit = #"{"code":-1003,"msg":"Too many requests queued."}"#
    #expect(try reason(400, limit) == .limited(until: Self.now + 60_000))
    let ban = #"{"code":-1003,"msg":"Way too much; IP banned until 1790000500000. Bye"}"#
    #expect(try reason(403, ban) == .banned(until: 1_790_000_500_000))
    #expect(try reason(200, limit) == .limited(until: Self.now + 60_000))
    // Under 429 it is a limit even if the words speak of a ban.
    #expect(try reason(429, ban) == .limited(until: Self.now + 60_000))
  }

  @Test(arguments: [
    (400, #"{"code":-1121,"msg":"Invalid symbol."}"#, BinanceFailure.Reason.unknownSymbol),
    (400, #"{"code":-1120,"msg":"Invalid interval."}"#, .unknownInterval),
    (400, #"{"code":-1100,"msg":"Illegal characters found"}"#, .invalidRequest),
    (400, #"{"code":-1220,"msg":"x"}"#, .invalidRequest), (400, "", .unreadable),
    (400, "<html>Bad Request</html>", .unreadable), (400, #"{"error":1}"#, .unreadable),
    (401, #"{"code":-1002,"msg":"x"}"#, .invalidRequest),
    (451, "", .restrictedRegion), (451, #"{"code":0,"msg":"…"}"#, .restrictedRegion),
    (
      403, #"{"code":0,"msg":"Service unavailable from a restricted location according to"}"#,
      .restrictedRegion
    ),
    (200, #"{"code":0,"msg":"from a restricted location"}"#, .restrictedRegion),
    (403, "<html><title>403</title></html>", .firewall), (403, "", .firewall),
    (404, "<html>", .notFound), (404, #"{"code":-1,"msg":"x"}"#, .notFound),
    (408, "", .trouble), (500, "", .trouble), (502, "<html>", .trouble), (503, "", .trouble),
    (503, #"{"code":-1008,"msg":"Server is currently overloaded"}"#, .trouble),
    (504, #"{"code":-1007,"msg":"Timeout"}"#, .trouble), (599, "", .trouble),
    (400, #"{"code":-1000,"msg":"x"}"#, .trouble), (400, #"{"code":-1001,"msg":"x"}"#, .trouble),
    (400, #"{"code":-1007,"msg":"x"}"#, .trouble), (400, #"{"code":-1008,"msg":"x"}"#, .trouble),
    (200, #"{"code":-1121,"msg":"Invalid symbol."}"#, .unknownSymbol),
    (301, "", .unreadable), (204, "", .unreadable), (0, "", .unreadable), (-7, "", .unreadable),
    (100, "", .unreadable),
  ])
  func `answers are told apart`(
    _ status: Int, _ body: String, _ reason: BinanceFailure.Reason
  ) throws {
    #expect(try self.reason(status, body) == reason)
  }

  @Test func `what may have been counted and what may pass are told`() throws {
    let trouble = try failure(503, "")
    #expect(trouble.mayHaveCounted && trouble.until == nil)
    let invalid = try failure(400, #"{"code":-1121,"msg":"Invalid symbol."}"#)
    #expect(!invalid.mayHaveCounted)
    #expect(invalid.description == "HTTP status 400, code -1121: Invalid symbol.")
  }

  @Test func `a message is cleaned and bounded`() throws {
    let long = String(repeating: "x", count: 20_000)
    let cut = try failure(400, #"{"code":-1,"msg":"\#(long)"}"#)
    #expect(cut.message.unicodeScalars.count == 512)
    let steering = try failure(400, #"{"code":-1,"msg":"a\u001b[31mb\r\nc\u202ed"}"#)
    #expect(steering.message == "a [31mb c d")
    #expect(try failure(400, #"{"code":-1,"msg":7}"#).message == "an error without a message")
    let immense = String(repeating: " ", count: 100_000)
    #expect(try failure(400, #"{"code":-1,"msg":"x"}"# + immense).code == nil)
    #expect(try failure(403, "\n<html>" + long).message.contains("browser"))
  }

  @Test(arguments: [
    #"{"code":-1003,"code":-1121,"msg":"x"}"#, #"{"code":"-1121","msg":"x"}"#,
    #"{"code":-1121.0,"msg":"x"}"#, #"{"code":-99999999999999999999,"msg":"x"}"#,
    #"{"code":{"a":1},"msg":[]}"#, #"{"msg":"IP banned until 1790000500000"}"#,
    #"[{"code":-1121}]"#, #"{"code":-1121"#, String(repeating: #"{"a":"#, count: 10_000),
  ])
  func `bodies that are odd harm nothing`(_ body: String) throws {
    for status in [400, 403, 418, 429, 451, 500] {
      let failure = try failure(status, body, retryAfter: "5")
      #expect(failure.status == status)
      #expect(failure.message.unicodeScalars.count <= BinanceFailure.mostText)
    }
  }

  @Test(arguments: [Int64.min, -1, 0, .max, .max - 1])
  func `no instant overflows`(now: Int64) throws {
    let body = #"{"code":-1003,"msg":"IP banned until 1790000500000"}"#
    let ban = try #require(try failure(418, body, now: now).until)
    #expect(ban >= now)
    #expect(try #require(try failure(429, "", retryAfter: "99", now: now).until) >= now)
  }
}
