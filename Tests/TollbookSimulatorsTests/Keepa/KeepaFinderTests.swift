import Testing

@testable import TollbookSimulators

/// The finder and deals: filters that are kept, prices, pages, and what is refused.
@Suite struct KeepaFinderTests {
  private let bench = Bench()
  private let root = KeepaCategory.roots[2].id

  private func find(_ selection: String, _ parameters: [String: String] = [:]) async throws
    -> Decoded
  {
    try await bench.call("/query", parameters.merging(["selection": selection]) { $1 })
  }

  // MARK: Finder

  @Test func `what was found agrees with the filter when it is bought`() async throws {
    let selection = """
      {"rootCategory":\(root),"current_SALES_gte":1000,"current_SALES_lte":60000,
       "current_NEW_gte":3000,"current_NEW_lte":"11000","current_BUY_BOX_SHIPPING_gte":2500,
       "current_BUY_BOX_SHIPPING_lte":12000,"sort":[["current_NEW","desc"]],"anyOther_gte":7}
      """
    let found = try #require(try await find(selection).asins)
    #expect(found.count >= 10)
    var prices: [Int] = []
    for asin in found {
      let product = try await bench.product(asin, ["stats": "1", "buybox": "1", "history": "0"])
      let stats = try #require(product["stats"] as? [String: Any])
      let current = try #require(stats["current"] as? [Int])
      #expect((1000...60_000).contains(current[3]))
      #expect((3000...11_000).contains(current[1]))
      #expect((2500...12_000).contains(current[18]))
      #expect(product["rootCategory"] as? Int == root)
      prices.append(current[1])
    }
    #expect(prices == prices.sorted(by: >))
  }

