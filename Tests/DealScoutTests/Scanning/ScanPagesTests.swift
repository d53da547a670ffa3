import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookSimulators
import TollbookTestSupport

@testable import DealScout

/// Searches that have more than one page of listings.
@Suite struct `Scans of several pages` {
  /// A simulated eBay in which a product has some five hundred listings.
  private static func serving(_ scene: @escaping DealScoutStand.Scene) async throws {
    try await DealScoutStand.serving {
      $0.simulator.families = 2
      $0.simulator.listingsPerFamily = 600
    } _: { stand, client in
      _ = try await client.save("first", stand.simulator.familyWords[0])
      try await scene(stand, client)
    }
  }

  @Test func `all pages are read at first, and later only as far as there is something new`()
    async throws
  {
    try await Self.serving { stand, client in
      let first = try await client.send(.post, "/scan/run", #"{"pages":5}"#)
      #expect(first.status == 200, "\(first.text)")
      let total = try #require(first.int("searches.0.total"))
      let pages = (total + SavedSearch.pageSize - 1) / SavedSearch.pageSize
      #expect(pages > 2)
      #expect(first.int("searches.0.pages") == pages)
      #expect(first.int("calls") == pages)
      #expect((first.int("new") ?? 0) > total * 9 / 10)
      var fewest = pages
      for _ in 0..<6 {
        stand.time.advance(byMilliseconds: 301_000)
        let again = try await client.send(.post, "/scan/run", #"{"pages":5}"#)
        fewest = min(fewest, again.int("calls") ?? pages)
      }
      #expect(fewest < pages)
      #expect(try stand.settled() == Int64(stand.counted))
    }
  }

  @Test func `what an earlier scan did not reach is read behind a page without anything new`()
    async throws
  {
    try await Self.serving { stand, client in
      #expect(try await client.send(.post, "/scan/run", #"{"pages":1}"#).int("calls") == 1)
      let more = try await client.send(.post, "/scan/run", #"{"pages":2}"#)
      #expect(more.int("searches.0.pages") == 2, "\(more.text)")
      #expect(more.int("calls") == 1)
      #expect((more.int("new") ?? 0) > 100)
    }
  }

  @Test(arguments: ["0", "51", "-1", "1.5", "\"2\""])
  func `so many pages are refused, and nothing is asked`(pages: String) async throws {
    try await Self.serving { stand, client in
      for path in ["/scan/run", "/tasks/scan"] {
        let refused = try await client.send(.post, path, "{\"pages\":\(pages)}")
        #expect(refused.status == 400, "\(refused.text)")
        #expect(refused.string("field") == "pages")
      }
      #expect(stand.simulator.books.count == 0)
    }
  }

  @Test func `a job reads as many pages as it was told to`() async throws {
    try await Self.serving { stand, client in
      let queued = try await client.send(.post, "/tasks/scan", #"{"pages":2}"#)
      #expect(queued.status == 202, "\(queued.text)")
      try await stand.finish(#require(queued.string("id")))
      #expect(stand.counted == 2)
      #expect(stand.scout.index.count > SavedSearch.pageSize)
    }
  }

  @Test func `the clock has as many pages scanned as a search has listings for`() async throws {
    try await Self.serving { stand, client in
      #expect(try stand.scout.planTurn(stand.gateway).plan.scans.map(\.calls) == [1])
      let first = try await client.send(.post, "/scan/run", "{}")
      let total = try #require(first.int("searches.0.total"))
      let pages = (total + SavedSearch.pageSize - 1) / SavedSearch.pageSize
      stand.time.advance(byMilliseconds: 80 * 60_000)
      let plan = try stand.scout.planTurn(stand.gateway).plan
      #expect(plan.scans.map(\.calls) == [Int64(pages)], "\(plan.sentence)")
      #expect(pages < Scout.scanPages)
    }
  }

  @Test func `calls of jobs that scan are no calls of people`() async throws {
    try await Self.serving { stand, client in
      _ = try await client.send(.post, "/scan/run", "{}")
      let queued = try await client.send(.post, "/tasks/scan", #"{"pages":3}"#)
      try await stand.finish(#require(queued.string("id")))
      let quota = try stand.scout.quota(stand.gateway, at: stand.time.now)
      #expect(quota.used == 3)
      #expect(quota.scanned == 2)
      #expect(quota.others == 1)
      stand.time.advance(byMilliseconds: 25 * 3_600_000)
      let tomorrow = try stand.scout.quota(stand.gateway, at: stand.time.now)
      #expect(tomorrow.used == 0 && tomorrow.scanned == 0)
    }
  }
}
