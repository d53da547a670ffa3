import JSONText
import Testing

@testable import TollbookSimulators

/// Filters: those that are right hold, those that are not leave a warning and everything.
@Suite struct EbayFilterTests {
  private let bench = EbayBench()

  private func found(
    _ filter: String, headers: [String: String] = [:]
  ) async throws -> [JSONValue] {
    try await bench.everything(
      bench.familySearch + EbayBench.filter(filter), headers: headers)
  }

  @Test(
    arguments: [
      ("price:[10..200]", 12012), ("priceCurrency:USD", 12012),
      ("price:[10..200],priceCurrency:DOLLARS", 12012),
      ("price:[200..10],priceCurrency:USD", 12002), ("price:cheap,priceCurrency:USD", 12002),
      ("conditionIds:{New}", 12002), ("conditionIds:{1000", 12002), ("conditions:{OLD}", 12002),
      ("buyingOptions:{SWAP}", 12002), ("itemLocationCountry:usa", 12002),
      ("maxDeliveryCost:none", 12002), ("noSuchFilter:1", 12002), ("priceless", 12002),
      ("sellers:{bad name}", 12003), ("sellerAccountTypes:{BUSINESS}", 12014),
      ("deliveryPostalCode:19406", 12011), ("deliveryCountry:US,deliveryPostalCode:!", 12015),
      ("pickupCountry:US,pickupRadius:10", 12010), ("itemStartDate:[yesterday..]", 12002),
      ("bidCount:[x..]", 12002), ("returnsAccepted:maybe", 12002),
    ] as [(String, Int)])
  func `a filter that is wrong is a warning with status 200, and results come without it`(
    filter: String, id: Int
  ) async throws {
    let plain = try await bench.search(bench.familySearch)
    let page = try await bench.search(bench.familySearch + EbayBench.filter(filter))
    #expect(page.warningIds == [id])
    #expect(page.ids == plain.ids && page["total"]?.int == plain["total"]?.int)
    #expect(page["errors"] == nil)
  }

  @Test(
    arguments: [
      ("sort=cheapest", 12008), ("fieldgroups=EVERYTHING", 12016), ("sort=distance", 12010),
      ("category_ids=999", 12009), ("epid=x", 12021), ("gtin=12", 12022),
      ("charity_ids=x", 12024), ("aspect_filter=Colour", 12017),
      ("aspect_filter=Colour:%7BRed%7D", 12018),
    ] as [(String, Int)])
  func `another parameter that is wrong is a warning too`(parameter: String, id: Int) async throws {
    let plain = try await bench.search(bench.familySearch)
    let page = try await bench.search("\(bench.familySearch)&\(parameter)")
    #expect(page.warningIds == [id])
    #expect(page.ids == plain.ids)
  }

  @Test func `unknown condition ids are left out without a word`() async throws {
    let used = try await found("conditionIds:{3000|9999}")
    #expect(used.count > 10)
    #expect(used.allSatisfy { $0["conditionId"]?.string == "3000" })
    let plain = try await bench.search(bench.familySearch)
    let none = try await bench.search(
      bench.familySearch + EbayBench.filter("conditionIds:{9999}"))
    #expect(none["warnings"] == nil && none.ids == plain.ids)
  }

  @Test func `filters that are right hold for every listing and leave some out`() async throws {
    let plain = try await bench.everything(bench.familySearch)
    let middle = plain.compactMap { $0["price"]?.hundredths }.sorted()[plain.count / 2]
    let amount = EbayCoin.dollar.text(hundredths: middle)
    let checks: [(String, (JSONValue) -> Bool)] = [
      (
        "price:[..\(amount)],priceCurrency:USD",
        { $0["price"]?.hundredths ?? .max <= middle && $0["price"]?["currency"]?.string == "USD" }
      ),
      ("price:[\(amount)],priceCurrency:USD", { $0["price"]?.hundredths == middle }),
      ("conditions:{NEW}", { Int($0["conditionId"]?.string ?? "") ?? 9999 < 2000 }),
      ("conditionIds:{1000|3000}", { ["1000", "3000"].contains($0["conditionId"]?.string) }),
      ("buyingOptions:{BEST_OFFER}", { $0.options.contains("BEST_OFFER") }),
      ("itemLocationCountry:US", { $0["itemLocation"]?["country"]?.string == "US" }),
      (
        "maxDeliveryCost:0",
        { $0["shippingOptions"]?[0]?["shippingCost"]?.hundredths == 0 }
      ),
      ("itemEndDate:[2026-11-18T11:06:52Z..]", { $0["itemEndDate"] != nil }),
      (
        "itemStartDate:[2026-11-15T00:00:00.000Z..2026-11-18T00:00:00Z]",
        {
          let start = $0["itemCreationDate"]?.string ?? ""
          return start >= "2026-11-15" && start < "2026-11-18T00:00:00.001"
        }
      ),
    ]
    for (filter, holds) in checks {
      let some = try await found(filter)
      #expect(!some.isEmpty && some.count < plain.count, "\(filter): \(some.count)")
      #expect(some.allSatisfy(holds), "\(filter)")
      #expect(some.count == plain.count(where: holds), "\(filter) leaves out too much")
    }
  }

  @Test func `without a word about it only what has a fixed price is found`() async throws {
    let plain = try await bench.everything(bench.familySearch)
    #expect(plain.allSatisfy { $0.options.contains("FIXED_PRICE") })
    let auctions = try await found("buyingOptions:{AUCTION}")
    #expect(auctions.allSatisfy { $0.options.contains("AUCTION") } && !auctions.isEmpty)
    #expect(
      auctions.allSatisfy {
        $0["currentBidPrice"] != nil && $0["bidCount"] != nil && $0["itemEndDate"] != nil
      })
    let both = try await found("buyingOptions:{AUCTION|FIXED_PRICE}")
    #expect(Set(both.map { $0["itemId"]?.string }).count == both.count)
    #expect(both.count >= plain.count && both.count <= plain.count + auctions.count)
    let bid = try await found("buyingOptions:{AUCTION},bidCount:[1..]")
    #expect(!bid.isEmpty && bid.allSatisfy { $0["bidCount"]?.int ?? 0 >= 1 })
  }

  @Test func `sellers are chosen and left out`() async throws {
    let plain = try await bench.everything(bench.familySearch)
    let name = try #require(plain.first?["seller"]?["username"]?.string)
    let only = try await found("sellers:{\(name)}")
    #expect(!only.isEmpty && only.allSatisfy { $0["seller"]?["username"]?.string == name })
    let others = try await found("excludeSellers:{\(name)}")
    #expect(others.count == plain.count - only.count)
    #expect(try await found("excludeCategoryIds:{70110}").isEmpty)
    #expect(try await found("excludeCategoryIds:{70210}").count == plain.count)
    let german = ["x-ebay-c-marketplace-id": "EBAY_DE"]
    let business = try await found("sellerAccountTypes:{BUSINESS}", headers: german)
    #expect(
      !business.isEmpty
        && business.allSatisfy { $0["seller"]?["sellerAccountType"]?.string == "BUSINESS" })
  }

  @Test func `a price in another currency is converted before it is compared`() async throws {
    let dollars = try await found("price:[100..],priceCurrency:USD")
    let euros = try await found("price:[92..],priceCurrency:EUR")
    #expect(dollars.count == euros.count && !dollars.isEmpty)
  }
}
