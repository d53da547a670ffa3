import Keepa
import Testing

@Suite("fees at every price") struct FeeScheduleTests {
  private func schedule(
    _ category: String, closing: Int64 = 0
  ) throws -> FeeSchedule {
    let parcel = try #require(PackageSize(160, 120, 50, grams: 311))
    return FeeSchedule(
      referral: try Scoring.rule(category), fulfilment: try Scoring.card().fees(for: parcel),
      surcharge: FeeRate(hundredths: 350), closing: closing)
  }

  @Test func `the fact sheet's toy pays out 16.89`() throws {
    let schedule = try schedule("Toys & Games")
    #expect(
      schedule.fees(at: 2_499)
        == FeeBreakdown(referral: 375, fulfilment: 420, surcharge: 15, closing: 0))
    #expect(schedule.payout(at: 2_499) == 1_689)
    #expect(schedule.maxCost(at: 2_499, targetROI: 300) == 1_299)
  }

  @Test func `the fact sheet's book has 15.19 left before fulfilment`() throws {
    let book = FeeSchedule(
      referral: try Scoring.rule("Books"), fulfilment: PricedFees(always: 0),
      surcharge: FeeRate(hundredths: 350), closing: 180)
    #expect(book.payout(at: 1_999) == 1_519)
  }

  @Test func `a price that breaks even is found on both sides of a jump`() throws {
    let clothing = try schedule("Clothing")
    // At $15.00 the rate is 5 %, above it 10 %: 15.00 - 0.75 - 4.20 - 0.15 is 9.90.
    #expect(clothing.payout(at: 1_500) == 990)
    #expect(clothing.breakEven(cost: 990) == 1_500)
    let after = try #require(clothing.breakEven(cost: 991))
    #expect(after > 1_500)
    #expect(clothing.payout(at: after) == 991)
    // A lawn mower above $500 has the lower rate: the payout jumps over some costs.
    let mower = try schedule("Lawn Mowers")
    let before = try #require(mower.payout(at: 50_000))
    #expect(mower.breakEven(cost: before + 1) == 50_001)
    #expect(try #require(mower.payout(at: 50_001)) > before + 1)
  }

  @Test func `what no price can pay has no break-even price`() throws {
    let all = FeeSchedule(
      referral: ReferralRule(
        flat: try #require(FeeRate(hundredths: 10_000)), minimum: 0, category: "all"),
      fulfilment: PricedFees(always: 0), surcharge: FeeRate.zero, closing: 0)
    #expect(all.breakEven(cost: 0) == 1)
    #expect(all.breakEven(cost: 1) == nil)
    #expect(try schedule("Toys & Games").breakEven(cost: .max) == nil)
  }

  @Test func `a fee that is unknown makes everything that rests on it unknown`() throws {
    let open = FeeSchedule(
      referral: try Scoring.rule("Books"), fulfilment: nil, surcharge: .zero, closing: 180)
    #expect(open.fees(at: 1_000).referral == 150)
    #expect(open.fees(at: 1_000).total == nil)
    #expect(open.payout(at: 1_000) == nil)
    #expect(open.breakEven(cost: 1) == nil)
    #expect(open.maxCost(at: 1_000, targetROI: 300) == nil)
  }

  @Test func `the most it may cost reaches the target, and a cent more does not`() throws {
    let schedule = try schedule("Toys & Games")
    var random = ScoringGenerator(seed: 7)
    for _ in 0..<500 {
      let price = random.int64(800...100_000)
      let target = random.int64(0...3_000)
      guard let payout = schedule.payout(at: price), payout > 0 else { continue }
      let most = try #require(schedule.maxCost(at: price, targetROI: target))
      #expect((payout - most) * 1_000 >= target * most)
      #expect((payout - most - 1) * 1_000 < target * (most + 1))
    }
    #expect(schedule.maxCost(at: 100, targetROI: 300) == nil)
    #expect(schedule.maxCost(at: 2_499, targetROI: -1_000) == nil)
  }

  // MARK: - Laws

  private static let categories = [
    "Toys & Games", "Clothing", "Jewelry", "Lawn Mowers", "Grocery & Gourmet Food", "Watches",
    "Amazon Device Accessories", "Books",
  ]

  /// A schedule of a random category, parcel and card.
  private func schedule(_ random: inout ScoringGenerator) throws -> FeeSchedule {
    let parcel = try #require(
      PackageSize(
        random.int64(1...1_500), random.int64(1...800), random.int64(1...500),
        grams: random.int64(1...90_000)))
    let day = random.int64(0...1) == 0 ? Scoring.nonPeak : Scoring.peak
    let category = Self.categories[Int(random.int64(0...Int64(Self.categories.count - 1)))]
    return FeeSchedule(
      referral: try Scoring.rule(category), fulfilment: try Scoring.card(day).fees(for: parcel),
      surcharge: FeeRate(hundredths: random.int64(0...1_000)), closing: random.int64(0...200))
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `fees add up, and the payout is never above the price`(seed: UInt64) throws {
    var random = ScoringGenerator(seed: seed)
    let schedule = try schedule(&random)
    let immense: [Int64] = [0, 1, -1, .max, .max - 1, MoneyBounds.maximumPrice]
    for price in immense + (0..<200).map({ _ in random.int64(1...200_000) }) {
      let fees = schedule.fees(at: price)
      let parts = [fees.referral, fees.fulfilment, fees.surcharge, fees.closing].compactMap(\.self)
      #expect(parts.count == 4)
      #expect(parts.allSatisfy { $0 >= 0 })
      #expect(fees.total == parts.reduce(0, +))
      let payout = try #require(schedule.payout(at: price))
      #expect(payout <= price)
      #expect(payout == price - parts.reduce(0, +))
    }
    #expect(schedule.payout(at: .min) == nil)
  }

  @Test(arguments: 0..<40 as Range<UInt64>)
  func `a break-even price pays the cost, and no lower price does`(seed: UInt64) throws {
    var random = ScoringGenerator(seed: seed)
    let schedule = try schedule(&random)
    // All payouts up to a price, reckoned one by one.
    let prices: ClosedRange<Int64> = 1...30_000
    let payouts = prices.map { schedule.payout(at: $0) ?? .min }
    for _ in 0..<50 {
      let cost = random.int64(0...25_000)
      let slow = payouts.firstIndex { $0 >= cost }.map { Int64($0) + 1 }
      let quick = schedule.breakEven(cost: cost)
      if let slow {
        #expect(quick == slow)
      } else {
        let price = try #require(quick)
        #expect(price > prices.upperBound)
        #expect(try #require(schedule.payout(at: price)) >= cost)
        #expect(try #require(schedule.payout(at: price - 1)) < cost)
      }
    }
  }
}
