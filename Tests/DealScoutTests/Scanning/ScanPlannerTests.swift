import DealScout
import JSONText
import Testing
import TollbookEvents
import TollbookTestSupport

/// One turn of scans.
@Suite struct ScanPlannerTests {
  private static let minute: Int64 = 60_000
  private static let now = Timestamp(milliseconds: 1_795_248_000_000)
  private static let planner = ScanPlanner(reserve: .percent(10))

  private func ago(_ minutes: Int64) -> Timestamp {
    Self.now.advanced(byMilliseconds: -minutes * Self.minute)
  }

  private func quota(used: Int64 = 0, scanned: Int64? = nil, hours: Int64 = 12) -> ScanQuota {
    ScanQuota(
      limit: 5_000, used: used, scanned: scanned ?? used, reset: ago(-60 * hours))
  }

  private func plan(_ quota: ScanQuota, _ searches: [ScanSearch]) -> ScanPlan {
    Self.planner.plan(quota, searches, now: Self.now)
  }

  private func search(
    _ id: String, _ minutes: Int64?, pages: Int64 = 1, perHour: Double? = 1
  ) -> ScanSearch {
    ScanSearch(id, lastScanned: minutes.map(ago), pages: pages, newPerHour: perHour)
  }

  @Test func `a search that was never scanned is scanned, and one whose answer is fresh is not`() {
    let plan = plan(quota(), [search("a", nil, pages: 3), search("b", 4), search("c", 5)])
    #expect(plan.scans.map(\.search) == ["a"])
    #expect(plan.scans.map(\.reason) == [.new])
    #expect(plan.calls == 3)
    #expect(plan.decisions.dropFirst().map(\.reason) == [.fresh, .fresh])
  }

  @Test
  func `no search is scanned before or at its expiry, and all soon after it where calls abound`() {
    var instants: Set<Int64> = []
    for number in 0..<200 {
      let search = search("search-\(number)", 0)
      var at: Int64?
      for second in 0...400 where at == nil {
        let now = Self.now.advanced(byMilliseconds: Int64(second) * 1_000)
        let plan = Self.planner.plan(quota(), [search], now: now)
        if !plan.scans.isEmpty { at = Int64(second) }
      }
      #expect(at.map { 300 < $0 && $0 <= 360 } == true, "search-\(number): \(at ?? -1) s")
      if let at { instants.insert(at) }
    }
    // Each by its own seed.
    #expect(instants.count > 40)
  }

  @Test
  func `what would miss the longest gap comes first, then what is new, then what waits longest`() {
    let plan = plan(
      quota(),
      [
        search("waits", 20), search("new", nil), search("late", 85), search("later", 89),
        search("long", 60),
      ])
    #expect(plan.scans.map(\.search) == ["later", "late", "new", "long", "waits"])
    #expect(plan.scans.map(\.reason) == [.overdue, .overdue, .new, .due, .due])
    #expect(plan.heldUntil == nil)
  }

