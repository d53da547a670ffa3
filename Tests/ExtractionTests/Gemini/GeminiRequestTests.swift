import Foundation
import JSONText
import Testing
import TollbookTestSupport

@testable import Extraction

@Suite("a request to a model") struct GeminiRequestTests {
  private static let models: GeminiModels = {
    do { return try GeminiModels(json: GeminiModels.builtInJSON) } catch {
      preconditionFailure("\(error)")
    }
  }()

  private func read(
    _ json: String, model: String = "gemini-3.5-flash", documents: Int64? = nil
  ) throws(GeminiRequest.Fault) -> GeminiRequest {
    try GeminiRequest(model: model, body: Array(json.utf8), of: Self.models) { _, _, _ in documents
    }
  }

  @Test func `no prompt has more tokens than what is sent has bytes`() throws {
    let json =
      #"{"contents":[{"parts":[{"text":"Grüße, 你好, \u00e9\n"}]}],"#
      + #""generationConfig":{"maxOutputTokens":9}}"#
    let request = try read(json)
    #expect(request.inputBound == Int64(json.utf8.count))
    #expect(request.outputBound == 9)
    #expect(request.body == Array(json.utf8))
  }

  @Test func `a document counts by what it may take, and not by its bytes`() throws {
    let data = Data(repeating: 7, count: 3_000).base64EncodedString()
    let json = """
      {"contents":[{"parts":[{"inlineData":{"mimeType":"application/pdf","data":"\(data)"}},\
      {"inline_data":{"mime_type":"image/png","data":"\(data)"}}]}],\
      "generation_config":{"max_output_tokens":50,"candidate_count":3}}
      """
    let request = try read(json, documents: 1_120)
    #expect(request.inputBound == Int64(json.utf8.count - 2 * (data.utf8.count + 2)) + 2_240)
    #expect(request.outputBound == 150)
  }

  @Test(arguments: ["+/+/", "-_-_", "-_8=", "-_8", "AA==", "AA", ""])
  func `a document may be written in either alphabet of base64`(_ text: String) throws {
    let padded = text.replacing("-", with: "+").replacing("_", with: "/")
    let full = padded + String(repeating: "=", count: (4 - padded.utf8.count % 4) % 4)
    let json =
      #"{"contents":[{"parts":[{"inlineData":{"mimeType":"application/pdf","data":"\#(text)"}}]}]}"#
    var seen: [UInt8]?
    _ = try GeminiRequest(
      model: "gemini-3.5-flash", body: Array(json.utf8), of: Self.models
    ) { _, content, _ in
      seen = content()
      return 1
    }
    #expect(seen == Data(base64Encoded: full).map { Array($0) })
  }

  @Test(arguments: ["A", "A===", "AAA==", "AA=A", "A A=", "ä", "=", "AAAA="])
  func `what is no base64 is refused`(_ text: String) {
    let json =
      #"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"\#(text)"}}]}]}"#
    #expect(throws: GeminiRequest.Fault.self) { _ = try read(json, documents: 1) }
  }

  @Test(arguments: [
    #"{"contents":[{"parts":[{"fileData":{"fileUri":"x"}}]}]}"#,
    #"{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"googleSearch":{}}]}"#,
    #"{"contents":[{"parts":[{"text":"a"}]}],"cachedContent":"cachedContents/x"}"#,
    #"{"contents":[{"parts":[{"inlineData":{"mimeType":"video/mp4","data":""}}]}]}"#,
  ])
  func `what cannot be bounded counts as the longest prompt`(_ json: String) throws {
    #expect(try read(json).inputBound == 1_048_576)
  }

  @Test func `functions that the client answers are bounded by their text`() throws {
    let json = #"{"contents":[{"parts":[{"text":"a"}]}],"tools":[{"functionDeclarations":[]}]}"#
    #expect(try read(json).inputBound < 1_000)
  }

  @Test(arguments: [
    (#"{"contents":[{}]}"#, #"{"contents":[{}],"generationConfig":{"maxOutputTokens":8192}}"#),
    (
      #"{"generationConfig":{"temperature":0.50},"contents":[{}]}"#,
      #"{"generationConfig":{"temperature":0.50,"maxOutputTokens":8192},"contents":[{}]}"#
    ),
    (
      #"{"contents":[{}],"generation_config":{"max_output_tokens":null}}"#,
      #"{"contents":[{}],"generation_config":{"maxOutputTokens":8192}}"#
    ),
  ])
  func `a bound is set beside what the client says`(_ json: String, _ sent: String) throws {
    #expect(String(decoding: try read(json).body, as: UTF8.self) == sent)
  }

  @Test func `an answer is never bounded beyond what the model gives`() throws {
    let json = #"{"contents":[{}],"generationConfig":{"maxOutputTokens":1000000}}"#
    #expect(try read(json).outputBound == 65_536)
  }

  @Test func `two requests are the same if they mean the same`() throws {
    let one = try read(#"{"contents":[{"parts":[{"text":"a/b"}],"role":"user"}]}"#)
    let two = try read(#" {"contents":[{"role":"user", "parts":[{"text":"a\/\u0062"}]}]}"#)
    #expect(one.canonical == two.canonical)
    let three = try read(#"{"contents":[{"parts":[{"text":"a/B"}],"role":"user"}]}"#)
    #expect(one.canonical != three.canonical)
    let other = try read(
      #"{"contents":[{"parts":[{"text":"a/b"}],"role":"user"}]}"#, model: "gemini-3.8-flash")
    #expect(one.canonical != other.canonical)
    // A name that stands for a model is that model.
    let alias = try read(#"{"contents":[{}]}"#, model: "gemini-flash-lite-latest")
    #expect(
      alias.canonical == (try read(#"{"contents":[{}]}"#, model: "gemini-3.5-flash-lite")).canonical
    )
  }

  @Test(arguments: [
    ("", "no JSON"), ("[]", "must be an object"), ("{}", "contents"),
    (#"{"contents":[]}"#, "contents"), (#"{"contents":{}}"#, "contents"),
    (#"{"contents":["a"]}"#, "object"),
    (#"{"contents":[{"parts":[{"inlineData":{"data":"AA=="}}]}]}"#, "mimeType"),
    (#"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":1}}]}]}"#, "mimeType"),
    (#"{"contents":[{"parts":[{"inlineData":{"mimeType":"image/png","data":"A"}}]}]}"#, "base64"),
    (#"{"contents":[{}],"generationConfig":{"candidateCount":9}}"#, "candidateCount"),
    (#"{"contents":[{}],"generationConfig":{"maxOutputTokens":"many"}}"#, "maxOutputTokens"),
    (String(repeating: "[", count: 1_000), "no JSON"),
  ])
  func `what is no request is refused by name`(_ json: String, _ words: String) {
    #expect {
      _ = try read(json)
    } throws: { error in
      (error as? GeminiRequest.Fault)?.detail.contains(words) == true
    }
  }
}
