import Testing

@testable import TollbookSimulators

/// Codes on packages follow from ASINs and lead back.
@Suite struct ProductCodesTests {
  /// A product of the catalogue that bears a code.
  private static let coded = (0..<KeepaCatalogue.size)
    .map { KeepaCatalogue.asin($0, domain: 1) }.filter { ProductCodes.ean(asin: $0) != nil }

  @Test func `a code leads back to the product that bears it`() throws {
    for asin in Self.coded.prefix(300) {
      let ean = try #require(ProductCodes.ean(asin: asin))
      #expect(ean.utf8.count == 13)
      #expect(ProductCodes.asins(code: ean).contains(asin))
      guard let upc = ProductCodes.upc(asin: asin) else { continue }
      #expect("0" + upc == ean)
      #expect(ProductCodes.asins(code: upc) == ProductCodes.asins(code: ean))
    }
  }

  @Test func `everything that a code leads to bears it and some codes lead to several`() {
    var counts: [Int: Int] = [:]
    for number in 0..<300 {
      let ean = code(number)
      let asins = ProductCodes.asins(code: ean)
      counts[asins.count, default: 0] += 1
      for asin in asins { #expect(ProductCodes.ean(asin: asin) == ean) }
    }
    #expect(counts[0] == nil)
    #expect(counts[1, default: 0] > 50 && counts[2, default: 0] > 30)
  }

  @Test func `the code of a book is its ISBN-13 and its ASIN its ISBN-10`() {
    #expect(ProductCodes.ean(asin: "0786222727") == "9780786222728")
    #expect(ProductCodes.asins(code: "978-0-7862-2272-8").first == "0786222727")
    #expect(ProductCodes.ean(asin: "080442957X") == "9780804429573")
    #expect(ProductCodes.ean(asin: "0786222728") == nil)
  }

  @Test(arguments: ["", "1", "9780786222729", "97807862227281", "no code at all", "B0AAAAAAAA"])
  func `what is no code leads nowhere`(code: String) {
    #expect(ProductCodes.asins(code: code).isEmpty)
  }

  @Test func `a call by code costs what it finds`() async throws {
    let bench = Bench()
    let several = try #require((0..<300).map(code).first { ProductCodes.asins(code: $0).count > 1 })
    let asins = ProductCodes.asins(code: several)
    let all = try await bench.call("/product", ["code": several])
    #expect(all.products?.compactMap { $0["asin"] as? String } == asins)
    #expect(all.products?.allSatisfy { $0["eanList"] as? [String] == [several] } == true)
    #expect(all.tokens == asins.count)
    #expect(bench.simulator.books.tokensByASIN.keys.sorted() == asins.sorted())
    let limited = try await bench.call("/product", ["code": several, "code-limit": "1"])
    #expect(limited.products?.count == 1 && limited.tokens == 1)
    let none = try await bench.call("/product", ["code": "9780786222729"])
    #expect(none.status == 200 && none.products == nil && none.tokens == 0)
  }

  @Test func `an ASIN and a code exclude each other and a hundred codes are the most`()
    async throws
  {
    let both = try await Bench().call("/product", ["asin": "B0AAAAAAAA", "code": code(1)])
    #expect(both.status == 400 && both.error?["details"] == "asin and code exclude each other")
    let many = (0...100).map(code).joined(separator: ",")
    #expect(try await Bench().call("/product", ["code": many]).status == 400)
  }

  /// A valid EAN.
  private func code(_ number: Int) -> String {
    var numbers = SeededNumbers("codes", salt: number)
    let digits = (0..<12).map { _ in numbers.below(10) }
    let sum = digits.enumerated().reduce(0) { $0 + $1.element * ($1.offset % 2 == 0 ? 1 : 3) }
    return (digits + [(10 - sum % 10) % 10]).map(String.init).joined()
  }
}
