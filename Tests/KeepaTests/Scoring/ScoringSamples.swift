import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookUpstreams

/// Bodies, days and tables that the tests of the score share.
enum Scoring {
  static let nonPeak = "2026-07-01"
  static let peak = "2026-11-27"

  static func day(_ text: String) throws -> CalendarDay { try #require(CalendarDay(text)) }

  static func json(_ text: String) throws -> JSONValue {
    try JSONDocument(Array(text.utf8)).root
  }

  static func figures(_ text: String) throws -> ProductFigures { ProductFigures(try json(text)) }

  static func tables(_ day: String = nonPeak) throws -> DayFees {
    try #require(
      try FeeTables.builtIn().tables(on: try Scoring.day(day), in: .unitedStates))
  }

  static func card(_ day: String = nonPeak) throws -> FulfilmentCard {
    try #require(try tables(day).fulfilment?.value)
  }

  static func rule(_ names: String...) throws -> ReferralRule {
    try #require(try tables().referral?.value.rule(for: names))
  }

  static func score(
    _ body: String, buy: Int64? = nil, inbound: Int64? = nil, day: String = nonPeak,
    configuration: ScoringConfiguration = ScoringConfiguration()
  ) throws -> ProductScore {
    ProductScore(
      product: try json(body), costs: try ProductCosts(buy: buy, inbound: inbound),
      tables: try FeeTables.builtIn(), day: try Scoring.day(day), configuration: configuration)
  }

  /// The array of `stats` with a few values in it.
  static func slots(_ values: [Int: Int64], count: Int = 36) -> String {
    "[" + (0..<count).map { String(values[$0] ?? -1) }.joined(separator: ",") + "]"
  }

  /// A product in the US: a large standard parcel of 11 oz, with 5 sellers whom Amazon fulfils and 40 rank drops.
  static func toy(
    price: Int64 = 2499, category: String = "Toys & Games", extra: String = "",
    stats: String = #""salesRankDrops30":40,"salesRankDrops90":100"#
  ) -> String {
    """
    {"asin":"B000000001","title":"A toy","domainId":1,
    "categoryTree":[{"catId":1,"name":"\(category)"},{"catId":2,"name":"No such"}],
    "packageLength":160,"packageWidth":120,"packageHeight":50,"packageWeight":311,\(extra)
    "stats":{"current":\(slots([1: 2599, 10: 2550, 18: price, 34: 5])),
    "avg90":\(slots([18: price])),\(stats)}}
    """
  }
}

/// Repeatable random numbers. Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014.
struct ScoringGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  mutating func int64(_ range: ClosedRange<Int64>) -> Int64 {
    Int64.random(in: range, using: &self)
  }
}
