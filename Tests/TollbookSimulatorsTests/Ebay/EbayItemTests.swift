import JSONText
import Testing

@testable import TollbookSimulators

/// Items by their ids, and what was sold.
@Suite struct EbayItemTests {
  private let bench = EbayBench()
  private static let path = "/buy/browse/v1/item/"

  private func offers(_ family: Int = 0) -> [EbayOffer] {
    bench.market.offers(.usual, family, at: bench.clock.now)
  }

  private func step(_ id: String) -> String { Self.path + EbayReadingText.encoded(id) }

  @Test func `an item has its details and the same price as in a search`() async throws {
    let token = try await bench.token()
    let listing = try #require(try await bench.search(bench.familySearch).items.first)
    let reply = await bench.call(step(listing["itemId"]?.string ?? ""), token: token)
    #expect(reply.status == 200)
    let item = try reply.json()
    #expect(item["price"]?["value"]?.string == listing["price"]?["value"]?.string)
    #expect(item["title"]?.string == listing["title"]?.string)
    #expect(item["gtin"]?.string == bench.family.gtin)
    #expect(item["brand"]?.string == bench.family.brand)
    #expect(item["epid"]?.string == bench.family.epid)
    #expect(item["categoryId"]?.string == "70110")
    #expect(item["localizedAspects"]?[0]?["name"]?.string == "Brand")
    let stock = item["estimatedAvailabilities"]?[0]
    #expect(stock?["estimatedAvailabilityStatus"]?.string == "IN_STOCK")
    #expect(stock?["estimatedAvailableQuantity"]?.int ?? 0 >= 1)
  }

  @Test(arguments: [
    "v1|1|0", "v1|110000000001", "110000000001", "v2|110000000001|0", "v1|x|0",
    "v1|999999999999999999|0", "v1||0",
  ])
  func `an item that never was is 404 with 11001`(id: String) async throws {
    let reply = await bench.call(step(id), token: try await bench.token())
    #expect(reply.status == 404 && reply.errorId == 11001)
  }

  @Test func `an item that ends between two calls is gone, by the clock and by a condition`()
    async throws
  {
    let soon = try #require(offers().min { $0.ends < $1.ends })
    bench.clock.now = soon.ends - 1
    let token = try await bench.token()
    #expect(await bench.call(step(soon.itemId), token: token).status == 200)
    bench.clock.now = soon.ends
    #expect(await bench.call(step(soon.itemId), token: token).errorId == 11001)
    let other = try #require(try await bench.search(bench.familySearch).ids.first)
    bench.simulator.conditions.endedItems = [other]
    #expect(await bench.call(step(other), token: try await bench.token()).status == 404)
    #expect(try await !bench.search(bench.familySearch).ids.contains(other))
  }

  @Test func `twenty items come at once and those that are gone are named`() async throws {
    let token = try await bench.token()
    let ids = offers().prefix(19).map(\.itemId) + ["v1|110000000001|7"]
    let list = EbayReadingText.encoded(ids.joined(separator: ","))
    for path in ["/buy/browse/v1/item/", "/buy/browse/v1/item", Self.path + "get_items"] {
      let reply = await bench.call("\(path)?item_ids=\(list)", token: token)
      let json = try reply.json()
      #expect(reply.status == 200 && json["items"]?.array?.count == 19)
      #expect(json.warningIds == [11001])
      #expect(json["items"]?[3]?["itemId"]?.string == ids[3])
    }
    #expect(bench.simulator.books.counted(.items) == 3)
    #expect(bench.simulator.books.counted(.browse) == 0)
    let many = offers().prefix(21).map(\.itemId).joined(separator: ",")
    let refused = await bench.call(
      "\(Self.path)?item_ids=\(EbayReadingText.encoded(many))", token: token)
    #expect(refused.status == 400)
    #expect(await bench.call(Self.path, token: token).status == 400)
  }

