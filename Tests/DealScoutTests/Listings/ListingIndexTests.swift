import Testing
import TollbookEvents

@testable import DealScout

@Suite struct ListingIndexTests {
  /// What changes when a page of a site shows the one listing at a price.
  private static func show(
    _ value: String, on site: EbayMarketplace, _ seconds: Int64, in index: ListingIndex
  ) throws -> ListingIndex.Change {
    let item = try EbaySamples.listing([
      "price": EbaySamples.money(value, site.currency.code),
      "listingMarketplaceId": "\"\(site.id)\"",
    ])
    let page = try EbaySearchPage(EbaySamples.page([String(decoding: item, as: UTF8.self)]))
    return index.add(
      page, of: try EbaySearch(site, words: "widget"),
      seen: ListingSamples.now.advanced(byMilliseconds: seconds * 1_000))
  }

  @Test func `a price has fallen only beside an earlier one in the same currency`() throws {
    let index = ListingIndex()
    let id = try EbaySamples.read().itemId
    #expect(try Self.show("31.99", on: .unitedStates, 0, in: index).new == [id])
    let cheaper = try Self.show("30.99", on: .unitedStates, 1, in: index)
    #expect(cheaper.cheaper == [id] && index[id]?.earlierPrice == 3_199)
    // The same listing on the page of another country.
    let abroad = try Self.show("28.50", on: .germany, 2, in: index)
    #expect(abroad.cheaper.isEmpty && abroad.new.isEmpty && abroad.seen == 1)
    #expect(index[id]?.price == 2_850 && index[id]?.earlierPrice == nil)
    #expect(try Self.show("27.50", on: .germany, 3, in: index).cheaper == [id])
    #expect(index[id]?.earlierPrice == 2_850)
  }
}
