import DealScout
import Testing
import TollbookEvents
import TollbookTestSupport

@Suite("laws of the score") struct DealScoreLawTests {
  /// A market of a few products, with everything that can go wrong in it.
  private static func market(_ random: inout SeededGenerator) -> [Offer] {
    let titles = [
      "Sonora WH-1000 headphones", "headphones Sonora WH1000", "Kamera Optik R6 body",
      "lot of 3 Kamera Optik R6 body", "Trident 75192 falcon", "the",
    ]
    let conditions: [Int?] = [3000, 3000, 3000, 4000, 1000, 7000, nil]
    let spread = random.pick([0, 1, 300, 20_000] as [Int64])
    return (0..<random.int(0...80)).map { index in
      let isAuction = random.chance(10)
      let end = Samples.after(random.int64(-1...2) * Samples.hour / 2 + 1)
      return Samples.offer(
        // Some ids come twice.
        "i\(random.chance(90) ? index : index / 2)", 4_000 + random.int64(0...spread),
        title: random.pick(titles), shippingUnknown: random.chance(10),
        currency: random.chance(90) ? "USD" : "EUR", condition: random.pick(conditions),
        category: random.chance(90) ? "9355" : nil, epid: random.chance(30) ? "77" : nil,
        seller: random.chance(80) ? UInt64(random.int(1...30)) : nil,
        score: random.chance(90) ? random.int64(0...100) : nil, auction: isAuction,
        endsAt: isAuction || random.chance(10) ? end : nil,
        soldAt: random.chance(30) ? Samples.after(-random.int64(0...120) * Samples.day) : nil,
        seen: Samples.after(-random.int64(0...40) * Samples.hour))
    }
  }

  @Test(arguments: 0..<200 as Range<UInt64>)
  func `the book's verdicts are those of the plain rules`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let market = Self.market(&random)
    let strangers = Self.market(&random).prefix(10)
    let subjects = market + strangers
    let verdicts = try DealScorer.score(all: subjects, against: market, now: Samples.now)
    for (offer, verdict) in zip(subjects, verdicts) {
      let plain = PlainScore.of(offer, among: market, now: Samples.now)
      #expect(PlainScore(verdict) == plain, "seed \(seed), \(offer.id)")
      #expect(try Samples.verdict(offer, market) == verdict, "seed \(seed), \(offer.id)")
    }
    let shuffled = market.shuffled(using: &random)
    #expect(
      try DealScorer.score(all: subjects, against: shuffled, now: Samples.now) == verdicts,
      "seed \(seed)")
  }

  /// Totals that lie evenly enough that none is an outlier.
  private static func calm(_ random: inout SeededGenerator) -> [Int64] {
    let count = random.int64(8...40)
    return (0..<count).map { 90_000 + $0 * 20_000 / count + random.int64(0...500) }
      .shuffled(using: &random)
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `all amounts times a factor change no score`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let factor = random.int64(2...1_000)
    let totals = (0..<random.int(3...30)).map { _ in random.int64(1...100_000) }
    let total = random.int64(1...100_000)
    let small = try Samples.verdict(Samples.offer("x", total), Samples.offers(totals))
    let large = try Samples.verdict(
      Samples.offer("x", total * factor), Samples.offers(totals.map { $0 * factor }))
    #expect(small.refusal == large.refusal, "seed \(seed)")
    #expect(small.score?.tenths == large.score?.tenths, "seed \(seed)")
    #expect(small.score?.discount == large.score?.discount, "seed \(seed)")
    #expect(small.score?.confidence == large.score?.confidence, "seed \(seed)")
    #expect(
      small.score.map { $0.fair.quarters * factor } == large.score?.fair.quarters, "seed \(seed)")
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `a cheaper offer never scores lower until it is implausible`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let comparables = Samples.offers(Self.calm(&random))
    let book = try ComparableBook(comparables, now: Samples.now)
    let shippingUnknown = random.chance(50)
    var last = Int64.min
    var implausible = 0
    for total in stride(from: 130_000 as Int64, through: 30_000, by: -1_000) {
      let offer = Samples.offer("x", total, shippingUnknown: shippingUnknown, score: 3)
      let score = try #require(book.verdict(on: offer).score)
      if score.flags.contains(.implausiblyCheap) {
        implausible += 1
        #expect(score.tenths == 0, "seed \(seed)")
      } else {
        #expect(score.tenths >= last, "seed \(seed), \(total)")
        #expect(implausible == 0, "seed \(seed), \(total)")
        last = score.tenths
      }
    }
    #expect(implausible > 0 && last > 0, "seed \(seed)")
  }

  @Test(arguments: 0..<100 as Range<UInt64>)
  func `a far outlier moves the fair price by less than a rank`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let totals = Self.calm(&random)
    let sorted = totals.sorted()
    let before = try #require(RobustStatistics(totals))
    try #require(before.dropped == 0, "seed \(seed)")
    let far = random.chance(50) ? 1 : random.int64(10_000_000...1_000_000_000)
    let after = try #require(RobustStatistics(totals + [far]))
    #expect(after.outliers.map(\.amount) == [far], "seed \(seed)")
    #expect(after.keptMedian == before.median, "seed \(seed)")
    // Even where it would be kept, the median goes no farther than to the next amount.
    let middle = sorted.count / 2
    let near = 4 * sorted[middle - 1]...4 * sorted[min(middle + 1, sorted.count - 1)]
    #expect(near.contains(after.median.quarters), "seed \(seed)")
  }
}

