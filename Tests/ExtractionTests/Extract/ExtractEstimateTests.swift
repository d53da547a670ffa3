import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookSimulators
import TollbookTestSupport

@testable import Extraction

@Suite("costs that are estimates") struct ExtractEstimateTests {
  @Test func `a cost at the dearer reading is told as an estimate, once`() async throws {
    try await ExtractionStand.serving({
      $0.simulator.faults = GeminiFaults([GeminiFault(.usageUnequal, next: 1)])
    }) { stand, client in
      let form: [FormPart] = [
        .text("companyID", "default"),
        .file("a.pdf", InvoiceDrawing.pdf(DrawnInvoice(number: 1, seed: 1))),
      ]
      let first = try await client.extract(form)
      #expect(first.status == 200, "\(first.text)")
      #expect(first["cost.estimated"]?.bool == true)
      #expect(first.string("cost.estimated_because") == GeminiPrice.Estimate.unequalUsage.rawValue)
      #expect(
        first.string("cost.amount") == DecimalText.text(nanoUnits: try stand.settled("USD")))
      // Who pays nothing has no estimate.
      let second = try await client.extract(form)
      #expect(second["cache_hit"]?.bool == true)
      #expect(second["cost.estimated"]?.bool == false)
      #expect(second["cost.estimated_because"]?.isNull == true)
    }
  }

  @Test func `cached tokens at the full price are told as an estimate`() async throws {
    try await ExtractionStand.serving({
      // The provider caches long prompts only.
      $0.simulator.models = [
        GeminiModel(
          "gemini-3.5-flash-lite", tokensPerPage: 560, tokensPerImage: 5_000, thinks: false)
      ]
      $0.models = Array(
        String(decoding: $0.models, as: UTF8.self)
          .replacing(#""image_tokens": 2240"#, with: #""image_tokens": 5000"#).utf8)
    }) { stand, client in
      // The same document for two companies: the provider has the second prompt in its cache.
      for company in ["acme", "zenith"] {
        try await OpenAccount(id: company, actor: "test").run(on: stand.log)
      }
      var tokens: [Int64] = []
      for company in ["acme", "zenith"] {
        let answer = try await client.extract([
          .text("companyID", company),
          .file("a.png", InvoiceDrawing.png(DrawnInvoice(number: 1, seed: 1))),
        ])
        #expect(answer.status == 200, "\(answer.text)")
        let cached = try #require(answer["tokens.cached"]?.int64)
        #expect(answer["cost.estimated"]?.bool == (cached > 0))
        #expect(
          answer.string("cost.estimated_because")
            == (cached > 0 ? GeminiPrice.Estimate.cachedPrice.rawValue : nil))
        tokens.append(cached)
      }
      #expect(tokens[0] == 0)
      #expect(tokens[1] > 0)
    }
  }
}
