import Foundation
import Testing

@testable import TollbookSimulators

/// How the simulated provider counts, and what it says it counted.
@Suite struct GeminiTokenTests {
  private let invoice = DrawnInvoice(number: 3, seed: 1)

  @Test(arguments: [("a", 1), ("", 1), ("abcd", 1), ("abcde", 2), ("ÄÖÜ", 2)])
  func `a text is a quarter of its bytes, rounded up, and at least one`(
    text: String, tokens: Int
  ) async throws {
    let answer = await GeminiBench().post(
      GeminiBench.body(GeminiBench.text(text)), "countTokens")
    #expect(try answer.members()["totalTokens"] as? Int == tokens)
  }

  @Test(arguments: [("gemini-3.8-flash", 560, 1120), ("gemini-2.5-flash", 256, 258)])
  func `pages and images count by the model`(model: String, page: Int, image: Int) async throws {
    let pdf = InvoiceDrawing.pdf(invoice)
    let png = InvoiceDrawing.png(invoice)
    let body = GeminiBench.body(
      GeminiBench.file(pdf), GeminiBench.file(png, "image/png"), GeminiBench.text("What is it?"))
    let usage = try await GeminiBench().post(body, model: model).usage()
    #expect(
      usage.modalities
        == ["DOCUMENT": page * PDFPages.count(in: pdf), "IMAGE": image, "TEXT": 3])
    #expect(usage.isConsistent)
  }

  @Test func `a schema counts as text`() async throws {
    let schema = #"{"type":"OBJECT","properties":{"a":{"type":"STRING"}}}"#
    let plain = GeminiBench.body(
      GeminiBench.text("abcd"), settings: #""responseMimeType":"application/json""#)
    let shaped = GeminiBench.body(
      GeminiBench.text("abcd"),
      settings: #""responseMimeType":"application/json","responseSchema":\#(schema)"#)
    let bench = GeminiBench()
    #expect(try await bench.post(plain).usage().tokens.prompt == 1)
    #expect(
      try await bench.post(shaped).usage().tokens.prompt == 1 + (schema.utf8.count + 3) / 4)
  }

  @Test func `a counted request is the same as a generated one`() async throws {
    let body = GeminiBench.body(
      GeminiBench.text("Read this."), GeminiBench.file(InvoiceDrawing.pdf(invoice)),
      settings: #""responseMimeType":"application/json","responseSchema":{"type":"OBJECT"}"#)
    let bench = GeminiBench()
    let counted = try await bench.post(
      #"{"generateContentRequest":\#(body)}"#, "countTokens"
    ).members()
    let prompt = try await bench.post(body).usage().tokens.prompt
    #expect(counted["totalTokens"] as? Int == prompt)
    #expect(bench.simulator.books.countTokensRequests == 1)
    #expect(bench.simulator.books.requests == 1)
  }

  @Test func `zero counters are left out and the total is the sum`() async throws {
    let bench = GeminiBench()
    let body = GeminiBench.body(GeminiBench.text("Hello"))
    let answer = await bench.post(body, model: "gemini-flash-lite-latest")
    let usage = try #require(try answer.members()["usageMetadata"] as? [String: Any])
    #expect(
      Set(usage.keys)
        == ["promptTokenCount", "candidatesTokenCount", "totalTokenCount", "promptTokensDetails"])
    #expect(try answer.members()["modelVersion"] as? String == "gemini-3.5-flash-lite")
    #expect(try answer.usage().isConsistent)
    let thinking = try await bench.post(body).usage()
    #expect((64...320).contains(thinking.tokens.thoughts) && thinking.isConsistent)
  }

  @Test(
    arguments: [
      (#""thinkingBudget":0"#, 0...0), (#""thinkingBudget":10"#, 10...10),
      (#""thinkingBudget":-1"#, 64...320), (#""thinking_level":"low""#, 80...80),
    ])
  func `thoughts obey the request`(config: String, thoughts: ClosedRange<Int>) async throws {
    let body = GeminiBench.body(
      GeminiBench.text("Hello"), settings: #""thinkingConfig":{\#(config)}"#)
    let usage = try await GeminiBench().post(body).usage()
    #expect(thoughts.contains(usage.tokens.thoughts) && usage.isConsistent)
  }

  @Test(arguments: 1...200)
  func `no answer has more tokens than it may`(limit: Int) async throws {
    let body = GeminiBench.body(
      GeminiBench.text("Grüße über größere Bäume — schön, nicht wahr?"),
      settings: #""maxOutputTokens":\#(limit),"thinkingConfig":{"thinkingBudget":\#(limit / 2)}"#)
    let answer = await GeminiBench().post(body)
    let usage = try answer.usage()
    #expect(usage.tokens.candidates + usage.tokens.thoughts <= limit)
    #expect(usage.isConsistent)
    let text = try answer.texts().joined()
    #expect(usage.tokens.candidates == (text.utf8.count + 3) / 4)
    let isWhole = text.hasSuffix("gemini-3.8-flash.")
    #expect(try answer.candidate()["finishReason"] as? String == (isWhole ? "STOP" : "MAX_TOKENS"))
    let content = try #require(try answer.candidate()["content"] as? [String: Any])
    #expect((content["parts"] == nil) == text.isEmpty)
  }

  @Test func `a long prompt asked again by the same key comes from the cache in part`()
    async throws
  {
    let bench = GeminiBench()
    let long = GeminiBench.body(GeminiBench.text(String(repeating: "word ", count: 4000)))
    #expect(try await bench.post(long).usage().tokens.cached == 0)
    let again = try await bench.post(long, "streamGenerateContent", query: ["alt": "sse"])
      .events()
    let usage = try GeminiUsage(try #require(again.last))
    #expect(usage.tokens.prompt == 5000 && usage.tokens.cached == 4096 && usage.isConsistent)
    let other = try await bench.post(long, key: GeminiSimulator.sampleKey(2)).usage()
    #expect(other.tokens.cached == 0)
    let short = GeminiBench.body(GeminiBench.text("word"))
    _ = await bench.post(short)
    #expect(try await bench.post(short).usage().tokens.cached == 0)
  }

  @Test func `tools of the provider are counted apart`() async throws {
    let body = #"{"contents":[{"parts":[{"text":"abcd"}]}],"tools":[{"google_search":{}}]}"#
    let usage = try await GeminiBench().post(body).usage()
    #expect(usage.tokens.prompt == 1 && usage.tokens.toolUse >= 128 && usage.isConsistent)
  }

  @Test func `the books are what the answers said`() async throws {
    let bench = GeminiBench()
    var sum = GeminiTokens()
    for length in 1...20 {
      let body = GeminiBench.body(GeminiBench.text(String(repeating: "x", count: 2000 * length)))
      for key in [1, 2] {
        sum += try await bench.post(body, key: GeminiSimulator.sampleKey(key)).usage().tokens
      }
    }
    let books = bench.simulator.books
    #expect(books.tokens == sum && books.requests == 40 && books.chargedRequests == 40)
    #expect(books.entries.map(\.keySuffix) == ["0001", "0002"])
    #expect(books.entries.map(\.requests) == [20, 20])
    let again = try JSONDecoder().decode(GeminiBooks.self, from: try JSONEncoder().encode(books))
    #expect(again == books)
  }
}
