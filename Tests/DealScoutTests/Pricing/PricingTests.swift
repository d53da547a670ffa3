import Testing
import TollbookEvents
import TollbookTestSupport

@testable import DealScout

@Suite struct PriceAdvisorTests {
  private static let today = CalendarDay("2026-11-28")!

  private static func sale(
    _ price: Int64, shipping: Int64? = 0, title: String = Samples.title, daysAgo: Int64 = 10,
    condition: ConditionGroup? = .used, currency: EbayCurrency = .dollar, gtin: String? = nil
  ) -> SoldItem {
    SoldItem(
      order: "1", line: 1, soldOn: CalendarDay(number: today.number - daysAgo), title: title,
      price: EbayMoney(minorUnits: price, currency)!,
      shipping: shipping.flatMap { EbayMoney(minorUnits: $0, currency) }, fees: nil,
      condition: condition, gtin: gtin)
  }

  private static func question(
    _ title: String = Samples.title, condition: ConditionGroup? = .used, gtin: String? = nil
  ) -> PricingQuestion {
    PricingQuestion(
      title: title, gtin: gtin, condition: condition, currency: "USD", marketplace: "EBAY_US",
      today: today)
  }

  private static func licensed(_ totals: [Int64], sold: Bool = false) -> LicensedComparables {
    let offers = totals.enumerated().map {
      Samples.offer("k\($0)", $1, soldAt: sold ? Samples.now : nil)
    }
    return LicensedComparables(offers, licence: .simulated, now: Samples.now)
  }

