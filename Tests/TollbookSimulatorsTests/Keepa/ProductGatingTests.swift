import Testing

@testable import TollbookSimulators

/// Data appears when it was paid for, and only then.
@Suite struct ProductGatingTests {
  private func open(_ product: [String: Any]) throws -> Set<Int> {
    let csv = try #require(product["csv"] as? [Any])
    return Set(csv.indices.filter { csv[$0] is [Int] })
  }

  /// A product with used offers, so that used histories exist.
  private func asin() throws -> String {
    try #require(
      sampleASINs.first {
        let profile = ProductProfile(asin: $0, domain: 1)
        return profile.hasUsed && profile.offerCount > 3
      })
  }

  @Test func `a plain product shows no paid part`() async throws {
    let product = try await Bench().product(try asin(), ["stats": "90"])
    #expect(try open(product).isDisjoint(with: [7, 9, 10, 15, 16, 17, 18, 19, 20, 21, 22, 27, 32]))
    for name in ["reviews", "offers", "videos", "aPlus", "historicalVariations"] {
      #expect(product[name] == nil)
    }
    #expect(product["buyBoxSellerIdHistory"].map { "\($0)" } == "<null>")
    #expect(product["liveOffersOrder"].map { "\($0)" } == "<null>")
    let stats = try #require(product["stats"] as? [String: Any])
    #expect(stats["buyBoxPrice"] as? Int == -2)
    #expect(stats["offerCountFBA"] as? Int == -2)
    #expect(stats["retrievedOfferCount"] as? Int == -2)
    #expect(stats["buyBoxStats"] == nil)
  }

  @Test func `ratings come with rating`() async throws {
    let product = try await Bench().product(try asin(), ["rating": "1"])
    #expect(try open(product).isSuperset(of: [16, 17]))
    #expect(try open(product).isDisjoint(with: [18, 32, 10]))
    #expect(product["reviews"] is [String: Any])
    #expect(product["stats"] == nil)
  }

  @Test func `the buy box comes with buybox`() async throws {
    let product = try await Bench().product(try asin(), ["buybox": "1", "stats": "30"])
    #expect(try open(product).isSuperset(of: [15, 18, 32]))
    #expect(try open(product).isDisjoint(with: [16, 17, 10, 19]))
    #expect(product["buyBoxSellerIdHistory"] is [String])
    let stats = try #require(product["stats"] as? [String: Any])
    #expect(try #require(stats["buyBoxPrice"] as? Int) != -2)
    #expect(stats["buyBoxStats"] is [String: Any])
    #expect(stats["offerCountFBA"] as? Int == -2)
  }

  @Test func `offers bring everything`() async throws {
    let product = try await Bench().product(try asin(), ["offers": "20", "stats": "30"])
    #expect(
      try open(product).isSuperset(of: [7, 9, 10, 15, 16, 17, 18, 19, 20, 21, 22, 32]))
    let offers = try #require(product["offers"] as? [[String: Any]])
    let live = try #require(product["liveOffersOrder"] as? [Int])
    #expect(offers.count >= live.count)
    #expect(live == Array(0..<live.count))
    let stats = try #require(product["stats"] as? [String: Any])
    #expect(stats["retrievedOfferCount"] as? Int == live.count)
    let flats = offers.compactMap { $0["offerCSV"] as? [Int] }
    #expect(flats.count == offers.count && flats.allSatisfy { $0.count % 3 == 0 && !$0.isEmpty })
    let fewer = try await Bench().product(
      try asin(), ["offers": "20", "only-live-offers": "1"])
    #expect((fewer["offers"] as? [Any])?.count == live.count)
  }

  @Test func `without history csv is null and other histories are gone`() async throws {
    let product = try await Bench().product(
      try asin(), ["history": "0", "stats": "90", "buybox": "1"])
    #expect(product["csv"].map { "\($0)" } == "<null>")
    for name in [
      "salesRanks", "monthlySoldHistory", "couponHistory", "buyBoxSellerIdHistory",
      "buyBoxUsedHistory", "salesRankReferenceHistory",
    ] {
      #expect(product[name] == nil)
    }
    let stats = try #require(product["stats"] as? [String: Any])
    #expect((stats["current"] as? [Int])?.contains { $0 > 0 } == true)
  }

  @Test func `videos and A+ come when asked for`() async throws {
    let product = try await Bench().product(try asin(), ["videos": "1", "aplus": "1"])
    #expect(product["videos"] is [Any])
    #expect(product["aPlus"] is [Any])
  }

  @Test func `days trim histories and keep the product`() async throws {
    let bench = Bench()
    let asin = try asin()
    let whole = await bench.raw(asin)
    let trimmed = await bench.raw(asin, ["days": "30"])
    #expect(trimmed.body.count * 3 < whole.body.count)
  }
}
