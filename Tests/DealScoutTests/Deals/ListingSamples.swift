import JSONText
import Testing
import TollbookEvents
import TollbookTestSupport

@testable import DealScout

/// Invented listings of a small market, in which much is equal and some of it unknown.
enum ListingSamples {
  static let now = Timestamp(milliseconds: 1_795_000_000_000)
  private static let titles = [
    "Sonora WH-1000 headphones", "sonora WH1000 HEADPHONES boxed", "Kamera Optik R6 body",
    "Caf\u{E9} mill Brava 3", "Cafe\u{301} mill Brava 3", "cafe mill Brava 3 stra\u{DF}e",
    "Trident 75192 falcon", "\u{130}stanbul lamp 7", "lamp lamp lamp", "falcon kit",
  ]
  /// What is looked for: parts of titles, and what only seems to be one.
  static let words = [
    "sonora", "wh", "caf\u{E9}", "cafe\u{301}", "cafe", "e", "lamp", "\u{301}", "stra\u{DF}e",
    "i", "i\u{307}", "75192", "zx", "mill",
  ]
  static let categories = ["9355", "15052", "625"]
  static let conditions = [1_000, 1_500, 3_000, 3_000, 3_000, 4_000, 4_000, 7_000, 9_999]

  /// - Parameter number: of the listing.
  static func listing(
    _ number: Int, seen: Timestamp = now, _ random: inout SeededGenerator
  ) throws -> SeenListing {
    let cents = random.int(0...12) * 50 + random.pick([4_000, 9_000])
    var changes: [String: String?] = [
      "itemId": "\"v1|\(random.chance(50) ? number : 1_000_000 - number)|\(number)\"",
      "title": "\"\(random.pick(random.chance(50) ? Array(titles.prefix(2)) : titles))\"",
      "price": EbaySamples.money("\(cents / 100).\(cents % 100 / 10)0"),
      "leafCategoryIds": "[\"\(random.chance(70) ? categories[0] : random.pick(categories))\"]",
      "conditionId": "\"\(random.pick(conditions))\"",
      "itemOriginDate": random.chance(70) ? "\"2026-11-0\(random.int(1...4))T08:15:00Z\"" : nil,
      "itemCreationDate": nil,
      "itemEndDate": random.chance(40)
        ? "\"\(now.advanced(byMilliseconds: Int64(random.int(1...9)) * 1_200_000))\"" : nil,
      "seller": "{\"username\":\"s\",\"feedbackPercentage\":\"99.\(random.int(0...9))\","
        + "\"feedbackScore\":\(random.int(0...90))}",
    ]
    if random.chance(10) { changes["epid"] = "\"77\"" }
    if random.chance(10) { changes["buyingOptions"] = #"["AUCTION"]"# }
    if random.chance(20) { changes["shippingOptions"] = .some(nil) }
    return try #require(
      SeenListing(EbaySamples.read(changes), on: .unitedStates, seen: seen))
  }
}