  @Test func `the quartiles and the median of the user's own sales, with nets and basis`() throws {
    let sales = Samples.golden.map { Self.sale($0 - 500, shipping: 500) }
    let fees = try SellingFees(rate: 1_325, fixed: 40)
    let suggestion = try #require(
      PriceAdvisor.answer(Self.question(), sales: sales, fees: fees).suggestion)
    // 46.00 less 13.25 % (6.095, rounded to 6.10) less 0.40.
    #expect(suggestion.quick == .init(total: 4_400, net: 4_400 - 583 - 40))
    #expect(suggestion.typical == .init(total: 4_600, net: 4_600 - 610 - 40))
    #expect(suggestion.patient == .init(total: 4_800, net: 4_800 - 636 - 40))
    #expect(suggestion.confidence == .medium)
    #expect(suggestion.basis.ownSales == 10)
    #expect(suggestion.basis.statistics.kept == 9)
    #expect(suggestion.basis.comparables == 0)
    #expect(suggestion.basis.licence == nil)
    #expect(suggestion.basis.rule == .title)
    #expect(suggestion.basis.oldest.description == "2026-11-18")
  }

  @Test func `too few sales are refused with their number`() throws {
    func text(_ count: Int, _ licensed: LicensedComparables? = nil) throws -> String? {
      let sales = Array(repeating: Self.sale(4_000), count: count)
      return try PriceAdvisor.answer(Self.question(), sales: sales, comparables: licensed).refusal?
        .description
    }
    #expect(try text(3) == "3 sales of this product are known; 5 are needed")
    #expect(try text(1) == "1 sale of this product is known; 5 are needed")
    #expect(try text(0) == "0 sales of this product are known; 5 are needed")
    #expect(
      try text(3, Self.licensed([4_000]))
        == "3 sales and 1 comparable of this product are known; 5 are needed")
    let wild = [4_000, 4_010, 4_020, 4_030, 90_000].map { Self.sale($0) }
    #expect(
      try PriceAdvisor.answer(Self.question(), sales: wild).refusal?.description
        == "5 sales of this product are known, 4 without outliers; 5 are needed")
  }

  @Test func `comparables are added only where the own sales are too few`() throws {
    let licensed = Self.licensed([6_000, 6_000, 6_000, 6_000])
    let few = [4_000, 4_100].map { Self.sale($0) }
    let mixed = try #require(
      PriceAdvisor.answer(Self.question(), sales: few, comparables: licensed).suggestion)
    #expect(mixed.basis.ownSales == 2)
    #expect(mixed.basis.comparables == 4)
    #expect(mixed.basis.soldComparables == 0)
    #expect(mixed.basis.licence == .simulated)
    let enough = [4_000, 4_010, 4_020, 4_030, 4_040].map { Self.sale($0) }
    let own = try #require(
      PriceAdvisor.answer(Self.question(), sales: enough, comparables: licensed).suggestion)
    #expect(own.basis.comparables == 0)
    #expect(own.typical.total == 4_020)
    #expect(own.typical.net == nil)
  }

  @Test func `other products, conditions, currencies and days do not count`() throws {
    let others = [
      Self.sale(1, title: "Sonora WH-2000 headphones"), Self.sale(1, condition: .new),
      Self.sale(1, currency: .euro), Self.sale(1, daysAgo: 366), Self.sale(1, daysAgo: -1),
      Self.sale(1, condition: nil), Self.sale(0), Self.sale(Offer.mostMinorUnits, shipping: 1),
      Self.sale(1, title: "lot of 4 " + Samples.title), Self.sale(1, gtin: "4006381333931"),
    ]
    let sales = [4_000, 4_010, 4_020, 4_030, 4_040].map { Self.sale($0) }
    let alone = try PriceAdvisor.answer(Self.question(), sales: sales)
    #expect(try PriceAdvisor.answer(Self.question(), sales: sales + others) == alone)
    #expect(alone.suggestion != nil)
  }

  @Test func `confidence is high for ten own sales, lower for old ones and wide prices`() throws {
    func confidence(_ count: Int, step: Int64 = 1, daysAgo: Int64 = 10) throws -> Confidence? {
      let sales = (0..<count).map { Self.sale(4_000 + Int64($0) * step, daysAgo: daysAgo) }
      return try PriceAdvisor.answer(Self.question(), sales: sales).suggestion?.confidence
    }
    #expect(try confidence(10) == .high)
    #expect(try confidence(9) == .medium)
    #expect(try confidence(10, daysAgo: 181) == .medium)
    #expect(try confidence(10, step: 1_000) == .medium)
    #expect(try confidence(10, step: 1_000, daysAgo: 181) == .low)
    let pooled = try PriceAdvisor.answer(
      Self.question(), sales: [],
      comparables: Self.licensed(Array(repeating: 4_000, count: 20), sold: true))
    #expect(pooled.suggestion?.confidence == .medium)
    #expect(pooled.suggestion?.basis.soldComparables == 20)
  }

  @Test func `sales without shipping count by their price and are told`() throws {
    let sales = (0..<6).map { Self.sale(4_000, shipping: $0 < 2 ? nil : 0) }
    let suggestion = try #require(PriceAdvisor.answer(Self.question(), sales: sales).suggestion)
    #expect(suggestion.basis.ownSalesWithoutShipping == 2)
  }

  @Test func `what has no number counts by its title only where the number is too little`() throws {
    let (ours, other) = ("4006381333931", "9780201379624")
    func answer(_ sales: [SoldItem], _ totals: [Int64] = []) throws -> PricingAnswer {
      try PriceAdvisor.answer(
        Self.question(gtin: ours), sales: sales, comparables: Self.licensed(totals))
    }
    let numbered = [4_000, 4_010, 4_020, 4_030, 4_040].map { Self.sale($0, gtin: ours) }
    let plain = (0..<20).map { _ in Self.sale(9_000) }
    let enough = try #require(try answer(numbered + plain).suggestion)
    #expect(enough.basis.rule == .gtin)
    #expect(enough.basis.ownSales == 5)
    #expect(enough.typical.total == 4_020)
    let few = try #require(try answer(Array(numbered.prefix(3)), [4_000, 4_010]).suggestion)
    #expect(few.basis.rule == .title)
    #expect(few.basis.ownSales == 3)
    #expect(few.basis.comparables == 2)
    // Another number is another product, whatever its title says.
    let foreign = (0..<20).map { _ in Self.sale(9_000, gtin: other) }
    #expect(
      try answer(foreign).refusal == .tooFew(sales: 0, comparables: 0, kept: 0, needed: 5))
  }

  @Test func `comparables of another currency, condition or site are not used`() throws {
    let offers = (0..<9).map { number in
      switch number % 3 {
      case 0: Samples.offer("a\(number)", 4_000, currency: "EUR")
      case 1: Samples.offer("b\(number)", 4_000, condition: 1000)
      default: Samples.offer("c\(number)", 4_000, marketplace: "EBAY_GB")
      }
    }
    let others = LicensedComparables(offers, licence: .consent, now: Samples.now)
    let none = try PriceAdvisor.answer(Self.question(), sales: [], comparables: others)
    #expect(none.refusal == .tooFew(sales: 0, comparables: 0, kept: 0, needed: 5))
    let fitting = LicensedComparables(
      offers + (0..<5).map { Samples.offer("d\($0)", 5_000) }, licence: .consent,
      now: Samples.now)
    let some = try PriceAdvisor.answer(Self.question(), sales: [], comparables: fitting)
    #expect(some.suggestion?.typical.total == 5_000)
    #expect(some.suggestion?.basis.comparables == 5)
  }

  @Test func `sales that all brought the same give that price, whatever their median distance`()
    throws
  {
    let same = (0..<5).map { _ in Self.sale(4_000) }
    let suggestion = try #require(PriceAdvisor.answer(Self.question(), sales: same).suggestion)
    #expect(suggestion.basis.statistics.mad.quarters == 0)
    #expect(suggestion.basis.statistics.method == .keepAll)
    #expect(
      [suggestion.quick, suggestion.typical, suggestion.patient].map(\.total)
        == [4_000, 4_000, 4_000])
  }

  @Test func `what is no product is refused`() throws {
    func refusal(_ question: PricingQuestion) throws -> PricingRefusal? {
      try PriceAdvisor.answer(question, sales: []).refusal
    }
    #expect(try refusal(Self.question("new")) == .unknownProduct)
    #expect(try refusal(Self.question("2x Sonora 1000")) == .excluded(.multipack))
    #expect(try refusal(Self.question(condition: .parts)) == .excluded(.parts))
    #expect(try refusal(Self.question(condition: nil)) == .unknownCondition)
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `quick is at most typical, typical at most patient, in any order of sales`(seed: UInt64)
    throws
  {
    var random = SeededGenerator(seed: seed)
    let sales = (0..<random.int(5...40)).map { _ in
      Self.sale(random.int64(1...50_000), daysAgo: random.int64(0...400))
    }
    let answer = try PriceAdvisor.answer(Self.question(), sales: sales)
    #expect(
      try PriceAdvisor.answer(Self.question(), sales: sales.shuffled(using: &random)) == answer,
      "seed \(seed)")
    guard let suggestion = answer.suggestion else { return }
    let totals = [suggestion.quick.total, suggestion.typical.total, suggestion.patient.total]
    #expect(totals == totals.sorted(), "seed \(seed)")
  }

  @Test func `fees and rules out of their range are named`() throws {
    #expect(throws: RuleError(field: "rate", value: 10_001, range: 0...10_000)) {
      try SellingFees(rate: 10_001, fixed: 0)
    }
    #expect(throws: RuleError(field: "fixed", value: -1, range: 0...Offer.mostMinorUnits)) {
      try SellingFees(rate: 0, fixed: -1)
    }
    #expect(try SellingFees(rate: 0, fixed: 500).net(of: 100) == -400)
    var rules = PricingRules()
    rules.deals.fullDiscount = 0
    let error = #expect(throws: RuleError.self) {
      try PriceAdvisor.answer(Self.question(), sales: [], rules: rules)
    }
    #expect(error?.field == "deals.full_discount")
  }
}
