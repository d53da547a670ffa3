import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite struct `Ends of doubts` {
  private let now = instant("2026-11-21T10:03:20Z")
  private let ends = instant("2026-11-21T10:04:00Z")

  /// Doubts of so many units on a meter of a minute, and the page.
  private func doubts(
    _ amounts: [Int64], unit: String = "tokens", isLimitOnly: Bool = false
  ) -> (paper: PagedPaper, page: MeterKey) {
    var paper = PagedPaper()
    var page = World.key
    for amount in amounts {
      var use = MeterUse.of(
        .clockWindow(ClockWindow(length: minute, limit: 100)), amount, unit: unit)
      use.isLimitOnly = isLimitOnly
      let standing = paper.standing(use, at: now)
      let (fetch, moves) = paper.reserve([standing])
      paper.doubt(fetch, moves, sent: now)
      page = standing.page
    }
    return (paper, page)
  }

  @Test func `after the window's end nothing can prove a doubt`() throws {
    var (paper, page) = doubts([7, 5])
    func end(_ rule: DoubtRule, _ at: Timestamp) -> ChargeResolved? {
      rule.end(ofWindow: paper.page(page), paper.doubts(on: page), at: at, windows: ["day d"])
    }
    #expect(end(.atWindowEnd, ends.advanced(byMilliseconds: -1)) == nil)
    let event = try #require(end(.atWindowEnd, ends))
    #expect(event.evidence == .windowEnded)
    #expect(event.doubts.map(\.unprovable) == [7, 5])
    #expect(event.doubts.allSatisfy { $0.window == "minute 2026-11-21T10:03Z" })
    #expect(event.windows == ["day d"])
    // A reading of the window may still be on its way.
    #expect(end(.ownReadings, ends.advanced(byMilliseconds: 59_999)) == nil)
    #expect(end(.ownReadings, ends.advanced(byMilliseconds: 60_000)) == event)
    // Of these the end comes from elsewhere.
    for rule in [DoubtRule.invoice, .byOperator, .follows(World.key)] {
      #expect(end(rule, ends.advanced(byMilliseconds: day)) == nil)
    }
    paper.append(.chargeResolved(event))
    #expect(paper.page(page)[.inDoubt] == 0)
    #expect(paper.page(page)[.unprovable] == 12)
    #expect(paper.worstResidual == 0)
    #expect(paper.doubts(on: page).isEmpty)
  }

  /// How the doubt of the same attempt ended on the meter of tokens.
  private func resolution(
    settled: Int64, released: Int64, unprovable: Int64, fetch: Position = 1
  ) -> ChargeResolved {
    var doubt = ResolvedDoubt()
    doubt.fetch = fetch
    doubt.attempt = 1
    doubt.tokens = settled + released + unprovable
    doubt.settled = settled
    doubt.released = released
    doubt.unprovable = unprovable
    var event = ChargeResolved()
    event.meter = World.key.name
    event.doubts = [doubt]
    return event
  }

  @Test(
    arguments: [
      // Settled, released and unprovable of the followed doubt; then of this one of 8.
      (6, 4, 0, 6, 2, 0), (10, 0, 0, 8, 0, 0), (0, 10, 0, 0, 8, 0), (0, 0, 10, 0, 0, 8),
      (5, 2, 3, 5, 0, 3), (5, 0, 5, 5, 0, 3),
    ] as [(Int64, Int64, Int64, Int64, Int64, Int64)])
  func `a limit of the same cost ends as the cost does, as far as it is held`(
    led: (Int64, Int64, Int64, Int64, Int64, Int64)
  ) throws {
    var (paper, page) = doubts([8], isLimitOnly: true)
    let events = DoubtRule.follows(World.key).end(
      following: resolution(settled: led.0, released: led.1, unprovable: led.2),
      paper.doubts(on: page), windows: [])
    let event = try #require(events.first)
    #expect(event.evidence == .followed)
    #expect(
      event.doubts.map { [$0.settled, $0.released, $0.unprovable] } == [[led.3, led.4, led.5]])
    #expect(event.doubts.map(\.limitOnly) == [true])
    paper.append(.chargeResolved(event))
    #expect(paper.worstResidual == 0)
    #expect(paper.page(page)[.settled] == led.3)
  }

  @Test(
    arguments: [
      (1, 9, 0, 8, 0, 0), (0, 10, 0, 0, 8, 0), (0, 9, 1, 0, 0, 8),
    ] as [(Int64, Int64, Int64, Int64, Int64, Int64)])
  func `on a meter of another unit it is known only whether it was spent`(
    led: (Int64, Int64, Int64, Int64, Int64, Int64)
  ) {
    let (paper, page) = doubts([8], unit: "requests")
    let events = DoubtRule.follows(World.key).end(
      following: resolution(settled: led.0, released: led.1, unprovable: led.2),
      paper.doubts(on: page), windows: [])
    #expect(
      events.map { $0.doubts.map { [$0.settled, $0.released, $0.unprovable] } }
        == [[[led.3, led.4, led.5]]])
  }

  @Test func `only doubts of the attempts that the other event names follow it`() {
    let (paper, page) = doubts([8])
    let other = resolution(settled: 1, released: 0, unprovable: 0, fetch: 99)
    #expect(
      DoubtRule.follows(World.key).end(following: other, paper.doubts(on: page), windows: [])
        .isEmpty)
    let elsewhere = DoubtRule.follows(MeterKey(owner: "other", unit: "tokens"))
    #expect(
      elsewhere.end(
        following: resolution(settled: 1, released: 0, unprovable: 0), paper.doubts(on: page),
        windows: []
      ).isEmpty)
  }

  @Test func `a bill ends all doubts of what it is about`() throws {
    let (paper, page) = doubts([6, 4])
    func end(_ billed: Int64) -> ChargeResolved? {
      DoubtRule.invoice.end(
        byInvoice: billed, page: paper.page(page), paper.doubts(on: page), windows: [])
    }
    let event = try #require(end(5))
    #expect(event.evidence == .invoice)
    #expect(event.doubts.map(\.settled) == [3, 2])
    #expect(event.doubts.map(\.released) == [3, 2])
    // More than all doubts, or less than nothing: it proves none.
    for billed in [11, -1, Int64.max, .min] {
      let event = try #require(end(billed))
      #expect(event.evidence == .unexplained)
      #expect(event.doubts.map(\.unprovable) == [6, 4])
    }
  }

  @Test func `doubts whose sum is no number are not proved by any`() {
    let (paper, page) = doubts([.max, .max])
    let event = ChargeResolved(paper.doubts(on: page), on: page, spent: 0, by: .reading)
    #expect(event.evidence == .unexplained)
    #expect(event.doubts.map(\.unprovable) == [.max, .max])
  }
}
