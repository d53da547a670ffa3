import JSONText
import Testing

@testable import TollbookSimulators

/// Parameters, pages and errors of a search.
@Suite struct EbaySearchTests {
  private let bench = EbayBench()

  @Test(
    arguments: [
      ("", 400, 12001), ("q=", 400, 12001), ("q=++", 400, 12001), ("limit=10", 400, 12001),
      ("q=grinder&limit=0", 400, 12006), ("q=grinder&limit=201", 400, 12006),
      ("q=grinder&limit=ten", 400, 12007), ("q=grinder&offset=-50", 400, 12004),
      ("q=grinder&offset=x", 400, 12005), ("q=grinder&offset=10000", 400, 12029),
      ("q=grinder&offset=25", 400, 12004), ("q=grinder&limit=7&offset=50", 400, 12004),
      ("q=a", 400, 12023), ("category_ids=70110,70120", 400, 12030),
      ("category_ids=70110,70120&fieldgroups=ASPECT_REFINEMENTS", 409, 12020),
      ("category_ids=70100", 409, 12013),
      (
        "q=grinder&sort=endingSoonest&filter=buyingOptions:%7BFIXED_PRICE%7D", 400, 12034
      ),
    ] as [(String, Int, Int)])
  func `a wrong search is refused with the id that eBay has for it`(
    query: String, status: Int, id: Int
  ) async throws {
    let reply = try await bench.searching(query)
    #expect(reply.status == status && reply.errorId == id, "\(reply.text)")
    let error = try #require(try reply.json()["errors"]?[0])
    #expect(error["domain"]?.string == "API_BROWSE" && error["category"]?.string == "REQUEST")
    #expect(error["message"]?.string?.isEmpty == false)
    // It was a call all the same.
    #expect(bench.simulator.books.counted(.browse) == 1)
    #expect(bench.simulator.books[.rejected] == 1)
  }

