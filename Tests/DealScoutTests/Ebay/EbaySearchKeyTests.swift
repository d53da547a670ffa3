import Testing
import TollbookEvents
import TollbookTestSupport

@testable import DealScout

/// The key is the same for searches that ask the same, and differs for others.
@Suite struct EbaySearchKeyTests {
  /// What a search is made of, to be put in another order or changed in one place.
  private struct Parts {
    var marketplace: EbayMarketplace = .unitedStates
    var words: [String] = ["a"]
    var category: String?
    var gtin: String?
    var epid: String?
    var minimum: Int64?
    var maximum: Int64?
    var conditions: [EbayCondition] = []
    var options: [EbayBuyingOption] = []
    var location: String?
    var delivery: String?
    var cost: Int64?
    var excluded: [String] = []
    var start: Int64?
    var end: Int64?
    var sort: EbaySort = .bestMatch
    var limit = 50
    var page = 0
    var groups: [EbayFieldGroup] = []

    func search(blanks: Int = 1, zeros: String = "") throws -> EbaySearch {
      let currency = marketplace.currency
      let money: (Int64?) -> EbayMoney? = { units in
        // The same amount with more zeros at the end.
        units.flatMap { EbayMoney(minorUnits: $0, currency) }
          .flatMap { EbayMoney($0.plainText + zeros, currency) }
      }
      let blank = String(repeating: " ", count: blanks)
      return try EbaySearch(
        marketplace, words: words.joined(separator: blank), category: category, gtin: gtin,
        epid: epid,
        filters: EbayFilters(
          price: minimum == nil && maximum == nil
            ? nil : EbayPriceRange(minimum: money(minimum), maximum: money(maximum)),
          conditions: conditions, buyingOptions: options, itemLocationCountry: location,
          deliveryCountry: delivery, maxDeliveryCost: money(cost),
          excludedCategories: excluded, itemStart: range(start), itemEnd: range(end)),
        sort: sort, limit: limit, offset: page * limit, fieldGroups: groups)
    }

    private func range(_ milliseconds: Int64?) throws -> EbayDateRange? {
      try milliseconds.map {
        try EbayDateRange(
          start: Timestamp(milliseconds: $0), end: nil, startField: "a", endField: "b")
      }
    }

    init(_ random: inout SeededGenerator) {
      marketplace = random.pick(EbayMarketplace.allCases)
      let alphabet = ["a", "b&c", "d=e", "%41", "ü", "?", "q", "{", "|", "𝄞", "A", "+", "/.."]
      words = (0...random.int(0...4)).map { _ in random.pick(alphabet) }
      if random.chance(40) { category = String(random.int(1...99_999)) }
      if random.chance(20) { gtin = String(random.int(10_000_000...99_999_999)) }
      if random.chance(20) { epid = String(random.int(1...999_999)) }
      if random.chance(40) { minimum = random.int64(0...5_000) }
      if random.chance(40) { maximum = random.int64(5_000...100_000) }
      conditions = EbayCondition.allCases.filter { _ in random.chance(20) }
      options = EbayBuyingOption.allCases.filter { _ in random.chance(30) }
      if random.chance(30) { location = random.pick(["US", "DE", "GB"]) }
      if random.chance(30) { delivery = random.pick(["US", "DE", "GB"]) }
      if random.chance(30) { cost = random.int64(0...2_000) }
      excluded = (0..<random.int(0...5)).map { String($0 * 7 + random.int(1...6)) }
      if random.chance(20) { start = random.int64(EbayDateRange.years) }
      if random.chance(20) { end = random.int64(EbayDateRange.years) }
      sort = random.pick(EbaySort.allCases)
      limit = random.int(1...200)
      page = random.int(0...(9_999 / limit))
      groups = EbayFieldGroup.allCases.filter { _ in random.chance(20) }
    }

    /// Changes one thing that eBay is asked. Returns false where nothing changed.
    mutating func change(_ random: inout SeededGenerator) -> Bool {
      let before = "\(self)"
      switch random.int(0...15) {
      case 0: marketplace = random.pick(EbayMarketplace.allCases)
      case 1: words.append("more")
      case 2: category = category == nil ? "4" : nil
      case 3: gtin = gtin == nil ? "12345678" : nil
      case 4: epid = epid == nil ? "77" : nil
      case 5: minimum = minimum.map { $0 == 0 ? 1 : $0 - 1 } ?? 4
      case 6: maximum = maximum.map { $0 + 1 }
      case 7: conditions = conditions.isEmpty ? [.used] : Array(conditions.dropFirst())
      case 8: options = options.isEmpty ? [.auction] : Array(options.dropFirst())
      case 9: location = location == "FR" ? nil : "FR"
      case 10: delivery = delivery == "FR" ? nil : "FR"
      case 11: cost = cost.map { $0 + 1 } ?? 0
      case 12: excluded.append("98765")
      case 13: start = start == nil ? 1_790_000_000_000 : nil
      case 14: sort = random.pick(EbaySort.allCases)
      default: words = [words.joined(), "x"]
      }
      return before != "\(self)"
    }

