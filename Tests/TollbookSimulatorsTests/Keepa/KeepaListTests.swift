import Testing

@testable import TollbookSimulators

/// Best sellers, top sellers, sellers, lightning deals: what they cost, show and refuse.
@Suite struct KeepaListTests {
  private let bench = Bench()
  private let root = KeepaCategory.roots[0]
  private func leaf(_ number: Int) -> String {
    String(KeepaCategory.leafID(family: 0, leaf: number))
  }

  // MARK: Best sellers

  @Test func `a list of best sellers costs fifty and follows the ranks of its products`()
    async throws
  {
    let answer = try await bench.call("/bestsellers/", ["category": String(root.id)])
    #expect(answer.tokens == 50)
    let list = try #require(answer.object("bestSellersList"))
    #expect(list["categoryId"] as? Int == root.id && list["domainId"] as? Int == 1)
    #expect(list["lastUpdate"] as? Int == bench.minute - bench.minute % 60)
    let asins = try #require(list["asinList"] as? [String])
    #expect(asins.count > 200 && Set(asins).count == asins.count)
    var ranks: [Int] = []
    for asin in [asins[0], asins[9], asins[99]] {
      let product = try await bench.product(asin, ["stats": "1", "history": "0"])
      #expect(product["rootCategory"] as? Int == root.id)
      let stats = product["stats"] as? [String: Any]
      ranks.append(try #require((stats?["current"] as? [Int])?[3]))
    }
    #expect(ranks == ranks.sorted())
    let byGroup = try await bench.call("/bestsellers", ["category": root.group])
    #expect(byGroup.object("bestSellersList")?["asinList"] as? [String] == asins)
  }

  @Test func `a list of averages, of a month or of the leaf's ranks is another order`()
    async throws
  {
    func list(_ parameters: [String: String]) async throws -> [String] {
      let answer = try await bench.call("/bestsellers", parameters)
      return try #require(answer.object("bestSellersList")?["asinList"] as? [String])
    }
    let now = try await list(["category": String(root.id)])
    let others = [
      ["range": "30"], ["range": "90"], ["range": "180"], ["month": "3", "year": "2026"],
    ]
    var lists = [now]
    for other in others {
      let list = try await list(other.merging(["category": String(root.id)]) { $1 })
      #expect(!lists.contains(list) && list.count >= now.count - 10, "\(other)")
      lists.append(list)
    }
    #expect(try await list(["category": String(root.id), "range": "0"]) == now)
    let inLeaf = try await list(["category": leaf(1)])
    let byLeafRank = try await list(["category": leaf(1), "sublist": "1"])
    #expect(byLeafRank != inLeaf && Set(byLeafRank).isSubset(of: now))
  }

  @Test(
    arguments: [
      ["category": "1900051011"], ["category": "1"], ["category": "no_such_display"],
      ["category": "90000011", "month": "3", "year": "2019"],
      ["category": "90000011", "month": "12", "year": "2026"],
    ])
  func `where there is no list there is no member and no charge`(
    parameters: [String: String]
  ) async throws {
    let answer = try await bench.call("/bestsellers", parameters)
    #expect(answer.status == 200)
    #expect(answer.members["bestSellersList"] == nil)
    #expect(answer.tokens == 0)
  }

  @Test(
    arguments: [
      [:], ["domain": "12"], ["domain": "fr"], ["range": "31"], ["range": "365"],
      ["month": "3"], ["year": "2026"], ["month": "13", "year": "2026"],
      ["month": "3", "year": "2026", "range": "30"], ["sublist": "2"], ["variations": "2"],
    ] as [[String: String]])
  func `a list that cannot be is rejected`(parameters: [String: String]) async throws {
    let category = parameters.isEmpty ? [:] : ["category": "90000011"]
    let answer = try await bench.call("/bestsellers", parameters.merging(category) { $1 })
    #expect(answer.status == 400)
    #expect(answer.error?["type"] == "invalidParameter")
    #expect(answer.tokens == 0 && answer.int("tokensLeft") == 1200)
  }

  // MARK: Sellers

  @Test func `top sellers cost fifty and are known sellers`() async throws {
    let answer = try await bench.call("/topseller")
    #expect(answer.tokens == 50)
    let sellers = try #require(answer.members["sellerIdList"] as? [String])
    #expect(Set(sellers).count == sellers.count && sellers.count > 400)
    let first = try await bench.call("/seller", ["seller": sellers[0], "storefront": "1"])
    let last = try await bench.call(
      "/seller", ["seller": sellers[sellers.count - 1], "storefront": "1"])
    func count(_ answer: Decoded) -> Int {
      answer.object("sellers")?.values.compactMap {
        (($0 as? [String: Any])?["asinList"] as? [String])?.count
      }.first ?? 0
    }
    #expect(count(first) > count(last))
    #expect(try await bench.call("/topseller", ["domain": "12"]).status == 400)
  }

  @Test func `a seller costs one and unknown ones nothing`() async throws {
    let ids = [0, 1, 2].map(ProductProfile.seller)
    let answer = try await bench.call(
      "/seller", ["seller": (ids + ["A0NOBODY000000"]).joined(separator: ",")])
    #expect(answer.tokens == 3)
    let sellers = try #require(answer.object("sellers"))
    #expect(Set(sellers.keys) == Set(ids))
    let seller = try #require(sellers[ids[0]] as? [String: Any])
    #expect(seller["sellerId"] as? String == ids[0])
    #expect((seller["csv"] as? [[Int]])?.count == 2)
    #expect(seller["asinList"] == nil)
    let nobody = try await bench.call("/seller", ["seller": "A0NOBODY000000"])
    #expect(nobody.tokens == 0 && nobody.object("sellers")?.isEmpty == true)
  }

  @Test func `a storefront costs nine more and names products that the seller offers`()
    async throws
  {
    let id = ProductProfile.seller(3)
    let answer = try await bench.call("/seller", ["seller": id, "storefront": "1"])
    #expect(answer.tokens == 10)
    let seller = try #require(answer.object("sellers")?[id] as? [String: Any])
    let asins = try #require(seller["asinList"] as? [String])
    #expect((seller["totalStorefrontAsins"] as? [Int])?.last == asins.count)
    let product = try await bench.product(asins[0], ["offers": "100"])
    let offers = try #require(product["offers"] as? [[String: Any]])
    #expect(offers.contains { $0["sellerId"] as? String == id })
  }

  @Test func `a storefront that must be fresh is collected once`() async throws {
    let request = ["seller": ProductProfile.seller(3), "storefront": "1", "update": "1"]
    bench.clock.advance(minutes: 600)
    let prices = [
      try await bench.call("/seller", request).tokens,
      try await bench.call("/seller", request).tokens,
    ]
    #expect(prices == [50, 10])
  }

  @Test(
    arguments: [
      [:], ["seller": ","], ["seller": "A,B", "storefront": "1"],
      ["seller": (0...100).map { "A\($0)" }.joined(separator: ",")],
      ["seller": "A", "domain": "12"], ["seller": "A", "storefront": "1", "update": "-1"],
    ])
  func `sellers that cannot be asked for are rejected`(
    parameters: [String: String]
  ) async throws {
    #expect(try await bench.call("/seller", parameters).status == 400)
  }

  // MARK: Lightning deals

  @Test func `all lightning deals cost five hundred and one costs one`() async throws {
    let all = try await bench.call("/lightningdeal")
    #expect(all.tokens == 500)
    let deals = try #require(all.members["lightningDeals"] as? [[String: Any]])
    #expect(deals.count > 30)
    for deal in deals {
      let start = try #require(deal["startTime"] as? Int)
      #expect(deal["endTime"] as? Int == start + 360)
      #expect((deal["dealState"] as? String == "UPCOMING") == (start > bench.minute))
      #expect(try #require(deal["dealPrice"] as? Int) < #require(deal["currentPrice"] as? Int))
    }
    let asin = try #require(deals.first?["asin"] as? String)
    let one = try await bench.call("/lightningdeal", ["asin": asin])
    #expect(one.tokens == 1)
    let same = try #require(one.members["lightningDeals"] as? [[String: Any]])
    #expect(same.map { $0["asin"] as? String } == [asin])
    let none = try await bench.call("/lightningdeal", ["asin": "X000000001"])
    #expect(none.tokens == 1 && (none.members["lightningDeals"] as? [Any])?.isEmpty == true)
    let soon = try await bench.call("/lightningdeal", ["state": "UPCOMING"])
    let upcoming = deals.count { $0["dealState"] as? String == "UPCOMING" }
    #expect((soon.members["lightningDeals"] as? [Any])?.count == upcoming && upcoming > 0)
  }

  @Test(arguments: [["asin": ""], ["asin": "B0"], ["state": "MAYBE"], ["domain": "7"]])
  func `lightning deals that cannot be asked for are rejected`(
    parameters: [String: String]
  ) async throws {
    #expect(try await bench.call("/lightningdeal", parameters).status == 400)
  }
}
