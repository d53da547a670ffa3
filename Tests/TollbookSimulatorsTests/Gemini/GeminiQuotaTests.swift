import Foundation
import Testing

@testable import TollbookSimulators

/// Requests and tokens per minute and per day.
@Suite struct GeminiQuotaTests {
  private let hello = GeminiBench.body(GeminiBench.text("Hello"))

  private func violation(_ answer: GeminiAnswer) throws -> [String: Any] {
    #expect(answer.status == 429)
    let details = try answer.details()
    let failure = try #require(
      details.first { $0["@type"] as? String == "type.googleapis.com/google.rpc.QuotaFailure" })
    return try #require((failure["violations"] as? [[String: Any]])?.first)
  }

  @Test func `requests of a minute are limited per project and model`() async throws {
    let bench = GeminiBench { $0.quota.requestsPerMinute = 2 }
    for _ in 0..<2 { #expect(await bench.post(hello).status == 200) }
    let refused = await bench.post(hello)
    let violation = try violation(refused)
    #expect((violation["quotaId"] as? String ?? "").contains("PerMinute"))
    #expect(violation["quotaValue"] as? String == "2")
    let dimensions = violation["quotaDimensions"] as? [String: String]
    #expect(dimensions == ["location": "global", "model": "gemini-3.8-flash"])
    let retry = try #require(try refused.details().last?["retryDelay"] as? String)
    let seconds = try #require(Int(retry.dropLast()))
    #expect(retry.hasSuffix("s") && (0...60).contains(seconds))
    #expect(await bench.post(hello, key: GeminiSimulator.sampleKey(2)).status == 200)
    #expect(await bench.post(hello, model: "gemini-2.5-pro").status == 200)
    bench.clock.advance(minutes: 1)
    #expect(await bench.post(hello).status == 200)
    #expect(bench.simulator.books.refused == 1 && bench.simulator.books.requests == 5)
  }

  @Test func `tokens of prompts of a minute are limited`() async throws {
    let bench = GeminiBench { $0.quota.inputTokensPerMinute = 3 }
    #expect(await bench.post(hello).status == 200)
    let violation = try violation(await bench.post(hello))
    #expect((violation["quotaId"] as? String ?? "").contains("InputTokensPerModelPerMinute"))
    bench.clock.advance(minutes: 1)
    #expect(await bench.post(hello).status == 200)
  }

  @Test func `requests of a day are limited and a minute later is no better`() async throws {
    let bench = GeminiBench {
      $0.quota.requestsPerDay = 1
      $0.quota.isFreeTier = true
    }
    #expect(await bench.post(hello).status == 200)
    bench.clock.advance(minutes: 2)
    let violation = try violation(await bench.post(hello))
    #expect(
      violation["quotaId"] as? String == "GenerateRequestsPerDayPerProjectPerModel-FreeTier")
    bench.clock.advance(minutes: 24 * 60)
    #expect(await bench.post(hello).status == 200)
  }

  @Test func `a wrong body counts as a request and counting tokens does not`() async throws {
    let bench = GeminiBench { $0.quota.requestsPerMinute = 2 }
    for _ in 0..<3 { #expect(await bench.post(hello, "countTokens").status == 200) }
    #expect(await bench.post("{}").status == 400)
    #expect(await bench.post(hello).status == 200)
    #expect(await bench.post(hello).status == 429)
    #expect(bench.simulator.books.requests == 1)
  }

  @Test func `a day begins at eight in the morning UTC`() {
    var meter = GeminiQuotaMeter()
    let quota = GeminiQuota(requestsPerDay: 1)
    let eight: Int64 = 20_785 * 86_400_000 + 8 * 3_600_000
    meter.count(tokens: 1, at: eight - 1)
    #expect(meter.violation(of: quota, tokens: 1, at: eight - 1)?.limit == .requestsPerDay)
    #expect(meter.violation(of: quota, tokens: 1, at: eight) == nil)
  }
}