/// The rules of the score for one offer at a time, as they are written down, without an index.
private struct PlainScore: Equatable {
  var refusal: DealRefusal?
  var count = 0
  var kept = 0
  var sold = 0
  var fair: Int64 = 0
  var tenths: Int64 = 0
  var oldestSeen: Timestamp?

  init() {}

  init(_ verdict: DealVerdict) {
    refusal = verdict.refusal
    guard let score = verdict.score else { return }
    count = score.comparables.statistics.count
    kept = score.comparables.statistics.kept
    sold = score.comparables.sold
    fair = score.fair.quarters
    tenths = score.tenths
    oldestSeen = score.comparables.oldestSeen
  }

  private static func refused(_ refusal: DealRefusal) -> PlainScore {
    var plain = PlainScore()
    plain.refusal = refusal
    return plain
  }

  private static func isOpen(_ offer: Offer, _ now: Timestamp) -> DealRefusal? {
    if offer.soldAt != nil { return .sold }
    if let end = offer.endsAt, end <= now { return .ended }
    if !offer.isAuction { return nil }
    guard let end = offer.endsAt, end.milliseconds - now.milliseconds <= 3_600_000 else {
      return .auctionTooEarly
    }
    return nil
  }

  private static func usable(_ market: [Offer], _ now: Timestamp) -> [Offer] {
    Dictionary(grouping: market, by: \.id).values.compactMap { looks in
      looks.min { left, right in
        (right.seen, left.total, left.title, left.seller.token ?? 0)
          < (left.seen, right.total, right.title, right.seller.token ?? 0)
      }
    }.filter { offer in
      guard offer.exclusion == nil, offer.key != nil, offer.condition != nil,
        !offer.isShippingUnknown
      else { return false }
      if let sold = offer.soldAt {
        return now.milliseconds - sold.milliseconds <= 90 * 86_400_000
      }
      return now.milliseconds - offer.seen.milliseconds <= 36 * 3_600_000
        && isOpen(offer, now) == nil
    }
  }

  static func of(_ offer: Offer, among market: [Offer], now: Timestamp) -> PlainScore {
    if let exclusion = offer.exclusion { return refused(.excluded(exclusion)) }
    if let refusal = isOpen(offer, now) { return refused(refusal) }
    guard let condition = offer.condition else { return refused(.unknownCondition) }
    guard let key = offer.key else { return refused(.unknownProduct) }
    let usable = usable(market, now)
    let groups = ProductGroups(usable.compactMap(\.key))
    let group = groups.group(of: key)
    let same = usable.filter { other in
      groups.group(of: other.key!) == group && other.condition == condition
        && other.currency == offer.currency && other.marketplace == offer.marketplace
        && (key.rule != .title || other.category == offer.category)
    }
    let seller = offer.seller.token
    let others = same.filter { $0.id != offer.id && (seller == nil || $0.seller.token != seller) }
      .sorted { ($0.total, $0.id) < ($1.total, $1.id) }
    var sellers: Set<UInt64> = []
    let distinct = others.filter { $0.seller.token.map { sellers.insert($0).inserted } ?? true }
    guard distinct.count >= 5, let figures = RobustStatistics(distinct.map(\.total)) else {
      return refused(.tooFewComparables(distinct.count, needed: 5))
    }
    guard figures.kept >= 5 else { return refused(.tooFewComparables(figures.kept, needed: 5)) }
    // What is kept lies together: it is all that is not farther off than the nearest outlier.
    let dropped = figures.outliers.map(\.amount)
    var plain = PlainScore()
    plain.count = distinct.count
    plain.kept = figures.kept
    plain.sold = distinct.count { $0.soldAt != nil && !dropped.contains($0.total) }
    plain.fair = figures.keptMedian.quarters
    plain.oldestSeen = same.map(\.seen).min()
    let fair = Double(plain.fair)
    let total = Double(4 * offer.total)
    let isImplausible = 4 * offer.total * 1_000 < 400 * plain.fair
    let whole = ((fair - total) / fair / 0.3 * 1_000).rounded(.toNearestOrAwayFromZero)
    var less: Double = offer.seller.feedbackScore.map { $0 < 50 ? 100 : 0 } ?? 50
    if offer.isShippingUnknown { less += 150 }
    plain.tenths = isImplausible ? 0 : Int64(max(0, min(max(whole, 0), 1_000) - less))
    return plain
  }
}
