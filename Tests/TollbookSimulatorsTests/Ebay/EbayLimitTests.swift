import JSONText
import Testing

@testable import TollbookSimulators

/// Calls of a day, and what Analytics says of them.
@Suite struct EbayLimitTests {
  private static let analytics = "/developer/analytics/v1_beta/rate_limit/"

  /// A rate of Analytics' answer.
  private func rate(
    _ bench: EbayBench, _ name: String, token: String
  ) async throws -> JSONValue? {
    let reply = await bench.call(Self.analytics, token: token)
    #expect(reply.status == 200, "\(reply.text)")
    for api in try reply.json().elements("rateLimits") {
      for resource in api.elements("resources")
      where resource["name"]?.string == name { return resource["rates"]?[0] }
    }
    return nil
  }

  private func item(_ bench: EbayBench) -> String {
    let id = bench.market.offers(.usual, 0, at: bench.clock.now)[0].itemId
    return "/buy/browse/v1/item/\(EbayReadingText.encoded(id))"
  }

  @Test func `the call after the last one is 429 with 2001 and is not counted`() async throws {
    let bench = EbayBench { $0.limits[.browse] = 3 }
    let token = try await bench.token()
    let search = "/buy/browse/v1/item_summary/search?\(bench.familySearch)"
    #expect(await bench.call(search, token: token).status == 200)
    #expect(await bench.call(item(bench), token: token).status == 200)
    // Wrong calls count too.
    #expect(await bench.call(search + "&limit=0", token: token).status == 400)
    for path in [search, item(bench)] {
      let refused = await bench.call(path, token: token)
      #expect(refused.status == 429 && refused.errorId == 2001)
      #expect(try refused.json()["errors"]?[0]?["domain"]?.string == "ACCESS")
    }
    let rate = try await rate(bench, "buy.browse", token: token)
    #expect(rate?["count"]?.int == 3 && rate?["remaining"]?.int == 0)
    #expect(rate?["limit"]?.int == 3 && rate?["timeWindow"]?.int == 86_400)
    let day = try #require(bench.simulator.books.days.first)
    #expect(day.calls["buy.browse"] == 3 && day.refused["buy.browse"] == 2)
  }

  @Test func `items at once, Analytics and other applications have counts of their own`()
    async throws
  {
    let bench = EbayBench {
      $0.limits = [.browse: 1, .items: 2, .analytics: 3]
    }
    let token = try await bench.token()
    #expect(await bench.call(item(bench), token: token).status == 200)
    #expect(await bench.call(item(bench), token: token).status == 429)
    let items = "/buy/browse/v1/item/?item_ids=v1%7C1%7C0"
    #expect(await bench.call(items, token: token).status == 200)
    #expect(await bench.call(items, token: token).status == 200)
    #expect(await bench.call(items, token: token).status == 429)
    let other = try await bench.token(1)
    #expect(await bench.call(item(bench), token: other).status == 200)
    for name in ["buy.browse", "buy.browse.item.bulk", "developer.analytics.app_rate_limit"] {
      #expect(try await rate(bench, name, token: token)?["remaining"]?.int == 0)
    }
    #expect(await bench.call(Self.analytics, token: token).status == 429)
    let books = bench.simulator.books
    #expect(books.days.map(\.application) == ["Simulated-Tollbook-PRD-0001", "other-app"])
    #expect(books.days[1].calls == ["buy.browse": 1])
  }

  @Test func `all marketplaces share one count`() async throws {
    let bench = EbayBench { $0.limits[.browse] = 2 }
    for site in ["EBAY_DE", "EBAY_GB"] {
      _ = try await bench.search(
        bench.familySearch, headers: ["x-ebay-c-marketplace-id": site])
    }
    #expect(try await bench.searching(bench.familySearch).status == 429)
  }

