import DealScout
import Testing
import TollbookEvents

/// Whole days of scans, in the injected clock.
@Suite struct ScanDayTests {
  private static let hour: Int64 = 3_600_000

  private func day(_ setting: ScanDay.Setting) throws -> ScanDay {
    var day = try ScanDay(setting)
    try day.run()
    return day
  }

  /// What holds on every day on which calls are enough.
  private func expectPromises(_ day: ScanDay) {
    #expect(day.refusedScans == 0, "\(day.summary)")
    #expect(day.mostUsed <= 5_000, "\(day.summary)")
    #expect(day.longestGap <= 90 * ScanDay.minute, "\(day.summary)")
    #expect(day.found.percentInTwo >= 95, "\(day.summary)")
    #expect(day.tooSoon == 0, "\(day.summary)")
  }

  @Test(arguments: ScanDay.Spender.allCases)
  func `forty searches on five thousand calls, beside somebody who takes up to a third of them`(
    spender: ScanDay.Spender
  ) throws {
    var (planted, inTwo) = (0, 0)
    for seed in 1...4 as ClosedRange<UInt64> {
      let day = try day(.init(seed: seed, spender: spender))
      expectPromises(day)
      planted += day.found.planted
      inTwo += day.found.inTwoScans
      // Calls last until the end, and busy searches are scanned oftener.
      #expect(day.short == 0, "\(day.summary)")
      let (busy, quiet) = day.scansOfBusyAndQuiet
      #expect(2 * busy > 3 * quiet, "\(day.summary)")
      #expect(day.fewestScans >= 16, "\(day.summary)")
      if seed == 1 { print(day.summary) }
    }
    print("\(spender), 4 days: \(planted) deals planted, \(inTwo) seen within two scans")
    #expect(planted > 1_000)
  }

  @Test func `with a tenth kept for people nearly all calls are used, and none is refused`() throws
  {
    for seed in 1...2 as ClosedRange<UInt64> {
      let day = try day(.init(seed: seed, reserve: .percent(10), spender: .nobody))
      expectPromises(day)
      #expect(day.scanCalls >= 3_800, "\(day.summary)")
      #expect(day.scanCalls <= 4_500, "\(day.summary)")
      if seed == 1 { print(day.summary) }
    }
  }

  @Test(arguments: [
    // Clocks go ahead on 8 March, a day of 23 hours, and back on 1 November, one of 25.
    "2026-03-08T02:00:30Z", "2026-11-01T02:00:30Z",
  ])
  func `days on which clocks change`(start: String) throws {
    for seed in 1...2 as ClosedRange<UInt64> {
      let day = try day(
        .init(seed: seed, spender: .bursts, start: start, hours: 36))
      expectPromises(day)
      #expect(day.resets == 2, "\(day.summary)")
      if seed == 1 { print(day.summary) }
    }
  }

  @Test(arguments: [(7, -24), (7, 24), (20, -24), (3, -1), (12, 1)] as [(Int64, Int64)])
  func `a clock that is set back a day, or ahead, stops nothing`(after: Int64, by: Int64) throws {
    for seed in 1...2 as ClosedRange<UInt64> {
      // Without ages, as just after a start, only a clock that is set back by more than the longest gap is seen.
      let knowsAges = seed % 2 == 0 || abs(by) < 24
      let day = try day(
        .init(
          seed: seed, spender: .steady, hours: 30, jump: (after: after, by: by),
          knowsAges: knowsAges))
      #expect(day.refusedScans == 0, "\(day.summary)")
      #expect(day.mostUsed <= 5_000, "\(day.summary)")
      #expect(day.longestGap <= 90 * ScanDay.minute, "\(day.summary)")
      #expect(day.found.percentInTwo >= 95, "\(day.summary)")
      if !knowsAges, by < 0 { #expect(day.reasons[.clock, default: 0] > 0) }
      if seed == 1 { print("set by \(by) h: \(day.summary)") }
    }
  }

  @Test func `calls that begin anew in the midst of a turn are counted where they belong`() throws {
    var inTurns = 0
    for seed in 1...2 as ClosedRange<UInt64> {
      // The turn that begins half a minute before midnight in Los Angeles makes calls on both sides of it.
      let day = try day(
        .init(seed: seed, spender: .steady, start: "2026-11-21T02:04:30Z", hours: 24))
      expectPromises(day)
      #expect(day.resets == 1, "\(day.summary)")
      inTurns += day.resetsInTurns
    }
    #expect(inTurns == 2)
  }

  @Test func `calls that are nearly gone are kept for people, and the plan says until when`() throws
  {
    // Somebody takes far more than a third, late: scans stop at what is kept.
    let day = try day(
      .init(seed: 3, reserve: .calls(900), spender: .late, wanted: 3_200, hours: 24))
    #expect(day.refusedScans == 0, "\(day.summary)")
    #expect(day.mostUsed <= 5_000, "\(day.summary)")
    #expect(day.reasons[.reserve, default: 0] + day.reasons[.spent, default: 0] > 0)
    #expect(day.heldUntil == Timestamp(rfc3339: "2026-11-22T08:00:00Z"))
    print(day.summary)
  }

  @Test func `too few calls are shared out evenly, and last until the end`() throws {
    for seed in 1...5 as ClosedRange<UInt64> {
      let day = try day(.init(seed: seed, limit: 400, reserve: .percent(10), failures: 0))
      #expect(day.refusedScans == 0, "\(day.summary)")
      #expect(day.mostUsed <= 360, "\(day.summary)")
      #expect(day.scanCalls >= 330, "\(day.summary)")
      #expect(day.fewestScans >= 8, "\(day.summary)")
      #expect(day.lastTurnWithScans > 0)
      #expect(day.longestGap <= 4 * Self.hour, "\(day.summary)")
    }
  }
}
