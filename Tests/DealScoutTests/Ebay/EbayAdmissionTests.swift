import Testing
import TollbookEvents

@testable import DealScout

/// eBay drops a filter that it does not take and answers without it. Each one is checked on each listing.
@Suite struct EbayAdmissionTests {
  private func search(_ filters: EbayFilters) throws -> EbaySearch {
    try EbaySearch(.unitedStates, words: "widget", filters: filters)
  }

  private func range(_ start: String?, _ end: String?) throws -> EbayDateRange {
    try EbayDateRange(
      start: start.flatMap { Timestamp(rfc3339: $0) },
      end: end.flatMap { Timestamp(rfc3339: $0) }, startField: "a", endField: "b")
  }

  @Test(arguments: [
    ("31.99", "31.99", true), ("0", "31.98", false), ("32", "50", false), ("10", "50", true),
  ])
  func `the price must lie between, ends included`(
    _ least: String, _ most: String, _ isAdmitted: Bool
  ) throws {
    let search = try search(
      EbayFilters(price: EbayPriceRange(minimum: .sample(least), maximum: .sample(most))))
    let listing = try EbaySamples.read()
    #expect(search.admits(listing) == isAdmitted)
    #expect(search.admission(of: listing).broken == (isAdmitted ? [] : [.price]))
  }

  @Test func `a price of another currency is compared by what it was converted from`() throws {
    let search = try search(
      EbayFilters(price: EbayPriceRange(minimum: nil, maximum: .sample("50"))))
    let euros = try EbaySamples.read(["price": EbaySamples.money("40.00", "EUR")])
    #expect(search.admission(of: euros).unproven == [.price])
    #expect(!search.admits(euros))
    let converted = try EbaySamples.read([
      "price":
        #"{"value":"40.00","currency":"EUR","convertedFromValue":"46.00","#
        + #""convertedFromCurrency":"USD"}"#
    ])
    #expect(search.admits(converted))
  }

  @Test func `an auction is compared by what is bid`() throws {
    let search = try search(
      EbayFilters(price: EbayPriceRange(minimum: .sample("20"), maximum: .sample("30"))))
    let changes = [
      "price": EbaySamples.money("1.00"), "currentBidPrice": EbaySamples.money("25.00"),
      "bidCount": "4",
    ]
    let auction = try EbaySamples.read(
      changes.merging(["buyingOptions": #"["AUCTION"]"#]) { $1 })
    #expect(search.admits(auction))
    let both = try EbaySamples.read(
      changes.merging([
        "price": EbaySamples.money("29.00"), "currentBidPrice": EbaySamples.money("2.00"),
        "buyingOptions": #"["AUCTION","FIXED_PRICE"]"#,
      ]) { $1 })
    #expect(search.admits(both))
    let neither = try EbaySamples.read(
      changes.merging([
        "currentBidPrice": EbaySamples.money("31.00"), "buyingOptions": #"["AUCTION"]"#,
      ]) { $1 })
    #expect(!search.admits(neither))
  }

  @Test func `conditions are compared by id`() throws {
    let search = try search(EbayFilters(conditions: [.used, .good]))
    #expect(search.admits(try EbaySamples.read()))
    #expect(!search.admits(try EbaySamples.read(["conditionId": #""1000""#])))
    let unknown = try EbaySamples.read(["conditionId": nil])
    #expect(search.admission(of: unknown).unproven == [.conditionIds])
    #expect(!search.admits(unknown))
  }

  @Test func `one of the ways to buy is enough`() throws {
    let listing = try EbaySamples.read()
    #expect(try search(EbayFilters(buyingOptions: [.auction, .bestOffer])).admits(listing))
    #expect(!(try search(EbayFilters(buyingOptions: [.auction])).admits(listing)))
  }

  @Test func `the place of the item is compared and that of the buyer cannot be`() throws {
    let listing = try EbaySamples.read()
    #expect(try search(EbayFilters(itemLocationCountry: "US")).admits(listing))
    #expect(!(try search(EbayFilters(itemLocationCountry: "DE")).admits(listing)))
    let nowhere = try EbaySamples.read(["itemLocation": nil])
    #expect(!(try search(EbayFilters(itemLocationCountry: "US")).admits(nowhere)))
    let delivered = try search(EbayFilters(deliveryCountry: "DE"))
    #expect(delivered.admits(listing))
    #expect(delivered.admission(of: listing).unproven == [.deliveryCountry])
  }

  @Test func `an unknown delivery cost is not a low one`() throws {
    let free = try search(EbayFilters(maxDeliveryCost: .sample("0")))
    let cheap = try search(EbayFilters(maxDeliveryCost: .sample("5.50")))
    let listing = try EbaySamples.read()
    #expect(!free.admits(listing))
    #expect(cheap.admits(listing))
    for options in ["[]", "[\(EbaySamples.shipping(nil, type: "CALCULATED"))]"] {
      let unknown = try EbaySamples.read(["shippingOptions": options])
      #expect(!cheap.admits(unknown))
      #expect(cheap.admission(of: unknown).unproven == [.maxDeliveryCost])
    }
    let nothing = try EbaySamples.read(["shippingOptions": "[\(EbaySamples.shipping("0.0"))]"])
    #expect(free.admits(nothing))
    let foreign = try EbaySamples.read([
      "shippingOptions": "[\(EbaySamples.shipping("1.00", "EUR"))]"
    ])
    #expect(!cheap.admits(foreign))
  }

  @Test func `a category that is excluded is found in all that are told`() throws {
    let search = try search(EbayFilters(excludedCategories: ["58058"]))
    #expect(search.admits(try EbaySamples.read()))
    let parent = #"[{"categoryId":"9355"},{"categoryId":"58058"}]"#
    #expect(!search.admits(try EbaySamples.read(["categories": parent])))
    let none = try EbaySamples.read(["categories": nil, "leafCategoryIds": nil])
    #expect(!search.admits(none))
  }

  @Test func `dates must lie between`() throws {
    let listing = try EbaySamples.read(["itemEndDate": #""2026-12-01T10:00:00.000Z""#])
    let ends: (String?, String?) throws -> Bool = { start, end in
      try search(EbayFilters(itemEnd: range(start, end))).admits(listing)
    }
    #expect(try ends(nil, "2026-12-01T10:00:00Z"))
    #expect(!(try ends(nil, "2026-12-01T09:59:59.999Z")))
    #expect(try ends("2026-12-01T10:00:00Z", nil))
    let endless = try EbaySamples.read()
    #expect(
      !(try search(EbayFilters(itemEnd: range("2026-01-01T00:00:00Z", nil))).admits(endless)))
    let relisted = try EbaySamples.read(["itemOriginDate": #""2026-10-01T00:00:00.000Z""#])
    let starts: (String, String) throws -> Bool = { start, end in
      try search(EbayFilters(itemStart: range(start, end))).admits(relisted)
    }
    #expect(try starts("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z"))
    #expect(try starts("2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z"))
    #expect(!(try starts("2026-10-02T00:00:00Z", "2026-11-01T00:00:00Z")))
  }

  @Test func `without filters everything is admitted, and several are each checked`() throws {
    let listing = try EbaySamples.read()
    #expect(try search(.none).admits(listing))
    let search = try search(
      EbayFilters(
        price: EbayPriceRange(minimum: .sample("100"), maximum: nil), conditions: [.new],
        itemLocationCountry: "US"))
    #expect(search.admission(of: listing).broken == [.conditionIds, .price])
  }
}
