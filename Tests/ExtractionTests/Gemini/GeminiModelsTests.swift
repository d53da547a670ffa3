import Testing
import TollbookEvents
import TollbookUpstreams

@testable import Extraction

@Suite("the file of models") struct GeminiModelsTests {
  private static let file = """
    {"version":1,"note":"n","currency":"USD","spend_in_ten_minutes":"10","models":[
    {"name":"a","aliases":["b"],"input_limit":10,"output_limit":5,"page_tokens":1,"image_tokens":2,
    "requests_per_minute":1,"input_tokens_per_minute":2,"requests_per_day":3,"prices":[
    {"from":"2026-01-01","until":"2026-03-31","source":"s",
    "bands":[{"up_to":5,"input":"1","output":"2"},{"input":"3","output":"4"}]},
    {"from":"2026-04-01","source":"s","bands":[{"input":"0.5","output":"0.25","cached":"0.1"}]}]}]}
    """

  private func read(_ text: String) throws(DataFileError) -> GeminiModels {
    try GeminiModels(json: Array(text.utf8))
  }

  @Test func `the built-in file is right`() throws {
    let models = try GeminiModels(json: GeminiModels.builtInJSON)
    #expect(models.model("gemini-flash-lite-latest")?.name == "gemini-3.5-flash-lite")
    #expect(models.currency == "USD")
    #expect(models.spendLimit == 10_000_000_000)
  }

  @Test func `a model is found by its names`() throws {
    let models = try read(Self.file)
    #expect(models.model("a")?.name == "a")
    #expect(models.model("b")?.name == "a")
    #expect(models.model("c") == nil)
  }

  @Test(arguments: [
    ("\"until\":\"2026-03-31\"", "\"until\":\"2026-03-30\"", "hole"),
    ("\"until\":\"2026-03-31\"", "\"until\":\"2026-04-01\"", "overlap"),
    (",\"until\":\"2026-03-31\"", "", "overlap"),
    ("\"from\":\"2026-01-01\"", "\"from\":\"2026-13-01\"", "is not a day"),
    ("\"input\":\"0.5\"", "\"input\":\"-0.5\"", "no amount above 0"),
    ("\"input\":\"0.5\"", "\"input\":\"0\"", "no amount above 0"),
    ("\"input\":\"0.5\"", "\"input\":0.5", "must be a string"),
    ("\"input\":\"0.5\",", "", "missing"),
    ("\"up_to\":5,", "", "overlap"),
    ("\"input\":\"3\"", "\"up_to\":9,\"input\":\"3\"", "hole"),
    ("\"aliases\":[\"b\"]", "\"aliases\":[\"a\"]", "stands here twice"),
    ("\"name\":\"a\"", "\"name\":\"A b\"", "cannot be the name"),
    ("\"currency\":\"USD\"", "\"currency\":\"dollars\"", "three capital letters"),
    ("\"requests_per_day\":3", "\"requests_per_day\":0", "is not from"),
    ("\"note\":\"n\"", "\"remark\":\"n\"", "is not known here"),
    ("\"source\":\"s\",\"bands\":[{\"input\":\"0.5\"", "\"bands\":[{\"input\":\"0.5\"", "missing"),
  ])
  func `whatever is wrong in it is named`(_ old: String, _ new: String, _ words: String) throws {
    #expect(Self.file.contains(old))
    let spoilt = Self.file.replacing(old, with: new)
    #expect {
      _ = try read(spoilt)
    } throws: { error in
      "\(error)".contains(words)
    }
  }
}
