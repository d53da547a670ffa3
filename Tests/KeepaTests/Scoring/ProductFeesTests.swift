import Keepa
import Testing

@Suite("Keepa's own fees before the tables") struct ProductFeesTests {
  private func fees(
    _ extra: String = "", category: String = "Toys & Games", price: Int64 = 2_499,
    day: String = Scoring.nonPeak
  ) throws -> (FeeBreakdown, [String], FeeSchedule) {
    let body = Scoring.toy(price: price, category: category, extra: extra)
    let fees = ProductFees(
      try Scoring.figures(body), price: price, tables: try Scoring.tables(day))
    return (fees.schedule.fees(at: price), fees.estimated.map(\.description), fees.schedule)
  }

  @Test func `without Keepa's figures every fee is from a table, and says so`() throws {
    let (fees, estimated, _) = try fees()
    #expect(fees == FeeBreakdown(referral: 375, fulfilment: 420, surcharge: 15, closing: 0))
    #expect(
      estimated == [
        "referral:table.everything_else", "fulfilment:size_tier.large_standard", "surcharge:table",
      ])
  }

  @Test func `Keepa's rate goes before the table`() throws {
    let (fees, estimated, schedule) = try fees(#""referralFeePercentage":12.5,"#)
    #expect(fees.referral == 312)
    #expect(!estimated.contains { $0.hasPrefix("referral") })
    #expect(schedule.fees(at: 10_000).referral == 1_250)
    #expect(try self.fees(#""referralFeePercent":8,"#).0.referral == 200)
    #expect(
      try self.fees(#""referralFeePercentage":10.01,"referralFeePercent":8,"#).0.referral == 250)
  }

  @Test func `the least fee comes from the table, and says so`() throws {
    let (fees, estimated, _) = try fees(#""referralFeePercentage":15.0,"#, price: 150)
    #expect(fees.referral == 30)
    #expect(estimated.contains("referral:minimum_fee"))
    let (book, names, _) = try self.fees(
      #""referralFeePercentage":15.0,"#, category: "Books", price: 150)
    #expect(book.referral == 23)
    #expect(!names.contains("referral:minimum_fee"))
  }

  @Test func `the table's steps count where Keepa's rate confirms the category`() throws {
    // 57.50 of 400.00 is 14.375 %.
    let (fees, estimated, schedule) = try fees(
      #""referralFeePercentage":14.38,"#, category: "Jewelry", price: 40_000)
    #expect(fees.referral == 5_750)
    #expect(estimated.contains("break_even:steps.jewelry"))
    #expect(!estimated.contains { $0.hasPrefix("referral") })
    #expect(schedule.fees(at: 20_000).referral == 4_000)
    // The rate of another step: Keepa's last price was lower.
    let (late, names, _) = try self.fees(
      #""referralFeePercentage":5.0,"#, category: "Clothing", price: 1_501)
    #expect(late.referral == 150)
    #expect(names.contains("referral:steps.clothing"))
  }

  @Test func `a rate that the table does not have is flat`() throws {
    let (fees, estimated, schedule) = try fees(
      #""referralFeePercentage":12.0,"#, category: "Clothing", price: 1_501)
    #expect(fees.referral == 180)
    #expect(schedule.fees(at: 2_500).referral == 300)
    #expect(!estimated.contains { $0.contains("clothing") })
  }

  // The Keepa minute 8047688 is on 20 April 2026, after the surcharge began; 8000000 is on 18 March.
  @Test func `Keepa's fulfilment fee has the surcharge in it, unless it is older than that`() throws
  {
    let (fees, estimated, _) = try fees(#""fbaFees":{"lastUpdate":8047688,"pickAndPackFee":435},"#)
    #expect(fees.fulfilment == 435)
    #expect(fees.surcharge == 0)
    #expect(!estimated.contains { $0.hasPrefix("fulfilment") || $0.hasPrefix("surcharge") })
    let (old, names, _) = try self.fees(#""fbaFees":{"lastUpdate":8000000,"pickAndPackFee":420},"#)
    #expect(old.fulfilment == 420)
    #expect(old.surcharge == 15)
    #expect(names.contains("surcharge:table"))
    #expect(try self.fees(#""fbaFees":{"pickAndPackFee":420},"#).0.surcharge == 15)
  }

  @Test func `Keepa's fulfilment fee of an earlier card is named`() throws {
    let extra = #""fbaFees":{"lastUpdate":8047688,"pickAndPackFee":435},"#
    #expect(try fees(extra, day: Scoring.peak).1.contains("fulfilment:keepa_earlier_card"))
    #expect(try fees(extra, day: Scoring.peak).0.fulfilment == 435)
    #expect(try !fees(extra).1.contains("fulfilment:keepa_earlier_card"))
  }

  @Test func `at other prices Keepa's fulfilment fee takes the card's steps`() throws {
    let (_, _, old) = try fees(#""fbaFees":{"lastUpdate":8000000,"pickAndPackFee":500},"#)
    #expect(old.fees(at: 999).fulfilment == Int64(500 - (420 - 338)))
    #expect(old.fees(at: 1_000).fulfilment == 500)
    #expect(old.fees(at: 5_001).fulfilment == Int64(500 + (446 - 420)))
    // With the surcharge inside, the steps have it too: 4.20 and 0.15, 3.38 and 0.12.
    let (_, _, new) = try fees(#""fbaFees":{"lastUpdate":8047688,"pickAndPackFee":435},"#)
    #expect(new.fees(at: 999).total == Int64(150 + 435 - (435 - 350)))
  }

  @Test func `media pays a closing fee, Keepa's before ours`() throws {
    for category in ["Books", "Movies & TV", "CDs & Vinyl", "Software", "Video Games", "Consoles"] {
      let (fees, estimated, _) = try fees(category: category)
      #expect(fees.closing == 180)
      #expect(estimated.contains("closing:table"))
    }
    let (own, estimated, _) = try fees(#""variableClosingFee":135,"#, category: "Books")
    #expect(own.closing == 135)
    #expect(!estimated.contains("closing:table"))
    #expect(try fees(#""variableClosingFee":0,"#, category: "Books").0.closing == 0)
    #expect(try fees(#""variableClosingFee":null,"#, category: "Books").0.closing == 180)
    #expect(try fees(#""variableClosingFee":-1,"#, category: "Books").0.closing == 180)
  }

  @Test func `without a size or a weight fulfilment is unknown`() throws {
    let body = #"{"domainId":1,"packageLength":10,"packageWidth":10,"packageHeight":10}"#
    let fees = ProductFees(
      try Scoring.figures(body), price: 1_000, tables: try Scoring.tables())
    #expect(fees.schedule.fees(at: 1_000).fulfilment == nil)
    #expect(fees.schedule.fees(at: 1_000).surcharge == nil)
    #expect(fees.schedule.fees(at: 1_000).referral == 150)
    #expect(fees.estimated.map(\.description) == ["referral:table.everything_else"])
  }

  @Test func `without tables only Keepa's figures count`() throws {
    let bare = ProductFees(try Scoring.figures(Scoring.toy()), price: 2_499, tables: nil)
    #expect(
      bare.schedule.fees(at: 2_499)
        == FeeBreakdown(referral: nil, fulfilment: nil, surcharge: nil, closing: 0))
    #expect(bare.estimated.isEmpty)
    let extra = #""referralFeePercentage":15.3,"fbaFees":{"pickAndPackFee":310},"#
    let told = ProductFees(
      try Scoring.figures(Scoring.toy(extra: extra)), price: 2_000, tables: nil)
    #expect(
      told.schedule.fees(at: 2_000)
        == FeeBreakdown(referral: 306, fulfilment: 310, surcharge: 0, closing: 0))
  }
}
