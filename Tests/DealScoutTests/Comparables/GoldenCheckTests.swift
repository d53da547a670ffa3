import DealScout
import Testing

@Suite("the fact sheet's golden check") struct GoldenCheckTests {
  @Test func `the statistics, to the digit`() throws {
    let statistics = try #require(RobustStatistics(Samples.golden))
    #expect(statistics.count == 10)
    #expect(statistics.method == .modifiedZScore)
    #expect(statistics.median == QuarterUnits(minorUnits: 4_675))
    #expect(statistics.mad == QuarterUnits(minorUnits: 250))
    #expect(statistics.lowerQuartile == QuarterUnits(minorUnits: 4_425))
    #expect(statistics.upperQuartile == QuarterUnits(minorUnits: 4_875))
    #expect(statistics.outliers == [.init(amount: 12_000, zScore: 19_763)])
    #expect(statistics.kept == 9)
    #expect(statistics.dropped == 1)
    #expect(statistics.keptMedian == QuarterUnits(minorUnits: 4_600))
    #expect(statistics.keptLowerQuartile == QuarterUnits(minorUnits: 4_400))
    #expect(statistics.keptUpperQuartile == QuarterUnits(minorUnits: 4_800))
    #expect(statistics.keptSpread == 87)
  }

  @Test func `the next largest has a score of 1.416 and would be dropped below it`() throws {
    var limits = RobustStatistics.Limits()
    limits.zScore = 1_416
    // 52.00 has 1.41645. 41.00 lies farther off, at -1.551.
    let strict = try #require(RobustStatistics(Samples.golden, limits: limits))
    #expect(strict.outliers.map(\.zScore) == [19_763, -1_551, 1_416])
    limits.zScore = 1_417
    let wider = try #require(RobustStatistics(Samples.golden, limits: limits))
    #expect(wider.outliers.map(\.amount) == [12_000, 4_100])
  }

  @Test func `Tukey's fences keep the same`() throws {
    let statistics = try #require(RobustStatistics(Samples.golden))
    let (low, high) = (statistics.lowerQuartile.quarters, statistics.upperQuartile.quarters)
    let reach = 3 * (high - low) / 2
    #expect(QuarterUnits(quarters: low - reach) == QuarterUnits(minorUnits: 3_750))
    #expect(QuarterUnits(quarters: high + reach) == QuarterUnits(minorUnits: 5_550))
    #expect(Samples.golden.filter { 3_750...5_550 ~= $0 }.count == statistics.kept)
  }

  @Test func `the offer of 37.49 has a discount of 18.5 % and a score of 61.7`() throws {
    let offer = Samples.offer("x", 3_199 + 550, seller: 1)
    let verdict = try Samples.verdict(offer, Samples.offers(Samples.golden))
    let score = try #require(verdict.score)
    #expect(score.fair == QuarterUnits(minorUnits: 4_600))
    #expect(score.discount == 185)
    #expect(score.tenths == 617)
    #expect(score.points == 62)
    #expect(score.confidence == .medium)
    #expect(score.flags.isEmpty)
    #expect(score.penalties.isEmpty)
    #expect(score.comparables.statistics == RobustStatistics(Samples.golden))
    #expect(score.comparables.sold == 0)
    #expect(score.comparables.key.rule == .title)
    #expect(score.comparables.condition == .used)
  }
}
