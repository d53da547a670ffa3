import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookSimulators
import TollbookTestSupport

@testable import DealScout

/// `GET /listings/{id}` and `POST /listings/lookup`, against a simulated eBay.
@Suite struct `Listings that are asked for by their ids` {
  private static func ids(_ listings: some Sequence<SeenListing>) -> String {
    let names = listings.map { "\"\($0.id)\"" }.joined(separator: ",")
    return #"{"ids":[\#(names)]}"#
  }

  // MARK: One

  @Test func `a listing is bought once, and then told from the cache with its age`() async throws {
    try await DealScoutStand.serving { stand, client in
      let known = try #require(try await stand.scanned(client).first)
      let uri = "/listings/\(known.id.pathStep)"
      let bought = try await client.send(.get, uri)
      #expect(bought.status == 200, "\(bought.text)")
      #expect(bought.headers[.charge] == "1")
      #expect(bought.headers[.cacheStatus] == "tollbook; fwd=miss")
      #expect(bought.string("item_id") == known.id.description)
      #expect(bought.string("state") == "active")
      #expect(bought.string("title") == known.title)
      let price = EbayMoney(minorUnits: known.price, .dollar)
      #expect(bought.string("total.price") == price?.plainText)
      #expect(bought.string("total.currency") == "USD")
      #expect(bought.int("age_seconds") == 0)
      #expect(bought.string("brand") != nil)
      #expect(bought["cache_hit"]?.bool == false)

      stand.advanceAlone(byMilliseconds: 1_800_000)
      let kept = try await client.send(.get, uri)
      #expect(kept.headers[.charge] == "0")
      #expect(kept.headers[.cacheStatus] == "tollbook; hit")
      #expect(kept.headers[.age] == "1800")
      #expect(kept.int("age_seconds") == 1_800)
      #expect(kept["cache_hit"]?.bool == true)

      stand.advanceAlone(byMilliseconds: 1_801_000)
      #expect(try await client.send(.get, uri).headers[.charge] == "1")
      // A scan, and the listing twice.
      #expect(stand.counted == 3)
      #expect(try stand.settled() == 3)
      #expect(try stand.bodies().allSatisfy { !$0.contains("username") })
    }
  }

