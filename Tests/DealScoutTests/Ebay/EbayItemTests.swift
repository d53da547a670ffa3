import JSONText
import Testing
import TollbookEvents

@testable import DealScout

@Suite struct EbayItemTests {
  private func item(_ changes: [String: String?] = [:]) throws -> [UInt8] {
    let own: [String: String?] = [
      "gtin": #""4006381333931""#, "brand": #""Acme""#, "mpn": #""W-3000""#,
      "categoryId": #""9355""#, "categories": nil, "leafCategoryIds": nil,
      "localizedAspects":
        #"[{"type":"STRING","name":"Colour","value":"Red"},{"name":"Empty","value":""}]"#,
      "estimatedAvailabilities":
        #"[{"estimatedAvailabilityStatus":"IN_STOCK","estimatedAvailableQuantity":3,"#
        + #""estimatedSoldQuantity":17}]"#,
      "itemEndDate": #""2026-12-01T10:00:00.000Z""#, "conditionDescription": #""A scratch.""#,
      "description": #""<script>alert(1)</script>""#,
    ]
    return try EbaySamples.listing(own.merging(changes) { $1 })
  }

  @Test func `an item has more than a listing`() throws {
    let item = try EbayItem(try item())
    #expect(item.listing.itemId.description == "v1|110000000001|0")
    #expect(item.listing.categories == ["9355"])
    #expect(item.listing.totalPrice?.minorUnits == 3_749)
    #expect(item.gtin == "4006381333931")
    #expect(item.brand == "Acme" && item.mpn == "W-3000")
    #expect(item.aspects == [.init(name: "Colour", value: "Red")])
    #expect(item.availability == .inStock)
    #expect(item.estimatedAvailableQuantity == 3)
    #expect(item.estimatedSoldQuantity == 17)
    #expect(item.conditionDescription == "A scratch.")
    let end = try #require(Timestamp(rfc3339: "2026-12-01T10:00:00Z"))
    #expect(item.endsAt == end)
    #expect(!item.isGone(at: end.advanced(byMilliseconds: -1)))
    #expect(item.isGone(at: end))
  }

  @Test func `what is missing is nothing`() throws {
    let item = try EbayItem(
      try item([
        "gtin": #""Does not apply""#, "brand": nil, "mpn": nil, "localizedAspects": nil,
        "estimatedAvailabilities": nil, "itemEndDate": nil,
      ]))
    #expect(item.gtin == nil && item.brand == nil && item.aspects.isEmpty)
    #expect(item.availability == nil && item.estimatedSoldQuantity == nil)
    #expect(!item.isGone(at: Timestamp(milliseconds: 4_000_000_000_000)))
  }

