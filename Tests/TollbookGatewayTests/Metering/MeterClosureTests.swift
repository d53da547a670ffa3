import Testing
import TollbookEvents
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite("a meter that an upstream has closed") struct MeterClosureTests {
  private let now = Timestamp(milliseconds: 1_000_000)
  private let key = MeterKey(owner: "atlas:address", unit: "requests")

  /// A page on which something was granted and charged.
  private func page(in window: String, settled: Int64, granted: Int64 = 0) -> Meter {
    var page = Meter()
    let key = key.inWindow(window)
    var started = FetchStarted()
    var reserved = Move(key, settled)
    reserved.granted = granted
    started.moves = [reserved]
    page.apply(.fetchStarted(started), to: key)
    var charged = TokensCharged()
    charged.attempt = 1
    charged.moves = [Move(ending: reserved, amount: settled, reserved: settled)]
    page.apply(.tokensCharged(charged), to: key)
    return page
  }

  private func standing(
    _ rule: MeterRule, wanted: Int64, spent: Int64 = 0, closedFor milliseconds: Int64?
  ) -> MeterStanding {
    let use = MeterUse(key, rule, bounds: PrefixCosts(each: [wanted]))
    let window = rule.window(at: now)
    let page = page(in: window.name, settled: spent)
    var standing = MeterStanding(use, at: now, window, [page])
    standing.closedUntil = milliseconds.map { now.advanced(byMilliseconds: $0) }
    return standing
  }

  private static let minute = MeterRule.clockWindow(ClockWindow(length: 60_000, limit: 10))

  @Test func `it admits nothing, whatever the books have left`() {
    let admission = Admission(on: [standing(Self.minute, wanted: 1, closedFor: 500)])
    #expect(admission.admitted == 0)
    #expect(admission.retryAt == now.advanced(byMilliseconds: 500))
    #expect(Admission(on: [standing(Self.minute, wanted: 1, closedFor: nil)]).admitted == 1)
  }

  @Test func `what the books have not left frees no earlier than the closure ends`() {
    let long = Admission(on: [standing(Self.minute, wanted: 1, spent: 10, closedFor: 200_000)])
    #expect(long.retryAt == now.advanced(byMilliseconds: 200_000))
    let short = Admission(on: [standing(Self.minute, wanted: 1, spent: 10, closedFor: 1)])
    #expect(short.retryAt == Self.minute.window(at: now).ends)
  }

  /// What is said to whoever is refused by a meter.
  private func problem(_ standing: MeterStanding) -> PurchaseProblem {
    let call = PlannedCall(needs: [], places: [], uses: [standing.use])
    let refusal = ReserveRefusal(
      Admission(on: [standing]), of: call, admitted: 0, on: [standing])
    return PurchaseProblem(refusal, "Atlas")
  }

  @Test func `who is refused is told who has closed it, and until when`() {
    let until = now.advanced(byMilliseconds: 500)
    let closed = problem(standing(Self.minute, wanted: 1, closedFor: 500))
    #expect(closed.reason == .limitReached)
    #expect(closed.detail == "Atlas has closed requests of atlas:address until \(until)")
    #expect(closed.retryAt == until)
    let unlimited = problem(standing(.unlimited, wanted: 1, closedFor: 500))
    #expect(unlimited.detail == closed.detail)
    // Nobody has closed it: the books say no.
    let full = problem(standing(Self.minute, wanted: 1, spent: 10, closedFor: nil))
    #expect(full.detail.contains("it does not fit what is left of atlas:address"))
    // What the books have not left is waited for longer than the closure.
    let later = problem(standing(Self.minute, wanted: 1, spent: 10, closedFor: 1))
    #expect(later.detail.contains("it does not fit what is left of atlas:address"))
    #expect(later.retryAt == Self.minute.window(at: now).ends)
  }

  @Test func `a meter without a limit is closed like any other`() {
    let closed = Admission(on: [standing(.unlimited, wanted: 1_000, closedFor: 500)])
    #expect(closed.admitted == 0)
    #expect(closed.retryAt == now.advanced(byMilliseconds: 500))
    #expect(Admission(on: [standing(.unlimited, wanted: .max, closedFor: nil)]).admitted == 1)
  }

  @Test func `without a limit so much is granted as is taken`() {
    let rule = MeterRule.unlimited
    #expect(rule.granted(on: Meter(), taking: 100) == 100)
    let page = page(in: "", settled: 60, granted: 100)
    #expect(page[.granted] == 100)
    #expect(page[.settled] == 60)
    // What was given back is taken again first.
    #expect(rule.granted(on: page, taking: 30) == 0)
    #expect(rule.granted(on: page, taking: 50) == 10)
    #expect(rule.limit == nil)
    #expect(rule.window(at: now) == .none)
  }

  @Test func `its name is its own`() {
    var model = Dimension()
    model.name = "model"
    model.value = "a"
    let names = [
      key, MeterKey(owner: "atlas:address", unit: "tokens"),
      MeterKey(owner: "atlas:address", dimensions: [model], unit: "requests"),
    ].map(\.closureName)
    #expect(Set(names).count == 3)
    #expect(names.allSatisfy { $0.contains("/") })
  }
}
