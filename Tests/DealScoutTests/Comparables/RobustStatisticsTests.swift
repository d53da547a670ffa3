import DealScout
import Testing
import TollbookTestSupport

@Suite struct RobustStatisticsTests {
  /// The definitions, written out in quarters without any of the shortcuts.
  private struct Plain {
    let sorted: [Int64]
    init(_ amounts: [Int64]) { sorted = amounts.sorted() }

    var median: Int64 { Self.middle(sorted.map { 4 * $0 }) }
    var mad: Int64 { Self.middle(sorted.map { abs(4 * $0 - median) }.sorted()) }

    static func middle(_ values: [Int64]) -> Int64 {
      let half = values.count / 2
      return values.count % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2
    }

    func quartile(_ number: Int) -> Int64 {
      let at = number * (sorted.count - 1)
      let low = sorted[at / 4]
      let high = sorted[min(at / 4 + 1, sorted.count - 1)]
      return 4 * low + Int64(at % 4) * (high - low)
    }

    var kept: [Int64] {
      if mad > 0 { return sorted.filter { 6_745 * abs(4 * $0 - median) <= 35_000 * mad } }
      let range = quartile(3) - quartile(1)
      if range == 0 { return sorted }
      return sorted.filter {
        2 * (quartile(1) - 4 * $0) <= 3 * range && 2 * (4 * $0 - quartile(3)) <= 3 * range
      }
    }
  }

  @Test(arguments: 0..<300 as Range<UInt64>)
  func `the figures are those of the definitions`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let widths: [Int64] = [2, 10, 1_000, 100_000]
    let width = random.pick(widths)
    let amounts = (0..<random.int(1...40)).map { _ in
      random.chance(10) ? random.int64(1...1_000_000_000) : 500 + random.int64(0...width)
    }
    let plain = Plain(amounts)
    let kept = Plain(plain.kept)
    let statistics = try #require(RobustStatistics(amounts))
    #expect(statistics.median.quarters == plain.median, "seed \(seed)")
    #expect(statistics.mad.quarters == plain.mad, "seed \(seed)")
    #expect(statistics.lowerQuartile.quarters == plain.quartile(1), "seed \(seed)")
    #expect(statistics.upperQuartile.quarters == plain.quartile(3), "seed \(seed)")
    #expect(statistics.kept == kept.sorted.count, "seed \(seed)")
    #expect(statistics.keptMedian.quarters == kept.median, "seed \(seed)")
    #expect(statistics.keptLowerQuartile.quarters == kept.quartile(1), "seed \(seed)")
    #expect(statistics.keptUpperQuartile.quarters == kept.quartile(3), "seed \(seed)")
    if statistics.dropped <= RobustStatistics.mostListed {
      let all = kept.sorted + statistics.outliers.map(\.amount)
      #expect(all.sorted() == plain.sorted, "seed \(seed)")
    }
    #expect(RobustStatistics(amounts.shuffled(using: &random)) == statistics, "seed \(seed)")
  }

  @Test func `no amounts have no figures`() { #expect(RobustStatistics([]) == nil) }

  @Test func `the median of two cents and three is two and a half, shown as three`() throws {
    let statistics = try #require(RobustStatistics([3, 2]))
    #expect(statistics.median.quarters == 10)
    #expect(statistics.median.minorUnits == 3)
    #expect(QuarterUnits(quarters: 9).minorUnits == 2)
    #expect(QuarterUnits(quarters: -10).minorUnits == -2)
  }

  @Test func `with a MAD of 0 the fences decide, without a range nothing does`() throws {
    let fenced = try #require(RobustStatistics([10, 10, 10, 10, 10, 11, 12, 900]))
    #expect(fenced.method == .fences)
    #expect(fenced.mad.quarters == 0)
    #expect(fenced.outliers == [.init(amount: 900, zScore: nil)])
    let same = try #require(RobustStatistics([10, 10, 10, 10, 10, 10, 900]))
    #expect(same.method == .keepAll)
    #expect(same.kept == 7)
    #expect(same.keptMedian == QuarterUnits(minorUnits: 10))
  }

  @Test func `a score of just 3.5 is kept`() throws {
    // The median is 0 with 4 distances of 6745 and one of 35000: 0.6745 x 35000 / 6745 is 3.5.
    let base: Int64 = 100_000
    let amounts = [base - 6_745, base - 6_745, base, base + 6_745, base + 35_000]
    #expect(try #require(RobustStatistics(amounts)).dropped == 0)
    let beyond = amounts.dropLast() + [base + 35_001]
    #expect(try #require(RobustStatistics(Array(beyond))).outliers.map(\.zScore) == [3_500])
  }

  @Test func `the largest amounts do not overflow, larger ones count as the bound`() throws {
    var limits = RobustStatistics.Limits()
    limits.zScore = .max
    limits.fence = .max
    let wild: [Int64] = [.min, 0, 0, 1, Offer.mostMinorUnits, .max, .max]
    let statistics = try #require(RobustStatistics(wild, limits: limits))
    #expect(statistics.outliers.map(\.amount) == Array(repeating: Offer.mostMinorUnits, count: 3))
    #expect(statistics.median == QuarterUnits(minorUnits: 1))
    #expect(statistics.upperQuartile == QuarterUnits(minorUnits: Offer.mostMinorUnits))
  }

  @Test func `at most 20 outliers are listed, the farthest first`() throws {
    let middle = (0..<61).map { Int64(1_000 + $0 % 7) }
    let wild = (0..<30).map { Int64(5_000 + $0) }
    let statistics = try #require(RobustStatistics(middle + wild))
    #expect(statistics.dropped == 30)
    #expect(statistics.outliers.map(\.amount) == (5_010...5_029).reversed())
  }
}
