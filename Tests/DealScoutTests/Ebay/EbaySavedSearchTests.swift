import JSONText
import Testing
import TollbookEvents
import TollbookTestSupport

@testable import DealScout

@Suite struct EbaySavedSearchTests {
  private func fault(_ text: String) -> EbayRequestFault? {
    #expect(throws: EbayRequestFault.self) { try EbaySavedSearch(Array(text.utf8)) }
  }

  @Test func `every field is read`() throws {
    let saved = try EbaySavedSearch(
      Array(
        #"""
        {"name":" My widgets ","q":"widget  3000","category":9355,"gtin":"099482432621",
         "epid":"15032","sort":"price","marketplace":"EBAY_US","filters":{
         "min_price":10,"max_price":"50.5","currency":"USD","condition_ids":[3000,"1000"],
         "buying_options":["FIXED_PRICE","AUCTION"],"item_location_country":"US",
         "delivery_country":"CA","max_delivery_cost":5.00,"exclude_category_ids":["15",20],
         "listed_after":"2026-11-01T00:00:00Z","ends_before":"2026-12-01T00:00:00+01:00"}}
        """#.utf8))
    #expect(saved.name == "My widgets")
    let search = saved.search
    #expect(search.words == "widget 3000")
    #expect(search.category == "9355")
    #expect(search.gtin == "099482432621")
    #expect(search.epid == "15032")
    #expect(search.sort == .price)
    #expect(search.offset == 0)
    let filters = search.filters
    #expect(filters.price?.minimum?.minorUnits == 1_000)
    #expect(filters.price?.maximum?.minorUnits == 5_050)
    #expect(filters.conditions == [.new, .used])
    #expect(filters.buyingOptions == [.auction, .fixedPrice])
    #expect(filters.itemLocationCountry == "US")
    #expect(filters.deliveryCountry == "CA")
    #expect(filters.maxDeliveryCost?.minorUnits == 500)
    #expect(filters.excludedCategories == ["15", "20"])
    #expect(filters.itemStart?.start == Timestamp(rfc3339: "2026-11-01T00:00:00Z"))
    #expect(filters.itemStart?.end == nil)
    #expect(filters.itemEnd?.end == Timestamp(rfc3339: "2026-11-30T23:00:00Z"))
  }

  @Test func `little is enough`() throws {
    let saved = try EbaySavedSearch(
      Array(#"{"name":"x","category":"9355","filters":null,"marketplace":"EBAY_DE"}"#.utf8))
    #expect(saved.search.words == nil)
    #expect(saved.search.filters.isEmpty)
    #expect(saved.search.marketplace == .germany)
  }

  @Test(arguments: [
    (#"{"q":"a","marketplace":"EBAY_US"}"#, "name"),
    (#"{"name":" ","q":"a","marketplace":"EBAY_US"}"#, "name"),
    (#"{"name":"a\u0007","q":"a","marketplace":"EBAY_US"}"#, "name"),
    (#"{"name":7,"q":"a","marketplace":"EBAY_US"}"#, "name"),
    (#"{"name":"x","q":"a"}"#, "marketplace"),
    (#"{"name":"x","q":"a","marketplace":"EBAY_MARS"}"#, "marketplace"),
    (#"{"name":"x","q":"a","marketplace":null}"#, "marketplace"),
    (#"{"name":"x","marketplace":"EBAY_US"}"#, ""),
    (#"{"name":"x","q":"*","marketplace":"EBAY_US"}"#, "q"),
    (#"{"name":"x","q":["a"],"marketplace":"EBAY_US"}"#, "q"),
    (#"{"name":"x","category":-5,"marketplace":"EBAY_US"}"#, "category"),
    (#"{"name":"x","category":1e3,"marketplace":"EBAY_US"}"#, "category"),
    (#"{"name":"x","q":"a","q":"b","marketplace":"EBAY_US"}"#, "q"),
    (#"{"name":"x","q":"a","colour":"b","marketplace":"EBAY_US"}"#, "colour"),
    (#"{"name":"x","q":"a","sort":"distance","marketplace":"EBAY_US"}"#, "sort"),
    (#"{"name":"x","q":"a","filters":[],"marketplace":"EBAY_US"}"#, "filters"),
    (#"[]"#, ""), (#"{"name":"x""#, ""), ("", ""), ("null", ""),
  ])
  func `what is wrong is refused by its name`(_ text: String, _ field: String) {
    #expect(fault(text)?.field == field)
  }

  @Test(arguments: [
    (#""min_price":"1e999""#, "filters.min_price"), (#""min_price":1e999"#, "filters.min_price"),
    (#""min_price":-1"#, "filters.min_price"), (#""max_price":"1.001""#, "filters.max_price"),
    (#""max_price":true"#, "filters.max_price"),
    (#""min_price":5,"max_price":4"#, "filters.max_price"),
    (#""min_price":5,"currency":"EUR""#, "filters.currency"),
    (#""currency":"usd""#, "filters.currency"),
    (#""condition_ids":[3000,3001]"#, "filters.condition_ids[1]"),
    (#""condition_ids":["Used"]"#, "filters.condition_ids[0]"),
    (#""condition_ids":3000"#, "filters.condition_ids"),
    (#""buying_options":["auction"]"#, "filters.buying_options[0]"),
    (#""item_location_country":"usa""#, "filters.item_location_country"),
    (#""delivery_country":"us""#, "filters.delivery_country"),
    (#""max_delivery_cost":"free""#, "filters.max_delivery_cost"),
    (#""exclude_category_ids":["x"]"#, "filters.exclude_category_ids"),
    (#""listed_after":"yesterday""#, "filters.listed_after"),
    (#""listed_after":"2026-11-21""#, "filters.listed_after"),
    (#""listed_after":"0001-01-01T00:00:00Z""#, "filters.listed_after"),
    (
      #""ends_after":"2026-11-21T00:00:00Z","ends_before":"2026-11-20T00:00:00Z""#,
      "filters.ends_before"
    ),
    (#""sellers":["x"]"#, "filters.sellers"),
  ])
  func `a wrong filter is refused by its name`(_ filter: String, _ field: String) {
    let text = #"{"name":"x","q":"a","marketplace":"EBAY_US","filters":{\#(filter)}}"#
    #expect(fault(text)?.field == field)
  }

  @Test func `a long text is refused and not repeated`() throws {
    let words = String(repeating: "x", count: 10_240)
    let long = try #require(fault(#"{"name":"x","q":"\#(words)","marketplace":"EBAY_US"}"#))
    #expect(long.field == "q")
    #expect(long.description.utf8.count < 200)
    let name = try #require(
      fault(#"{"name":"x","\#(words)":1,"q":"a","marketplace":"EBAY_US"}"#))
    #expect(name.description.utf8.count < 400)
    let body = fault(#"{"name":"\#(String(repeating: "y", count: 70_000))"}"#)
    #expect(body?.problem == .tooLong(70_011, most: 65_536, of: "bytes"))
    let deep = String(repeating: "[", count: 20_000) + String(repeating: "]", count: 20_000)
    #expect(fault(#"{"name":"x","filters":\#(deep)}"#) != nil)
  }

  @Test(arguments: 0..<30 as Range<UInt64>)
  func `what is written reads back as the same search`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<20 {
      let marketplace = random.pick(EbayMarketplace.allCases)
      let amount: (Int64) -> EbayMoney? = { EbayMoney(minorUnits: $0, marketplace.currency) }
      let range = try EbayDateRange(
        start: Timestamp(milliseconds: random.int64(1_700_000_000_000...1_800_000_000_000)),
        end: nil, startField: "a", endField: "b")
      let filters = try EbayFilters(
        price: random.chance(50)
          ? EbayPriceRange(
            minimum: amount(random.int64(0...100)), maximum: amount(random.int64(100...9_999)))
          : nil,
        conditions: EbayCondition.allCases.filter { _ in random.chance(20) },
        buyingOptions: EbayBuyingOption.allCases.filter { _ in random.chance(30) },
        deliveryCountry: random.chance(50) ? "DE" : nil,
        maxDeliveryCost: random.chance(50) ? amount(random.int64(0...900)) : nil,
        excludedCategories: random.chance(50) ? ["15", "9"] : [],
        itemStart: random.chance(50) ? range : nil, itemEnd: random.chance(50) ? range : nil)
      let saved = try EbaySavedSearch(
        name: random.pick(["a", "\"b\" \\", "ü 𝄞"]),
        search: EbaySearch(
          marketplace, words: random.pick(["widget", "\"x\" (a, b)", "ü"]),
          category: random.chance(50) ? "9355" : nil, filters: filters,
          sort: random.pick(EbaySort.allCases)))
      var json = JSONWriter()
      json.value(saved)
      #expect(try EbaySavedSearch(json.bytes) == saved, "seed \(seed): \(json.string)")
    }
  }
}
