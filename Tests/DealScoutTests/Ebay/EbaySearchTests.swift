import Testing
import TollbookEvents

@testable import DealScout

@Suite struct EbaySearchTests {
  private func fault(
    _ make: () throws(EbayRequestFault) -> EbaySearch
  ) throws -> EbayRequestFault {
    let search: EbaySearch
    do throws(EbayRequestFault) { search = try make() } catch { return error }
    throw Surprise(description: "\(search.key) is taken")
  }

  private struct Surprise: Error, CustomStringConvertible { let description: String }

  private func filters(_ field: String = "filters") throws -> EbayFilters {
    try EbayFilters(
      price: EbayPriceRange(minimum: .sample("10"), maximum: .sample("50")),
      conditions: [.used, .new], buyingOptions: [.fixedPrice, .auction],
      itemLocationCountry: "US", deliveryCountry: "US", maxDeliveryCost: .sample("0"),
      excludedCategories: ["9355", "15"],
      itemStart: EbayDateRange(
        start: Timestamp(rfc3339: "2026-11-20T08:15:00Z"), end: nil, startField: "a",
        endField: "b"),
      itemEnd: EbayDateRange(
        start: nil, end: Timestamp(rfc3339: "2026-11-30T00:00:00Z"), startField: "a",
        endField: "b"))
  }

