import Testing
import TollbookEvents

@testable import DealScout

@Suite struct EbayRateLimitsTests {
  static let answer =
    #"{"rateLimits":[{"apiContext":"buy","apiName":"browse","apiVersion":"v1","resources":["#
    + #"{"name":"buy.browse","rates":[{"count":312,"limit":5000,"remaining":4688,"#
    + #""reset":"2026-11-22T08:00:00.000Z","timeWindow":86400}]}]}]}"#

  private func rate(_ members: String) -> [UInt8] {
    Array(#"{"rateLimits":[{"resources":[{"name":"r","rates":[{\#(members)}]}]}]}"#.utf8)
  }

  @Test func `what is left is read by resource`() throws {
    let limits = try EbayRateLimits(Array(Self.answer.utf8))
    let resource = try #require(limits.resource("buy.browse"))
    #expect(resource.context == "buy" && resource.api == "browse" && resource.version == "v1")
    let rate = try #require(resource.rates.first)
    #expect(rate.count == 312 && rate.limit == 5_000 && rate.remaining == 4_688)
    #expect(rate.reset == Timestamp(rfc3339: "2026-11-22T08:00:00Z"))
    #expect(rate.timeWindow == 86_400 && rate.used == 312)
    #expect(limits.resource("buy.feed") == nil)
  }

  @Test func `a count that is not told follows from the rest`() throws {
    let told = try EbayRateLimits(
      rate(#""limit":5000,"remaining":4688,"timeWindow":86400"#))
    #expect(told.resources.first?.rates.first?.used == 312)
    #expect(told.resources.first?.rates.first?.reset == nil)
    let more = try EbayRateLimits(rate(#""limit":5,"remaining":7,"timeWindow":86400"#))
    #expect(more.resources.first?.rates.first?.used == 0)
  }

  @Test func `nothing to report is nothing`() throws {
    #expect(EbayRateLimits.none.resources.isEmpty)
    #expect(try EbayRateLimits(Array("{}".utf8)) == .none)
    #expect(try EbayRateLimits(Array(#"{"rateLimits":[{"apiName":"x"}]}"#.utf8)) == .none)
  }

  @Test(arguments: [
    (#""remaining":1,"timeWindow":86400"#, "limit"),
    (#""limit":1,"timeWindow":86400"#, "remaining"),
    (#""limit":1,"remaining":1"#, "timeWindow"),
    (#""limit":-1,"remaining":1,"timeWindow":1"#, "limit"),
    (#""limit":1,"remaining":-1,"timeWindow":1"#, "remaining"),
    (#""limit":1e999,"remaining":1,"timeWindow":1"#, "limit"),
    (#""limit":1,"remaining":1,"timeWindow":0"#, "timeWindow"),
    (#""limit":1,"remaining":1,"timeWindow":9e9"#, "timeWindow"),
    (#""limit":"1","remaining":1,"timeWindow":1"#, "limit"),
    (#""limit":1,"remaining":1,"timeWindow":1,"reset":"soon""#, "reset"),
    (#""limit":1,"remaining":1,"timeWindow":1,"reset":7"#, "reset"),
  ])
  func `what is wrong is refused with its place`(_ members: String, _ name: String) {
    let error = #expect(throws: EbayReadingError.self) { try EbayRateLimits(rate(members)) }
    #expect(error?.place == "rateLimits[0].resources[0].rates[0].\(name)")
  }

  @Test(arguments: ["", "[]", #"{"rateLimits":{}}"#, #"{"rateLimits":[7]}"#, "{"])
  func `what is no answer is refused`(_ text: String) {
    #expect(throws: EbayReadingError.self) { try EbayRateLimits(Array(text.utf8)) }
  }

  @Test func `the question names the API`() {
    #expect(
      EbayRateLimits.pathAndQuery()
        == "/developer/analytics/v1_beta/rate_limit/?api_context=buy&api_name=browse")
    #expect(
      EbayRateLimits.pathAndQuery(context: nil, api: nil)
        == "/developer/analytics/v1_beta/rate_limit/")
  }
}
