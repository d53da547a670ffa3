import JSONText
import Keepa
import Testing
import TollbookEvents
import TollbookUpstreams

@Suite("the file of fees") struct FeeTablesTests {
  /// A small file that is right, in which one thing can be spoilt.
  private static let file = """
    {"version":1,"note":"n","marketplaces":[{"domain":1,"currency":"USD",
    "keepa_fee_holds_surcharge":{"value":true,"source":"s"},
    "surcharge":[{"from":"2026-01-01","until":"2026-03-31","rate":0,"source":"s"},
    {"from":"2026-04-01","rate":350,"source":"s"}],
    "closing":[{"from":"2026-01-01","fee":180,"categories":["media"],"source":"s"}],
    "referral":[{"from":"2026-01-01","default":"other","source":"s","categories":[
    {"category":"other","style":"flat","minimum":30,"bands":[{"rate":1500}],"names":["a"]},
    {"category":"media","style":"whole","minimum":0,
    "bands":[{"up_to":1000,"rate":800},{"rate":1500}],"names":["b"]}]}],
    "fulfilment":[{"from":"2026-01-01","until":"2026-12-31","name":"c","source":"s",
    "dimensional_divisor":139,"tiers":[
    {"name":"small","size":{"longest":1500,"median":1200,"shortest":75},"limit_oz":16,
    "limited_by":"unit","charged_by":"unit","prices_up_to":[999,null],
    "rows":[{"up_to_oz":2,"fees":[243,332]},{"fees":[249,342]}]},
    {"name":"large","charged_by":"shipping","minimum_side":200,"prices_up_to":[null],
    "rows":[{"fees":[678],"step":{"over_oz":16,"every_oz":16,"fee":38}}]}]}]}]}
    """

  private func error(_ text: String) -> FeeTableError? {
    do throws(FeeTableError) {
      _ = try FeeTables(json: Array(text.utf8))
      return nil
    } catch {
      return error
    }
  }

  @Test func `the file that is built in is right, and so is the small one`() throws {
    _ = try FeeTables.builtIn()
    #expect(error(Self.file) == nil)
  }

  @Test func `other marketplaces than the United States have no tables`() throws {
    let day = try Scoring.day(Scoring.nonPeak)
    for domain in KeepaDomain.allCases {
      let tables = try FeeTables.builtIn().tables(on: day, in: domain)
      #expect((tables != nil) == (domain == .unitedStates))
    }
  }

