import DealScout
import TollbookEvents
import TollbookTestSupport

/// Invented listings of some thousand products, in pages as eBay answers them.
struct DealMarket {
  static let pageSize = 200
  static let searches = 40
  private static let families = 4_000

  private var random: SeededGenerator
  private let words: [String]

  init(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    words = (0..<3_000).map { _ in
      String((0..<random.int(4...9)).map { _ in random.pick(Array("abcdefghiklmnoprstuvwz")) })
    }
    self.random = random
  }

  /// A saved search as it is scanned: what was listed last comes first.
  static func search(_ number: Int) throws -> EbaySearch {
    try EbaySearch(
      .unitedStates, words: "search \(number)", sort: .newlyListed, limit: pageSize)
  }

  /// Fills an index, page after page.
  mutating func fill(_ index: ListingIndex, listings: Int, at now: Timestamp) throws {
    for page in 0..<listings / Self.pageSize {
      let search = try Self.search(page % Self.searches)
      _ = index.add(try self.page(page, now), of: search, seen: now)
    }
  }

  private mutating func page(_ number: Int, _ now: Timestamp) throws -> EbaySearchPage {
    var items: [String] = []
    for place in 0..<Self.pageSize {
      let id = 110_000_000_000 + number * Self.pageSize + place
      items.append(item("v1|\(id)|0", now))
    }
    return try EbaySearchPage(
      Array(#"{"total":200000,"itemSummaries":[\#(items.joined(separator: ","))]}"#.utf8))
  }

  private mutating func item(_ id: String, _ now: Timestamp) -> String {
    let family = random.int(0...Self.families - 1)
    var title = "\(words[family % 80]) \(words[80 + family % 2_900]) XM-\(100 + family)"
    for _ in 0..<random.int(0...4) { title += " " + random.pick(words) }
    if random.chance(20) { title += " für Zuhause" }
    let cents = 5_000 + family * 3 + random.int(0...2_999)
    let began = now.advanced(byMilliseconds: -random.int64(0...1_000_000_000))
    let end = now.advanced(byMilliseconds: random.int64(3_600_000...1_000_000_000))
    let ends = random.chance(40) ? #","itemEndDate":"\#(end)""# : ""
    return #"{"itemId":"\#(id)","title":"\#(title)","leafCategoryIds":["\#(9_000 + family % 40)"],"#
      + #""price":{"value":"\#(cents / 100).\#(cents % 100 / 10)0","currency":"USD"},"#
      + #""image":{"imageUrl":"https://i.example/images/\#(family).jpg"},"#
      + #""itemWebUrl":"https://www.ebay.com/itm/\#(family)","seller":{"username":"s","#
      + #""feedbackPercentage":"99.4","feedbackScore":\#(random.int(0...5_000))},"#
      + #""conditionId":"\#(random.pick([1_000, 3_000, 3_000, 4_000, 7_000]))","#
      + #""buyingOptions":["FIXED_PRICE"],"shippingOptions":[{"shippingCostType":"FIXED","#
      + #""shippingCost":{"value":"5.50","currency":"USD"}}],"itemOriginDate":"\#(began)"\#(ends)}"#
  }

  /// The parameters of a question, over all filters and orders.
  mutating func question() -> String {
    var items = [
      "sort=\(random.pick(["score", "price", "-price", "newest", "ending"]))",
      "limit=\(random.pick([20, 50, 200]))",
    ]
    if random.chance(40) {
      let rare = random.pick(words)
      items.append("q=\(random.pick([rare, "\(rare)%20xm", "xm", "zuhause", "xyzzy", "10"]))")
    }
    if random.chance(20) { items.append("category=\(random.int(9_000...9_040))") }
    if random.chance(20) { items.append("min_price=\(random.int(0...150))") }
    if random.chance(20) { items.append("max_price=\(random.int(150...400))") }
    if random.chance(20) {
      items.append("condition=\(random.pick(["new", "open_box", "refurbished", "used"]))")
    }
    if random.chance(20) { items.append("min_score=\(random.int(0...100))") }
    if random.chance(20) { items.append("confidence=\(random.pick(["low", "medium", "high"]))") }
    if random.chance(20) { items.append("ends_before=2030-01-01T00:00:00Z") }
    return items.joined(separator: "&")
  }
}
