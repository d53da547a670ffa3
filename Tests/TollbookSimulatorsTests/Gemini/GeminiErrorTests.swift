import Foundation
import Testing

@testable import TollbookSimulators

/// What the simulated provider refuses, and how it says so.
@Suite struct GeminiErrorTests {
  private let hello = GeminiBench.body(GeminiBench.text("Hello"))

  @Test(arguments: ["v1", "v1beta"])
  func `a wrong key is a 400 that says API_KEY_INVALID`(version: String) async throws {
    let bench = GeminiBench()
    for end in ["x", "001", "00001", "000a"] {
      let key = "simulated-gemini-key-\(end)"
      let answer = await bench.post(hello, key: key, version: version)
      #expect(answer.status == 400)
      let error = try answer.error()
      #expect(error["status"] as? String == "INVALID_ARGUMENT" && error["code"] as? Int == 400)
      let details = try answer.details()
      #expect(details.first?["@type"] as? String == "type.googleapis.com/google.rpc.ErrorInfo")
      #expect(details.first?["reason"] as? String == "API_KEY_INVALID")
      #expect(details.first?["domain"] as? String == "googleapis.com")
      #expect(details.last?["locale"] as? String == "en-US")
    }
    #expect(bench.simulator.books.rejected == 4 && bench.simulator.books.requests == 0)
  }

  @Test func `no key is a 403 without details`() async throws {
    let answer = await GeminiBench().post(hello, key: nil)
    #expect(answer.status == 403)
    #expect(try answer.error()["status"] as? String == "PERMISSION_DENIED")
    #expect(try answer.error()["details"] == nil)
  }

  @Test func `the key may stand in the query`() async throws {
    let query = ["key": GeminiSimulator.sampleKey(42)]
    #expect(await GeminiBench().post(hello, query: query, key: nil).status == 200)
  }

  @Test(
    arguments: [
      ("POST", "/v1beta/models/gemini-9:generateContent"), ("GET", "/v1/models/gemini-9"),
      ("POST", "/v1beta/models/gemini-3.8-flash:embedContent"), ("GET", "/"),
      ("GET", "/v1beta/models/gemini-3.8-flash:generateContent"), ("POST", "/v1beta/models"),
      ("POST", "/v2/models/gemini-3.8-flash:generateContent"), ("GET", "/v1beta/files"),
      ("DELETE", "/v1beta/models/gemini-3.8-flash"),
    ])
  func `what is not there is a 404`(method: String, path: String) async throws {
    let answer = await GeminiBench().simulator.answer(
      method: method, path: path, headers: ["x-goog-api-key": GeminiSimulator.sampleKey],
      body: Array(hello.utf8))
    #expect(answer.status == 404)
    #expect(try answer.error()["status"] as? String == "NOT_FOUND")
  }

  @Test(
    arguments: [
      ("", "JSON"), ("{", "JSON"), ("[]", "object"), ("{}", "contents"),
      (#"{"contents":[]}"#, "contents"), (#"{"contents":{}}"#, "contents"),
      (#"{"contents":[{"role":"user"}]}"#, "contents[0].parts"),
      (#"{"contents":[{"role":"boss","parts":[{"text":"a"}]}]}"#, "contents[0].role"),
      (#"{"contents":[{"parts":[{}]}]}"#, "contents[0].parts[0]"),
      (#"{"contents":[{"parts":[{"text":7}]}]}"#, "contents[0].parts[0].text"),
      (
        GeminiBench.body(#"{"inline_data":{"mime_type":"image/png","data":"%%%%"}}"#),
        "contents[0].parts[0].inline_data.data"
      ),
      (
        GeminiBench.body(#"{"inlineData":{"mimeType":"text/csv","data":"YQ=="}}"#),
        "Unsupported MIME type: text/csv"
      ),
      (
        GeminiBench.body(#"{"text":"a"}"#, settings: #""responseSchema":{"type":"OBJECT"}"#),
        "generation_config.response_schema"
      ),
      (
        GeminiBench.body(
          #"{"text":"a"}"#,
          settings: #""responseMimeType":"application/json","responseSchema":{},"#
            + #""responseJsonSchema":{}"#),
        "response_json_schema"
      ),
      (
        GeminiBench.body(
          #"{"text":"a"}"#,
          settings: #""responseMimeType":"application/json","response_schema":"#
            + #"{"type":"OBJECT","properties":{"a":{"type":"TEXT"}}}"#),
        "generation_config.response_schema.properties[a].type"
      ),
      (
        GeminiBench.body(
          #"{"text":"a"}"#,
          settings: #""thinkingConfig":{"thinkingBudget":1,"thinkingLevel":"LOW"}"#),
        "generation_config.thinking_config.thinking_level"
      ),
      (
        GeminiBench.body(#"{"text":"a"}"#, settings: #""candidateCount":9"#),
        "generation_config.candidate_count"
      ),
      (
        GeminiBench.body(#"{"text":"a"}"#, settings: #""maxOutputTokens":0"#),
        "generation_config.max_output_tokens"
      ),
      (
        GeminiBench.body(#"{"text":"a"}"#, settings: #""stopSequences":["","","","","",""]"#),
        "generation_config.stop_sequences"
      ),
    ])
  func `a wrong body is a 400 that names what is wrong`(body: String, named: String) async throws {
    let bench = GeminiBench()
    for operation in ["generateContent", "countTokens"] {
      let answer = await bench.post(body, operation)
      #expect(answer.status == 400, "\(body)")
      let error = try answer.error()
      #expect(error["status"] as? String == "INVALID_ARGUMENT")
      #expect((error["message"] as? String ?? "").contains(named), "\(error)")
    }
    #expect(bench.simulator.books.tokens == GeminiTokens())
  }

  @Test func `a prompt beyond the model's limit is a 400`() async throws {
    let bench = GeminiBench { configuration in
      configuration.models = configuration.models.map { model in
        var model = model
        model.inputLimit = 10
        return model
      }
    }
    #expect(await bench.post(GeminiBench.body(GeminiBench.text("0123456789"))).status == 200)
    let answer = await bench.post(
      GeminiBench.body(GeminiBench.text(String(repeating: "x", count: 41))))
    #expect(answer.status == 400)
    #expect((try answer.error()["message"] as? String ?? "").contains("(11)"))
  }

  @Test func `errors of a stream of JSON come as an array of one and those of events do not`()
    async throws
  {
    let bench = GeminiBench()
    let listed = await bench.post(hello, "streamGenerateContent", key: "x")
    let list = try JSONSerialization.jsonObject(with: Data(listed.body)) as? [[String: Any]]
    #expect(list?.count == 1 && list?.first?["error"] != nil)
    let events = await bench.post(hello, "streamGenerateContent", query: ["alt": "sse"], key: "x")
    #expect(try events.error()["code"] as? Int == 400)
  }
}
