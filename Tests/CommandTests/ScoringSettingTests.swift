import Foundation
import JSONText
import Keepa
import Testing
import TollbookTestSupport

/// The settings of scoring, from the environment to the answer.
@Suite struct ScoringSettingTests {
  /// What a Tollbook with these settings says of a product.
  private func score(_ environment: [String: String], in folder: TemporaryFolder) async throws
    -> JSONValue
  {
    let serving = try await Serving(
      ["serve", "--simulate", "--port", "0", "--data-dir", "data"], in: folder,
      environment: environment)
    let answer = try await serving.post("/api/v1/products/1/B09T2ZLMHB/score", "{}")
    _ = await serving.end()
    return answer
  }

  @Test func `settings reach the scores, and another version says so`() async throws {
    let folder = try TemporaryFolder()
    let text = String(decoding: FeeTables.builtInJSON, as: UTF8.self)
    // One rate of it is another.
    let dearer = text.replacing(/"rate": (\d+)/, maxReplacements: 1) { "\"rate\": 1\($0.output.1)" }
    #expect(dearer != text)
    try Data(dearer.utf8).write(to: URL(fileURLWithPath: "\(folder.path)/fees.json"))
    let usual = try await score([:], in: folder)
    let cheap = try await score(["TOLLBOOK_SCORING_BUY_RATIO": "0.1"], in: folder)
    let none = try await score(["TOLLBOOK_SCORING_BUY_RATIO": "none"], in: folder)
    let other = try await score(["TOLLBOOK_SCORING_FEES": "fees.json"], in: folder)
    let versions = [usual, cheap, none, other].compactMap { $0["scoring_version"]?.string }
    #expect(Set(versions).count == 4)
    let profits = [usual, cheap, none].map { $0["product"]?["profit"]?.int64 }
    #expect(try #require(profits[0]) < (try #require(profits[1])))
    #expect(profits[2] == nil)
    // It was bought once, and all were made from the same body.
    #expect(usual["tokens_used"]?.int64 == 1)
    for answer in [cheap, none, other] { #expect(answer["tokens_used"]?.int64 == 0) }
    #expect(try await score([:], in: folder)["scoring_version"]?.string == versions[0])
  }
}
