import JSONText
import Testing
import TollbookEvents

@testable import DealScout

@Suite struct EbayListingTests {
  @Test func `a listing is read`() throws {
    let listing = try EbaySamples.read()
    #expect(listing.itemId.description == "v1|110000000001|0")
    #expect(listing.title == "Widget 3000 boxed")
    #expect(listing.price?.minorUnits == 3_199)
    #expect(listing.price?.text == "31.99")
    #expect(listing.currentBid == nil && listing.bidCount == nil)
    #expect(listing.buyingOptions == [.bestOffer, .fixedPrice])
    #expect(listing.condition == "Used")
    #expect(listing.conditionId == 3_000)
    #expect(listing.shipping == .known(try .sample("5.50")))
    #expect(listing.totalPrice?.minorUnits == 3_749)
    #expect(listing.seller?.feedbackScore == 812)
    #expect(listing.seller?.feedbackPercentage == 9_940)
    #expect(listing.seller?.digest == nil)
    #expect(listing.categories == ["9355"])
    #expect(listing.country == "US")
    #expect(listing.imageURL == "https://i.example/1.jpg")
    #expect(listing.webURL == "https://www.ebay.com/itm/110000000001")
    #expect(listing.createdAt == Timestamp(rfc3339: "2026-11-20T08:15:00Z"))
    #expect(listing.endsAt == nil)
    #expect(listing.group == nil)
    #expect(listing.marketplace == .unitedStates)
    #expect(!listing.isAuction && !listing.isAdultOnly && !listing.isPromoted)
  }

  @Test func `no name of a seller is in what was read`() throws {
    var text = ""
    dump(try EbaySamples.read(), to: &text)
    #expect(!text.contains("demo_seller"))
    let listing = try EbayListing(
      JSONDocument(Array(EbaySamples.listing.utf8)).root, sellerDigest: { "d\($0.count)" })
    #expect(listing.seller?.digest == "d11")
  }

  @Test(arguments: [
    (nil, EbayShipping.unknown), ("null", .unknown), ("[]", .unknown),
    ("[\(EbaySamples.shipping(nil, type: "CALCULATED"))]", .unknown),
    ("[\(EbaySamples.shipping(nil))]", .unknown), ("[{}]", .unknown),
    ("[\(EbaySamples.shipping("0.00"))]", .free), ("[\(EbaySamples.shipping("0.0"))]", .free),
    ("[\(EbaySamples.shipping("9.00")),\(EbaySamples.shipping("0"))]", .free),
  ])
  func `shipping that is not told is unknown and not nothing`(
    _ options: String?, _ shipping: EbayShipping
  ) throws {
    let listing = try EbaySamples.read(["shippingOptions": options])
    #expect(listing.shipping == shipping)
    #expect(listing.totalPrice?.minorUnits == (shipping == .free ? 3_199 : nil))
  }

  @Test func `the cheapest way to send counts`() throws {
    let options =
      "[\(EbaySamples.shipping("9.10")),\(EbaySamples.shipping(nil, type: "CALCULATED")),"
      + "\(EbaySamples.shipping("4.20", type: "CALCULATED")),"
      + "\(EbaySamples.shipping("1.00", "EUR"))]"
    let listing = try EbaySamples.read(["shippingOptions": options])
    #expect(listing.shipping == .known(try .sample("4.20")))
    #expect(listing.totalPrice?.minorUnits == 3_619)
  }

  @Test func `two currencies have no total`() throws {
    let listing = try EbaySamples.read([
      "shippingOptions": "[\(EbaySamples.shipping("1.00", "EUR"))]"
    ])
    #expect(listing.shipping == .known(try .sample("1.00", "EUR")))
    #expect(listing.totalPrice == nil)
  }

  @Test func `an amount that was converted keeps what it was`() throws {
    let price =
      #"{"value":"34.50","currency":"USD","convertedFromValue":"29.99","#
      + #""convertedFromCurrency":"EUR"}"#
    let listing = try EbaySamples.read(["price": price])
    #expect(listing.price?.minorUnits == 3_450)
    #expect(listing.price?.convertedFrom?.minorUnits == 2_999)
    #expect(listing.price?.convertedFrom?.currency == .euro)
    #expect(listing.price?.convertedFrom?.text == "29.99")
  }

  @Test func `an auction costs what is bid`() throws {
    let auction = try EbaySamples.read([
      "price": EbaySamples.money("0.99"), "currentBidPrice": EbaySamples.money("25.00"),
      "bidCount": "4", "buyingOptions": #"["AUCTION"]"#,
      "itemEndDate": #""2026-12-01T10:00:00.000Z""#,
    ])
    #expect(auction.isAuction)
    #expect(auction.currentPrice?.minorUnits == 2_500)
    #expect(auction.bidCount == 4)
    #expect(auction.totalPrice?.minorUnits == 3_050)
    #expect(auction.endsAt == Timestamp(rfc3339: "2026-12-01T10:00:00Z"))
    let unbid = try EbaySamples.read([
      "price": EbaySamples.money("0.99"), "buyingOptions": #"["AUCTION"]"#,
    ])
    #expect(unbid.currentPrice?.minorUnits == 99)
    let bidOnly = try EbaySamples.read([
      "price": nil, "currentBidPrice": EbaySamples.money("7"), "buyingOptions": #"["AUCTION"]"#,
    ])
    #expect(bidOnly.currentPrice?.minorUnits == 700)
    let both = try EbaySamples.read([
      "price": EbaySamples.money("40"), "currentBidPrice": EbaySamples.money("7"),
      "buyingOptions": #"["AUCTION","FIXED_PRICE"]"#,
    ])
    #expect(both.currentPrice?.minorUnits == 4_000)
  }

