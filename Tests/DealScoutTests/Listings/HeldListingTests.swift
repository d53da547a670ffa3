import Testing
import TollbookEvents

@testable import DealScout

/// What is held of a listing while it is known.
@Suite struct `A listing that is held` {
  private static let now = ListingSamples.now
  private static let german: [String: String?] = [
    "title": #""Bücherregal für Zuhause 3000 WEISS""#, "epid": #""77""#,
    "categories": #"[{"categoryId":"9355"},{"categoryId":"625"}]"#,
    "itemEndDate": #""2026-12-01T08:15:00.000Z""#,
  ]
  private static let bare: [String: String?] = [
    "condition": nil, "image": nil, "itemWebUrl": nil,
    "leafCategoryIds": nil, "categories": nil, "seller": nil,
  ]

  private static func held(_ listing: EbayListing) throws -> SeenListing {
    try #require(SeenListing(listing, on: .unitedStates, seen: now))
  }

  private static func add(
    _ numbers: ClosedRange<Int>, title: String, to index: ListingIndex
  ) throws {
    let items = try numbers.map { number in
      String(
        decoding: try EbaySamples.listing([
          "itemId": "\"v1|\(number)|0\"", "title": "\"\(title)\"",
        ]), as: UTF8.self)
    }
    let search = try EbaySearch(.unitedStates, words: "widget")
    _ = index.add(try EbaySearchPage(EbaySamples.page(items)), of: search, seen: now)
  }

  @Test(arguments: [[:], german, bare])
  func `its texts come back as eBay told them`(changes: [String: String?]) throws {
    let told = try EbaySamples.read(changes)
    let held = try Self.held(told)
    #expect(held.title == told.title)
    #expect(held.condition == told.condition ?? "")
    #expect(held.categories == told.categories)
    #expect(held.imageURL == told.imageURL)
    #expect(held.webURL == told.webURL)
    #expect(held.id.description == told.itemId.description)
    let offer = try #require(held.offer)
    #expect(offer.title == told.title && offer.category == told.categories.first)
    #expect(offer.seller.feedbackScore == told.seller?.feedbackScore)
    #expect(offer.seller.feedbackPercentage == told.seller?.feedbackPercentage)
    #expect(offer.key == ProductKey(epid: told.epid, title: told.title))
  }

  @Test(arguments: [[:], german, bare])
  func `each of its texts is held once, and beside them the words of its title`(
    changes: [String: String?]
  ) throws {
    let told = try EbaySamples.read(changes)
    var texts = [told.title, told.condition, told.imageURL, told.webURL].compactMap(\.self)
    texts += [told.itemId.description] + told.categories
    switch ProductKey(epid: told.epid, title: told.title) {
    case .title(let key)?: texts.append(key.text)
    case .epid(let number)?: texts.append(number)
    default: break
    }
    // Words are looked for in other letters than those of the title.
    if !told.title.utf8.allSatisfy({ $0 < 0x80 }) { texts.append(told.title.lowercased()) }
    let ends = ListingTexts.Text.allCases.count + told.categories.count
    let row = DealBoard.Row(listing: try Self.held(told))
    let bytes = Self.textBytes(in: row)
    #expect(bytes > told.title.utf8.count)
    #expect(bytes <= texts.reduce(0) { $0 + $1.utf8.count } + ends)
  }

  /// The bytes of all texts that a value refers to.
  private static func textBytes(in value: Any) -> Int {
    switch value {
    case let text as String: text.utf8.count
    case let bytes as [UInt8]: bytes.count
    default: Mirror(reflecting: value).children.reduce(0) { $0 + textBytes(in: $1.value) }
    }
  }

  @Test func `the index and one table after the other have the same object`() async throws {
    let index = ListingIndex()
    try Self.add(1...39, title: "Widget 3000 boxed", to: index)
    let board = DealBoard()
    let first = await board.content(of: index, judges: true, now: Self.now)
    #expect(first.rows.count == 39)
    #expect(first.rows.allSatisfy { index[$0.listing.id] === $0.listing })
    // Another product: nothing has changed for those that are there.
    try Self.add(40...42, title: "Lamp 7", to: index)
    let second = await board.content(of: index, judges: true, now: Self.now)
    #expect(second.rows.count == 42)
    for row in first.rows {
      let number = try #require(second.number(of: row.listing.id))
      #expect(second.rows[number] === row)
    }
  }

  @Test func `ids are in the order of their texts`() throws {
    let texts = ["v1|9|0", "v1|110000000001|0", "v1|110000000001|400000000001", "v1|11|7"]
    let ids = try texts.map { try #require(EbayItemID($0)) }
    #expect(ids.sorted().map(\.description) == texts.sorted())
  }
}