  @Test func `each table names its source`() throws {
    let tables = try Scoring.tables()
    let sources = [
      tables.referral?.value.source, tables.closing?.value.source, tables.surcharge?.value.source,
      tables.fulfilment?.value.source,
    ]
    for source in sources { #expect(source?.contains("(fee fact sheet, section") == true) }
  }

  private typealias Problem = FeeTableError.Problem

  private static let spoilt: [(String, String, String, Problem)] = [
    (
      #""from":"2026-04-01""#, #""from":"2026-04-02""#, "marketplaces[0].surcharge[1]",
      .hole("nothing holds from 2026-04-01 until 2026-04-02")
    ),
    (
      #""from":"2026-04-01""#, #""from":"2026-03-31""#, "marketplaces[0].surcharge[1]",
      .overlap("2026-03-31 to 2026-03-31 stand in two periods")
    ),
    (
      #""until":"2026-03-31","#, "", "marketplaces[0].surcharge[1]",
      .overlap("the period before it, from 2026-01-01, has no end")
    ),
    (
      #""until":"2026-12-31""#, #""until":"2025-12-31""#, "marketplaces[0].fulfilment[0]",
      .hole("it ends before it begins")
    ),
    (
      "2026-12-31", "2026-02-30", "marketplaces[0].fulfilment[0].until", .badDate("2026-02-30")
    ),
    (
      "[243,332]", "[243,-332]", "marketplaces[0].fulfilment[0].tiers[0].rows[0].fees[1]",
      .negative(-332)
    ),
    (
      "[243,332]", "[243]", "marketplaces[0].fulfilment[0].tiers[0].rows[0].fees",
      .count(1, expected: 2)
    ),
    (
      "[243,332]", "[243,3.5]", "marketplaces[0].fulfilment[0].tiers[0].rows[0].fees[1]",
      .isNot("a whole number", found: .number)
    ),
    (
      #""style":"whole""#, #""style":"stepped""#,
      "marketplaces[0].referral[0].categories[1].style",
      .unknownWord("stepped", allowed: ["flat", "whole", "marginal"])
    ),
    (
      #""style":"whole""#, #""style":"flat""#, "marketplaces[0].referral[0].categories[1].bands",
      .count(2, expected: 1)
    ),
    (
      #"{"rate":1500}],"names":["b"]"#, #"{"up_to":2000,"rate":1500}],"names":["b"]"#,
      "marketplaces[0].referral[0].categories[1].bands", .hole("prices above 2000 have no fee")
    ),
    (
      #"{"rate":1500}],"names":["b"]"#, #"{"up_to":1000,"rate":1500},{"rate":1}],"names":["b"]"#,
      "marketplaces[0].referral[0].categories[1].bands[1]", .notRising
    ),
    (
      #"{"fees":[249,342]}"#, #"{"up_to_oz":16,"fees":[249,342]}"#,
      "marketplaces[0].fulfilment[0].tiers[0].rows", .hole("weights above 16 have no fee")
    ),
    (
      #"{"name":"large","#, #"{"name":"large","limit_oz":160,"limited_by":"unit","#,
      "marketplaces[0].fulfilment[0].tiers", .hole("parcels larger than “large” have no tier")
    ),
    (
      #""names":["b"]"#, #""names":["A"]"#, "marketplaces[0].referral[0].categories[1].names[0]",
      .twice("a")
    ),
    (
      #"["media"]"#, #"["toys"]"#, "marketplaces[0].closing",
      .unknown("there is no category “toys”")
    ),
    (
      #""default":"other""#, #""default":"rest""#, "marketplaces[0].referral[0].default",
      .unknown("there is no category “rest”")
    ),
    (
      #""rate":350"#, #""rate":10001"#, "marketplaces[0].surcharge[1].rate",
      .outside(0...10_000, 10_001)
    ),
    (#""rate":350,"source":"s""#, #""rate":350"#, "marketplaces[0].surcharge[1].source", .missing),
    (#""note":"n""#, #""remark":"n""#, "", .unknownName("remark")),
    (#""note":"n""#, #""note":"n","note":"m""#, "", .twice("note")),
    (
      #""domain":1,"#, #""domain":7,"#, "marketplaces[0].domain",
      .unknown("Keepa knows no marketplace 7")
    ),
    (
      #""currency":"USD""#, #""currency":"EUR""#, "marketplaces[0].currency",
      .unknownWord("EUR", allowed: ["USD"])
    ),
    (#""version":1"#, #""version":2"#, "version", .outside(1...1, 2)),
    (
      #""charged_by":"unit""#, #""charged_by":"volume""#,
      "marketplaces[0].fulfilment[0].tiers[0].charged_by",
      .unknownWord("volume", allowed: ["unit", "shipping"])
    ),
  ]

  @Test(arguments: spoilt.indices)
  func `whatever is wrong is named, with its place`(index: Int) throws {
    let (old, new, place, problem) = Self.spoilt[index]
    let at = try #require(Self.file.firstRange(of: old))
    let found = error(Self.file.replacingCharacters(in: at, with: new))
    #expect(found?.place == place)
    #expect(found?.problem == problem)
  }

  @Test(arguments: 0..<20 as Range<UInt64>)
  func `a file with other digits is refused, or its fees never make a payout above the price`(
    seed: UInt64
  ) throws {
    var random = ScoringGenerator(seed: seed)
    let parcel = try #require(PackageSize(300, 200, 100, grams: 2_000))
    for _ in 0..<50 {
      var text = Array(Self.file.utf8)
      for place in text.indices where UInt8(ascii: "0")...UInt8(ascii: "9") ~= text[place] {
        guard random.int64(0...30) == 0 else { continue }
        text[place] = UInt8(ascii: "0") + UInt8(random.int64(0...9))
      }
      guard let tables = try? FeeTables(json: text),
        let day = tables.tables(on: try Scoring.day(Scoring.nonPeak), in: .unitedStates)
      else { continue }
      let schedule = FeeSchedule(
        referral: day.referral?.value.rule(for: ["b"]),
        fulfilment: day.fulfilment?.value.fees(for: parcel), surcharge: day.surcharge?.value.rate,
        closing: day.closing?.value.fee ?? 0)
      for price in [1, 999, 1_000, 1_001, Int64.max] {
        if let payout = schedule.payout(at: price) { #expect(payout <= price) }
      }
    }
  }

  @Test func `a text that is no file of fees is refused`() {
    #expect(error("{")?.description.hasPrefix("the text: not JSON at byte 1") == true)
    #expect(error("[]")?.description == "the text: this must be an object, not an array")
    #expect(
      error(#"{"version":1,"marketplaces":[]}"#)?.description == "marketplaces: this is empty")
  }
}

extension String {
  fileprivate func replacingCharacters(in range: Range<Index>, with text: String) -> String {
    String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
  }
}
