import Keepa
import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

@Suite struct `Admission over several meters` {
  private let now = instant("2026-11-21T10:03:20Z")

  private func minutely(_ limit: Int64) -> MeterRule {
    .clockWindow(ClockWindow(length: minute, limit: limit))
  }

  private func daily(_ limit: Int64) throws -> MeterRule {
    .calendarWindow(try #require(CalendarWindow(.day, zone: "UTC", limit: limit)))
  }

  private func admit(
    _ uses: [MeterUse], on paper: PagedPaper = PagedPaper(), at time: Timestamp? = nil,
    callSize: Int = .max
  ) -> Admission {
    Admission(
      on: uses.map { paper.standing($0, at: time ?? now) }, callSize: callSize)
  }

  @Test func `where the second of three refuses the first item nothing is admitted`() throws {
    let admission = admit([
      .of(minutely(100), 5, 5, unit: "weight"), .of(try daily(4), 5, 5, unit: "EUR"),
      .of(.total(limit: 100), 1, 1, unit: "requests"),
    ])
    #expect(admission.admitted == 0)
    #expect(admission.refusal == .meter)
    #expect(admission.refusedBy == 1)
    #expect(admission.available == 4)
    // More than the limit never fits.
    #expect(admission.retryAt == nil)
    #expect(admission.wants.map(\.page.unit) == ["weight", "EUR", "requests"])
    #expect(
      admission.wants.map(\.page.window) == ["minute 2026-11-21T10:03Z", "day 2026-11-21", ""])
    #expect(admission.wants.map(\.wanted) == [10, 10, 2])
    #expect(admission.wants.map(\.available) == [100, 4, 100])
  }

  @Test func `the longest prefix that fits on all meters is admitted`() throws {
    let admission = admit([
      .of(minutely(12), 3, 3, 3, 3, 3), .of(try daily(2), 1, 1, 1, 1, 1, unit: "requests"),
    ])
    #expect(admission.admitted == 2)
    #expect(admission.refusedBy == 1)
    #expect(admission.retryAt == instant("2026-11-22T00:00:00Z"))
    #expect(admission.wants[0].retryAt == nil)
  }

  @Test func `what was taken of a rolling window must leave it before more than the limit fits`() {
    let rule = MeterRule.rollingWindow(RollingWindow(length: hour, limit: 5))
    let admission = admit([.of(rule, 2, 2, 2)])
    #expect(admission.admitted == 2)
    #expect(admission.retryAt == instant("2026-11-21T11:04:00Z"))
  }

