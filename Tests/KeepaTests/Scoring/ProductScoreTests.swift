import JSONText
import Keepa
import Testing
import TollbookEvents

@Suite("the score of a product") struct ProductScoreTests {
  @Test func `the fact sheet's toy, to the cent`() throws {
    let score = try Scoring.score(Scoring.toy(), buy: 950, inbound: 60)
    #expect(score.asin?.description == "B000000001")
    #expect(score.title == "A toy")
    #expect(score.price == 2_499)
    #expect(score.priceKind == .buyBox)
    #expect(score.fees == FeeBreakdown(referral: 375, fulfilment: 420, surcharge: 15, closing: 0))
    #expect(score.payout == 1_689)
    #expect(score.profit == 679)
    #expect(score.roi == 672)
    #expect(score.margin == 272)
    #expect(score.maxCost == 1_299)
    // 17.00 x 0.85 - 4.35 is 10.10.
    #expect(score.breakEven == 1_700)
    #expect(score.monthlyUnits == 40)
    #expect(score.velocityBand == .medium)
    // 81 x 45 + 50 x 30 + 81 x 15 + 100 x 10, by 100.
    #expect(score.score == 74)
    #expect(
      score.estimated == [
        "monthly_units:sales_rank_drops_30", "referral:table.everything_else",
        "fulfilment:size_tier.large_standard", "surcharge:table",
      ])
  }

  @Test func `in the peak the same toy pays more`() throws {
    let score = try Scoring.score(Scoring.toy(), buy: 950, inbound: 60, day: Scoring.peak)
    #expect(score.fees == FeeBreakdown(referral: 375, fulfilment: 448, surcharge: 16, closing: 0))
    #expect(score.profit == 650)
  }

  @Test func `after the last card the tables are called outdated`() throws {
    let score = try Scoring.score(Scoring.toy(), buy: 950, day: "2027-01-15")
    #expect(score.estimated.contains("tables:outdated"))
    #expect(try !Scoring.score(Scoring.toy(), buy: 950).estimated.contains("tables:outdated"))
  }

  // MARK: - Price

  @Test func `the buy box goes before the lowest offer of FBA, that before the lowest new one`()
    throws
  {
    func price(_ slots: [Int: Int64], more: String = "") throws -> (Int64?, PriceChoice.Kind?) {
      let body = #"{"domainId":1,"stats":{"current":\#(Scoring.slots(slots))\#(more)}}"#
      let score = try Scoring.score(body)
      return (score.price, score.priceKind)
    }
    #expect(try price([1: 100, 10: 200, 18: 300]) == (300, .buyBox))
    #expect(try price([1: 100, 10: 200]) == (200, .fba))
    #expect(try price([1: 100]) == (100, .new))
    #expect(try price([1: 100, 18: 0]) == (100, .new))
    #expect(try price([0: 100]) == (nil, nil))
    #expect(
      try price([1: 100], more: #","buyBoxPrice":250,"buyBoxShipping":49"#) == (299, .buyBox))
    #expect(try price([1: 100], more: #","buyBoxPrice":-2,"buyBoxShipping":-2"#) == (100, .new))
  }

  @Test func `without a price nothing is reckoned but the velocity`() throws {
    let score = try Scoring.score(
      #"{"asin":"B000000001","domainId":1,"monthlySold":50,"stats":{"current":[-1,-1]}}"#, buy: 100)
    #expect(score.price == nil)
    #expect(score.priceKind == nil)
    #expect(score.fees == nil)
    #expect(score.payout == nil)
    #expect(score.profit == nil)
    #expect(score.roi == nil)
    #expect(score.margin == nil)
    #expect(score.breakEven == nil)
    #expect(score.maxCost == nil)
    #expect(score.score == nil)
    #expect(score.monthlyUnits == 50)
    #expect(score.estimated.isEmpty)
  }

  @Test func `the average of 90 days counts only if asked for, and only where it is lower`() throws
  {
    let body = #"""
      {"domainId":1,"stats":{"current":\#(Scoring.slots([18: 3_000])),
      "avg90":\#(Scoring.slots([18: 2_000]))}}
      """#
    var settings = ScoringConfiguration()
    #expect(try Scoring.score(body, configuration: settings).price == 3_000)
    settings.isCautious = true
    let cautious = try Scoring.score(body, configuration: settings)
    #expect(cautious.price == 2_000)
    #expect(cautious.estimated.contains("price:average_90_days"))
    let toy = try Scoring.score(Scoring.toy(), configuration: settings)
    #expect(!toy.estimated.contains("price:average_90_days"))
  }

  // MARK: - Cost

  @Test func `an unknown cost is a share of the price, and named`() throws {
    let guessed = try Scoring.score(Scoring.toy(price: 2_501))
    #expect(guessed.profit == Int64((2_501 - 375 - 420 - 15) - 1_251))
    #expect(guessed.estimated.contains("buy:ratio"))
    var settings = ScoringConfiguration()
    settings.buyRatio = nil
    let unknown = try Scoring.score(Scoring.toy(), configuration: settings)
    #expect(unknown.payout == 1_689)
    #expect(unknown.maxCost == 1_299)
    #expect(unknown.profit == nil)
    #expect(unknown.roi == nil)
    #expect(unknown.margin == nil)
    #expect(unknown.breakEven == nil)
    #expect(unknown.score == nil)
    #expect(!unknown.estimated.contains("buy:ratio"))
    #expect(try !Scoring.score(Scoring.toy(), buy: 1).estimated.contains("buy:ratio"))
  }

  @Test func `a cost of 0 has a profit and a margin but no return`() throws {
    let score = try Scoring.score(Scoring.toy(), buy: 0)
    #expect(score.profit == 1_689)
    #expect(score.margin == 676)
    #expect(score.roi == nil)
    #expect(score.score == nil)
  }

  @Test(arguments: [
    (Int64(-1), Int64?.none, Int64?.none, "buy"), (1, -1, nil, "inbound"), (1, 1, .max, "prep"),
    (.max, nil, nil, "buy"),
  ])
  func `costs that cannot be are refused by name`(
    buy: Int64, inbound: Int64?, prep: Int64?, name: String
  ) {
    let error = #expect(throws: ProductCostError.self) {
      try ProductCosts(buy: buy, inbound: inbound, prep: prep)
    }
    #expect(error?.name == name)
  }

  @Test func `percentages are rounded to the nearest tenth, halves away from zero`() throws {
    // 2000 x 0.85 - 435 is 1265.
    let body = Scoring.toy(price: 2_000)
    #expect(try Scoring.score(body, buy: 1_265).roi == 0)
    // 65 of 1200 is 5.4166 %.
    #expect(try Scoring.score(body, buy: 1_200).roi == 54)
    // -735 of 2000 is -36.75 %.
    #expect(try Scoring.score(body, buy: 2_000).roi == -368)
    #expect(try Scoring.score(body, buy: 2_000).margin == -368)
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `the return is null exactly when the cost is 0 or unknown`(seed: UInt64) throws {
    var random = ScoringGenerator(seed: seed)
    var settings = ScoringConfiguration()
    settings.buyRatio = nil
    for _ in 0..<20 {
      let price = random.int64(1...1_000_000)
      let buy: Int64? = [nil, 0, random.int64(1...100_000), MoneyBounds.maximum][
        Int(random.int64(0...3))]
      let score = try Scoring.score(Scoring.toy(price: price), buy: buy, configuration: settings)
      #expect((score.roi == nil) == (buy == nil || buy == 0))
      let payout = try #require(score.payout)
      let total = try #require(score.fees?.total)
      #expect(payout == price - total)
      #expect(score.profit == buy.map { payout - $0 })
      if let points = score.score { #expect(0...100 ~= points) }
    }
  }

  // MARK: - Score

  @Test func `a loss has no points for its return, and a better one more`() throws {
    let scores = try [Int64(3_000), 1_689, 1_500, 1_200, 900, 500].map {
      try #require(try Scoring.score(Scoring.toy(), buy: $0).score)
    }
    #expect(scores == scores.sorted())
    #expect(scores[0] == scores[1])
    // 50 x 30 + 81 x 15 + 100 x 10, by 100.
    #expect(scores[0] == 37)
    #expect(scores[5] == 82)
  }

  @Test
  func `Amazon as a seller halves the points for competition, with the buy box it takes them`()
    throws
  {
    func score(_ slots: [Int: Int64], more: String = "") throws -> Int? {
      let all = slots.merging([18: 2_000, 34: 2]) { $1 }
      return try Scoring.score(
        Scoring.toy(extra: "", stats: #""salesRankDrops30":40"#)
          .replacing(
            Scoring.slots([1: 2_599, 10: 2_550, 18: 2_499, 34: 5]), with: Scoring.slots(all)
          )
          .replacing(Scoring.slots([18: 2_499]), with: Scoring.slots([18: 2_000]))
          .replacing(#""salesRankDrops30":40"#, with: #""salesRankDrops30":40\#(more)"#),
        buy: 1_265
      ).score
    }
    // 50 x 30 + points x 15 + 100 x 10, by 100.
    #expect(try score([:]) == 40)
    #expect(try score([0: 2_100]) == 33)
    #expect(try score([0: 2_100], more: #","buyBoxIsAmazon":true"#) == 25)
  }

  @Test func `what is not known has no weight, and is named`() throws {
    let body =
      #"{"domainId":1,"monthlySold":300,"referralFeePercentage":10.0,"#
      + #""fbaFees":{"lastUpdate":8047688,"pickAndPackFee":300},"stats":{"current":[-1,2000]}}"#
    let score = try Scoring.score(body, buy: 750)
    #expect(score.roi == 1_000)
    // 100 x 45 + 85 x 30, by 75.
    #expect(score.score == 94)
    #expect(score.estimated == ["score:without_competition", "score:without_stability"])
    let offers = try Scoring.score(
      body.replacing("[-1,2000]", with: Scoring.slots([1: 2_000, 11: 10])), buy: 750)
    #expect(offers.score == 87)
    #expect(offers.estimated == ["competition:all_new_offers", "score:without_stability"])
  }

  @Test func `without units there is no score`() throws {
    let score = try Scoring.score(Scoring.toy(stats: #""x":1"#), buy: 950)
    #expect(score.roi != nil)
    #expect(score.score == nil)
    #expect(!score.estimated.contains { $0.hasPrefix("score") })
  }

  // MARK: - Other marketplaces

  @Test func `elsewhere fulfilment cannot be estimated`() throws {
    let body = Scoring.toy(extra: #""referralFeePercentage":15.3,"#)
      .replacing(#""domainId":1"#, with: #""domainId":3"#)
    let score = try Scoring.score(body, buy: 950)
    #expect(score.fees?.referral == 382)
    #expect(score.fees?.fulfilment == nil)
    #expect(score.payout == nil)
    #expect(score.profit == nil)
    #expect(score.score == nil)
  }

  @Test func `elsewhere Keepa's own fees are enough, also in yen`() throws {
    let extra = #""referralFeePercentage":10.0,"fbaFees":{"pickAndPackFee":434},"#
    let body = Scoring.toy(price: 3_980, extra: extra)
      .replacing(#""domainId":1"#, with: #""domainId":5"#)
    let score = try Scoring.score(body, buy: 2_000)
    #expect(score.domain == .japan)
    #expect(score.fees == FeeBreakdown(referral: 398, fulfilment: 434, surcharge: 0, closing: 0))
    #expect(score.profit == Int64(3_980 - 832 - 2_000))
  }

  @Test(arguments: ["7", "0", "\"1\"", "null", "99"])
  func `an unknown marketplace has no tables`(domain: String) throws {
    let body = Scoring.toy().replacing(#""domainId":1"#, with: #""domainId":\#(domain)"#)
    let score = try Scoring.score(body, buy: 950)
    #expect(score.domain == nil)
    #expect(score.price == 2_499)
    #expect(score.payout == nil)
  }

  // MARK: - Hostile bodies

  @Test(arguments: [
    "null", "[]", "1", #""text""#, "{}", #"{"domainId":1}"#,
    #"{"domainId":1,"stats":[],"csv":{},"fbaFees":[],"categoryTree":{}}"#,
    #"{"domainId":1,"stats":{"current":{},"avg90":"x"},"title":5,"asin":["B000000001"]}"#,
    #"{"domainId":1.0,"stats":{"current":["100",2.5,null,true]}}"#,
    #"{"domainId":1,"categoryTree":[1,null,{"name":2}]}"#,
    #"{"stats":{"current":[9223372036854775807,9223372036854775807]}}"#,
    #"{"stats":{"buyBoxPrice":9223372036854775807,"buyBoxShipping":9223372036854775807}}"#,
  ])
  func `a body of another shape is a product of which nothing is known`(body: String) throws {
    let score = try Scoring.score(body, buy: 100)
    #expect(score.price == nil)
    #expect(score.score == nil)
    #expect(score.monthlyUnits == nil)
  }

  @Test func `figures of another kind count as unknown, and the tables step in`() throws {
    let extra = #"""
      "referralFeePercentage":"15","fbaFees":{"lastUpdate":"8047688","pickAndPackFee":435.0},
      "variableClosingFee":"180","monthlySold":300.0,
      """#
    let score = try Scoring.score(Scoring.toy(extra: extra), buy: 950, inbound: 60)
    #expect(score.profit == 679)
    #expect(score.monthlyUnits == 40)
  }

  @Test(arguments: ["1e300", "-5", "0", "100.01", "1e-9", "9223372036854775807"])
  func `a rate that cannot be is none`(rate: String) throws {
    let score = try Scoring.score(Scoring.toy(extra: #""referralFeePercentage":\#(rate),"#))
    #expect(score.fees?.referral == 375)
    #expect(score.estimated.contains("referral:table.everything_else"))
  }

  @Test(arguments: [
    Int64.max, .min, MoneyBounds.maximumPrice, MoneyBounds.maximumPrice + 1, -1, -2, 0, 1,
  ])
  func `nonsense everywhere overflows nothing`(number: Int64) throws {
    let body = #"""
      {"asin":"B000000001","domainId":1,"monthlySold":\#(number),"variableClosingFee":\#(number),
      "referralFeePercentage":\#(number),"fbaFees":{"lastUpdate":\#(number),
      "pickAndPackFee":\#(number)},"packageLength":\#(number),"packageWidth":\#(number),
      "packageHeight":\#(number),"packageWeight":\#(number),"stats":{
      "current":\#(Scoring.slots(Dictionary(uniqueKeysWithValues: (0..<36).map { ($0, number) }))),
      "avg30":\#(Scoring.slots([3: number])),"avg90":\#(Scoring.slots([3: number, 18: number])),
      "salesRankDrops30":\#(number),"salesRankDrops90":\#(number),"offerCountFBA":\#(number)}}
      """#
    for buy in [nil, 0, 1, MoneyBounds.maximum] {
      let score = try Scoring.score(body, buy: buy, inbound: MoneyBounds.maximum)
      #expect((score.price != nil) == (1...MoneyBounds.maximumPrice ~= number))
      if let price = score.price, let payout = score.payout { #expect(payout <= price) }
      var json = JSONWriter()
      json.value(score)
      #expect(throws: Never.self) { try JSONDocument(json.bytes) }
    }
  }

  @Test func `short arrays and no stats at all are read as far as they go`() throws {
    let short = #"{"domainId":1,"stats":{"current":\#(Scoring.slots([18: 900], count: 19))}}"#
    #expect(try Scoring.score(short).price == 900)
    let history = #"{"domainId":1,"csv":[null,[1,500,2,700]]}"#
    let score = try Scoring.score(history)
    #expect(score.price == 700)
    #expect(score.priceKind == .new)
  }

  @Test func `a score as JSON has percent with a decimal and null for what is unknown`() throws {
    var json = JSONWriter()
    json.value(try Scoring.score(Scoring.toy(), buy: 950, inbound: 60))
    #expect(
      json.string == #"{"asin":"B000000001","title":"A toy","currency":"USD","price":2499,"#
        + #""price_kind":"buy_box","fees":{"referral":375,"fulfilment":420,"surcharge":15,"#
        + #""closing":0,"total":810},"payout":1689,"profit":679,"roi":67.2,"margin":27.2,"#
        + #""break_even_price":1700,"max_cost":1299,"velocity_band":"medium","monthly_units":40,"#
        + #""monthly_units_at_least":false,"trend":"rising","score":74,"#
        + #""estimated":["monthly_units:sales_rank_drops_30","referral:table.everything_else","#
        + #""fulfilment:size_tier.large_standard","surcharge:table"]}"#)
    var empty = JSONWriter()
    empty.value(try Scoring.score("{}"))
    #expect(empty.string.contains(#""fees":null,"payout":null"#))
    #expect(empty.string.hasSuffix(#""score":null,"estimated":[]}"#))
  }
}
