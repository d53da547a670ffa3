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

/// What eBay shows no more is not kept: in the index, in pages, in bodies.
@Suite struct `Listings that are gone` {
  @Test func `what is watched and gone leaves the index, the pages and all bodies`() async throws {
    try await DealScoutStand.serving { stand, client in
      let known = try #require(try await stand.scanned(client).first)
      _ = try await stand.scanned(client, 1)
      let watch = try await client.send(
        .post, "/buyer/watches", #"{"item_id":"\#(known.id)"}"#)
      #expect(watch.status == 201, "\(watch.text)")
      _ = try await client.send(.get, "/listings/\(known.id.pathStep)")
      stand.advanceAlone(byMilliseconds: 3_600_001)
      // A price that differs makes another body of the same page.
      let page = try #require(try stand.page())
      stand.end(try #require(page.listings.last { $0.itemId != known.id }).itemId)
      _ = try await client.send(.post, "/scan/run", #"{"search":"search-0"}"#)
      let holding = try stand.bodies().filter { $0.contains(known.id.description) }
      // Two pages and the item.
      #expect(holding.count == 3)
      #expect(holding.allSatisfy { $0.contains(known.title) })

      stand.end(known.id)
      let ending = try await stand.scout.recheck(stand.gateway)
      guard case .done(let sentence) = ending else {
        Issue.record("\(ending)")
        return
      }
      #expect(sentence.contains("gone 1"), "\(sentence)")
      let left = try stand.bodies()
      #expect(left.allSatisfy { !$0.contains(known.id.description) })
      #expect(left.allSatisfy { !$0.contains(known.title) })
      #expect(stand.scout.index[known.id] == nil)
      #expect(try stand.page() == nil)
      let entry = try #require(try stand.gateway.kept(EbayNeed.item(known.id).resource))
      #expect(!entry.isPresent)
      // What does not show it stays.
      #expect(try stand.page(1) != nil)
      let again = Scout(stand.upstream, judges: true)
      try await again.fill(stand.gateway)
      #expect(again.index[known.id] == nil)
      #expect(again.index.count > 20)
    }
  }

  @Test func `what a read finds gone goes at once, and a page of before does not bring it back`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      let known = try #require(try await stand.scanned(client).first)
      let page = try #require(try stand.page())
      let search = try #require(
        try SearchBook(gateway: stand.gateway).search("search-0", of: "default")?.page(0))
      let seen = stand.time.now
      stand.advanceAlone(byMilliseconds: 60_000)
      stand.end(known.id)
      #expect(try await client.send(.get, "/listings/\(known.id.pathStep)").status == 410)
      #expect(try stand.bodies().allSatisfy { !$0.contains(known.id.description) })
      _ = stand.scout.index.add(page, of: search, seen: seen)
      #expect(stand.scout.index[known.id] == nil)
      #expect(stand.scout.index.count > 20)
      // eBay shows it again.
      _ = stand.scout.index.add(page, of: search, seen: stand.time.now.advanced(byMilliseconds: 1))
      #expect(stand.scout.index[known.id] != nil)
    }
  }

