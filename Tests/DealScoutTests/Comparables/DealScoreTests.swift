import DealScout
import Testing
import TollbookEvents

@Suite struct DealScoreTests {
  private static let comparables = Samples.offers([4_400, 4_500, 4_600, 4_700, 4_800])

  private func score(_ offer: Offer, rules: DealRules = DealRules()) throws -> DealScore {
    try #require(Samples.verdict(offer, Self.comparables, rules: rules).score)
  }

  private func refusal(_ offer: Offer, _ comparables: [Offer] = comparables) throws -> DealRefusal?
  {
    try Samples.verdict(offer, comparables).refusal
  }

  @Test func `every penalty is named with its amount`() throws {
    let plain = try score(Samples.offer("x", 3_220))
    #expect(plain.tenths == 1_000)
    let bad = try score(
      Samples.offer("x", 3_220, shippingUnknown: true, score: 3, percentage: 9_899))
    #expect(
      bad.penalties == [
        DealPenalty(reason: .lowFeedback, tenths: 100),
        DealPenalty(reason: .fewRatings, tenths: 100),
        DealPenalty(reason: .unknownShipping, tenths: 150),
      ])
    #expect(bad.tenths == 650)
    #expect(bad.flags == [.unknownShipping])
    let unknown = try score(Samples.offer("x", 3_220, score: nil, percentage: nil))
    #expect(unknown.penalties == [DealPenalty(reason: .unknownFeedback, tenths: 50)])
    #expect(try score(Samples.offer("x", 3_220, score: 50, percentage: 9_900)).penalties.isEmpty)
  }

  @Test func `below 40 % of the fair price an offer is flagged and has no points`() throws {
    let plausible = try score(Samples.offer("x", 1_840))
    #expect(plausible.tenths == 1_000)
    #expect(plausible.flags.isEmpty)
    let implausible = try score(Samples.offer("x", 1_839))
    #expect(implausible.tenths == 0)
    #expect(implausible.flags == [.implausiblyCheap])
    #expect(implausible.discount == 600)
  }

  @Test func `above the fair price the discount is negative and the score 0`() throws {
    let dear = try score(Samples.offer("x", 9_200))
    #expect(dear.discount == -1_000)
    #expect(dear.tenths == 0)
    #expect(try score(Samples.offer("x", Offer.mostMinorUnits)).tenths == 0)
  }

  @Test func `fewer comparables than needed give no score, and say how many there are`() throws {
    let offer = Samples.offer("x", 4_000)
    #expect(try refusal(offer, []) == .tooFewComparables(0, needed: 5))
    let four = Array(Self.comparables.prefix(4))
    #expect(try refusal(offer, four) == .tooFewComparables(4, needed: 5))
    #expect(
      try refusal(offer, four)?.description == "4 comparables are known; 5 are needed")
    // Six, of which two are outliers.
    let wild = four + [Samples.offer("w", 90_000), Samples.offer("v", 95_000)]
    #expect(try refusal(offer, wild) == .tooFewComparables(4, needed: 5))
    var rules = DealRules()
    rules.minimumComparables = 4
    rules.mediumConfidence = 5
    let low = try #require(Samples.verdict(offer, four, rules: rules).score)
    #expect(low.confidence == .low)
  }

  @Test func `the item itself and its seller's others are no comparables`() throws {
    let offer = Samples.offer("c0", 4_400, seller: 1_000)
    #expect(try refusal(offer) == .tooFewComparables(4, needed: 5))
    let decoys = (0..<9).map { Samples.offer("d\($0)", 9_000, seller: 77) }
    let own = Samples.offer("x", 4_000, seller: 77)
    let fair = try #require(Samples.verdict(own, Self.comparables + decoys).score).fair
    #expect(fair == QuarterUnits(minorUnits: 4_600))
    // Of another seller's doubles one counts, the cheapest.
    let other = Samples.offer("x", 4_000, seller: 78)
    let seen = try #require(Samples.verdict(other, Self.comparables + decoys).score)
    #expect(seen.comparables.statistics.count == 6)
  }

  @Test func `an answer without the seller does not make an item its own comparable`() throws {
    let others = Array(Self.comparables.prefix(4))
    let known = Samples.offer("x", 4_000, seller: 5)
    let unknown = Samples.offer("x", 4_000)
    for (subject, comparable) in [(known, unknown), (unknown, known), (unknown, unknown)] {
      #expect(
        try refusal(subject, others + [comparable]) == .tooFewComparables(4, needed: 5))
    }
    // The seller's next offer steps in where only the id is left out.
    let next = Samples.offer("y", 4_100, seller: 5)
    let verdict = try Samples.verdict(unknown, others + [known, next])
    #expect(verdict.score?.comparables.statistics.count == 5)
  }

  @Test func `foreign currencies, marketplaces, conditions and categories do not count`() throws {
    let offer = Samples.offer("x", 4_000)
    let foreign =
      (0..<5).map { Samples.offer("a\($0)", 1_000, currency: "EUR") }
      + (0..<5).map { Samples.offer("b\($0)", 1_000, marketplace: "EBAY_CA") }
      + (0..<5).map { Samples.offer("d\($0)", 1_000, condition: 1000) }
      + (0..<5).map { Samples.offer("e\($0)", 1_000, category: "1") }
      + (0..<5).map { Samples.offer("f\($0)", 1_000, shippingUnknown: true) }
    let alone = try Samples.verdict(offer, Self.comparables)
    #expect(try Samples.verdict(offer, Self.comparables + foreign) == alone)
    #expect(try refusal(offer, foreign) == .tooFewComparables(0, needed: 5))
  }

  @Test func `with a number the category does not count`() throws {
    let offers = (0..<5).map { Samples.offer("a\($0)", 4_600, category: "\($0)", epid: "77") }
    #expect(try Samples.verdict(Samples.offer("x", 4_000, epid: "77"), offers).score != nil)
  }

  @Test func `what is all the same price is kept and fair`() throws {
    let score = try #require(
      Samples.verdict(
        Samples.offer("x", 3_450), Samples.offers([4_600, 4_600, 4_600, 4_600, 4_600])
      )
      .score)
    #expect(score.comparables.statistics.method == .keepAll)
    #expect(score.fair == QuarterUnits(minorUnits: 4_600))
    #expect(score.tenths == 833)
  }

  @Test func `auctions count only near their end`() throws {
    func auction(_ end: Int64?) -> Offer {
      Samples.offer("x", 4_000, auction: true, endsAt: end.map { Samples.after($0) })
    }
    #expect(try score(auction(Samples.hour)).flags == [.auction])
    #expect(try refusal(auction(Samples.hour + 1)) == .auctionTooEarly)
    #expect(try refusal(auction(nil)) == .auctionTooEarly)
    #expect(try refusal(auction(0)) == .ended)
    let early = Samples.offer("e", 100, auction: true, endsAt: Samples.after(2 * Samples.hour))
    let late = Samples.offer("l", 4_550, auction: true, endsAt: Samples.after(Samples.hour / 2))
    let verdict = try Samples.verdict(Samples.offer("x", 4_000), Self.comparables + [early, late])
    #expect(verdict.score?.comparables.statistics.count == 6)
  }

  @Test func `what ended, was sold or says too little has no score, and says why`() throws {
    #expect(try refusal(Samples.offer("x", 1, soldAt: Samples.now)) == .sold)
    #expect(try refusal(Samples.offer("x", 1, endsAt: Samples.now)) == .ended)
    #expect(try refusal(Samples.offer("x", 1, condition: nil)) == .unknownCondition)
    #expect(try refusal(Samples.offer("x", 1, title: "new")) == .unknownProduct)
    #expect(
      try refusal(Samples.offer("x", 1, title: "lot of 5 " + Samples.title)) == .excluded(.lot))
    #expect(try refusal(Samples.offer("x", 1, condition: 7000)) == .excluded(.parts))
  }

  @Test func `comparables seen or sold too long ago do not count`() throws {
    let rules = DealRules()
    func count(_ offer: Offer) throws -> Int? {
      try Samples.verdict(Samples.offer("x", 4_000), Self.comparables + [offer]).score?.comparables
        .statistics.count
    }
    #expect(try count(Samples.offer("o", 4_500, seen: Samples.after(-rules.oldestSeen))) == 6)
    #expect(try count(Samples.offer("o", 4_500, seen: Samples.after(-rules.oldestSeen - 1))) == 5)
    let sale = -rules.oldestSale
    #expect(try count(Samples.offer("o", 4_500, soldAt: Samples.after(sale))) == 6)
    #expect(try count(Samples.offer("o", 4_500, soldAt: Samples.after(sale - 1))) == 5)
    // The later look at the same id counts, even if it ends its being a comparable.
    let ended = Samples.offer(
      "c0", 4_400, seller: 1_000, endsAt: Samples.now, seen: Samples.after(1))
    #expect(
      try refusal(Samples.offer("x", 4_000), Self.comparables + [ended])
        == .tooFewComparables(4, needed: 5))
  }

  @Test
  func `confidence is high only for ten that were sold, and lower where prices lie far apart`()
    throws
  {
    func confidence(sold: Int, active: Int, step: Int64) throws -> Confidence? {
      let offers = (0..<sold + active).map { index in
        Samples.offer(
          "k\(index)", 4_600 + Int64(index) * step, soldAt: index < sold ? Samples.now : nil)
      }
      return try Samples.verdict(Samples.offer("x", 4_000), offers).score?.confidence
    }
    #expect(try confidence(sold: 10, active: 0, step: 1) == .high)
    #expect(try confidence(sold: 9, active: 30, step: 1) == .medium)
    #expect(try confidence(sold: 0, active: 40, step: 1) == .medium)
    #expect(try confidence(sold: 10, active: 0, step: 1_000) == .medium)
    #expect(try confidence(sold: 0, active: 10, step: 1_000) == .low)
  }

  @Test func `a total outside of its range is no offer`() {
    for total in [Int64.min, -1, 0, Offer.mostMinorUnits + 1, .max] {
      let offer = Offer(
        id: "x", title: "a", total: total, currency: "USD", marketplace: "EBAY_US",
        conditionID: nil, seen: Samples.now)
      #expect(offer == nil)
    }
  }

  @Test func `rules out of their range are named by their field`() throws {
    let wrong: [(String, (inout DealRules) -> Void)] = [
      ("minimum_comparables", { $0.minimumComparables = 2 }),
      ("high_confidence_sold", { $0.highConfidenceSold = 4 }),
      ("medium_confidence", { $0.mediumConfidence = 0 }),
      ("widest_spread", { $0.widestSpread = -1 }), ("full_discount", { $0.fullDiscount = 0 }),
      ("implausible_below", { $0.implausibleBelow = 1_000 }),
      ("outlier_z_score", { $0.outlierZScore = .max }), ("outlier_fence", { $0.outlierFence = -1 }),
      ("good_feedback", { $0.goodFeedback = 10_001 }),
      ("enough_ratings", { $0.enoughRatings = -1 }),
      ("low_feedback_penalty", { $0.lowFeedbackPenalty = 1_001 }),
      ("few_ratings_penalty", { $0.fewRatingsPenalty = -1 }),
      ("unknown_feedback_penalty", { $0.unknownFeedbackPenalty = -1 }),
      ("unknown_shipping_penalty", { $0.unknownShippingPenalty = -1 }),
      ("auction_window", { $0.auctionWindow = -1 }), ("oldest_seen", { $0.oldestSeen = 0 }),
      ("oldest_sale", { $0.oldestSale = .min }),
    ]
    for (field, change) in wrong {
      var rules = DealRules()
      change(&rules)
      let error = #expect(throws: RuleError.self) {
        try Samples.verdict(Samples.offer("x", 1), [], rules: rules)
      }
      #expect(error?.field == field)
      #expect(error?.description.hasPrefix("\(field): ") == true)
    }
  }
}