    /// Puts everything that has no order into another one, some of it twice.
    mutating func shuffle(_ random: inout SeededGenerator) {
      conditions = (conditions + conditions.prefix(1)).shuffled(using: &random)
      options = (options + options.suffix(1)).shuffled(using: &random)
      excluded = (excluded + excluded.prefix(2)).shuffled(using: &random)
      groups = (groups + groups.prefix(1)).shuffled(using: &random)
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `the order in which a search is put says nothing`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<25 {
      let parts = Parts(&random)
      var other = parts
      other.shuffle(&random)
      let search = try parts.search()
      let same = try other.search(blanks: random.int(1...3), zeros: "")
      #expect(search.key == same.key, "seed \(seed)")
      #expect(search == same && search.hashValue == same.hashValue)
      #expect(search.pathAndQuery == same.pathAndQuery)
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `searches that ask something else have other keys`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<25 {
      let parts = Parts(&random)
      var other = parts
      guard other.change(&random) else { continue }
      let search = try parts.search()
      let another = try other.search()
      #expect(search.key != another.key, "seed \(seed)")
      #expect(search != another)
    }
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `a key is of unreserved characters and bounded`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<25 {
      let search = try Parts(&random).search()
      #expect(search.key.utf8.count <= EbaySearch.mostKeyBytes)
      #expect(
        search.key.utf8.allSatisfy {
          EbayText.isUnreserved($0) || [UInt8(ascii: "%"), 0x26, 0x3D, 0x3F].contains($0)
        }, "seed \(seed): \(search.key)")
      let read = try #require(EbaySearch(key: search.key), "seed \(seed): \(search.key)")
      #expect(read == search && read.pathAndQuery == search.pathAndQuery)
      let page = try search.page(offset: 0)
      #expect(page.keyOfAllPages == search.keyOfAllPages)
      #expect(search.nextPage?.key != search.key)
    }
  }

  @Test func `the longest search has a key within the bound`() throws {
    var parts = try EbaySearch(
      .unitedStates, words: String(repeating: "𝄞", count: 100), category: "1234567890",
      gtin: "12345678901234", epid: "12345678901234567890",
      filters: EbayFilters(
        price: EbayPriceRange(
          minimum: .sample("9999999999999"), maximum: .sample("10000000000000")),
        conditions: EbayCondition.allCases, buyingOptions: EbayBuyingOption.allCases,
        itemLocationCountry: "US", deliveryCountry: "US",
        maxDeliveryCost: .sample("10000000000000"),
        excludedCategories: (0..<20).map { String(1_000_000_000 + $0) },
        itemStart: range(), itemEnd: range()),
      sort: .endingSoonest, limit: 199, fieldGroups: EbayFieldGroup.allCases)
    parts = try parts.page(offset: 199 * 50)
    #expect(parts.key.utf8.count <= EbaySearch.mostKeyBytes)
    #expect(parts.key.utf8.count > EbaySearch.mostKeyBytes * 3 / 4)
  }

  private func range() throws -> EbayDateRange {
    try EbayDateRange(
      start: Timestamp(rfc3339: "2026-11-20T08:15:00Z"),
      end: Timestamp(rfc3339: "2026-11-21T08:15:00Z"), startField: "a", endField: "b")
  }

  @Test func `a plain search has a short key`() throws {
    let search = try EbaySearch(
      .unitedStates, words: "widget 3000",
      filters: EbayFilters(
        price: EbayPriceRange(minimum: .sample("10"), maximum: .sample("50.0")),
        conditions: [.used]))
    #expect(
      search.key
        == "EBAY_US?currency=USD&f.conditionIds=3000&f.price=10.00..50.00&q=widget%203000")
  }

  @Test(arguments: [
    "", "EBAY_US", "EBAY_US?", "EBAY_XX?q=a", "EBAY_US?q=a&q=b", "EBAY_US?q=a&x=1",
    "EBAY_US?q=a&limit=50", "EBAY_US?q=a&limit=0", "EBAY_US?limit=7&q=a&offset=7",
    "EBAY_US?q=a%20", "EBAY_US?q=%61", "EBAY_US?q=a&sort=up", "EBAY_US?q=a%", "EBAY_US?q=*",
    "EBAY_US?f.price=10.00..&q=a", "EBAY_US?currency=USD&f.price=10..&q=a",
    "EBAY_US?f.conditionIds=3001&q=a", "EBAY_US?f.itemEndDate=..soon&q=a",
    "EBAY_US?q=a&limit=99999999999999999999", "EBAY_US?q",
  ])
  func `a text that is no search's key is none`(_ text: String) {
    #expect(EbaySearch(key: text) == nil)
  }

  @Test func `texts that look alike and differ in bytes are two searches`() throws {
    let one = try EbaySearch(.germany, words: "caf\u{E9}")
    let two = try EbaySearch(.germany, words: "cafe\u{301}")
    #expect(one.words == two.words)
    #expect(one != two)
  }

  @Test func `what eBay does anyway is not in the key`() throws {
    let plain = try EbaySearch(.unitedStates, words: "a")
    #expect(try EbaySearch(.unitedStates, words: "a", fieldGroups: [.matchingItems]) == plain)
    #expect(try EbaySearch(.unitedStates, words: "a", limit: 50, offset: 0) == plain)
    #expect(plain.key == "EBAY_US?q=a")
  }
}
