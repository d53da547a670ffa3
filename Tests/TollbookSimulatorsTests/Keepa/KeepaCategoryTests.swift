import Testing

@testable import TollbookSimulators

/// Categories, and searches for them and for products.
@Suite struct KeepaCategoryTests {
  private let bench = Bench()

  // MARK: Categories

  @Test func `category 0 is all roots for one token`() async throws {
    let answer = try await bench.call("/category", ["category": "0", "parents": "0"])
    #expect(answer.tokens == 1)
    let roots = try #require(answer.object("categories") as? [String: [String: Any]])
    #expect(Set(roots.keys) == Set(KeepaCategory.roots.map { String($0.id) }))
    #expect(roots.values.allSatisfy { $0["parent"] as? Int == 0 })
    #expect(answer.members["categoryParents"] == nil)
    let counts = roots.values.compactMap { $0["productCount"] as? Int }
    #expect(counts.reduce(0, +) == KeepaCatalogue.size)
  }

  @Test(arguments: [0, 1, 500, 2999])
  func `every product hangs under categories that can be looked up`(place: Int) async throws {
    let product = try await bench.product(KeepaCatalogue.asin(place, domain: 1))
    let tree = try #require(product["categoryTree"] as? [[String: Any]])
    let ids = tree.compactMap { $0["catId"] as? Int }
    let answer = try await bench.call(
      "/category", ["category": String(ids[2]), "parents": "1"])
    #expect(answer.tokens == 1)
    let leaf = try #require(answer.object("categories")?[String(ids[2])] as? [String: Any])
    #expect(leaf["name"] as? String == tree[2]["name"] as? String)
    #expect(leaf["catId"] as? Int == ids[2] && leaf["parent"] as? Int == ids[1])
    let parents = try #require(answer.object("categoryParents") as? [String: [String: Any]])
    #expect(Set(parents.keys) == [String(ids[0]), String(ids[1])])
    #expect((parents[String(ids[1])]?["children"] as? [Int])?.contains(ids[2]) == true)
  }

  @Test func `ten categories cost one and unknown ones are missing`() async throws {
    let ids = (0..<9).map { String(KeepaCategory.leafID(family: 1, leaf: $0)) } + ["5"]
    let answer = try await bench.call("/category", ["category": ids.joined(separator: ",")])
    #expect(answer.tokens == 1 && answer.object("categories")?.count == 9)
    #expect(try await bench.call("/category", ["category": "5"]).object("categories")?.count == 0)
  }

  @Test(
    arguments: [
      [:], ["category": "kitchen"], ["category": "-1"], ["category": "0,90000011"],
      ["category": (1...11).map(String.init).joined(separator: ",")],
      ["category": "0", "parents": "2"], ["category": "0", "domain": "12"],
    ])
  func `categories that cannot be asked for are rejected`(
    parameters: [String: String]
  ) async throws {
    #expect(try await bench.call("/category", parameters).status == 400)
  }

  // MARK: Searches

  @Test func `a search for categories costs one and finds names with all words`() async throws {
    let answer = try await bench.call(
      "/search", ["type": "category", "term": "ORGANIZATION storage", "parents": "1"])
    #expect(answer.tokens == 1)
    let found = try #require(answer.object("categories") as? [String: [String: Any]])
    #expect(found.count == 41)
    #expect(found.values.allSatisfy { $0["matched"] as? Bool == true })
    #expect(found.keys.contains { Int($0).map { $0 > Int(UInt32.max) } ?? false })
    #expect(answer.object("categoryParents")?.count == 2)
    let capped = try await bench.call("/search", ["type": "category", "term": "supplies"])
    #expect(try #require(capped.object("categories")?.count) <= 50)
    let none = try await bench.call("/search", ["type": "category", "term": "submarines"])
    #expect(none.tokens == 1 && none.object("categories")?.isEmpty == true)
  }

  @Test func `a page of a product search costs ten and shows ten`() async throws {
    func search(_ parameters: [String: String]) async throws -> Decoded {
      let base = ["type": "product", "term": "Bamboo", "asins-only": "1"]
      return try await bench.call("/search", base.merging(parameters) { $1 })
    }
    let first = try await search(["page": "0"])
    #expect(first.tokens == 10 && first.asins?.count == 10)
    let forty = try await search([:])
    #expect(forty.tokens == 40 && forty.asins?.count == 40)
    #expect(try await search(["page": "3"]).asins == forty.asins.map { Array($0.dropFirst(30)) })
    let both = try #require(try await search(["term": "glass bamboo", "page": "0"]).asins)
    #expect(both.isEmpty)
    let none = try await search(["term": "submarine"])
    #expect(none.tokens == 10 && none.asins == [])
    let products = try await search(["page": "0", "asins-only": "0", "rating": "1", "stats": "30"])
    #expect(products.tokens == 15)
    #expect(products.products?.compactMap { $0["asin"] as? String } == first.asins)
    for product in products.products ?? [] {
      let title = try #require(product["title"] as? String).lowercased()
      #expect(title.contains("bamboo"))
      #expect(product["stats"] is [String: Any] && product["reviews"] is [String: Any])
    }
    let plain = try await search(["page": "0", "asins-only": "0", "history": "0"])
    #expect(plain.products?.first?["csv"].map { "\($0)" } == "<null>")
  }

  @Test(
    arguments: [
      [:], ["type": "category"], ["type": "category", "term": "of jars"],
      ["type": "seller", "term": "storage"], ["type": "product"],
      ["type": "product", "term": "set", "page": "10"],
      ["type": "product", "term": "set", "update": "soon"],
      ["type": "category", "term": "storage", "domain": "12"],
    ])
  func `searches that cannot be made are rejected`(parameters: [String: String]) async throws {
    #expect(try await bench.call("/search", parameters).status == 400)
  }
}
