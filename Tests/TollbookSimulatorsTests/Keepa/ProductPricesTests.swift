import Testing

@testable import TollbookSimulators

/// What a product costs, part by part.
@Suite struct ProductPricesTests {
  private func tokens(
    _ parameters: [String: String], copy: Int = 100, offersAge: Int? = nil, offers: Int = 18,
    hasParent: Bool = false
  ) throws -> Int {
    let base = ["domain": "1", "asin": "B000000001"]
    let query = try ProductQuery(parameters: base.merging(parameters) { $1 })
    return ProductPrices.tokens(
      for: query, ages: .init(copy: copy, offers: offersAge), offersFound: offers,
      hasParent: hasParent)
  }

  @Test(
    arguments: [
      ([:], 1),
      (["stats": "90", "history": "1", "videos": "1", "aplus": "1", "days": "30"], 1),
      (["rating": "1"], 2), (["buybox": "1"], 3), (["rating": "1", "buybox": "1"], 4),
      (["rating": "0", "buybox": "0", "stock": "0"], 1),
      (["offers": "20"], 12), (["offers": "20", "buybox": "1"], 12),
      (["offers": "20", "rating": "1"], 13), (["offers": "100"], 12),
      (["offers": "20", "stock": "1"], 14), (["stock": "1"], 1),
      (["historical-variations": "1"], 1), (["update": "-1"], 1), (["update": "48"], 1),
    ])
  func `a product of eighteen offers costs what the price list says`(
    parameters: [String: String], price: Int
  ) throws {
    #expect(try tokens(parameters) == price)
  }

  @Test(arguments: [(0, 6), (1, 6), (10, 6), (11, 12), (20, 12), (21, 12), (60, 12)])
  func `offers cost six per found page of ten up to the limit`(found: Int, price: Int) throws {
    #expect(try tokens(["offers": "20"], offers: found) == price)
  }

  @Test func `a hundred offers of sixty found are six pages`() throws {
    #expect(try tokens(["offers": "100"], offers: 60) == 36)
  }

  @Test(arguments: [(0, 2), (59, 2), (60, 1), (5000, 1)])
  func `a forced refresh costs one more while the copy is younger than an hour`(
    age: Int, price: Int
  ) throws {
    #expect(try tokens(["update": "0"], copy: age) == price)
  }

  @Test(arguments: [("1", 59, 5), ("1", 60, 12), ("0", 0, 12), ("24", 1439, 5), ("-1", 9999, 5)])
  func `offers newer than the update hours cost five`(
    update: String, age: Int, price: Int
  ) throws {
    #expect(try tokens(["offers": "20", "update": update], offersAge: age) == price)
  }

  @Test func `a variation costs one more with its history of variations`() throws {
    #expect(try tokens(["historical-variations": "1"], hasParent: true) == 2)
  }

  @Test(
    arguments: [
      ["domain": "0"], ["domain": "7"], ["domain": "13"], ["domain": "fr"], ["asin": ""],
      ["offers": "19"], ["offers": "101"], ["rating": "2"], ["update": "-2"], ["stats": "soon"],
      ["stats": "2026-01-01T25:00,2026-03-01"], ["stats": "2026-03-01,2026-01-01"],
      ["asin": "", "code": "0", "code-limit": "0"], ["rental": "2"],
      ["code": "0123456789012"], ["days": "0"],
      ["asin": (100...200).map { "B000000\($0)" }.joined(separator: ",")],
      ["offers": "20", "asin": (100...120).map { "B000000\($0)" }.joined(separator: ",")],
    ])
  func `what cannot be executed is rejected`(parameters: [String: String]) {
    #expect(throws: ProductQuery.Rejection.self) { try tokens(parameters) }
  }

  @Test func `a span of statistics may be days, dates or milliseconds`() throws {
    func span(_ text: String) throws -> ProductQuery.StatsSpan? {
      try ProductQuery(parameters: ["domain": "1", "asin": "B000000001", "stats": text]).stats
    }
    #expect(try span("90") == .days(90))
    #expect(try span("0") == .days(0))
    // 2026-01-01 is day 5479 after 2011-01-01.
    #expect(try span("2026-01-01,2026-03-01") == .between(5479 * 1440, 5538 * 1440))
    #expect(
      try span("2026-01-01T00:10,2026-03-01T01:00:30Z")
        == .between(5479 * 1440 + 10, 5538 * 1440 + 60))
    #expect(try span("1767225600000,1772323200000") == .between(5479 * 1440, 5538 * 1440))
  }
}