  @Test func `categories include what hangs under them`() async throws {
    let leaf = KeepaCategory.leafID(family: 2, leaf: 0)
    let found = try #require(try await find(#"{"categories_include":[\#(leaf)]}"#).asins)
    #expect(!found.isEmpty)
    for asin in found {
      #expect(try await bench.product(asin)["categories"] as? [Int] == [leaf])
    }
    let branch = KeepaCategory.branchID(family: 2)
    let more = try await find(#"{"categories_include":"\#(branch)","perPage":1000}"#)
    #expect(Set(try #require(more.asins)).isSuperset(of: found))
    let rest = try await find(
      #"{"rootCategory":[\#(root)],"categories_exclude":[\#(branch)],"perPage":50}"#)
    #expect(rest.asins == [] && rest.int("totalResults") == 0)
  }

  @Test func `a page of the finder costs ten and one per hundred that it returns`()
    async throws
  {
    let few = try await find(#"{"rootCategory":\#(root)}"#)
    #expect(few.asins?.count == 50 && few.tokens == 11)
    let total = try #require(few.int("totalResults"))
    #expect(total > 250)
    let all = try await find(#"{"rootCategory":\#(root),"perPage":1000}"#)
    #expect(all.asins?.count == total && all.tokens == 10 + (total + 99) / 100)
    let second = try await find(#"{"rootCategory":\#(root),"page":1}"#)
    #expect(second.asins == all.asins.map { Array($0.dropFirst(50).prefix(50)) })
    let beyond = try await find(#"{"rootCategory":\#(root),"page":100,"perPage":50}"#)
    #expect(beyond.asins == [] && beyond.tokens == 10 && beyond.int("totalResults") == total)
  }

  @Test func `a finder that finds nothing says so for ten tokens`() async throws {
    let none = try await find(#"{"current_NEW_lte":100,"current_SALES_gte":1}"#)
    #expect(none.asins == [] && none.int("totalResults") == 0 && none.tokens == 10)
  }

  @Test func `insights cost thirty more`() async throws {
    let answer = try await find(#"{"rootCategory":\#(root)}"#, ["stats": "1"])
    #expect(answer.tokens == 41)
    #expect(answer.object("searchInsights") != nil)
    #expect(try await find(#"{"rootCategory":\#(root)}"#).object("searchInsights") == nil)
  }

  @Test func `no price is not a low price unless asked for`() async throws {
    let cheap = try await find(
      #"{"current_AMAZON_lte":100000,"rootCategory":\#(root),"perPage":1000}"#)
    let gone = try await find(#"{"current_AMAZON_lte":-1,"rootCategory":\#(root),"perPage":1000}"#)
    let lists = (Set(try #require(cheap.asins)), Set(try #require(gone.asins)))
    #expect(!lists.0.isEmpty && !lists.1.isEmpty && lists.0.isDisjoint(with: lists.1))
  }

  @Test(
    arguments: [
      "", "soon", "[]", "7", #"{"perPage":49}"#, #"{"perPage":10001}"#, #"{"page":-1}"#,
      #"{"page":101,"perPage":100}"#, #"{"current_NEW_gte":"cheap"}"#, #"{"rootCategory":1.5}"#,
      #"{"sort":"current_NEW"}"#, #"{"sort":[["current_NEW","up"]]}"#,
      #"{"sort":[["a","asc"],["b","asc"],["c","asc"],["d","asc"]]}"#,
    ])
  func `a selection that cannot be read is rejected`(selection: String) async throws {
    let answer = try await find(selection)
    #expect(answer.status == 400)
    #expect(answer.error?["type"] == "invalidParameter")
    #expect(answer.error?["details"]?.isEmpty == false && answer.tokens == 0)
  }

  // MARK: Deals

  private func deals(_ selection: String) async throws -> (Decoded, [[String: Any]]) {
    let answer = try await bench.call("/deal", [:], body: selection)
    return (answer, answer.object("deals")?["dr"] as? [[String: Any]] ?? [])
  }

  @Test func `a deal is cheaper than it was and agrees with its product`() async throws {
    let (answer, deals) = try await deals(
      #"{"page":0,"domainId":1,"priceTypes":[1],"dateRange":2,"includeCategories":[\#(root)]}"#)
    #expect(answer.tokens == 5)
    #expect(deals.count > 3)
    for deal in deals {
      let current = try #require((deal["current"] as? [Int])?[1])
      let average = try #require((deal["avg"] as? [[Int]])?[2][1])
      #expect(current < average)
      #expect((deal["delta"] as? [[Int]])?[2][1] == average - current)
      #expect(deal["rootCat"] as? Int == root)
      let asin = try #require(deal["asin"] as? String)
      let product = try await bench.product(asin, ["stats": "1", "update": "-1"])
      #expect(((product["stats"] as? [String: Any])?["current"] as? [Int])?[1] == current)
      #expect(product["title"] as? String == deal["title"] as? String)
    }
    #expect(answer.object("deals")?["categoryIds"] as? [Int] == [root])
    #expect(answer.object("deals")?["categoryCount"] as? [Int] == [deals.count])
  }

  @Test func `deals come in pages of 150 and an empty page costs the same`() async throws {
    let (_, first) = try await deals(#"{"page":0,"domainId":1,"priceTypes":1,"dateRange":3}"#)
    let (_, second) = try await deals(#"{"page":1,"domainId":1,"priceTypes":1,"dateRange":3}"#)
    let asins = (first + second).compactMap { $0["asin"] as? String }
    #expect(first.count == 150 && !second.isEmpty && Set(asins).count == asins.count)
    let (empty, none) = try await deals(#"{"page":66,"domainId":1,"priceTypes":1,"dateRange":3}"#)
    #expect(none.isEmpty && empty.tokens == 5)
    #expect(empty.object("deals")?["dr"] is [Any])
  }

  @Test func `ranges of deals hold when they are enabled`() async throws {
    let ranges = #""deltaPercentRange":[20,80],"currentRange":[1000,5000]"#
    let base = #""page":0,"domainId":1,"priceTypes":[1],"dateRange":3"#
    let (_, without) = try await deals("{\(base),\(ranges)}")
    let (_, with) = try await deals("{\(base),\(ranges),\"isRangeEnabled\":true}")
    #expect(with.count < without.count && !with.isEmpty)
    for deal in with {
      #expect((20...80).contains(try #require((deal["deltaPercent"] as? [[Int]])?[3][1])))
      #expect((1000...5000).contains(try #require((deal["current"] as? [Int])?[1])))
    }
  }

  @Test(
    arguments: [
      "", "nonsense", "{}", #"{"domainId":7,"priceTypes":[1]}"#,
      #"{"domainId":12,"priceTypes":[1]}"#,
      #"{"domainId":1}"#, #"{"domainId":1,"priceTypes":[0,1]}"#,
      #"{"domainId":1,"priceTypes":[36]}"#,
      #"{"page":-1,"domainId":1,"priceTypes":[1]}"#, #"{"page":67,"domainId":1,"priceTypes":[1]}"#,
      #"{"domainId":1,"priceTypes":[1],"dateRange":4}"#,
      #"{"domainId":1,"priceTypes":[1],"isRangeEnabled":true,"currentRange":[5]}"#,
    ])
  func `a selection of deals that cannot be read is rejected`(selection: String) async throws {
    let (answer, _) = try await deals(selection)
    #expect(answer.status == 400 && answer.tokens == 0)
  }
}
