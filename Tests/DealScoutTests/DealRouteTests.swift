import HTTPTypes
import HummingbirdTesting
import JSONText
import NIOCore
import Testing
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

@testable import DealScout

/// `GET /buyer/deals`, against a simulated eBay with planted deals.
@Suite struct `Deals for buyers` {
  /// Saves and scans a search for each product, with what their listings are compared with.
  private static func scan(_ stand: DealScoutStand, _ client: ScoutCaller) async throws {
    for (number, words) in stand.simulator.familyWords.enumerated() {
      _ = try await client.save("search \(number)", words)
    }
    let scan = try await client.send(.post, "/scan/run", "{}")
    #expect(scan.status == 200, "\(scan.text)")
    let queued = try await client.send(.post, "/tasks/recompute-comps", "{}")
    try await stand.finish(#require(queued.string("id")))
    // The board is made anew after a moment.
    stand.time.advance(byMilliseconds: 5_000)
  }

  @Test func `planted deals are found, with the reasons of their scores`() async throws {
    try await DealScoutStand.serving {
      $0.simulator.dealsPerFamilyDay = 12
    } _: { stand, client in
      try await Self.scan(stand, client)
      let now = stand.time.now.milliseconds
      let planted = stand.simulator.deals(from: now - 5_000, to: now - 4_999)
      #expect(!planted.isEmpty)
      var found: [String: JSONValue] = [:]
      var cursor = ""
      repeat {
        let page = try await client.send(
          .get, "/buyer/deals?limit=50&min_score=1\(cursor.isEmpty ? "" : "&cursor=\(cursor)")")
        #expect(page.status == 200, "\(page.text)")
        for deal in try #require(page["deals"]?.array) {
          if let id = deal["item_id"]?.string { found[id] = deal }
        }
        cursor = page.string("next")?.replacing("|", with: "%7C") ?? ""
      } while !cursor.isEmpty
      let rows = await stand.scout.board.content(
        of: stand.scout.index, judges: true, now: stand.time.now
      ).rows
      let missed = planted.filter { found[$0.itemId] == nil }
      let why = missed.map { deal in
        rows.first { $0.listing.id.description == deal.itemId }.map {
          "\($0.verdict?.refusal?.description ?? "scored") \($0.listing.title)"
        } ?? "not seen: \(deal)"
      }
      #expect(missed.count * 20 <= planted.count, "\(why)")
      for deal in planted {
        guard let row = found[deal.itemId] else { continue }
        #expect((row["score"]?.double ?? 0) > 40, "\(row)")
        #expect((row["discount"]?.double ?? 0) > 15, "\(row)")
        #expect((row["comparables"]?.int ?? 0) >= 5)
        #expect(row["confidence"]?.string != "high")
        #expect(row["flags"]?.array?.isEmpty == true, "\(row)")
      }
    }
  }