  @Test func `of two that refuse the one that frees last is named, and its time`() throws {
    var paper = PagedPaper()
    let uses = [
      MeterUse.of(minutely(5), 5), MeterUse.of(try daily(5), 5, unit: "requests"),
      MeterUse.of(minutely(5), 5, unit: "EUR"),
    ]
    _ = paper.reserve(uses.map { paper.standing($0, at: now) })
    let admission = admit(uses, on: paper)
    #expect(admission.refusedBy == 1)
    #expect(admission.retryAt == instant("2026-11-22T00:00:00Z"))
    #expect(
      admission.wants.map(\.retryAt) == [
        instant("2026-11-21T10:04:00Z"), instant("2026-11-22T00:00:00Z"),
        instant("2026-11-21T10:04:00Z"),
      ])
  }

  @Test func `a price may be a step of how many are asked`() {
    // Up to 20 cost 2, more cost 40.
    let costs = PrefixCosts(of: 50, callSize: 30) { $0 <= 20 ? 2 : 40 }
    func use(_ limit: Int64) -> MeterUse {
      MeterUse(MeterKey(owner: "ip", unit: "weight"), minutely(limit), bounds: costs)
    }
    #expect(admit([use(39)], callSize: 30).admitted == 20)
    #expect(admit([use(41)], callSize: 30).admitted == 30)
    #expect(admit([use(42)], callSize: 30).admitted == 50)
    #expect(costs[0..<30] == 40)
    #expect(costs[30..<50] == 2)
    #expect(admit([use(1)], callSize: 30).wants[0].wanted == 42)
  }

  @Test func `where all together cost less than some, all are admitted`() {
    let costs = PrefixCosts(of: 10, callSize: 10) { $0 == 10 ? 1 : Int64($0) }
    let use = MeterUse(MeterKey(owner: "ip", unit: "weight"), minutely(3), bounds: costs)
    #expect(admit([use]).admitted == 10)
  }

  @Test func `an overdraft of a bucket opens no other meter`() {
    var meter = Meter()
    meter.apply(.reading(balance: 1, at: now, refillIn: 30_000, rate: 20), to: World.key)
    let bucket = MeterUse(
      World.key, .refillBucket(KeepaUpstream.bucket(.allow)),
      bounds: PrefixCosts(each: [12, 12, 12]))
    let paper = PagedPaper()
    let window = MeterUse.of(minutely(24), 12, 12, 12)
    let admission = Admission(on: [
      MeterStanding(bucket, at: now, .none, [meter]), paper.standing(window, at: now),
    ])
    #expect(admission.admitted == 2)
    #expect(admission.refusedBy == 1)
    #expect(admission.refusal == .meter)
  }

  // MARK: Numbers at their ends

  @Test func `a limit of all numbers admits no more than it has`() {
    let most = MeterUse.of(.total(limit: .max), .max, 1)
    #expect(admit([most]).admitted == 1)
    var paper = PagedPaper()
    let first = MeterUse.of(.total(limit: .max), .max)
    let (fetch, moves) = paper.reserve([paper.standing(first, at: now)])
    #expect(admit([.of(.total(limit: .max), 1)], on: paper).admitted == 0)
    paper.charge(fetch, moves, [.max])
    let admission = admit([.of(.total(limit: .max), 1)], on: paper)
    #expect(admission.admitted == 0)
    #expect(admission.available == 0)
    #expect(paper.worstResidual == 0)
  }

  @Test func `the limit that is posted follows the rule from end to end of the numbers`() {
    var paper = PagedPaper()
    for limit in [Int64.max, 5, 0, .max, 1, .min, .max] {
      let standing = paper.standing(.of(minutely(limit), 0), at: now)
      _ = paper.reserve([standing])
      #expect(paper.page(standing.page)[.granted] == limit)
    }
  }

  @Test func `a bound below nothing frees nothing`() {
    let admission = admit([.of(.total(limit: 5), -10, 6, .min, 5)])
    #expect(admission.admitted == 1)
    #expect(admission.wants[0].wanted == 11)
  }

  @Test func `a charge below nothing in the books admits no more than the limit`() {
    var paper = PagedPaper()
    let use = MeterUse.of(minutely(10), 5)
    let (fetch, moves) = paper.reserve([paper.standing(use, at: now)])
    paper.charge(fetch, moves, [-.max])
    #expect(paper.standing(use, at: now).available == 10)
  }

  // MARK: Clocks

  @Test func `a clock that is set back into a spent window finds it spent`() throws {
    var paper = PagedPaper()
    for rule in [
      minutely(5), try daily(5),
      .anchoredWindow(AnchoredWindow(length: hour, endingAt: now, limit: 5)),
      .rollingWindow(RollingWindow(length: hour, limit: 5)),
    ] {
      let use = MeterUse.of(rule, 5, unit: "\(rule)")
      _ = paper.reserve([paper.standing(use, at: now)])
      let later = now.advanced(byMilliseconds: 2 * day)
      #expect(admit([use], on: paper, at: later).admitted == 1)
      _ = paper.reserve([paper.standing(use, at: later)])
      #expect(admit([use], on: paper).admitted == 0)
      #expect(admit([use], on: paper, at: later).admitted == 0)
    }
  }

  @Test func `what was sent near the turn counts in the next window too`() throws {
    let rule = minutely(10)
    var turning = TurningCalls()
    let booked = rule.window(at: instant("2026-11-21T10:02:59Z"))
    var use = MeterUse.of(rule, 7)
    turning.note(
      use.meter, rule, amount: 4, booked: booked.name, sent: instant("2026-11-21T10:02:59Z"))
    turning.note(
      use.meter, rule, amount: 3, booked: booked.name, sent: instant("2026-11-21T10:02:30Z"))
    let page = use.meter.inWindow(rule.window(at: now).name)
    #expect(turning.amounts == [page: 4])
    use.turning = try #require(turning.amounts[page])
    let admission = admit([use])
    #expect(admission.admitted == 0)
    #expect(admission.available == 6)
    // In the window after it does not count any more.
    #expect(admission.retryAt == instant("2026-11-21T10:04:00Z"))
  }

  @Test func `calls of a window that is over are forgotten`() {
    let rule = minutely(10)
    var turning = TurningCalls()
    let meter = MeterKey(owner: "group", unit: "weight")
    turning.note(
      meter, rule, amount: 4, booked: rule.window(at: now).name,
      sent: instant("2026-11-21T10:03:59.500Z"))
    turning.forget(before: instant("2026-11-21T10:04:59.999Z"))
    #expect(turning.amounts == [meter.inWindow("minute 2026-11-21T10:04Z"): 4])
    turning.forget(before: instant("2026-11-21T10:05:00Z"))
    #expect(turning == TurningCalls())
  }

  // MARK: Any prices on any meters

  @Test(arguments: Seeds.all)
  func `the longest prefix is what trying every prefix finds`(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<40 {
      let count = random.int(1...12)
      let callSize = random.int(1...12)
      let isByCall = random.chance(50)
      var uses: [MeterUse] = []
      var sums: [[Int64]] = []
      for number in 0..<random.int(1...4) {
        let rule = random.pick([
          minutely(random.int64(0...60)), try daily(random.int64(0...60)),
          .rollingWindow(RollingWindow(length: minute, limit: random.int64(0...60))),
          .total(limit: random.int64(0...60)),
        ])
        let prices = (0...max(count, callSize)).map { _ in random.int64(0...15) }
        let costs =
          isByCall
          ? PrefixCosts(of: count, callSize: callSize) { prices[$0] }
          : PrefixCosts(each: Array(prices.prefix(count)))
        sums.append(
          (0...count).map { items in
            guard isByCall else { return prices.prefix(items).reduce(0, +) }
            let whole = Int64(items / callSize) * prices[callSize]
            return whole + (items % callSize == 0 ? 0 : prices[items % callSize])
          })
        uses.append(MeterUse(MeterKey(owner: "m\(number)", unit: "u"), rule, bounds: costs))
      }
      let admission = admit(uses, callSize: callSize)
      let fitting = (1...count).last { items in
        zip(uses, sums).allSatisfy { use, sums in sums[items] <= use.rule.limit ?? 0 }
      }
      #expect(admission.admitted == fitting ?? 0, "seed \(seed)")
      #expect((admission.refusal == nil) == (admission.admitted == count), "seed \(seed)")
      for (index, use) in uses.enumerated() {
        #expect(use.bounds[0..<count] == sums[index][count])
      }
    }
  }
}