  @Test func `the number of a page finds the item, and of a group only with its variation`()
    async throws
  {
    let token = try await bench.token()
    let path = Self.path + "get_item_by_legacy_id?legacy_item_id="
    let plain = try #require(offers().first { $0.shape == .plain })
    let reply = await bench.call("\(path)\(plain.legacy)", token: token)
    #expect(try reply.json()["itemId"]?.string == plain.itemId)
    let group = try #require((0..<12).flatMap { offers($0) }.first { $0.shape == .group })
    let refused = await bench.call("\(path)\(group.legacy)", token: token)
    #expect(refused.status == 400 && refused.errorId == 11006)
    let found = await bench.call(
      "\(path)\(group.legacy)&legacy_variation_id=\(group.variation)", token: token)
    #expect(try found.json()["itemId"]?.string == group.itemId)
    #expect(
      try found.json()["primaryItemGroup"]?["itemGroupId"]?.string == String(group.legacy))
    #expect(await bench.call(path + "x", token: token).errorId == 11002)
    #expect(await bench.call(path + "110000000001", token: token).errorId == 11001)
  }

  @Test func `there is nothing at other paths and nothing is counted for them`() async throws {
    let token = try await bench.token()
    for path in ["/", "/buy/browse/v1/", "/buy/browse/v1/item/a/b", "/buy/browse/v2/item/x"] {
      #expect(await bench.call(path, token: token).status == 404)
    }
    let posted = await bench.simulator.answer(
      method: "POST", path: "/buy/browse/v1/item_summary/search")
    #expect(posted.status == 404)
    #expect(bench.simulator.books.counted(.browse) == 0)
  }

  @Test func `a picture and a page stand where listings say`() async throws {
    let listing = try #require(try await bench.search(bench.familySearch).items.first)
    let base = "http://127.0.0.1:9003"
    let image = try #require(listing["image"]?["imageUrl"]?.string)
    let web = try #require(listing["itemWebUrl"]?.string)
    #expect(image.hasPrefix(base + "/images/") && web.hasPrefix(base + "/itm/"))
    let picture = await bench.simulator.answer(path: String(image.dropFirst(base.count)))
    #expect(picture.status == 200 && picture.contentType == "image/png")
    #expect(picture.body.starts(with: PNGImage.signature))
    let page = await bench.simulator.answer(path: String(web.dropFirst(base.count)))
    #expect(page.status == 200 && page.text.contains(listing["title"]?.string ?? "?"))
    #expect(await bench.simulator.answer(path: "/images/1.png").status == 404)
    // Only the token and the search were calls.
    #expect(bench.simulator.books.count == 2)
  }

  // MARK: Sales

  private let sales = "/buy/marketplace_insights/v1_beta/item_sales/search?"

  @Test func `what was sold is nobody's to see unless it is granted`() async throws {
    let path = sales + bench.familySearch
    let token = try await bench.token()
    let refused = await bench.call(path, token: token)
    #expect(refused.status == 403 && refused.errorId == 1100)
    let form = "grant_type=client_credentials&scope="
    let scopes = EbayReadingText.encoded("\(EbayScopes.application) \(EbayScopes.insights)")
    #expect(await bench.mint(form + scopes).oauthError == "invalid_scope")
    bench.simulator.conditions.insightsGranted = true
    // The right needs the scope too.
    #expect(await bench.call(path, token: token).status == 403)
    let granted = try await bench.token(scope: "\(EbayScopes.application) \(EbayScopes.insights)")
    let reply = await bench.call("\(path)&limit=200", token: granted)
    #expect(reply.status == 200)
    let json = try reply.json()
    let rows = try #require(json["itemSales"]?.array)
    #expect(rows.count > 20)
    let dates = rows.compactMap { $0["lastSoldDate"]?.string }
    #expect(dates == dates.sorted(by: >) && dates.count == rows.count)
    #expect(dates.allSatisfy { $0 <= "2026-11-18T11:06:52.345Z" && $0 >= "2026-08-20T11:06" })
    #expect(rows.allSatisfy { $0["lastSoldPrice"]?.hundredths ?? 0 > 0 })
    #expect(bench.simulator.books.counted(.insights) == 1)
    bench.simulator.conditions.insightsGranted = false
    #expect(await bench.call(path, token: granted).status == 403)
  }
}
