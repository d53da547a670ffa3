import Testing

@testable import Extraction

@Suite("a refusal of Gemini's") struct GeminiErrorTests {
  private func read(_ status: Int, _ json: String) -> GeminiError {
    GeminiError(status: status, body: Array(json.utf8))
  }

  @Test func `a limit tells its name and a delay`() {
    let error = read(
      429,
      """
      {"error":{"code":429,"status":"RESOURCE_EXHAUSTED","message":"Quota exceeded","details":[
      {"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[
      {"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"},
      {"quotaId":"GenerateContentInputTokensPerModelPerMinute"}]},
      {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"31.5s"}]}}
      """)
    #expect(error.name == "RESOURCE_EXHAUSTED")
    #expect(error.violations.map(\.isPerDay) == [true, false])
    #expect(error.violations.map(\.isOfTokens) == [false, true])
    #expect(error.retryDelay == 31_500)
    #expect(!error.isOfKey)
  }

  @Test func `a wrong key is told from a wrong request`() {
    let details = """
      {"error":{"code":400,"status":"INVALID_ARGUMENT","message":"API key not valid.","details":[
      {"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}
      """
    #expect(read(400, details).isOfKey)
    #expect(!read(400, #"{"error":{"code":400,"status":"INVALID_ARGUMENT"}}"#).isOfKey)
    #expect(read(403, #"{"error":{"status":"PERMISSION_DENIED"}}"#).isOfKey)
  }

  @Test(arguments: ["", #"{"error":{"code":402,"message":"Payment is required."}}"#])
  func `a payment that is due is a state of the project`(_ body: String) {
    let error = read(402, body)
    #expect(error.isOfKey)
    #expect(
      error.detail
        == "its project has to be paid for: "
        + (body.isEmpty ? "it answered with status 402" : "Payment is required."))
  }

  @Test func `an envelope in a list is read as well`() {
    #expect(read(503, #"[{"error":{"status":"UNAVAILABLE","message":"busy"}}]"#).message == "busy")
  }

  @Test(arguments: [
    "", "<html>", "[]", "{}", #"{"error":[]}"#, #"{"error":{"details":{}}}"#, "\u{0}",
  ])
  func `without an envelope the status alone is told`(_ body: String) {
    let error = read(502, body)
    #expect(error.detail == "it answered with status 502")
    #expect(error.violations.isEmpty)
    #expect(error.retryDelay == nil)
  }

  @Test(arguments: [
    ("31s", 31_000), ("0.5s", 500), ("0s", 0), ("-1s", nil), ("1e9s", nil), ("31", nil), ("s", nil),
    ("90000s", nil), ("99999999999999999999s", nil),
  ])
  func `a delay is what protobuf writes`(_ text: String, _ milliseconds: Int64?) {
    #expect(GeminiError.milliseconds(text) == milliseconds)
  }
}
