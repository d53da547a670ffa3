import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookSimulators
import TollbookTestSupport
import TollbookViews

@testable import DealScout

/// Searches, scans and deals over HTTP, against a simulated eBay.
@Suite struct `Searches that are scanned` {
  // MARK: Searches

  @Test func `a search is kept, listed and removed`() async throws {
    try await DealScoutStand.serving { stand, client in
      let made = try await client.save("My Widgets!", "widget", filters: #""max_price":"50""#)
      #expect(made.status == 201, "\(made.text)")
      #expect(made.string("id") == "my-widgets")
      #expect(made.headers[.location] == "/searches/my-widgets")
      #expect(made.string("filters.max_price") == "50.00")
      let list = try await client.send(.get, "/searches")
      #expect(list.string("searches.0.name") == "My Widgets!")
      #expect(list.string("searches.0.q") == "widget")
      #expect(try await client.save("my widgets", "other").status == 409)
      #expect(try await client.send(.delete, "/searches/my-widgets").status == 200)
      #expect(try await client.send(.delete, "/searches/my-widgets").status == 404)
      #expect(try await client.send(.get, "/searches")["searches"]?.array?.isEmpty == true)
      #expect(try stand.settled() == 0)
    }
  }

  @Test(arguments: [
    (#"{"name":"a","q":"b"}"#, "marketplace"),
    (#"{"name":"a","q":"b","marketplace":"EBAY_XX"}"#, "marketplace"),
    (#"{"name":"a","marketplace":"EBAY_US"}"#, ""),
    (#"{"q":"b","marketplace":"EBAY_US"}"#, "name"),
    (
      #"{"name":"a","q":"b","marketplace":"EBAY_US","filters":{"min_price":"9","max_price":"1"}}"#,
      "filters.max_price"
    ),
    (
      #"{"name":"a","q":"b","marketplace":"EBAY_US","filters":{"currency":"EUR"}}"#,
      "filters.currency"
    ),
  ])
  func `a search that eBay would not take is refused by its field`(
    body: String, field: String
  ) async throws {
    try await DealScoutStand.serving { stand, client in
      let refused = try await client.send(.post, "/searches", body)
      #expect(refused.status == 400, "\(refused.text)")
      if !field.isEmpty {
        #expect(refused.string("field")?.hasPrefix(field.prefix(7)) == true, "\(refused.text)")
      }
      #expect(stand.simulator.books.count == 0)
    }
  }

  // MARK: Scans

  @Test func `a page of before tells how many listings it shows, though newer ones are known`()
    throws
  {
    let index = ListingIndex()
    let page = try EbaySearchPage(
      EbaySamples.page([String(decoding: try EbaySamples.listing([:]), as: UTF8.self)]))
    let search = try EbaySearch(.unitedStates, words: "things")
    let start = Timestamp.testStart
    #expect(index.add(page, of: search, seen: start.advanced(byMilliseconds: 1)).seen == 1)
    let before = index.add(page, of: search, seen: start)
    #expect(before.seen == 1)
    #expect(before.new.isEmpty)
  }

  @Test func `a scan buys a page, and within five minutes the same page costs nothing`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      let words = stand.simulator.familyWords[0]
      _ = try await client.save("first", words)
      let scan = try await client.send(.post, "/scan/run", "{}")
      #expect(scan.status == 200, "\(scan.text)")
      #expect(scan.int("calls") == 1)
      #expect(scan["searches.0.cache_hit"]?.bool == false)
      #expect((scan.int("searches.0.listings") ?? 0) > 20)
      #expect(scan.int("new") == scan.int("searches.0.listings"))
      stand.time.advance(byMilliseconds: 299_000)
      let again = try await client.send(.post, "/scan/run", "{}")
      #expect(again.int("calls") == 0)
      #expect(again["searches.0.cache_hit"]?.bool == true)
      #expect(again.int("new") == 0)
      stand.time.advance(byMilliseconds: 2_000)
      #expect(try await client.send(.post, "/scan/run", "{}").int("calls") == 1)
      #expect(stand.counted == 2)
      #expect(try stand.settled() == 2)
      // One token, and one look at the limits.
      #expect(try stand.settled("tokens_minted") == 1)
      #expect(try stand.settled("analytics_calls") == 1)
    }
  }

  @Test func `when the day's calls are used up nothing is asked until they begin anew`()
    async throws
  {
    try await DealScoutStand.serving {
      $0.simulator.limits[.browse] = 2
    } _: { stand, client in
      for number in 0..<3 {
        _ = try await client.save("search \(number)", stand.simulator.familyWords[number])
      }
      for number in 0..<2 {
        let scan = try await client.send(.post, "/scan/run", #"{"search":"search-\#(number)"}"#)
        #expect(scan.int("calls") == 1, "\(scan.text)")
      }
      let before = stand.simulator.books.count
      let refused = try await client.send(.post, "/scan/run", #"{"search":"search-2"}"#)
      #expect(refused.status == 429, "\(refused.text)")
      #expect(refused.string("retry_at") != nil)
      #expect(stand.simulator.books.count == before)
      stand.time.advance(byMilliseconds: 25 * 3_600_000)
      let later = try await client.send(.post, "/scan/run", #"{"search":"search-2"}"#)
      #expect(later.int("calls") == 1, "\(later.text)")
    }
  }

  @Test func `what others use of the same key counts at once`() async throws {
    try await DealScoutStand.serving {
      $0.simulator.limits[.browse] = 10
      $0.simulator.conditions.foreignCalls = 10
    } _: { stand, client in
      _ = try await client.save("first", stand.simulator.familyWords[0])
      let refused = try await client.send(.post, "/scan/run", "{}")
      #expect(refused.status == 429, "\(refused.text)")
      #expect(try stand.settled() == 0)
    }
  }

  @Test func `an answer without a filter that was asked for is not kept`() async throws {
    try await DealScoutStand.serving {
      $0.simulator.faults = EbayFaults([EbayFault(.filterDropped, next: 1)])
    } _: { stand, client in
      _ = try await client.save(
        "cheap", stand.simulator.familyWords[0], filters: #""max_price":"20""#)
      let scan = try await client.send(.post, "/scan/run", "{}")
      #expect(scan.status == 502, "\(scan.text)")
      #expect(scan.string("detail")?.contains("left out a part of the question") == true)
      #expect(stand.scout.index.count == 0)
      let again = try await client.send(.post, "/scan/run", "{}")
      #expect(again.int("calls") == 1, "\(again.text)")
    }
  }

  @Test func `what a filter should have kept out is left out, though eBay does not say so`()
    async throws
  {
    try await DealScoutStand.serving {
      $0.simulator.faults = EbayFaults([EbayFault(.filterIgnored, next: 1)])
    } _: { stand, client in
      _ = try await client.save(
        "new", stand.simulator.familyWords[0], filters: #""condition_ids":["1000"]"#)
      let scan = try await client.send(.post, "/scan/run", "{}")
      #expect((scan.int("searches.0.left_out") ?? 0) > 0, "\(scan.text)")
      let conditions = Set(stand.scout.index.all.listings.map(\.conditionId))
      #expect(conditions == [1_000])
    }
  }

  @Test func `a token that eBay takes no more is minted anew, once`() async throws {
    try await DealScoutStand.serving {
      $0.simulator.faults = EbayFaults([EbayFault(.http401, next: 1, of: .search)])
    } _: { stand, client in
      _ = try await client.save("first", stand.simulator.familyWords[0])
      let scan = try await client.send(.post, "/scan/run", "{}")
      #expect(scan.status == 200, "\(scan.text)")
      #expect(try stand.settled("tokens_minted") == 2)
      #expect(stand.counted == 1)
      #expect(try stand.settled() == 1)
    }
  }

  @Test func `without a key nothing is asked, and it is said why`() async throws {
    try await DealScoutStand.serving {
      $0.key = ""
    } _: { stand, client in
      _ = try await client.save("first", stand.simulator.familyWords[0])
      let refused = try await client.send(.post, "/scan/run", "{}")
      #expect(refused.status == 503, "\(refused.text)")
      #expect(refused.string("detail")?.contains("EBAY_APP_ID") == true)
      #expect(stand.simulator.books.count == 0)
    }
  }

  // MARK: Jobs and schedules

  @Test func `scans that are queued are done by a job, and found in the books by its tag`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      for number in 0..<3 {
        _ = try await client.save("search \(number)", stand.simulator.familyWords[number])
      }
      let queued = try await client.send(.post, "/tasks/scan", "{}")
      #expect(queued.status == 202, "\(queued.text)")
      let id = try #require(queued.string("id"))
      try await stand.finish(id)
      let job = try await client.send(.get, "/jobs/\(id)")
      #expect(job.string("state") == "done", "\(job.text)")
      #expect(job.int("progress.done") == 3)
      #expect(try stand.settled() == 3)
      #expect(stand.counted == 3)
    }
  }

  @Test func `schedules are listed, moved and paused, and a wrong rule is refused`() async throws {
    try await DealScoutStand.serving { stand, client in
      let list = try await client.send(.get, "/schedules")
      let names = list["schedules"]?.array?.compactMap { $0["name"]?.string }
      #expect(
        names == [
          "recheck_listings", "reconcile_sales", "refresh_comps", "scan_all",
          "send_notifications",
        ])
      let moved = try await client.send(
        .patch, "/schedules/scan_all", #"{"rule":"every 10m","paused":true}"#)
      #expect(moved.string("rule") == "every 10m", "\(moved.text)")
      #expect(moved["paused"]?.bool == true)
      let wrong = try await client.send(
        .patch, "/schedules/refresh_comps", #"{"rule":"daily 03:00 Mars/Olympus"}"#)
      #expect(wrong.status == 400, "\(wrong.text)")
      #expect(wrong.string("detail")?.contains("Mars/Olympus") == true)
      #expect(try await client.send(.patch, "/schedules/none", #"{"paused":true}"#).status == 404)
    }
  }

  @Test func `the clock has every search scanned, each paid for by its account`() async throws {
    try await DealScoutStand.serving { stand, client in
      for number in 0..<4 {
        _ = try await client.save("search \(number)", stand.simulator.familyWords[number])
      }
      stand.time.advance(byMilliseconds: 300_000)
      await stand.scout.schedules.load(stand.gateway)
      stand.time.advance(byMilliseconds: 300_000)
      await stand.scout.schedules.runDue(stand.gateway) { run in
        await stand.scout.run(run, stand.gateway)
      }
      let jobs = try await client.send(.get, "/jobs?kind=ebay.scan")
      let id = try #require(jobs.string("jobs.0.id"), "\(jobs.text)")
      try await stand.finish(id)
      #expect(try stand.settled() >= 1)
      #expect(try stand.settled() == Int64(stand.counted))
      // What was scanned a moment ago is fresh.
      #expect(try stand.scout.planTurn(stand.gateway).plan.scans.count < 4)
    }
  }
}
