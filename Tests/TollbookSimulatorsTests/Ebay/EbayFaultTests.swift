import Foundation
import JSONText
import Testing

@testable import TollbookSimulators

/// What goes wrong on purpose.
@Suite struct EbayFaultTests {
  private func bench(_ kind: EbayFault.Kind, of route: EbayRoute = .search) -> EbayBench {
    EbayBench { $0.faults = EbayFaults([EbayFault(kind, next: 1, of: route)]) }
  }

  @Test(
    arguments: [
      (.http500, 500, 12000, .failed, 1), (.http503, 503, 2003, .failed, 1),
      (.http401, 401, 1001, .rejected, 0), (.http429, 429, 2001, .refused, 0),
      (.html, 200, nil, .failed, 1), (.timeout, 503, nil, .dropped, 1),
      (.drop, 503, nil, .dropped, 1), (.slow, 200, nil, .answered, 1),
      (.cutBody, 200, nil, .dropped, 1), (.quotaReset, 200, nil, .answered, 1),
      (.filterDropped, 200, nil, .answered, 1), (.filterIgnored, 200, nil, .answered, 1),
    ] as [(EbayFault.Kind, Int, Int?, EbayBooks.Outcome, Int)])
  func `a fault answers and counts as it says, and then it is over`(
    kind: EbayFault.Kind, status: Int, id: Int?, outcome: EbayBooks.Outcome, counted: Int
  ) async throws {
    let bench = bench(kind)
    let reply = try await bench.searching(bench.familySearch)
    #expect(reply.status == status && reply.errorId == id)
    #expect((reply.delivery == .withheld) == [.timeout, .drop].contains(kind))
    let call = try #require(bench.simulator.books.calls.last)
    #expect(call.outcome == outcome && call.fault == kind)
    #expect(bench.simulator.books.counted(.browse) == counted)
    let next = try await bench.searching(bench.familySearch)
    #expect(next.status == 200)
    #expect(next.body == (try await EbayBench().searching(bench.familySearch)).body)
  }

  @Test func `all kinds are tried above or below`() {
    #expect(EbayFault.Kind.allCases.count == 13)
  }

  @Test func `an item that is asked for by id ends at once`() async throws {
    let bench = bench(.itemEnded, of: .item)
    let id = bench.market.offers(.usual, 0, at: bench.clock.now)[0].itemId
    let path = "/buy/browse/v1/item/\(EbayReadingText.encoded(id))"
    let token = try await bench.token()
    #expect(await bench.call(path, token: token).errorId == 11001)
    #expect(await bench.call(path, token: token).status == 200)
  }

  @Test func `a page instead of JSON is a page, and a body that is cut is right up to there`()
    async throws
  {
    let page = try await bench(.html).searching(EbayBench().familySearch)
    #expect(page.text.hasPrefix("<!DOCTYPE html>") && page.contentType == "text/html;charset=UTF-8")
    let cut = try await bench(.cutBody).searching(EbayBench().familySearch)
    #expect(cut.delivery == .cut)
    #expect(cut.body == (try await EbayBench().searching(EbayBench().familySearch)).body)
  }

  @Test func `a filter is lost with a warning or without a word`() async throws {
    let query = EbayBench().familySearch + EbayBench.filter("conditionIds:{3000}")
    let plain = try await EbayBench().search(EbayBench().familySearch)
    let right = try await EbayBench().search(query)
    for (kind, warnings) in [(.filterDropped, [12002]), (.filterIgnored, [])]
      as [(EbayFault.Kind, [Int])]
    {
      let page = try await bench(kind).search(query)
      #expect(page.ids == plain.ids && page.ids != right.ids)
      #expect(page.warningIds == warnings)
    }
  }

  @Test func `a quota that begins anew in the middle of the day`() async throws {
    let bench = EbayBench { $0.limits[.browse] = 2 }
    for _ in 0..<2 { #expect(try await bench.searching(bench.familySearch).status == 200) }
    #expect(try await bench.searching(bench.familySearch).status == 429)
    bench.simulator.faults = EbayFaults([EbayFault(.quotaReset, next: 1)])
    for status in [200, 200, 429] {
      #expect(try await bench.searching(bench.familySearch).status == status)
    }
    #expect(bench.simulator.books.counted(.browse) == 4)
  }

  @Test func `the token endpoint fails in the shape of OAuth and mints nothing`() async {
    for (kind, status, error) in [
      (.http401, 401, "invalid_client"), (.http429, 429, "invalid_request"),
      (.http500, 500, "server_error"),
    ] as [(EbayFault.Kind, Int, String)] {
      let bench = bench(kind, of: .token)
      let reply = await bench.mint("grant_type=client_credentials")
      #expect(reply.status == status && reply.oauthError == error)
      #expect(bench.simulator.books.minted(.clientCredentials) == 0)
      #expect(await bench.mint("grant_type=client_credentials").status == 200)
    }
  }

  @Test func `a late answer and one that never comes are as late as they say`() async throws {
    let waits = MovableClock(0)
    for (kind, milliseconds, waited) in [
      (.slow, 700, 700), (.timeout, nil, 15_000), (.timeout, .max, 3_600_000), (.drop, 700, 0),
    ] as [(EbayFault.Kind, Int?, Int64)] {
      waits.now = 0
      let bench = EbayBench {
        $0.faults = EbayFaults([
          EbayFault(kind, next: 1, of: .search, milliseconds: milliseconds)
        ])
        $0.sleep = { waits.now += Int64($0) }
      }
      _ = try await bench.searching(bench.familySearch)
      #expect(waits.now == waited)
    }
  }

  @Test func `a clock that is off moves the market, the days and the lives of tokens`()
    async throws
  {
    let bench = EbayBench()
    let token = try await bench.token()
    bench.simulator.conditions = EbayConditions(clockOffset: 7_200_000)
    let search = "/buy/browse/v1/item_summary/search?\(bench.familySearch)"
    #expect(await bench.call(search, token: token).status == 401)
    let ahead = try await bench.search(bench.familySearch)
    bench.simulator.conditions = EbayConditions()
    bench.clock.now += 7_200_000
    #expect(ahead.ids == (try await bench.search(bench.familySearch)).ids)
    for offset in [Int64.max, .min] {
      bench.simulator.conditions = EbayConditions(clockOffset: offset)
      #expect(await bench.mint("grant_type=client_credentials").status == 200)
    }
  }

  @Test func `faults and conditions are read from short JSON`() throws {
    let text = #"{"rules":[{"kind":"cut_body","next":2,"route":"get_items"}]}"#
    let faults = try JSONDecoder().decode(EbayFaults.self, from: Data(text.utf8))
    #expect(faults == EbayFaults([EbayFault(.cutBody, next: 2, of: .items)]))
    let conditions = try JSONDecoder().decode(
      EbayConditions.self, from: Data(#"{"insights_granted":true,"ended_items":["x"]}"#.utf8))
    #expect(conditions == EbayConditions(endedItems: ["x"], insightsGranted: true))
  }
}
