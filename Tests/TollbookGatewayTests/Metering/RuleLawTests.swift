import Foundation
import Testing
import TollbookEvents
import TollbookTestSupport
import TollbookViews

@testable import TollbookGateway

private let reached = Reached()

@Suite(
  Reaching(
    title: "Meter rules",
    names: [
      "clock", "day", "month", "rolling", "anchored", "total", "admitted", "refused", "frees",
      "never frees", "clock set back", "above the bound", "released", "in doubt", "limit changed",
    ], reached: reached))
struct `Law 7: a meter admits what a list of all charges admits` {
  @Test(arguments: Seeds.all)
  func `each rule agrees with sums over the list`(seed: UInt64) throws {
    var lab = try RuleLab(seed: seed)
    for step in 0..<80 {
      lab.act()
      if let problem = lab.problem {
        Issue.record("seed \(seed), step \(step): \(problem)")
        return
      }
    }
  }
}

/// A meter of some rule, and beside it nothing but a list of what was ever spent and when.
private struct RuleLab {
  private struct Spent {
    var fetch: Position
    var moves: [Move]
    var at: Timestamp
    /// The day or the month by another calendar.
    var date: DateComponents
    var amount: Int64
  }

  private var random: SeededGenerator
  private var calendar = Calendar(identifier: .gregorian)
  private var paper = PagedPaper()
  private var now = Timestamp.testStart
  private var rule: MeterRule
  private let length: Int64
  private let kind: Int
  private var spent: [Spent] = []
  private var open: [Int] = []
  private(set) var problem: String?