  /// Midnights in California: in winter 08:00 UTC, in summer 07:00 UTC. The clock changes on 8 March and on
  /// 1 November 2026.
  @Test(
    arguments: [
      ("2026-11-18T11:06:52.345Z", "2026-11-19T08:00:00.000Z"),
      ("2026-11-18T07:59:59.999Z", "2026-11-18T08:00:00.000Z"),
      ("2026-11-18T08:00:00.000Z", "2026-11-19T08:00:00.000Z"),
      ("2026-07-04T12:00:00.000Z", "2026-07-05T07:00:00.000Z"),
      // 23 hours.
      ("2026-03-08T08:00:00.000Z", "2026-03-09T07:00:00.000Z"),
      ("2026-03-08T07:59:59.999Z", "2026-03-08T08:00:00.000Z"),
      ("2026-03-09T06:59:59.999Z", "2026-03-09T07:00:00.000Z"),
      // 25 hours.
      ("2026-11-01T07:00:00.000Z", "2026-11-02T08:00:00.000Z"),
      ("2026-11-02T07:59:59.999Z", "2026-11-02T08:00:00.000Z"),
    ] as [(String, String)])
  func `counts begin anew at midnight in California, also where the clock changes`(
    now: String, reset: String
  ) async throws {
    let bench = EbayBench { $0.limits[.browse] = 1 }
    bench.clock.now = try #require(EbayReadingText.milliseconds(now))
    let token = try await bench.token()
    #expect(await bench.call(item(bench), token: token).status == 200)
    let told = try await rate(bench, "buy.browse", token: token)
    #expect(told?["reset"]?.string == reset)
    bench.clock.now = try #require(EbayReadingText.milliseconds(reset)) - 1
    #expect(try await bench.searching(bench.familySearch).status == 429)
    bench.clock.now += 1
    #expect(try await bench.searching(bench.familySearch).status == 200)
    #expect(bench.simulator.books.days.count == 2)
  }

  @Test func `Analytics answers for the API that is asked for and has nothing for others`()
    async throws
  {
    let bench = EbayBench()
    let token = try await bench.token()
    let one = await bench.call(
      Self.analytics + "?api_context=buy&api_name=Browse", token: token)
    let apis = try #require(try one.json()["rateLimits"]?.array)
    #expect(apis.count == 1 && apis.first?["apiName"]?.string == "browse")
    #expect(apis.first?["apiVersion"]?.string == "v1")
    let none = await bench.call(Self.analytics + "?api_context=sell", token: token)
    #expect(none.status == 204 && none.body.isEmpty)
    let insights = "?api_name=marketplace_insights"
    #expect(await bench.call(Self.analytics + insights, token: token).status == 204)
    bench.simulator.conditions.insightsGranted = true
    #expect(await bench.call(Self.analytics + insights, token: token).status == 200)
    let user = "/developer/analytics/v1_beta/user_rate_limit/"
    #expect(await bench.call(user, token: token).errorId == 1100)
  }

  @Test func `calls of others with the same application count and are told`() async throws {
    let bench = EbayBench { $0.limits[.browse] = 10 }
    bench.simulator.conditions.foreignCalls = 9
    let token = try await bench.token()
    #expect(await bench.call(item(bench), token: token).status == 200)
    #expect(await bench.call(item(bench), token: token).status == 429)
    #expect(try await rate(bench, "buy.browse", token: token)?["count"]?.int == 10)
    #expect(bench.simulator.books.counted(.browse) == 1)
  }

  @Test func `a clock that is set back a day counts for the day that it tells`() async throws {
    let bench = EbayBench { $0.limits[.browse] = 1 }
    #expect(try await bench.searching(bench.familySearch).status == 200)
    bench.clock.now -= EbayBench.day
    #expect(try await bench.searching(bench.familySearch).status == 200)
    #expect(try await bench.searching(bench.familySearch).status == 429)
    #expect(bench.simulator.books.days.map { $0.calls["buy.browse"] } == [1, 1])
  }
}
