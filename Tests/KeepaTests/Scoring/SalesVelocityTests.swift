import Keepa
import Testing

@Suite("how fast it sells") struct SalesVelocityTests {
  private func velocity(
    _ extra: String = "", stats: String, configuration: ScoringConfiguration = .init()
  ) throws -> SalesVelocity {
    let body = "{\(extra)\"stats\":{\(stats)}}"
    return SalesVelocity(try Scoring.figures(body), configuration: configuration)
  }

  @Test func `the badge goes before the drops, and is a lower bound`() throws {
    let velocity = try velocity(#""monthlySold":300,"#, stats: #""salesRankDrops30":13"#)
    #expect(velocity.monthlyUnits == 300)
    #expect(velocity.source == .monthlySold)
    #expect(velocity.isAtLeast)
    #expect(velocity.band == .veryHigh)
  }

  @Test func `then the drops of 30 days count, then a third of those of 90`() throws {
    let month = try velocity(
      #""monthlySold":-1,"#, stats: #""salesRankDrops30":13,"salesRankDrops90":60"#)
    #expect(month.monthlyUnits == 13)
    #expect(month.source == .drops30Days)
    #expect(!month.isAtLeast)
    let quarter = try velocity(stats: #""salesRankDrops30":-1,"salesRankDrops90":62"#)
    #expect(quarter.monthlyUnits == 21)
    #expect(quarter.source == .drops90Days)
    var configuration = ScoringConfiguration()
    configuration.dropsFactor = 2_500
    let calibrated = try velocity(stats: #""salesRankDrops30":13"#, configuration: configuration)
    #expect(calibrated.monthlyUnits == 33)
  }

  @Test(arguments: [
    "", #""salesRankDrops30":-1,"salesRankDrops90":-1"#, #""salesRankDrops30":"9""#,
  ])
  func `without any of them the units are unknown, not none`(stats: String) throws {
    let velocity = try velocity(stats: stats)
    #expect(velocity.monthlyUnits == nil)
    #expect(velocity.band == nil)
    #expect(velocity.source == nil)
  }

  @Test(arguments: [
    (Int64(0), VelocityBand.noSales), (1, .low), (9, .low), (10, .medium), (59, .medium),
    (60, .high),
    (299, .high), (300, .veryHigh), (2_999, .veryHigh), (3_000, .top), (2_147_483_647, .top),
  ])
  func `each band begins at its units`(units: Int64, band: VelocityBand) throws {
    #expect(try velocity(stats: #""salesRankDrops30":\#(units)"#).band == band)
  }

  @Test(arguments: [
    (Int64(40), SalesVelocity.Trend.rising), (39, .steady), (28, .steady), (26, .falling),
  ])
  func `three months of this one against the last three tell the trend`(
    drops: Int64, trend: SalesVelocity.Trend
  ) throws {
    let stats = #""salesRankDrops30":\#(drops),"salesRankDrops90":100"#
    #expect(try velocity(stats: stats).trend == trend)
  }

  @Test func `without drops the rank tells the trend: a lower one sells more`() throws {
    func trend(_ month: Int64, _ quarter: Int64) throws -> SalesVelocity.Trend? {
      try velocity(
        stats: #""avg30":\#(Scoring.slots([3: month])),"avg90":\#(Scoring.slots([3: quarter]))"#
      ).trend
    }
    #expect(try trend(10_000, 12_000) == .rising)
    #expect(try trend(10_000, 10_000) == .steady)
    #expect(try trend(12_500, 10_000) == .falling)
    #expect(try trend(-1, 10_000) == nil)
    #expect(try velocity(stats: #""salesRankDrops30":5,"salesRankDrops90":0"#).trend == nil)
  }
}