  @Test func `calls that are kept for people are not scanned with, and the plan says until when`()
    throws
  {
    let searches = (0..<5).map { search("s\($0)", 85) }
    let plan = plan(quota(used: 4_498), searches)
    #expect(plan.budget == 2)
    #expect(plan.held == 500)
    #expect(plan.calls <= 2)
    let none = self.plan(quota(used: 4_500), searches)
    #expect(none.scans.isEmpty)
    #expect(none.decisions.allSatisfy { $0.reason == .reserve && $0.next == none.reset })
    #expect(none.heldUntil == ago(-720))
    #expect(
      none.sentence
        == "0 of 5 searches are scanned; 500 calls are kept for people until \(ago(-720))")
    let spent = self.plan(quota(used: 5_000), searches)
    #expect(spent.decisions.allSatisfy { $0.reason == .spent })
    #expect(spent.sentence == "0 of 5 searches are scanned; no call is left until \(ago(-720))")
    var json = JSONWriter()
    self.plan(quota(used: 4_500), [search("a\"", 85)]).write(to: &json)
    #expect(
      json.string == """
        {"scans":0,"calls":0,"budget":0,"held":500,"held_until":"\(ago(-720))",\
        "reset_at":"\(ago(-720))","keeps_longest_gap":false,"searches":[{"search":"a\\"",\
        "reason":"reserve","calls":0,"next_at":"\(ago(-720))"}]}
        """)
  }

  @Test func `hundreds of searches that are due together are spread over turns, and none starves`()
  {
    var last: [String: Timestamp?] = [:]
    for number in 0..<300 { last["s\(number)"] = .some(nil) }
    var quota = quota()
    var now = Self.now
    var most: Int64 = 0
    for _ in 0..<40 {
      let searches = last.sorted { $0.key < $1.key }.map {
        ScanSearch($0.key, lastScanned: $0.value, newPerHour: 1)
      }
      let plan = Self.planner.plan(quota, searches, now: now)
      most = max(most, plan.calls)
      for scan in plan.scans {
        last[scan.search] = .some(now)
        quota.count(scan.calls, at: now)
      }
      now = now.advanced(byMilliseconds: 5 * Self.minute)
    }
    #expect(most <= 100)
    #expect(last.values.allSatisfy { $0 != nil })
  }

  @Test func `a clock that was set back scans what lies ahead of it, unless the age is known`() {
    let ahead = ScanSearch("a", lastScanned: ago(-1_440), newPerHour: 1)
    #expect(plan(quota(), [ahead]).scans.map(\.reason) == [.clock])
    let known = ScanSearch("a", lastScanned: ago(-1_440), age: 4 * Self.minute, newPerHour: 1)
    #expect(plan(quota(), [known]).decisions.map(\.reason) == [.fresh])
    let late = ScanSearch("a", lastScanned: ago(30), age: 88 * Self.minute, newPerHour: 1)
    #expect(plan(quota(), [late]).decisions.map(\.reason) == [.overdue])
  }

  @Test func `no plan takes more than is left, says each search once, and is the same again`() {
    var reached: Set<ScanReason> = []
    for seed in 1...300 as ClosedRange<UInt64> {
      var chance = SeededGenerator(seed: seed)
      let planner = ScanPlanner(
        reserve: chance.chance(50)
          ? .percent(chance.int64(0...100)) : .calls(chance.int64(0...3_000)))
      let limit = chance.int64(0...6_000)
      let used = chance.chance(10) ? limit : chance.int64(0...limit)
      let quota = ScanQuota(
        limit: limit, used: used, scanned: chance.int64(0...used),
        reset: ago(chance.int64(-1_440...100)))
      let searches = (0..<chance.int(0...80)).map { number in
        ScanSearch(
          "s\(number)", lastScanned: chance.chance(10) ? nil : ago(chance.int64(-100...200)),
          pages: chance.int64(1...60), usualCalls: Double(chance.int(0...20)),
          newPerHour: chance.chance(20) ? nil : Double(chance.int(0...1_000)) / 10)
      }
      let plan = planner.plan(quota, searches, now: Self.now)
      #expect(plan.calls <= plan.budget, "seed \(seed)")
      #expect(plan.budget + plan.held == quota.at(Self.now).remaining, "seed \(seed)")
      #expect(Set(plan.decisions.map(\.search)).count == searches.count, "seed \(seed)")
      #expect(plan.decisions.count == searches.count, "seed \(seed)")
      #expect(plan.decisions.allSatisfy { ($0.calls > 0) == $0.reason.isScanned }, "seed \(seed)")
      #expect(plan == planner.plan(quota, searches.reversed(), now: Self.now), "seed \(seed)")
      for decision in plan.decisions { reached.insert(decision.reason) }
    }
    #expect(reached == Set(ScanReason.allCases))
  }

  @Test func `rates follow what scans find, and no figure breaks them`() {
    var rate = ListingRate()
    #expect(rate.perHour == 2)
    for _ in 0..<50 { rate.scanned(new: 5, after: 30 * Self.minute) }
    #expect(abs(rate.perHour - 10) < 0.5)
    for _ in 0..<50 { rate.scanned(new: 0, after: 60 * Self.minute) }
    #expect(rate.perHour < 0.5)
    rate.scanned(new: .max, after: .max)
    rate.scanned(new: .min, after: 1)
    rate.scanned(new: 5, after: -1)
    #expect(rate.perHour.isFinite && rate.perHour >= 0)
    #expect(ListingRate(listings: .nan, hours: -.infinity).perHour == 0)
  }
}