  @Test func `the filter is written as eBay reads it`() throws {
    #expect(
      try filters().text
        == "buyingOptions:{AUCTION|FIXED_PRICE},conditionIds:{1000|3000},deliveryCountry:US,"
        + "excludeCategoryIds:{15|9355},itemEndDate:[..2026-11-30T00:00:00.000Z],"
        + "itemLocationCountry:US,itemStartDate:[2026-11-20T08:15:00.000Z..],"
        + "maxDeliveryCost:0.00,price:[10.00..50.00],priceCurrency:USD")
  }

  @Test func `a range of prices always has its currency`() throws {
    let least = try EbayFilters(
      price: EbayPriceRange(minimum: .sample("10"), maximum: nil))
    #expect(least.text == "price:[10.00..],priceCurrency:USD")
    let most = try EbayFilters(
      price: EbayPriceRange(minimum: nil, maximum: .sample("1500", "JPY")))
    #expect(most.text == "price:[..1500],priceCurrency:JPY")
    #expect(EbayFilters.none.text.isEmpty)
  }

  @Test func `the query is percent-encoded`() throws {
    let plain = try EbaySearch(.unitedStates, words: "widget", limit: 1)
    #expect(
      plain.pathAndQuery == "/buy/browse/v1/item_summary/search?q=widget&limit=1&offset=0")
    let search = try EbaySearch(
      .germany, words: " (Grüße,  a&b)\t+1% ", category: "9355",
      filters: EbayFilters(conditions: [.new, .used]), sort: .priceDescending, limit: 200,
      offset: 400, fieldGroups: [.matchingItems, .extended])
    #expect(search.words == "(Grüße, a&b) +1%")
    #expect(
      search.pathAndQuery
        == "/buy/browse/v1/item_summary/search?q=%28Gr%C3%BC%C3%9Fe%2C%20a%26b%29%20%2B1%25"
        + "&category_ids=9355&filter=conditionIds%3A%7B1000%7C3000%7D&sort=-price"
        + "&fieldgroups=EXTENDED%2CMATCHING_ITEMS&limit=200&offset=400")
    #expect(search.headers.map(\.name) == ["X-EBAY-C-MARKETPLACE-ID"])
    #expect(search.headers.map(\.value) == ["EBAY_DE"])
  }

  @Test func `the delivery country is told as the buyer's place`() throws {
    let search = try EbaySearch(
      .unitedStates, words: "a", filters: EbayFilters(deliveryCountry: "US"))
    #expect(search.headers.last?.name == "X-EBAY-C-ENDUSERCTX")
    #expect(search.headers.last?.value == "contextualLocation=country%3DUS")
  }

  @Test(arguments: [
    ("", EbayRequestFault.Problem.empty), ("  \t ", .empty),
    ("widg*t", .character("the wildcard *")), ("a\u{0}b", .character("a control character")),
    ("a\nb", .character("a control character")), ("a\u{202E}b", .character("a control character")),
    (String(repeating: "x", count: 101), .tooLong(101, most: 100, of: "characters")),
    (String(repeating: "x", count: 10_240), .tooLong(10_240, most: 1_600, of: "bytes")),
  ])
  func `words that eBay would not take are refused`(
    _ words: String, _ problem: EbayRequestFault.Problem
  ) throws {
    let fault = try fault { () throws(EbayRequestFault) in
      try EbaySearch(.unitedStates, words: words)
    }
    #expect(fault.field == "q")
    #expect(fault.problem == problem)
    #expect(fault.description.utf8.count < 400)
  }

  @Test func `a hundred characters are taken, whatever their bytes`() throws {
    let search = try EbaySearch(.unitedStates, words: String(repeating: "𝄞", count: 100))
    #expect(search.key.utf8.count <= EbaySearch.mostKeyBytes)
  }

  @Test func `something must be searched for`() throws {
    let fault = try fault { () throws(EbayRequestFault) in try EbaySearch(.unitedStates) }
    #expect(fault.problem == .needsOne(of: "q, category, gtin, epid"))
    for search in [
      try EbaySearch(.unitedStates, category: "9355"),
      try EbaySearch(.unitedStates, gtin: "099482432621"),
      try EbaySearch(.unitedStates, epid: "15032"),
    ] {
      #expect(search.words == nil)
    }
  }

  @Test(arguments: [
    (0, 0, "limit"), (201, 0, "limit"), (-1, 0, "limit"), (50, -50, "offset"),
    (50, 75, "offset"), (200, 9_999, "offset"), (1, 10_000, "offset"), (3, 10_000, "offset"),
  ])
  func `a page that eBay refuses is refused`(_ limit: Int, _ offset: Int, _ field: String) throws {
    let fault = try fault { () throws(EbayRequestFault) in
      try EbaySearch(.unitedStates, words: "a", limit: limit, offset: offset)
    }
    #expect(fault.field == field)
  }

  @Test func `an offset is a multiple of the limit`() throws {
    let fault = try fault { () throws(EbayRequestFault) in
      try EbaySearch(.unitedStates, words: "a", limit: 50, offset: 75)
    }
    #expect(fault.problem == .notMultiple(of: 50))
    #expect(fault.description == "offset is no multiple of the limit of 50")
  }

  @Test(arguments: [1, 3, 50, 199, 200])
  func `pages follow each other to the end of what eBay shows`(_ limit: Int) throws {
    var page: EbaySearch? = try EbaySearch(.unitedStates, words: "a", limit: limit)
    var offsets: [Int] = []
    while let now = page {
      offsets.append(now.offset)
      #expect(now.limit == limit)
      page = now.nextPage
    }
    #expect(offsets == Array(stride(from: 0, through: 9_999, by: limit)))
  }

  @Test(arguments: [
    ("category", "12a"), ("category", ""), ("category", "12345678901"), ("gtin", "1234567"),
    ("gtin", "123456789012345"), ("epid", "x"), ("epid", "٣"),
  ])
  func `numbers are of digits`(_ field: String, _ text: String) throws {
    let fault = try fault { () throws(EbayRequestFault) in
      try EbaySearch(
        .unitedStates, words: "a", category: field == "category" ? text : nil,
        gtin: field == "gtin" ? text : nil, epid: field == "epid" ? text : nil)
    }
    #expect(fault.field == field)
  }

  @Test(arguments: ["us", "USA", "U", "", "Ü", "1A", "U|"])
  func `a country has two capitals`(_ code: String) {
    let fault = #expect(throws: EbayRequestFault.self) {
      try EbayFilters(itemLocationCountry: code)
    }
    #expect(fault?.field == "filters.item_location_country")
    let other = #expect(throws: EbayRequestFault.self) { try EbayFilters(deliveryCountry: code) }
    #expect(other?.field == "filters.delivery_country")
  }

  @Test func `ranges have an order and one currency`() throws {
    let order = #expect(throws: EbayRequestFault.self) {
      try EbayPriceRange(minimum: .sample("2"), maximum: .sample("1.99"))
    }
    #expect(order?.problem == .belowMinimum)
    let currency = #expect(throws: EbayRequestFault.self) {
      try EbayPriceRange(minimum: .sample("2"), maximum: .sample("3", "EUR"))
    }
    #expect(currency?.problem == .currency("EUR", expected: "USD"))
    let none = #expect(throws: EbayRequestFault.self) {
      try EbayPriceRange(minimum: nil, maximum: nil)
    }
    #expect(none?.field == "filters")
    let dates = #expect(throws: EbayRequestFault.self) {
      try EbayDateRange(
        start: Timestamp(rfc3339: "2026-11-21T00:00:00Z"),
        end: Timestamp(rfc3339: "2026-11-20T00:00:00Z"), startField: "from", endField: "to")
    }
    #expect(dates?.problem == .beforeStart)
    #expect(dates?.field == "to")
    let year = #expect(throws: EbayRequestFault.self) {
      try EbayDateRange(
        start: Timestamp(milliseconds: .max), end: nil, startField: "from", endField: "to")
    }
    #expect(year?.field == "from")
  }

  @Test func `the delivery cost is in the currency of the site`() throws {
    let filters = try EbayFilters(maxDeliveryCost: .sample("5", "EUR"))
    let fault = try fault { () throws(EbayRequestFault) in
      try EbaySearch(.unitedStates, words: "a", filters: filters)
    }
    #expect(fault.field == "filters.max_delivery_cost")
    #expect(try EbaySearch(.germany, words: "a", filters: filters).filters == filters)
  }

  @Test func `too many categories are refused`() {
    let fault = #expect(throws: EbayRequestFault.self) {
      try EbayFilters(excludedCategories: (1...21).map(String.init))
    }
    #expect(fault?.problem == .tooMany(21, most: 20))
  }
}
