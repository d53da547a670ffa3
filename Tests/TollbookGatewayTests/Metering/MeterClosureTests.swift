import Testing
import TollbookEvents
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite("a meter that an upstream has closed") struct MeterClosureTests {
  private let now = Timestamp(milliseconds: 1_000_000)
  private let key = MeterKey(owner: "atlas:address", unit: "requests")

  private func standing(
    _ rule: MeterRule, wanted: Int64, spent: Int64 = 0, closedFor milliseconds: Int64?
  ) -> MeterStanding {
    var page = Meter()
    page[.settled] = spent
    let use = MeterUse(key, rule, bounds: PrefixCosts(each: [wanted]))
    var standing = MeterStanding(use, at: now, rule.window(at: now), [page])
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

  @Test func `a meter without a limit is closed like any other`() {
    let closed = Admission(on: [standing(.unlimited, wanted: 1_000, closedFor: 500)])
    #expect(closed.admitted == 0)
    #expect(closed.retryAt == now.advanced(byMilliseconds: 500))
    #expect(Admission(on: [standing(.unlimited, wanted: .max, closedFor: nil)]).admitted == 1)
  }

  @Test func `without a limit so much is granted as is taken`() {
    let rule = MeterRule.unlimited
    var page = Meter()
    #expect(rule.granted(on: page, taking: 100) == 100)
    page[.granted] = 100
    page[.settled] = 60
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
