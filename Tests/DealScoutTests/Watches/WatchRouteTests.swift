import HTTPTypes
import JSONText
import Testing
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookSimulators
import TollbookTestSupport

@testable import DealScout

/// `/buyer/watches`, against a simulated eBay.
@Suite struct `Watches of an account` {
  private static func watch(_ id: EbayItemID, _ more: String = "") -> String {
    #"{"item_id":"\#(id)"\#(more)}"#
  }

  @Test func `a listing is watched and let go, and one that a scan has shown costs nothing`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      let known = try #require(try await stand.scanned(client).first)
      let made = try await client.send(
        .post, "/buyer/watches", Self.watch(known.id, #","below":"0.50""#))
      #expect(made.status == 201, "\(made.text)")
      #expect(made.headers[.charge] == "0")
      #expect(made.headers[.location] == "/buyer/watches/\(known.id.pathStep)")
      #expect(made.string("below") == "0.50")
      #expect(made.string("state") == "active")
      #expect(made.string("title") == known.title)
      #expect(
        try await client.send(.post, "/buyer/watches", Self.watch(known.id)).status == 409)
      stand.advanceAlone(byMilliseconds: 60_000)
      let list = try await client.send(.get, "/buyer/watches")
      #expect(list["watches"]?.array?.count == 1)
      #expect(list.string("watches.0.item_id") == known.id.description)
      #expect(list.int("watches.0.age_seconds") == 60)
      let uri = "/buyer/watches/\(known.id.pathStep)"
      #expect(try await client.send(.delete, uri).status == 200)
      #expect(try await client.send(.delete, uri).status == 404)
      #expect(try await client.send(.delete, "/buyer/watches/x").status == 400)
      #expect(try await client.send(.get, "/buyer/watches")["watches"]?.array?.isEmpty == true)
      #expect(stand.counted == 1)
    }
  }

  @Test func `one that no scan has shown is bought; one that is not there is not watched`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      let known = try await stand.scanned(client)
      let foreign = try await stand.foreign(client)
      let before = stand.counted
      let refused = try await client.send(
        .post, "/buyer/watches", Self.watch(foreign.itemId, #","below":"20","currency":"USD""#))
      #expect(refused.status == 400, "\(refused.text)")
      #expect(refused.string("field") == "currency")
      #expect(refused.headers[.charge] == "1")
      #expect(stand.counted == before + 1)
      let made = try await client.send(.post, "/buyer/watches", Self.watch(foreign.itemId))
      #expect(made.status == 201, "\(made.text)")
      #expect(made.string("currency") == foreign.currentPrice?.currency.code)
      #expect(made.headers[.charge] == "0")

      let gone = try #require(known.last)
      stand.end(gone.id)
      _ = try await client.send(.get, "/listings/\(gone.id.pathStep)")
      let ended = try await client.send(.post, "/buyer/watches", Self.watch(gone.id))
      #expect(ended.status == 410, "\(ended.text)")
      #expect(ended.string("field") == "item_id")
      let unknown = try await client.send(
        .post, "/buyer/watches", #"{"item_id":"v1|999|0"}"#)
      #expect(unknown.status == 404, "\(unknown.text)")
      let list = try await client.send(.get, "/buyer/watches")
      #expect(list["watches"]?.array?.count == 1)
    }
  }

  @Test func `an administrator's watch for another account is paid for by that account`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      #expect(try await client.send(.post, "/admin/accounts", #"{"id":"acme"}"#).status == 201)
      let foreign = try await stand.foreign(client)
      let made = try await client.send(
        .post, "/buyer/watches?account=acme", Self.watch(foreign.itemId))
      #expect(made.status == 201, "\(made.text)")
      #expect(made.headers[.charge] == "1")
      let (index, reader) = (stand.log.index, stand.log.reader)
      let payers = try stand.log.read { (reading) throws(LogError) in
        var payers: [String] = []
        for position in try index.positions(
          of: .fetchStarted, after: 0, limit: .max, in: reading)
        {
          guard case .fetchStarted(let event)? = try reader.event(at: position, in: reading)?.event,
            event.operation == EbayUpstream.item
          else { continue }
          payers += event.allDemands.map(\.account)
        }
        return payers
      }
      #expect(payers == ["acme"])
    }
  }

  @Test(arguments: [
    ("{}", "item_id"), (#"{"item_id":"x"}"#, "item_id"), (#"{"item_id":7}"#, "item_id"),
    (#"{"item_id":"v1|1|0","below":"cheap"}"#, "below"),
    (#"{"item_id":"v1|1|0","below":"-1"}"#, "below"),
    (#"{"item_id":"v1|1|0","currency":"euro"}"#, "currency"),
    (#"{"item_id":"v1|1|0","above":"1"}"#, "above"),
  ])
  func `what is no watch is refused by its field, and eBay is not asked`(
    body: String, field: String
  ) async throws {
    try await DealScoutStand.serving { stand, client in
      let refused = try await client.send(.post, "/buyer/watches", body)
      #expect(refused.status == 400, "\(refused.text)")
      #expect(refused.string("field") == field)
      #expect(stand.simulator.books.count == 0)
    }
  }

  @Test func `an account that watches as many as it may watches no more, and pays for no look`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      var watches = WatchBook.Watches()
      for number in 1...WatchBook.mostOfAccount {
        try watches.add(
          Watch(#require(EbayItemID("v1|\(number)|0")), created: stand.time.now))
      }
      try await stand.gateway.keep(
        watches.bytes,
        as: ResourceKey(account: "default", kind: WatchBook.kind, path: "listings"))
      let refused = try await client.send(
        .post, "/buyer/watches", #"{"item_id":"v1|9999|0"}"#)
      #expect(refused.status == 409, "\(refused.text)")
      #expect(refused.string("detail")?.contains("500") == true)
      #expect(stand.simulator.books.count == 0)
    }
  }

  @Test func `a drop and an end are news until they were told, also by a clock that is set back`()
    async throws
  {
    try await DealScoutStand.serving { stand, client in
      let known = try await stand.scanned(client)
      let dropping = try #require(known.first)
      let ending = try #require(known.last)
      let book = WatchBook(gateway: stand.gateway)
      // As if it had cost more when the watch began.
      let before = try #require(EbayMoney(minorUnits: dropping.price + 1_000, .dollar))
      try await book.add(
        Watch(dropping.id, created: stand.time.now, told: before), of: "default")
      _ = try await client.send(.post, "/buyer/watches", Self.watch(ending.id))
      stand.time.setWallClock(to: stand.time.now.advanced(byMilliseconds: -86_400_000))
      stand.simulator.conditions.clockOffset += 86_400_000
      stand.end(ending.id)
      _ = try await stand.scout.recheck(stand.gateway)
      let news = try await stand.scout.watchNews(stand.gateway)
      #expect(news.map(\.kind) == [.priceDrop, .watchEnded])
      #expect(news.map(\.subject) == [dropping.id, ending.id].map(\.description))
      #expect(news.first?.title == dropping.title)
      let again = try await stand.scout.watchNews(stand.gateway)
      #expect(again.map(\.key) == news.map(\.key))
      try await book.noteTold(news, to: "default")
      #expect(try await stand.scout.watchNews(stand.gateway).isEmpty)
      let list = try await client.send(.get, "/buyer/watches")
      #expect(list.string("watches.1.state") == "ended")
      #expect(list["watches.1.title"]?.isNull == true)
    }
  }

  @Test func `watches have their listings looked after also where no search is kept`() async throws
  {
    try await DealScoutStand.serving { stand, _ in
      try await WatchBook(gateway: stand.gateway).add(
        Watch(#require(EbayItemID("v1|1|0")), created: stand.time.now), of: "default")
      let again = Scout(stand.upstream, judges: true)
      #expect(!again.isUsed)
      try await again.fill(stand.gateway)
      #expect(again.isUsed)
    }
  }
}
