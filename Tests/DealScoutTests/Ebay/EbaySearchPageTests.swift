import JSONText
import Testing

@testable import DealScout

@Suite struct EbaySearchPageTests {
  @Test func `a page is read with each listing as it came`() throws {
    let next =
      #""next":"https://api.ebay.com/buy/browse/v1/item_summary/search?q=w&limit=1&offset=1""#
    let page = try EbaySearchPage(EbaySamples.page([EbaySamples.listing], next))
    #expect(page.total == 37)
    #expect(page.limit == 1 && page.offset == 0)
    #expect(page.hasNext && page.nextOffset == 1)
    #expect(page.listings == [try EbaySamples.read()])
    #expect(Array(page.rows[0].raw) == Array(EbaySamples.listing.utf8))
    #expect(page.unreadable.isEmpty)
    #expect(page.isAsAsked)
  }

  @Test func `an empty result has no listings`() throws {
    let page = try EbaySearchPage(Array(#"{"href":"x","total":0,"limit":50,"offset":0}"#.utf8))
    #expect(page.total == 0 && page.rows.isEmpty && !page.hasNext && page.isAsAsked)
    #expect(page.nextOffset == nil)
  }

  @Test func `a warning says that the question was another one`() throws {
    let warning =
      #""warnings":[{"errorId":12012,"domain":"API_BROWSE","category":"REQUEST","#
      + #""message":"The price filter is ignored.","longMessage":"A valid price filter "#
      + #"and a valid priceCurrency filter is necessary.","#
      + #""parameters":[{"name":"filter","value":"price"}]}]"#
    let page = try EbaySearchPage(EbaySamples.page([EbaySamples.listing], warning))
    #expect(!page.isAsAsked)
    #expect(page.rows.count == 1)
    #expect(page.warnings.map(\.id) == [12_012])
    #expect(page.warnings.first?.parameters == [.init(name: "filter", value: "price")])
    #expect(
      page.warnings.first?.text
        == "A valid price filter and a valid priceCurrency filter is necessary. (12012)")
    let odd = try EbaySearchPage(EbaySamples.page([], #""warnings":[7,{"errorId":"x"}]"#))
    #expect(!odd.isAsAsked)
    #expect(odd.warnings.map(\.text) == Array(repeating: "an error without a message", count: 2))
  }

  @Test func `a listing that cannot be read fails no other`() throws {
    let broken = String(
      decoding: try EbaySamples.listing([
        "itemId": #""v1|7|0""#, "price": EbaySamples.money("1e999"),
      ]), as: UTF8.self)
    let page = try EbaySearchPage(
      EbaySamples.page([broken, EbaySamples.listing, "17", "null", #"{"itemId":"x"}"#]))
    #expect(page.listings.map(\.itemId.description) == ["v1|110000000001|0"])
    #expect(page.unreadable.map(\.index) == [0, 2, 3, 4])
    #expect(page.unreadable.first?.itemId?.description == "v1|7|0")
    #expect(
      page.unreadable.map(\.error.place) == [
        "itemSummaries[0].price.value", "itemSummaries[2]", "itemSummaries[3]",
        "itemSummaries[4].itemId",
      ])
    #expect(
      page.unreadable.first.map { "\($0.error)" }
        == "itemSummaries[0].price.value: “1e999” is no amount of money")
  }

  @Test(arguments: [
    ("", ""), ("[]", ""), ("null", ""), (#"{"itemSummaries":[]}"#, "total"),
    (#"{"total":"37"}"#, "total"), (#"{"total":-1}"#, "total"), (#"{"total":1e999}"#, "total"),
    (#"{"total":1.0}"#, "total"), (#"{"total":1,"total":2}"#, "total"),
    (#"{"total":1,"itemSummaries":{}}"#, "itemSummaries"),
    (#"{"total":1,"warnings":{}}"#, "warnings"), (#"{"total":1,"offset":-5}"#, "offset"),
    (#"{"total":1,"next":7}"#, "next"), (#"{"total":1}x"#, ""),
    (#"{"errors":[{"errorId":12001,"message":"q"}]}"#, "errors[0]"),
  ])
  func `what is no page is refused`(_ text: String, _ place: String) {
    let error = #expect(throws: EbayReadingError.self) { try EbaySearchPage(Array(text.utf8)) }
    #expect(error?.place == place)
  }

  @Test func `a page that is cut anywhere is refused`() throws {
    let whole = EbaySamples.page([EbaySamples.listing])
    for length in stride(from: 0, to: whole.count, by: 7) {
      let error = #expect(throws: EbayReadingError.self) {
        try EbaySearchPage(Array(whole[..<length]))
      }
      if case .notJSON? = error?.problem { continue }
      Issue.record("\(length) bytes: \(String(describing: error))")
    }
  }

  @Test func `a page is bounded`() throws {
    let most = try EbaySearchPage(
      EbaySamples.page(Array(repeating: EbaySamples.listing, count: 200)))
    #expect(most.rows.count == 200)
    let error = #expect(throws: EbayReadingError.self) {
      try EbaySearchPage(EbaySamples.page(Array(repeating: "{}", count: 201)))
    }
    #expect(error?.problem == .count(201, most: 200))
    let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
    #expect(throws: EbayReadingError.self) {
      try EbaySearchPage(EbaySamples.page([], #""x":\#(deep)"#))
    }
    let wide = (0..<500).map { #""m\#($0)":1"# }.joined(separator: ",")
    let page = try EbaySearchPage(EbaySamples.page(["{\(wide)}", EbaySamples.listing]))
    #expect(page.rows.count == 1)
    #expect(page.unreadable.map(\.error.problem) == [.count(401, most: 400)])
  }

  @Test(arguments: [
    ("https://x/search?offset=200&q=a", 200), ("https://x/search?q=a&offset=0", 0),
    ("https://x/search", nil), ("https://x/?offset=-1", nil), ("https://x/?offset=99999", nil),
    ("https://x/?offset=1e3", nil), ("?xoffset=3", nil), ("", nil),
  ])
  func `the next page is known by its address`(_ address: String, _ offset: Int?) throws {
    let page = try EbaySearchPage(EbaySamples.page([], #""next":"\#(address)""#))
    #expect(page.nextOffset == offset)
    #expect(page.hasNext == !address.isEmpty)
  }

  @Test func `the names of sellers are taken out and nothing else`() throws {
    let raw = Array(EbaySamples.listing.utf8)
    let clean = try #require(EbaySellerNames.removed(from: raw))
    let text = String(decoding: clean, as: UTF8.self)
    #expect(!text.contains("demo_seller"))
    #expect(
      text
        == EbaySamples.listing.replacing(
          #"{"username":"demo_seller","feedbackPercentage":"99.4","feedbackScore":812}"#,
          with: #"{"feedbackPercentage":"99.4","feedbackScore":812}"#))
    #expect(try EbayListing(JSONDocument(clean).root) == EbaySamples.read())
    let odd = #"{"seller":"demo_seller","a":1,"seller":{"userId":"demo_seller","x":[]}}"#
    let cleaned = try #require(EbaySellerNames.removed(from: Array(odd.utf8)))
    #expect(String(decoding: cleaned, as: UTF8.self) == #"{"seller":{},"a":1,"seller":{}}"#)
    let escaped = #"{"s\u0065ller":{"username":"demo_seller"}}"#
    let last = try #require(EbaySellerNames.removed(from: Array(escaped.utf8)))
    #expect(!String(decoding: last, as: UTF8.self).contains("demo_seller"))
    #expect(EbaySellerNames.removed(from: Array("[]".utf8)) == nil)
    #expect(EbaySellerNames.removed(from: Array("{".utf8)) == nil)
  }
}