  init(seed: UInt64) throws {
    random = SeededGenerator(seed: seed)
    kind = Int(seed % 6)
    length = random.pick([1_000, 10_000, 60_000, 3_600_000, 86_400_000])
    rule = .total(limit: 0)
    now = now.advanced(byMilliseconds: random.int64(0...(400 * day)))
    calendar.timeZone = try #require(
      TimeZone(identifier: kind == 1 ? "America/Santiago" : "Europe/Berlin"))
    rule = try rule(limit: random.int64(20...200))
    reached.count(["clock", "day", "month", "rolling", "anchored", "total"][kind])
  }

  private func rule(limit: Int64) throws -> MeterRule {
    switch kind {
    case 0: .clockWindow(ClockWindow(length: length, limit: limit))
    case 1:
      .calendarWindow(
        try #require(CalendarWindow(.day, zone: "America/Santiago", limit: limit)))
    case 2:
      .calendarWindow(try #require(CalendarWindow(.month, zone: "Europe/Berlin", limit: limit)))
    case 3: .rollingWindow(RollingWindow(length: length, limit: limit))
    case 4:
      .anchoredWindow(
        AnchoredWindow(length: length, endingAt: Timestamp(milliseconds: 12_345), limit: limit))
    default: .total(limit: limit)
    }
  }

  /// The typical time after which something frees.
  private var scale: Int64 {
    switch kind {
    case 1: day
    case 2: 30 * day
    case 5: hour
    default: length
    }
  }

  mutating func act() {
    switch random.int(0...99) {
    case 0..<50: buy()
    case 50..<62: end { $0.random.int64(0...$1) }
    case 62..<66: end { $0.random.int64($1...(2 * $1 + 1)) }
    case 66..<72: release()
    case 72..<76: doubt()
    case 76..<94: now = now.advanced(byMilliseconds: random.int64(1...max(1, scale / 3)))
    case 94..<97:
      reached.count("clock set back")
      now = now.advanced(byMilliseconds: -random.int64(1...scale))
    default:
      reached.count("limit changed")
      if let changed = try? rule(limit: random.int64(20...200)) { rule = changed }
    }
    if paper.worstResidual != 0 { problem = "the residual was \(paper.worstResidual)" }
  }

  private mutating func buy() {
    let bound = random.chance(5) ? 500 : random.int64(0...40)
    let use = MeterUse(
      MeterKey(owner: "group", unit: "weight"), rule, bounds: PrefixCosts(each: [bound]))
    let standing = paper.standing(use, at: now)
    let admission = Admission(on: [standing])
    check(admission, bound, use)
    guard admission.refusal == nil else { return }
    reached.count("admitted")
    let (fetch, moves) = paper.reserve([standing])
    open.append(spent.count)
    spent.append(Spent(fetch: fetch, moves: moves, at: now, date: date(of: now), amount: bound))
    let page = paper.page(standing.page)
    if page[.granted] != rule.limit { problem = "\(page[.granted]) is granted" }
  }

  private mutating func check(_ admission: Admission, _ bound: Int64, _ use: MeterUse) {
    let (least, most) = available(at: now)
    guard (least...most).contains(admission.available) else {
      problem = "\(admission.available) can be spent; by the list \(least) to \(most)"
      return
    }
    guard admission.refusal != nil else { return }
    reached.count("refused")
    if admission.refusal != .meter { problem = "the reason is \(admission.refusal!)" }
    guard let retryAt = admission.retryAt else {
      reached.count("never frees")
      if kind != 5, bound <= rule.limit ?? 0 { problem = "\(bound) would fit one day" }
      return
    }
    reached.count("frees")
    let then = Admission(on: [paper.standing(use, at: retryAt)])
    let before = Admission(on: [paper.standing(use, at: retryAt.advanced(byMilliseconds: -1))])
    // A later window may be used already, where the clock was set back.
    if then.refusal != nil, !spent.contains(where: { $0.at > now }) {
      problem = "it does not fit at the time to try again"
    }
    if before.refusal == nil { problem = "it fits before the time to try again" }
  }

  /// By the list: what can be spent at the least and at the most. They differ for a rolling window, which counts the
  /// oldest part in full.
  private func available(at now: Timestamp) -> (Int64, Int64) {
    let limit = rule.limit ?? 0
    let current = now.milliseconds
    func rest(_ counts: (Spent) -> Bool) -> Int64 {
      min(limit, limit - spent.filter(counts).reduce(0) { $0 + $1.amount })
    }
    func both(_ rest: Int64) -> (Int64, Int64) { (rest, rest) }
    switch kind {
    case 0: return both(rest { $0.at.milliseconds / length == current / length })
    case 1, 2:
      let date = date(of: now)
      return both(rest { $0.date == date })
    case 3:
      let part = length / 60 + 1
      return (
        rest { (current - 61 * part...current + part).contains($0.at.milliseconds) },
        rest { (current - length + 1...current).contains($0.at.milliseconds) }
      )
    case 4:
      return both(
        rest { ($0.at.milliseconds - 12_345) / length == (current - 12_345) / length })
    default: return both(rest { _ in true })
    }
  }

  private func date(of time: Timestamp) -> DateComponents {
    let parts: Set<Calendar.Component> = kind == 1 ? [.year, .month, .day] : [.year, .month]
    return calendar.dateComponents(
      parts, from: Date(timeIntervalSince1970: Double(time.milliseconds) / 1_000))
  }

  // MARK: Ends

  private mutating func takeOpen() -> Int? {
    guard !open.isEmpty else { return nil }
    return open.remove(at: random.int(0...open.count - 1))
  }

  private mutating func end(_ cost: (inout RuleLab, Int64) -> Int64) {
    guard let index = takeOpen() else { return }
    let bound = spent[index].amount
    let amount = cost(&self, bound)
    if amount > bound { reached.count("above the bound") }
    // However late: in the window of the reservation.
    paper.charge(spent[index].fetch, spent[index].moves, [amount])
    spent[index].amount = amount
  }

  private mutating func release() {
    guard let index = takeOpen() else { return }
    reached.count("released")
    paper.release(spent[index].fetch, spent[index].moves)
    spent[index].amount = 0
  }

  private mutating func doubt() {
    guard let index = takeOpen() else { return }
    reached.count("in doubt")
    paper.doubt(spent[index].fetch, spent[index].moves, sent: now)
  }
}