  @Test func `the body of a page that was replaced goes with the next run, and the new one stays`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      let known = try #require(try await stand.scanned(client).first)
      stand.advanceAlone(byMilliseconds: 600_000)
      stand.end(known.id)
      _ = try await client.send(.post, "/scan/run", "{}")
      let before = try stand.bodies().count { $0.contains("itemSummaries") }
      #expect(before == 2)
      _ = try await stand.scout.recheck(stand.gateway)
      let left = try stand.bodies().filter { $0.contains("itemSummaries") }
      #expect(left.count == 1)
      #expect(left.first?.contains(known.id.description) == false)
      #expect(try stand.page() != nil)
    }
  }

  @Test func `a body whose entry was swept goes too`() async throws {
    try await DealScoutStand.serving { stand, client in
      _ = try await stand.scanned(client)
      #expect(try stand.bodies().contains { $0.contains("itemSummaries") })
      stand.advanceAlone(byMilliseconds: 86_400_001)
      // First it is marked, then removed.
      await stand.gateway.sweep()
      await stand.gateway.sweep()
      #expect(try stand.page() == nil)
      #expect(try stand.bodies().contains { $0.contains("itemSummaries") })
      #expect(try await stand.scout.removeReplaced(stand.gateway) == 1)
      #expect(try stand.bodies().allSatisfy { !$0.contains("itemSummaries") })
    }
  }

  @Test func `what the housekeeping removes anyway is not looked for in all of the log`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      _ = try await stand.scanned(client)
      stand.advanceAlone(byMilliseconds: 86_400_001)
      for _ in 0..<2 { await stand.gateway.sweep() }
      stand.advanceAlone(byMilliseconds: stand.gateway.settings.bodyRetention + 1)
      #expect(try await stand.scout.removeReplaced(stand.gateway) == 0)
      await stand.gateway.pruneBodies()
      #expect(try stand.bodies().allSatisfy { !$0.contains("itemSummaries") })
    }
  }

  @Test func `saved listings are asked for, twenty in a call and no more than a run may ask`()
    async throws
  {
    try await DealScoutStand.serving { stand, _ in
      var marks = MarkBook.Marks()
      for number in 1...450 {
        marks.set(.saved, true, on: try #require(EbayItemID("v1|\(9_000 + number)|0")))
      }
      marks.set(.seen, true, on: try #require(EbayItemID("v1|8000|0")))
      try await stand.gateway.keep(
        marks.bytes,
        as: ResourceKey(account: "default", kind: MarkBook.kind, path: "listings"))
      _ = try await stand.scout.recheck(stand.gateway)
      #expect(stand.simulator.books.byRoute["get_items"] == 20)
      // The rest comes next.
      _ = try await stand.scout.recheck(stand.gateway)
      #expect(stand.simulator.books.byRoute["get_items"] == 23)
      _ = try await stand.scout.recheck(stand.gateway)
      #expect(stand.simulator.books.byRoute["get_items"] == 23)
    }
  }

  /// Opens an account that watches some listings.
  private static func watch(
    _ numbers: Range<Int>, of account: String, _ stand: DealScoutStand, _ client: ScoutCaller
  ) async throws {
    let opened = try await client.send(.post, "/admin/accounts", #"{"id":"\#(account)"}"#)
    #expect(opened.status == 201, "\(opened.text)")
    var watches = WatchBook.Watches()
    for number in numbers {
      try watches.add(Watch(#require(EbayItemID("v1|\(number)|0")), created: stand.time.now))
    }
    try await stand.gateway.keep(
      watches.bytes, as: ResourceKey(account: account, kind: WatchBook.kind, path: "listings"))
  }

  @Test func `listings of many accounts take no more calls than a run may make`() async throws {
    try await DealScoutStand.serving { stand, client in
      for number in 10..<35 {
        try await Self.watch(9_000 + number..<9_001 + number, of: "a\(number)", stand, client)
      }
      _ = try await stand.scout.recheck(stand.gateway)
      #expect(stand.simulator.books.byRoute["get_items"] == Scout.mostRecheckCalls)
      // Those that were left out come first.
      _ = try await stand.scout.recheck(stand.gateway)
      #expect(stand.simulator.books.byRoute["get_items"] == 25)
      for number in 10..<35 {
        let id = try #require(EbayItemID("v1|\(9_000 + number)|0"))
        #expect(try stand.gateway.kept(EbayNeed.item(id).resource) != nil)
      }
    }
  }

  @Test func `an account that may not buy holds up no other`() async throws {
    try await DealScoutStand.serving { stand, client in
      try await Self.watch(1_000..<1_500, of: "acme", stand, client)
      // More than a run may ask for, and all before the other's.
      var marks = MarkBook.Marks()
      for number in 10_000..<12_100 {
        marks.set(.saved, true, on: try #require(EbayItemID("v1|\(number)|0")))
      }
      try await stand.gateway.keep(
        marks.bytes, as: ResourceKey(account: "acme", kind: MarkBook.kind, path: "listings"))
      try await Self.watch(2_000..<2_001, of: "zenith", stand, client)
      var scope = BudgetRow.Scope()
      scope.account = "acme"
      let order = try BudgetOrder(
        name: "calls", scope: scope, unit: "calls", limit: 1, window: .day, units: ["calls"],
        upstreams: ["ebay"])
      try await SetBudget(order, now: stand.time.now, actor: "test").run(
        on: stand.log, default: "default")
      _ = try await stand.scout.recheck(stand.gateway)
      let id = try #require(EbayItemID("v1|2000|0"))
      #expect(try stand.gateway.kept(EbayNeed.item(id).resource) != nil)
      #expect(stand.simulator.books.byRoute["get_items"] == 2)
    }
  }

  @Test func `calls that people may need are not used up`() async throws {
    try await DealScoutStand.serving {
      $0.simulator.limits[.items] = 4
    } _: { stand, client in
      // A scan asks how the limits stand.
      let known = try await stand.scanned(client)
      for listing in known.prefix(70) {
        try await MarkBook(gateway: stand.gateway).set(
          .saved, true, on: listing.id, of: "default")
      }
      _ = try await stand.scout.recheck(stand.gateway)
      // 34 % of four calls are one.
      #expect(stand.simulator.books.byRoute["get_items"] == 3)
    }
  }

  @Test func `where eBay cannot be asked nothing is taken out`() async throws {
    try await DealScoutStand.serving { stand, client in
      let known = try #require(try await stand.scanned(client).first)
      _ = try await client.send(.post, "/buyer/watches", #"{"item_id":"\#(known.id)"}"#)
      stand.simulator.faults = EbayFaults([EbayFault(.http500, next: 9, of: .items)])
      let ending = try await stand.scout.recheck(stand.gateway)
      guard case .failed = ending else {
        Issue.record("\(ending)")
        return
      }
      #expect(stand.scout.index[known.id] != nil)
      #expect(try stand.page() != nil)
    }
  }

  @Test func `the index remembers a bounded number of those that are gone`() throws {
    let index = ListingIndex()
    let start = Timestamp.testStart
    for number in 1...(ListingIndex.mostGone + 1) {
      let id = try #require(EbayItemID("v1|\(number)|0"))
      index.remove([id], gone: start.advanced(byMilliseconds: Int64(number)))
    }
    let first = try #require(EbayItemID("v1|1|0"))
    let last = try #require(EbayItemID("v1|\(ListingIndex.mostGone)|0"))
    #expect(!index.isGone(first))
    #expect(index.isGone(last))
  }
}