  @Test func `thresholds, sold-out stock and product numbers are read`() throws {
    let item = try EbayItem(
      try item([
        "gtin": nil, "product": #"{"gtins":["0012345678905"]}"#,
        "estimatedAvailabilities":
          #"[{"estimatedAvailabilityStatus":"OUT_OF_STOCK","availabilityThreshold":10}]"#,
        "primaryItemGroup":
          #"{"itemGroupId":"300000000007","itemGroupType":"SELLER_DEFINED_VARIATIONS"}"#,
        "lotSize": "4",
      ]))
    #expect(item.gtin == "0012345678905")
    #expect(item.estimatedAvailableQuantity == 10)
    #expect(item.isGone(at: Timestamp(milliseconds: 1_790_000_000_000)))
    #expect(
      item.listing.group == EbayItemGroup(id: "300000000007", type: "SELLER_DEFINED_VARIATIONS"))
    #expect(item.lotSize == 4)
  }

  @Test(arguments: [
    (
      "estimatedAvailabilities", #"[{"estimatedSoldQuantity":-1}]"#,
      "estimatedAvailabilities[0].estimatedSoldQuantity"
    ),
    (
      "estimatedAvailabilities", #"[{"estimatedSoldQuantity":1e999}]"#,
      "estimatedAvailabilities[0].estimatedSoldQuantity"
    ),
    ("localizedAspects", #"{"name":"x"}"#, "localizedAspects"),
    ("gtin", "4006381333931", "gtin"), ("brand", "[]", "brand"), ("lotSize", "-4", "lotSize"),
    ("price", EbaySamples.money("-1"), "price.value"),
    ("errors", #"[{"errorId":11001,"message":"gone"}]"#, "errors[0]"),
  ])
  func `what is wrong is refused with its place`(
    _ name: String, _ value: String, _ place: String
  ) throws {
    let bytes = try item([name: value])
    let error = #expect(throws: EbayReadingError.self) { try EbayItem(bytes) }
    #expect(error?.place == place)
  }

  @Test func `aspects are bounded`() throws {
    let many = (0...200).map { #"{"name":"n\#($0)","value":"v"}"# }.joined(separator: ",")
    let bytes = try item(["localizedAspects": "[\(many)]"])
    let error = #expect(throws: EbayReadingError.self) { try EbayItem(bytes) }
    #expect(error?.problem == .count(201, most: 200))
  }

  @Test func `several items are read, and who is absent is known`() throws {
    let ids = try ["v1|110000000001|0", "v1|2|0", "v1|3|0", "v1|4|0"].map {
      try #require(EbayItemID($0))
    }
    let good = String(decoding: try item(), as: UTF8.self)
    let broken = String(
      decoding: try item(["itemId": #""v1|2|0""#, "price": "7"]), as: UTF8.self)
    let stray = String(decoding: try item(["itemId": #""v1|99|0""#]), as: UTF8.self)
    let text =
      #"{"items":[\#(good),\#(broken),\#(stray),\#(good)],"total":4,"#
      + #""warnings":[{"errorId":11001,"message":"The specified item ID was not found."}]}"#
    let items = try EbayItems(Array(text.utf8), asked: ids)
    #expect(items.rows.map(\.item.listing.itemId) == [ids[0]])
    #expect(Array(items.rows[0].raw) == Array(good.utf8))
    #expect(items.unreadable.map(\.itemId) == [ids[1]])
    #expect(items.absent == [ids[2], ids[3]])
    #expect(items.warnings.map(\.id) == [11_001])
    let none = try EbayItems(Array("{}".utf8), asked: ids)
    #expect(none.absent == ids)
  }

  @Test(arguments: [
    "", "v1", "v1|1", "v1|1|", "v1||0", "v2|1|0", "v1|1|0|0", "v1|a|0", "v1|1|-1", "V1|1|0",
    " v1|1|0", "v1|1|0\n", "v1|../|0", "v1|٣|0", "v1|123456789012345678901|0", "110000000001",
  ])
  func `what is no item id is refused`(_ text: String) {
    #expect(EbayItemID(text) == nil)
  }

  @Test func `an item id is encoded in a path`() throws {
    let id = try #require(EbayItemID("v1|110000000001|0"))
    #expect(id.variationId == nil && id.legacyItemId == "110000000001")
    #expect(EbayItemRequest.item(id).pathAndQuery == "/buy/browse/v1/item/v1%7C110000000001%7C0")
    let other = try #require(EbayItemID("v1|1|2"))
    #expect(other.variationId == "2")
    #expect(
      try EbayItemRequest.checked(items: [id, other]).pathAndQuery
        == "/buy/browse/v1/item/?item_ids=v1%7C110000000001%7C0%2Cv1%7C1%7C2")
    #expect(
      try EbayItemRequest.checked(legacy: "110000000001", variation: "5").pathAndQuery
        == "/buy/browse/v1/item/get_item_by_legacy_id?legacy_item_id=110000000001"
        + "&legacy_variation_id=5")
  }

  @Test func `1 to 20 items are asked for at once, each once`() throws {
    let ids = try (1...21).map { try #require(EbayItemID("v1|\($0)|0")) }
    #expect(
      try EbayItemRequest.checked(items: Array(ids.prefix(20))) == .items(Array(ids.prefix(20))))
    let many = #expect(throws: EbayRequestFault.self) { try EbayItemRequest.checked(items: ids) }
    #expect(many?.problem == .tooMany(21, most: 20))
    let none = #expect(throws: EbayRequestFault.self) { try EbayItemRequest.checked(items: []) }
    #expect(none?.problem == .empty)
    let twice = #expect(throws: EbayRequestFault.self) {
      try EbayItemRequest.checked(items: [ids[0], ids[1], ids[0]])
    }
    #expect(twice?.problem == .repeated("v1|1|0"))
    let legacy = #expect(throws: EbayRequestFault.self) {
      try EbayItemRequest.checked(legacy: "v1|1|0")
    }
    #expect(legacy?.field == "legacy_item_id")
    let variation = #expect(throws: EbayRequestFault.self) {
      try EbayItemRequest.checked(legacy: "1", variation: "x")
    }
    #expect(variation?.field == "legacy_variation_id")
  }
}
