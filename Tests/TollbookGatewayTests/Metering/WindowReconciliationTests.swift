import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite struct `Reconciliation of a window's total` {
  private let rule = MeterRule.clockWindow(ClockWindow(length: minute, limit: 100))

  private func paper() -> WindowPaper { WindowPaper(rule, at: instant("2026-11-21T10:03:10Z")) }

  @Test func `a total that is what we count explains itself`() {
    var paper = paper()
    let call = paper.begin(bound: 10, cost: 4)
    paper.work(call)
    let event = paper.answered(call, total: paper.total).windowObservation
    #expect(event?.used == 4)
    #expect(event?.hasPreviousUsed == false)
    #expect(event?.unexplained == 0)
    #expect(event?.windowEndsMs == instant("2026-11-21T10:04:00Z").milliseconds)
    #expect(paper.page[.settled] == 4)
    #expect(paper.page[.free] == 96)
  }

  @Test func `what others use shows to the unit, and takes room`() {
    var paper = paper()
    paper.total += 30
    let event = paper.observe(30).windowObservation
    #expect(event?.unexplained == 30)
    // The first that happens in the window is a reading: it posts the limit.
    #expect(event?.granted == 100)
    #expect(paper.page[.free] == 70)
    #expect(paper.page.residual == 0)
  }

  @Test func `what is held explains a total up to the sum of the bounds`() {
    var paper = paper()
    let first = paper.begin(bound: 10, cost: 10)
    let second = paper.begin(bound: 5, cost: 5)
    paper.work(first)
    let total = paper.total
    paper.work(second)
    let event = paper.observe(paper.total).windowObservation
    #expect(event?.predictedLow == 0)
    #expect(event?.predictedHigh == 15)
    #expect(event?.unexplained == 0)
    // Answers in another order: the largest total counts.
    #expect(paper.answered(first, total: total).windowObservation == nil)
    paper.answered(second, total: paper.total)
    #expect(paper.page.use?.used == 15)
    #expect(paper.page[.unexplained] == 0)
    #expect(paper.page[.settled] == 15)
  }

  @Test func `a total that says nothing new is not written down again`() {
    var paper = paper()
    #expect(paper.observe(0).windowObservation != nil)
    #expect(paper.observe(0).isEmpty)
  }

  @Test func `where our price is too high the total gives back, once it is complete`() {
    var paper = paper()
    // The price list says 6 and the upstream counts 5.
    let first = paper.begin(bound: 6, cost: 6)
    let second = paper.begin(bound: 6, cost: 6)
    paper.total = 5
    paper.answered(first, total: 5)
    // Another call is held: it may be in the total, and nothing is given back.
    #expect(paper.page[.unexplained] == 0)
    paper.total = 10
    paper.answered(second, total: 10)
    // The first was booked since the second was begun.
    #expect(paper.page[.unexplained] == 0)
    #expect(paper.observe(10).windowObservation?.unexplained == -2)
    #expect(paper.page[.free] == 90)
    #expect(paper.page.residual == 0)
  }

  @Test func `a call of the turn may be counted in either window`() {
    var paper = paper()
    paper.turning = 8
    #expect(paper.observe(8).windowObservation?.unexplained == 0)
    #expect(paper.observe(9).windowObservation?.unexplained == 1)
    // And may not: then nothing is given back on its account.
    #expect(paper.observe(9).isEmpty)
  }

  @Test(arguments: [
    ("2026-11-21T10:03:10Z", "2026-11-21T10:03:20Z", true),
    ("2026-11-21T10:03:58.5Z", "2026-11-21T10:03:59Z", false),
    ("2026-11-21T10:03:50Z", "2026-11-21T10:04:10Z", false),
    ("2026-11-21T10:04:01Z", "2026-11-21T10:04:10Z", false),
    ("2026-11-21T10:04:02Z", "2026-11-21T10:04:10Z", true),
  ])
  func `near a turn nobody knows of which window a total is`(
    asked: String, observed: String, isKnown: Bool
  ) {
    let window = WindowReconciliation.window(
      of: rule, asked: instant(asked), observed: instant(observed))
    #expect(window == (isKnown ? rule.window(at: instant(asked)) : nil))
  }

  @Test(
    arguments: [
      (0, [0, 0], [6, 4]), (5, [3, 2], [3, 2]), (10, [6, 4], [0, 0]),
    ] as [(Int64, [Int64], [Int64])])
  func `doubts end together by a total that was asked for late enough`(
    total: Int64, settled: [Int64], released: [Int64]
  ) throws {
    let daily = MeterRule.calendarWindow(try #require(CalendarWindow(.day, zone: "UTC", limit: 50)))
    var paper = WindowPaper(daily, at: instant("2026-11-21T10:03:10Z"))
    paper.doubted(paper.begin(bound: 6, cost: 6))
    paper.doubted(paper.begin(bound: 4, cost: 4))
    paper.total = total
    paper.now = paper.now.advanced(byMilliseconds: 59_999)
    #expect(paper.observe(total).resolution == nil)
    paper.now = paper.now.advanced(byMilliseconds: 1)
    let event = paper.observe(total).resolution
    #expect(event?.evidence == .reading)
    #expect(event?.doubts.map(\.settled) == settled)
    #expect(event?.doubts.map(\.released) == released)
    #expect(paper.page[.inDoubt] == 0)
    #expect(paper.page[.unexplained] == 0)
    #expect(paper.page.residual == 0)
  }

  @Test func `a total above all doubts proves none of them`() throws {
    let daily = MeterRule.calendarWindow(try #require(CalendarWindow(.day, zone: "UTC", limit: 50)))
    var paper = WindowPaper(daily, at: instant("2026-11-21T10:03:10Z"))
    paper.doubted(paper.begin(bound: 6, cost: 6))
    paper.total = 9
    paper.now = paper.now.advanced(byMilliseconds: minute)
    let events = paper.observe(9)
    #expect(events.resolution?.evidence == .unexplained)
    #expect(events.resolution?.doubts.map(\.unprovable) == [6])
    #expect(events.windowObservation?.unexplained == 3)
    #expect(paper.page[.free] == 41)
  }

  @Test(arguments: [
    WindowUsage(used: -1), WindowUsage(used: .max), WindowUsage(used: 1, limit: -1),
    WindowUsage(used: 1, ends: Timestamp(milliseconds: .max)),
  ])
  func `a total that cannot be true is not taken for the upstream's word`(usage: WindowUsage) {
    #expect(usage.believable == nil)
    #expect(WindowUsage(used: 1 << 60, limit: .max).believable != nil)
  }

  @Test(arguments: [0, 1, 1 << 60, Int64.max], [0, 1, .max] as [Int64])
  func `no total and no charge makes a sum overflow`(total: Int64, charged: Int64) {
    var paper = WindowPaper(
      .clockWindow(ClockWindow(length: minute, limit: .max)), at: instant("2026-11-21T10:03:10Z"))
    let call = paper.begin(bound: charged, cost: charged)
    paper.answered(call, total: total)
    paper.observe(total)
    #expect(paper.page.residual == 0)
    #expect(paper.paper.worstResidual == 0)
  }
}

/// A page on paper, an upstream that tells one total for its window, and calls between the two.
struct WindowPaper {
  struct Open {
    var fetch: Position
    var moves: [Move]
    var cost: Int64
    var question: WindowReconciliation.Question
  }

  private(set) var paper = PagedPaper()
  let rule: MeterRule
  var now: Timestamp
  /// What the upstream has counted in the window, of whomever.
  var total: Int64 = 0
  var turning: Int64 = 0

  init(_ rule: MeterRule, at now: Timestamp) {
    self.rule = rule
    self.now = now
  }

  func standing(_ bound: Int64) -> MeterStanding { paper.standing(.of(rule, bound), at: now) }

  var key: MeterKey { standing(0).page }
  var page: Meter { paper.page(key) }
  var question: WindowReconciliation.Question { .init(asked: now, meter: page) }
  var doubts: [Hold] { paper.doubts(on: key) }

  mutating func begin(bound: Int64, cost: Int64) -> Open {
    let (fetch, moves) = paper.reserve([standing(bound)])
    return Open(fetch: fetch, moves: moves, cost: cost, question: question)
  }

  /// The upstream does the work.
  mutating func work(_ call: Open) { total += call.cost }

  /// The answer comes, and with it the total as it was when it was given. It settles by its price.
  @discardableResult
  mutating func answered(_ call: Open, total: Int64) -> [Event] {
    let settled = page[.settled]
    paper.charge(call.fetch, call.moves, [call.cost])
    return observe(total, to: call.question, settledBefore: settled)
  }

  mutating func doubted(_ call: Open) { paper.doubt(call.fetch, call.moves, sent: now) }

  mutating func released(_ call: Open) { paper.release(call.fetch, call.moves) }

  @discardableResult
  mutating func observe(
    _ total: Int64, to question: WindowReconciliation.Question? = nil,
    settledBefore: Int64? = nil
  ) -> [Event] {
    var reconciliation = WindowReconciliation(
      of: key, meter: page, rule: rule, usage: WindowUsage(used: total),
      question: question ?? self.question, observed: now, settledBefore: settledBefore,
      turning: turning)
    let events = reconciliation.events(doubts: doubts, windows: [])
    for event in events { paper.append(event) }
    return events
  }
}

extension [Event] {
  fileprivate var windowObservation: WindowObserved? {
    for case .windowObserved(let event) in self { return event }
    return nil
  }
}