  @Test func `a group of variations is known as one`() throws {
    let listing = try EbaySamples.read([
      "itemGroupHref":
        #""https://api.ebay.com/buy/browse/v1/item/get_items_by_item_group"#
        + #"?item_group_id=300000000007""#,
      "itemGroupType": #""SELLER_DEFINED_VARIATIONS""#,
      "itemId": #""v1|300000000007|400000000001""#,
    ])
    #expect(listing.group?.id == "300000000007")
    #expect(listing.group?.type == "SELLER_DEFINED_VARIATIONS")
    #expect(listing.itemId.variationId == "400000000001")
    #expect(listing.itemId.legacyItemId == "300000000007")
    let odd = try EbaySamples.read(["itemGroupHref": #""https://x/?item_group_id=a""#])
    #expect(odd.group != nil && odd.group?.id == nil)
  }

  @Test func `words that are new to us do no harm`() throws {
    let listing = try EbaySamples.read([
      "buyingOptions": #"["FIXED_PRICE","BARTER","FIXED_PRICE"]"#, "conditionId": #""7777""#,
      "listingMarketplaceId": #""EBAY_MARS""#, "newMember": "[[[{}]]]", "epid": #""""#,
    ])
    #expect(listing.buyingOptions == [.fixedPrice])
    #expect(listing.conditionId == 7_777)
    #expect(listing.marketplace == nil)
    #expect(listing.epid == nil)
  }

  @Test(arguments: [
    #""javascript:alert(1)""#, #""data:image/png;base64,AA""#, #""https://a b""#, #""//x""#,
    #""https://x/\u0000""#, #""https://x/\u202e""#,
  ])
  func `an address that no browser should follow is left out`(_ address: String) throws {
    let listing = try EbaySamples.read([
      "itemWebUrl": address, "image": #"{"imageUrl":\#(address)}"#,
    ])
    #expect(listing.webURL == nil && listing.imageURL == nil)
  }

  @Test(arguments: [
    ("itemId", nil, "itemId"), ("itemId", "17", "itemId"), ("itemId", #""v1|x|0""#, "itemId"),
    ("title", nil, "title"), ("title", "[]", "title"), ("title", #""""#, "title"),
    ("price", nil, ""), ("price", "31.99", "price"), ("price", #"{"value":"1"}"#, "price.currency"),
    ("price", #"{"currency":"USD"}"#, "price.value"),
    ("price", #"{"value":31.99,"currency":"USD"}"#, "price.value"),
    ("price", EbaySamples.money("1e999"), "price.value"),
    ("price", EbaySamples.money("-1.00"), "price.value"),
    ("price", EbaySamples.money("1.005"), "price.value"),
    ("price", EbaySamples.money("1", "dollars"), "price.currency"),
    ("price", EbaySamples.money(String(repeating: "9", count: 33)), "price.value"),
    (
      "price", #"{"value":"1","currency":"USD","convertedFromValue":"2"}"#,
      "price.convertedFromCurrency"
    ),
    ("price", #"{"value":"1","value":"2","currency":"USD"}"#, "price.value"),
    ("bidCount", "-1", "bidCount"), ("bidCount", "1e999", "bidCount"),
    ("bidCount", #""4""#, "bidCount"), ("bidCount", "99999999999999999999", "bidCount"),
    ("conditionId", "3000", "conditionId"), ("conditionId", #""-3""#, "conditionId"),
    ("buyingOptions", #""AUCTION""#, "buyingOptions"), ("buyingOptions", "[1]", "buyingOptions[0]"),
    ("shippingOptions", "{}", "shippingOptions"), ("shippingOptions", "[7]", "shippingOptions[0]"),
    (
      "shippingOptions", "[\(EbaySamples.shipping("-5"))]",
      "shippingOptions[0].shippingCost.value"
    ),
    ("seller", "[]", "seller"),
    ("seller", #"{"feedbackPercentage":99.4}"#, "seller.feedbackPercentage"),
    ("seller", #"{"feedbackPercentage":"101"}"#, "seller.feedbackPercentage"),
    ("seller", #"{"feedbackScore":1.5}"#, "seller.feedbackScore"),
    ("itemCreationDate", #""yesterday""#, "itemCreationDate"),
    ("itemEndDate", "1790000000", "itemEndDate"),
    ("itemEndDate", #""9999-12-31T00:00:00Z""#, "itemEndDate"),
    ("itemLocation", #""US""#, "itemLocation"), ("adultOnly", #""no""#, "adultOnly"),
    ("image", "[]", "image"), ("leafCategoryIds", "[9355]", "leafCategoryIds[0]"),
  ])
  func `what is wrong is refused with its place`(
    _ name: String, _ value: String?, _ place: String
  ) throws {
    let error = #expect(throws: EbayReadingError.self) {
      try EbaySamples.read([name: value])
    }
    #expect(error?.place == place)
    #expect((error?.description.utf8.count ?? 999) < 300)
  }

  @Test func `percentages of feedback may have any decimals`() throws {
    for (text, hundredths) in [("100", 10_000), ("99.45", 9_945), ("99.999", 9_999), ("0.0", 0)] {
      let listing = try EbaySamples.read(["seller": #"{"feedbackPercentage":"\#(text)"}"#])
      #expect(listing.seller?.feedbackPercentage == Int64(hundredths))
      #expect(listing.seller?.feedbackScore == nil)
    }
  }
}