  @Test func `the number of a listing's page names the same listing`() async throws {
    try await DealScoutStand.serving { stand, client in
      let known = try #require(
        try await stand.scanned(client).first { $0.id.variationId == nil })
      let byNumber = try await client.send(.get, "/listings/\(known.id.legacyItemId)")
      #expect(byNumber.status == 200, "\(byNumber.text)")
      #expect(byNumber.string("item_id") == known.id.description)
      #expect(stand.simulator.books.byRoute["get_item_by_legacy_id"] == 1)
      let byID = try await client.send(.get, "/listings/\(known.id.pathStep)")
      #expect(byID.headers[.charge] == "0", "\(byID.text)")
    }
  }

  @Test func `a listing that ended between two calls is told as ended, and asked for once a day`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      let known = try #require(try await stand.scanned(client).first)
      stand.end(known.id)
      let uri = "/listings/\(known.id.pathStep)"
      let ended = try await client.send(.get, uri)
      #expect(ended.status == 410, "\(ended.text)")
      #expect(ended.string("reason") == "ended")
      #expect(ended.string("type") == "/problems/listing-ended")
      #expect(ended.headers[.charge] == "1")
      #expect(stand.scout.index[known.id] == nil)
      let again = try await client.send(.get, uri)
      #expect(again.status == 410)
      #expect(again.headers[.charge] == "0")
      stand.advanceAlone(byMilliseconds: 86_401_000)
      let later = try await client.send(.get, uri)
      #expect(later.status == 410)
      #expect(later.headers[.charge] == "1")
    }
  }

  @Test func `a listing that nobody has ever seen is not found, and is not said to have ended`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      let unknown = try await client.send(.get, "/listings/v1%7C999%7C0")
      #expect(unknown.status == 404, "\(unknown.text)")
      #expect(unknown.string("reason") == "not_found")
      #expect(unknown.headers[.charge] == "1")
      let again = try await client.send(.get, "/listings/999")
      #expect(again.status == 404)
      #expect(again.headers[.charge] == "0")
      #expect(stand.counted == 1)
    }
  }

  @Test(arguments: ["abc", "v1%7Cx%7C0", "v2%7C1%7C0", "-5", "v1%7C1", "123456789012345678901"])
  func `what is no id is refused, and eBay is not asked`(name: String) async throws {
    try await DealScoutStand.serving { stand, client in
      let refused = try await client.send(.get, "/listings/\(name)")
      #expect(refused.status == 400, "\(refused.text)")
      #expect(refused.string("field") == "id")
      #expect(stand.simulator.books.count == 0)
    }
  }

  @Test func `who only looks whether a listing is there does not pay`() async throws {
    try await DealScoutStand.serving { stand, client in
      let refused = try await client.send(.head, "/listings/999")
      #expect(refused.status == 405)
      #expect(stand.simulator.books.count == 0)
    }
  }

  @Test func `a listing in another currency is told in its own`() async throws {
    try await DealScoutStand.serving { stand, client in
      let foreign = try await stand.foreign(client)
      #expect(stand.scout.index[foreign.itemId] == nil)
      let told = try await client.send(.get, "/listings/\(foreign.itemId.pathStep)")
      #expect(told.status == 200, "\(told.text)")
      #expect(told.string("total.currency") == foreign.currentPrice?.currency.code)
      #expect(told.string("total.price") == foreign.currentPrice?.plainText)
    }
  }

  @Test func `a clock that is set back a day makes no listing younger than it is`() async throws {
    try await DealScoutStand.serving { stand, client in
      let known = try #require(try await stand.scanned(client).first)
      let uri = "/listings/\(known.id.pathStep)"
      #expect(try await client.send(.get, uri).headers[.charge] == "1")
      stand.time.setWallClock(to: stand.time.now.advanced(byMilliseconds: -86_400_000))
      stand.simulator.conditions.clockOffset += 86_400_000
      // Nobody knows how old it is: it is bought anew.
      let bought = try await client.send(.get, uri)
      #expect(bought.status == 200, "\(bought.text)")
      #expect(bought.headers[.charge] == "1")
      #expect(bought.int("age_seconds") == 0)
      #expect(try await client.send(.get, uri).headers[.charge] == "0")
    }
  }

  @Test func `a trial buys nothing`() async throws {
    try await DealScoutStand.serving { stand, client in
      let known = try #require(try await stand.scanned(client).first)
      let before = stand.simulator.books.count
      let trial = try await client.send(
        .get, "/listings/\(known.id.pathStep)", headers: [.dryRun: "1"])
      #expect(trial.status == 200, "\(trial.text)")
      #expect(stand.simulator.books.count == before)
    }
  }

  // MARK: Many

  @Test func `forty-five listings take three calls, and what became of each is told`() async throws
  {
    try await DealScoutStand.serving { stand, client in
      let known = try await stand.scanned(client).prefix(44)
      #expect(known.count == 44)
      for listing in known.prefix(5) { stand.end(listing.id) }
      let body = Self.ids(known).replacing("]", with: #","v1|999|0"]"#)
      let told = try await client.send(.post, "/listings/lookup", body)
      #expect(told.status == 200, "\(told.text.prefix(800))")
      #expect(told.int("calls") == 3)
      #expect(told.int("found") == 39)
      #expect(told.int("failed") == 0)
      let rows = try #require(told["listings"]?.array)
      #expect(rows.map { $0["item_id"]?.string } == known.map(\.id.description) + ["v1|999|0"])
      let states = rows.compactMap { $0["state"]?.string }
      #expect(states.prefix(5).allSatisfy { $0 == "ended" })
      #expect(states.dropFirst(5).prefix(39).allSatisfy { $0 == "active" })
      #expect(states.last == "not_found")
      #expect(stand.simulator.books.byRoute["get_items"] == 3)
      // They are in the cache now, one by one.
      let one = try await client.send(.get, "/listings/\(known[10].id.pathStep)")
      #expect(one.headers[.charge] == "0")
      let again = try await client.send(.post, "/listings/lookup", body)
      #expect(again.int("calls") == 0)
      // Its calls are counted by themselves: one scan is all that the others have.
      #expect(stand.counted == 1)
      #expect(try stand.settled() == 4)
    }
  }

  @Test func `of two calls one fails, and the listings of the other are told`() async throws {
    try await DealScoutStand.serving { stand, client in
      let known = try await stand.scanned(client).prefix(25)
      stand.simulator.faults = EbayFaults([EbayFault(.http500, next: 1, of: .items)])
      let told = try await client.send(.post, "/listings/lookup", Self.ids(known))
      #expect(told.status == 200, "\(told.text.prefix(800))")
      let failed = try #require(told.int("failed"))
      #expect([5, 20].contains(failed))
      #expect(told.int("found") == 25 - failed)
      let errors = told["listings"]?.array?.filter { $0["state"]?.string == "failed" } ?? []
      #expect(errors.count == failed)
      #expect(errors.allSatisfy { $0["error"]?["reason"]?.string == "upstream_unavailable" })
      // What failed is still listed.
      #expect(known.allSatisfy { stand.scout.index[$0.id] != nil })
    }
  }

  @Test func `a hundred and one ids, none, one twice and one that is none are refused`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      let many = (1...101).map { #""v1|\#($0)|0""# }.joined(separator: ",")
      for (body, field) in [
        (#"{"ids":[\#(many)]}"#, "ids"), (#"{"ids":[]}"#, "ids"), ("{}", "ids"),
        (#"{"ids":["v1|1|0","1"]}"#, "ids[1]"), (#"{"ids":["v1|1|0","x"]}"#, "ids[1]"),
        (#"{"ids":[7]}"#, "ids[0]"), (#"{"items":["v1|1|0"]}"#, "items"),
      ] {
        let refused = try await client.send(.post, "/listings/lookup", body)
        #expect(refused.status == 400, "\(refused.text)")
        #expect(refused.string("field") == field, "\(refused.text)")
      }
      #expect(stand.simulator.books.count == 0)
    }
  }
}
