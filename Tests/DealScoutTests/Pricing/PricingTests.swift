import DealScout
import Testing
import TollbookEvents
import TollbookTestSupport

@Suite struct PriceAdvisorTests {
  private static let today = CalendarDay("2026-11-28")!

  private static func sale(
    _ price: Int64, shipping: Int64? = 0, title: String = Samples.title, daysAgo: Int64 = 10,
    condition: ConditionGroup = .used, currency: String = "USD", gtin: String? = nil
  ) -> OwnSale {
    OwnSale(
      title: title, gtin: gtin, condition: condition, price: price, shipping: shipping,
      currency: currency, soldOn: CalendarDay(number: today.number - daysAgo))!
  }

  private static func question(
    _ title: String = Samples.title, condition: ConditionGroup = .used
  ) -> PricingQuestion {
    PricingQuestion(
      title: title, condition: condition, currency: "USD", marketplace: "EBAY_US", today: today)
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
      Self.sale(1, currency: "EUR"), Self.sale(1, daysAgo: 366), Self.sale(1, daysAgo: -1),
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

  @Test func `what is no product is refused`() throws {
    func refusal(_ question: PricingQuestion) throws -> PricingRefusal? {
      try PriceAdvisor.answer(question, sales: []).refusal
    }
    #expect(try refusal(Self.question("new")) == .unknownProduct)
    #expect(try refusal(Self.question("2x Sonora 1000")) == .excluded(.multipack))
    #expect(try refusal(Self.question(condition: .parts)) == .excluded(.parts))
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

@Suite struct OwnSalesFileTests {
  private static let today = CalendarDay("2026-11-28")!
  private static let heading = "sold_on,title,condition,price,currency,shipping,sale_id"

  private func read(_ text: String) throws -> OwnSalesFile {
    try OwnSalesFile(Array(text.utf8), today: Self.today) { ["USD": 2, "JPY": 0, "KWD": 3][$0] }
  }

  @Test func `rows are read, empty cells are unknown`() throws {
    let file = try read(
      Self.heading + "\r\n2026-11-01,\"Sonora, WH-1000\",used,31.99,USD,5.5,a\r\n"
        + "2026-11-28,Sonora WH-1000,3000,32,USD,,\n2026-11-02,Sonora,new,4000,JPY,0,b\n")
    #expect(file.problems.isEmpty)
    #expect(file.sales.map(\.price) == [3_199, 3_200, 4_000])
    #expect(file.sales.map(\.shipping) == [550, nil, 0])
    #expect(file.sales.map(\.total) == [3_749, 3_200, 4_000])
    #expect(file.sales.map(\.condition) == [.used, .used, .new])
    #expect(file.sales.map(\.id) == ["a", nil, "b"])
    #expect(file.sales[0].key?.rule == .title)
  }

  @Test(arguments: [
    ("2026-11-29,A 1,used,1,USD,,", "sold_on: “2026-11-29” is after today, 2026-11-28"),
    ("2026-02-30,A 1,used,1,USD,,", "sold_on: “2026-02-30” is no day, such as 2026-11-21"),
    (",A 1,used,1,USD,,", "sold_on: an empty cell is no day, such as 2026-11-21"),
    ("2026-11-01,,used,1,USD,,", "title: an empty cell says nothing"),
    (
      "2026-11-01,A 1,fine,1,USD,,",
      "condition: “fine” is neither one of new, open_box, refurbished, used, parts nor a number "
        + "of eBay's"
    ),
    ("2026-11-01,A 1,used,1.999,USD,,", "price: “1.999” is no amount, with at most 2 decimals"),
    ("2026-11-01,A 1,used,-1,USD,,", "price: “-1” is no amount, with at most 2 decimals"),
    ("2026-11-01,A 1,used,1.5,JPY,,", "price: “1.5” is no whole amount"),
    ("2026-11-01,A 1,used,0,USD,,", "price: “0” with shipping is 0 or too much"),
    ("2026-11-01,A 1,used,1,usd,,", "currency: “usd” is no currency that is known, such as USD"),
    ("2026-11-01,A 1,used,1,EUR,,", "currency: “EUR” is no currency that is known, such as USD"),
    (
      "2026-11-01,A 1,used,1,USD,\"1,50\",",
      "shipping: “1,50” is no amount, with at most 2 decimals"
    ),
    ("2026-11-01,A 1,used,1,USD,", "there are 6 cells; the first line has 7"),
    ("2026-11-01,A 1,used,1,USD,,ok", "sale_id: “ok” stands on line 2 already"),
  ])
  func `a row that cannot be read is named by its line, and the others count`(
    row: String, problem: String
  ) throws {
    let good = "2026-11-01,A 1,used,1,USD,,"
    let file = try read("\(Self.heading)\n\(good)ok\n\(row)\n\(good)too\n")
    #expect(file.sales.count == 2)
    #expect(file.unreadable == 1)
    #expect(file.problems.map(\.line) == [3])
    #expect(file.problems.map(\.description) == ["line 3: \(problem)"])
  }

  @Test(arguments: [
    ("", "the file is empty; its first line names the columns"),
    ("sold_on,title,condition,price\n", "line 1: the column currency is missing"),
    ("sold_on,sold_on\n", "line 1: the column sold_on stands twice"),
    (
      "sold_on,colour\n",
      "line 1: “colour” is no column; columns are sold_on, title, condition, "
        + "price, currency, shipping, fees, gtin, epid, sale_id"
    ),
    (heading + "\n\"", "line 2: a quote is not closed"),
  ])
  func `a file that cannot be read says why`(text: String, problem: String) throws {
    let error = #expect(throws: OwnSalesProblem.self) { try read(text) }
    #expect(error?.description == problem)
  }

  @Test func `too long a file is refused, and only the first problems are listed`() throws {
    let bytes = [UInt8](repeating: 0x41, count: OwnSalesFile.mostBytes + 1)
    let error = #expect(throws: OwnSalesProblem.self) {
      try OwnSalesFile(bytes, today: Self.today) { _ in 2 }
    }
    #expect(error?.line == nil)
    let file = try read(Self.heading + String(repeating: "\nx,,,,,,", count: 150))
    #expect(file.problems.count == OwnSalesFile.mostProblems)
    #expect(file.unreadable == 150)
  }
}