  @Test func `an offset that is no multiple of the limit is refused in eBay's words`()
    async throws
  {
    let reply = try await bench.searching("q=grinder&limit=200&offset=100")
    #expect(
      reply.text.contains(
        "The 'offset' value must be either zero or a multiple of the 'limit' value"))
  }

  @Test func `sellers are 250 at most`() async throws {
    let names = (0...250).map { "s\($0)" }.joined(separator: "|")
    let reply = try await bench.searching(
      bench.familySearch + EbayBench.filter("sellers:{\(names)}"))
    #expect(reply.status == 400 && reply.errorId == 12032)
  }

  @Test func `pages follow each other without gaps and say what stands before and behind`()
    async throws
  {
    let whole = try await bench.search(bench.familySearch + "&limit=200")
    let total = try #require(whole["total"]?.int)
    #expect(total > 50 && whole.ids.count == total)
    #expect(whole["next"] == nil && whole["prev"] == nil)
    var ids: [String] = []
    for offset in stride(from: 0, to: total, by: 20) {
      let page = try await bench.search("\(bench.familySearch)&limit=20&offset=\(offset)")
      #expect(page["limit"]?.int == 20 && page["offset"]?.int == offset)
      #expect((page["next"] != nil) == (offset + 20 < total))
      if let next = page["next"]?.string {
        #expect(next.hasPrefix("http://127.0.0.1:9003/buy/browse/v1/item_summary/search?q="))
        #expect(next.hasSuffix("&limit=20&offset=\(offset + 20)"))
      }
      #expect((page["prev"] != nil) == (offset > 0))
      #expect(page["total"]?.int == total)
      ids += page.ids
    }
    #expect(ids == whole.ids && Set(ids).count == total)
    let beyond = try await bench.search("\(bench.familySearch)&limit=20&offset=9980")
    #expect(beyond["itemSummaries"] == nil && beyond["total"]?.int == total)
  }

  @Test func `nothing beyond ten thousand can be reached`() async throws {
    let bench = EbayBench {
      $0.families = 1
      $0.listingsPerFamily = 14_000
    }
    let last = try await bench.search("\(bench.familySearch)&limit=200&offset=9800")
    #expect(try #require(last["total"]?.int) > 10_000)
    #expect(last.ids.count == 200 && last["next"] == nil)
    let odd = try await bench.search("\(bench.familySearch)&limit=150&offset=9900")
    #expect(odd.ids.count == 100 && odd["next"] == nil)
  }

  @Test func `fifty listings are a page unless it is told otherwise`() async throws {
    let page = try await bench.search(bench.familySearch)
    #expect(page.ids.count == 50 && page["limit"]?.int == 50)
  }

  @Test func `an empty result has no key for listings`() async throws {
    let page = try await bench.search("q=unheardofthing")
    #expect(page["total"]?.int == 0)
    #expect(page["itemSummaries"] == nil && page["next"] == nil)
  }

  @Test func `words must all be there, and of words in brackets one`() async throws {
    let families = bench.market.families
    let one = try await bench.everything(bench.familySearch)
    let titles = one.compactMap { $0["title"]?.string }
    #expect(!titles.isEmpty && titles.allSatisfy { $0.contains(families[0].model) })
    let two = try await bench.everything(
      "q=(\(families[0].model),+\(families[1].model))")
    let other = try await bench.everything("q=\(families[1].model)")
    #expect(two.count == one.count + other.count && !other.isEmpty)
    let lots = try await bench.everything("q=\(families[0].model)+empty+box")
    #expect(lots.count < one.count)
    #expect(lots.allSatisfy { $0["title"]?.string?.contains("empty box only") == true })
    #expect(try await bench.everything("q=\(families[0].model)+\(families[1].model)").isEmpty)
  }

  @Test func `a missing or unknown marketplace is silently the American one`() async throws {
    let query = bench.familySearch
    let plain = try await bench.search(query)
    for name in ["EBAY_US", "EBAY_XX", "ebay_de", ""] {
      let page = try await bench.search(query, headers: ["x-ebay-c-marketplace-id": name])
      #expect(page.ids == plain.ids && page["warnings"] == nil, "\(name)")
    }
    let german = try await bench.search(query, headers: ["x-ebay-c-marketplace-id": "EBAY_DE"])
    #expect(Set(german.ids).isDisjoint(with: plain.ids) && !german.ids.isEmpty)
    #expect(
      german.items.allSatisfy { $0["listingMarketplaceId"]?.string == "EBAY_DE" })
    #expect(german.items.contains { $0["price"]?["currency"]?.string == "EUR" })
    #expect(
      !german.items.contains { $0["price"]?["convertedFromCurrency"]?.string == "EUR" })
  }

  @Test func `categories, epid and gtin find the listings of their families`() async throws {
    let family = bench.family
    let byWords = Set(try await bench.everything(bench.familySearch).map { $0["itemId"]?.string })
    for query in ["epid=\(family.epid)", "gtin=\(family.gtin)", "category_ids=70110"] {
      let found = Set(try await bench.everything(query).map { $0["itemId"]?.string })
      #expect(found == byWords, "\(query)")
    }
    let top = try await bench.everything("category_ids=70100&\(bench.familySearch)")
    #expect(top.count == byWords.count)
    #expect(try await bench.everything("category_ids=70210&\(bench.familySearch)").isEmpty)
    #expect(try await bench.search("charity_ids=12-34")["total"]?.int == 0)
  }

  private func prices(_ items: [JSONValue]) -> [Int64] {
    items.compactMap { $0["price"]?.hundredths }
  }

  @Test func `listings come in the order that is asked for`() async throws {
    // Prices of other currencies are not looked at.
    let query = bench.familySearch + EbayBench.filter("price:[0..],priceCurrency:USD")
    let up = prices(try await bench.everything(query + "&sort=price"))
    #expect(up == up.sorted() && up.count > 50)
    let down = prices(try await bench.everything(query + "&sort=-price"))
    #expect(down == up.reversed())
    let newest = try await bench.everything(query + "&sort=newlyListed")
      .compactMap { $0["itemOriginDate"]?.string }
    #expect(newest == newest.sorted(by: >))
    let auctions =
      bench.familySearch + EbayBench.filter("buyingOptions:{AUCTION}") + "&sort=endingSoonest"
    let ends = try await bench.everything(auctions).compactMap { $0["itemEndDate"]?.string }
    #expect(ends == ends.sorted() && !ends.isEmpty)
    let matches = try await bench.search(bench.familySearch)
    #expect(matches.ids == (try await bench.search(bench.familySearch)).ids)
    #expect(matches.ids != matches.ids.sorted())
  }

  @Test func `field groups add details and counts`() async throws {
    let plain = try await bench.search(bench.familySearch)
    #expect(plain["refinement"] == nil)
    #expect(plain.items.allSatisfy { $0["itemLocation"]?["city"] == nil })
    let extended = try await bench.search(bench.familySearch + "&fieldgroups=EXTENDED")
    #expect(extended.ids == plain.ids)
    #expect(extended.items.allSatisfy { $0["itemLocation"]?["city"] != nil })
    #expect(extended.items.allSatisfy { $0["shortDescription"] != nil })
    let counts = try await bench.search(
      bench.familySearch + "&fieldgroups=CONDITION_REFINEMENTS")
    #expect(counts["itemSummaries"] == nil)
    let rows = try #require(counts["refinement"]?["conditionDistributions"]?.array)
    #expect(
      rows.compactMap { $0["matchCount"]?.int }.reduce(0, +) == plain["total"]?.int)
    let full = try await bench.search(bench.familySearch + "&fieldgroups=FULL")
    #expect(full["refinement"]?["aspectDistributions"]?[0]?["localizedAspectName"] != nil)
    let red = try await bench.everything(
      bench.familySearch + "&aspect_filter=categoryId:70110,Colour:%7BRed%7D")
    #expect(!red.isEmpty && red.count < (plain["total"]?.int ?? 0))
  }

  @Test func `a page has what a program needs of a listing`() async throws {
    let item = try #require(try await bench.search(bench.familySearch).items.first)
    for name in [
      "itemId", "legacyItemId", "title", "leafCategoryIds", "categories", "image", "price",
      "itemHref", "itemWebUrl", "seller", "condition", "conditionId", "buyingOptions",
      "itemLocation", "itemCreationDate", "itemOriginDate", "listingMarketplaceId",
      "priorityListing", "adultOnly",
    ] {
      #expect(item[name] != nil, "\(name)")
    }
    #expect(item["gtin"] == nil && item["epid"] == nil)
    let id = try #require(item["itemId"]?.string)
    #expect(id == "v1|\(item["legacyItemId"]?.string ?? "")|\(id.split(separator: "|")[2])")
    #expect(item["itemHref"]?.string?.hasSuffix(EbayReadingText.encoded(id)) == true)
    #expect(item["itemLocation"]?["postalCode"]?.string?.hasSuffix("**") == true)
  }
}