  @Test func `a form of the page sets a mark and takes it away again, and refuses another word`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      let page = try await client.client.execute(uri: "/deals", method: .get)
      let cookie = try #require(page.headers[.setCookie]).prefix { $0 != ";" }
      // A page without listings has no form with a token.
      _ = try await client.save("first", stand.simulator.familyWords[0])
      _ = try await client.send(.post, "/scan/run", "{}")
      let shown = try await client.client.execute(
        uri: "/deals", method: .get, headers: [.cookie: String(cookie)])
      let text = String(buffer: shown.body)
      let token = try #require(text.firstMatch(of: /name="form_token" value="([0-9a-f.]+)"/)).1
      let listing = try #require(text.firstMatch(of: /name="item" value="(v1[^"]+)"/)).1
      func send(_ set: String, item: String? = nil) async throws -> Int {
        let coded = (item ?? String(listing)).replacing("|", with: "%7C")
        let fields = "form_token=\(token)&item=\(coded)&mark=saved\(set)"
        return try await client.client.execute(
          uri: "/deals/marks", method: .post,
          headers: [
            .cookie: String(cookie), .origin: "http://localhost",
            .contentType: "application/x-www-form-urlencoded",
          ], body: ByteBuffer(string: fields)
        ).status.code
      }
      func marks() throws -> Set<DealsPage.Mark>? {
        try MarkBook(gateway: stand.gateway).marks(of: "default").byID[String(listing)]
      }
      #expect(try await send("&set=true", item: "v1|1234567|0") == 404)
      #expect(try await send("&set=false", item: "v1|1234567|0") == 303)
      #expect(try marks() == nil)
      #expect(try await send("&set=true") == 303)
      #expect(try marks() == [.saved])
      for wrong in ["&set=0", "&set=yes", "&set=", ""] {
        #expect(try await send(wrong) == 400)
        #expect(try marks() == [.saved], "\(wrong)")
      }
      #expect(try await send("&set=false") == 303)
      #expect(try marks() == nil)
    }
  }

  @Test func `pages follow one another in the order that is asked for, without a gap`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      try await Self.scan(stand, client)
      for order in DealQuestion.Order.allCases {
        let all = try await client.send(.get, "/buyer/deals?limit=200&sort=\(order.rawValue)")
        let expected = all["deals"]?.array?.compactMap { $0["item_id"]?.string } ?? []
        var paged: [String] = []
        var cursor = ""
        while paged.count < expected.count {
          let page = try await client.send(
            .get,
            "/buyer/deals?limit=7&sort=\(order.rawValue)"
              + (cursor.isEmpty ? "" : "&cursor=\(cursor)"))
          paged += page["deals"]?.array?.compactMap { $0["item_id"]?.string } ?? []
          guard let next = page.string("next") else { break }
          cursor = next.replacing("|", with: "%7C")
        }
        let isSame = paged.prefix(expected.count).elementsEqual(expected)
        #expect(isSame && expected.count > 50, "\(order)")
      }
    }
  }

  @Test(arguments: [
    ("min_price=9&max_price=1", "min_price"), ("min_price=-1", "min_price"),
    ("min_score=101", "min_score"), ("condition=shiny", "condition"),
    ("confidence=sure", "confidence"), ("ends_before=tomorrow", "ends_before"),
    ("sort=best", "sort"), ("cursor=x", "cursor"), ("category=toys", "category"),
    ("colour=red", "colour"),
  ])
  func `a filter that is none is refused by its name`(query: String, field: String) async throws {
    try await DealScoutStand.serving { _, client in
      let refused = try await client.send(.get, "/buyer/deals?\(query)")
      #expect(refused.status == 400, "\(refused.text)")
      #expect(refused.string("field") == field)
    }
  }

  @Test func `without eBay's consent no price is judged, and listings are shown with their age`()
    async throws
  {
    try await DealScoutStand.serving {
      $0.judges = false
    } _: { stand, client in
      try await Self.scan(stand, client)
      let page = try await client.send(.get, "/buyer/deals")
      #expect(page["judged"]?.bool == false)
      #expect(page["deals.0.score"]?.isNull == true, "\(page.text.prefix(800))")
      #expect(page["deals.0.fair"]?.isNull == true)
      #expect(page.int("deals.0.age_seconds") == 5)
      let refused = try await client.send(.get, "/buyer/deals?min_score=50")
      #expect(refused.status == 403)
      #expect(refused.string("detail")?.contains("EBAY_MODELLING_CONSENT") == true)
    }
  }

  @Test func `the old name answers the same and says that it is old`() async throws {
    try await DealScoutStand.serving { stand, client in
      try await Self.scan(stand, client)
      let old = try await client.send(.get, "/listings?limit=3")
      let new = try await client.send(.get, "/buyer/deals?limit=3")
      #expect(old.text == new.text)
      #expect(old.headers[.link] == "</buyer/deals>; rel=\"successor-version\"")
      #expect(old.headers[.init("Deprecation")!] == "@1764288000")
    }
  }

  @Test func `listings are there again after a start, from the pages that are kept`() async throws {
    try await DealScoutStand.serving { stand, client in
      try await Self.scan(stand, client)
      let before = Set(stand.scout.index.all.listings.map(\.id))
      #expect(before.count > 100)
      let again = Scout(stand.upstream, judges: true)
      try await again.fill(stand.gateway)
      #expect(Set(again.index.all.listings.map(\.id)) == before)
    }
  }
}
