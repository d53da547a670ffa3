import JSONText
import Testing
import TollbookEvents

@testable import Extraction

@Suite("how many tokens an answer says that it used") struct GeminiUsageTests {
  private func usage(_ json: String) throws -> GeminiUsage? {
    GeminiUsage(try JSONDocument(Array(json.utf8)).root)
  }

  @Test func `what is zero may be missing`() throws {
    let usage = try #require(
      try usage(#"{"promptTokenCount":1210,"candidatesTokenCount":32,"totalTokenCount":1242}"#))
    #expect(usage == GeminiUsage(prompt: 1_210, candidates: 32))
    #expect(usage.counts.map { "\($0.name) \($0.count)" } == ["prompt 1210", "candidates 32"])
  }

  @Test func `parts that make the total are taken as they are`() throws {
    let usage = try #require(
      try usage(
        """
        {"promptTokenCount":12000,"cachedContentTokenCount":4096,"candidatesTokenCount":700,
        "thoughtsTokenCount":300,"toolUsePromptTokenCount":50,"totalTokenCount":13050}
        """))
    #expect(usage.tokens == 13_050)
    #expect(usage.input == 12_050)
    #expect(!usage.isUnequal)
  }

  @Test func `a total above its parts counts as output, and says so`() throws {
    let usage = try #require(
      try usage(#"{"promptTokenCount":100,"candidatesTokenCount":10,"totalTokenCount":200}"#))
    #expect(usage.candidates == 100)
    #expect(usage.isUnequal)
    #expect(usage.counts.last?.name == "unequal")
  }

  @Test func `a total below its parts changes nothing but the mark`() throws {
    let usage = try #require(
      try usage(#"{"promptTokenCount":100,"candidatesTokenCount":10,"totalTokenCount":50}"#))
    #expect(usage.tokens == 110)
    #expect(usage.isUnequal)
  }

  @Test func `more cached than there was counts as none cached`() throws {
    let usage = try #require(
      try usage(#"{"promptTokenCount":100,"cachedContentTokenCount":101,"totalTokenCount":100}"#))
    #expect(usage.cached == 0)
    #expect(usage.isUnequal)
  }

  @Test(arguments: [
    "{}", "null", "[]", #"{"promptTokenCount":-1}"#, #"{"promptTokenCount":"many"}"#,
    #"{"promptTokenCount":1.5}"#, #"{"promptTokenCount":1e3}"#,
    #"{"promptTokenCount":9223372036854775807}"#,
    #"{"promptTokenCount":10,"candidatesTokenCount":-5,"totalTokenCount":5}"#,
  ])
  func `what no call can have used is nothing told`(_ json: String) throws {
    #expect(try usage(json) == nil)
  }
}
