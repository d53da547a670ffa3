import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

@Suite struct `A purchase over several meters` {
  @Test func `where the second of three refuses nothing is reserved on any`() async throws {
    let shop = try Shop()
    let uses = [
      shop.use(.clockWindow(ClockWindow(length: minute, limit: 100)), 5, "weight"),
      shop.use(.total(limit: 4), 5, "EUR"), shop.use(.total(limit: 100), 1, "requests"),
    ]
    let answer = try await shop.reserve(uses)
    #expect(answer.calls.isEmpty)
    let refusal = try #require(answer.refusal)
    #expect(shop.log.head == 0)
    #expect(try shop.holds().isEmpty)
    for use in uses {
      #expect(try shop.page(use.meter.inWindow(use.rule.window(at: shop.now).name)) == Meter())
    }

    let event = SpendRefused(
      .init(demand: Demand(), needs: [shop.need(0)], refusal: refusal), credential: "credential",
      mostNames: 10)
    try await shop.log.append([.spendRefused(event)])
    #expect(event.reason == .meter)
    #expect(event.refusedBy == 1)
    #expect(event.wants.map(\.meter.unit) == ["weight", "EUR", "requests"])
    #expect(event.wants.map(\.window) == ["minute 2026-11-21T10:03Z", "", ""])
    #expect(event.wants.map(\.wanted) == [5, 5, 1])
    #expect(event.wants.map(\.available) == [100, 4, 100])
    #expect(event.refusingWant.meter.unit == "EUR")
  }

  @Test func `what fits is reserved on all, and the limits are posted once`() async throws {
    let shop = try Shop()
    let uses = [
      shop.use(.total(limit: 100), 5, "EUR", count: 3),
      shop.use(.clockWindow(ClockWindow(length: minute, limit: 2)), 1, "requests", count: 3),
    ]
    let answer = try await shop.reserve(uses, count: 3, callSize: 1)
    #expect(answer.calls.count == 2)
    #expect(answer.refusedPlaces == [2])
    #expect(answer.refusal?.retryAt == instant("2026-11-21T10:04:00Z"))
    #expect(try shop.holds().count == 4)
    let requests = try shop.page(shop.key("requests", "minute 2026-11-21T10:03Z"))
    #expect(requests[.granted] == 2)
    #expect(requests[.reserved] == 2)
    #expect(requests[.free] == 0)
    #expect(requests.windowEnds == instant("2026-11-21T10:04:00Z"))
    #expect(try shop.page(shop.key("EUR"))[.reserved] == 10)
    #expect(answer.calls[0].moves.map(\.granted) == [100, 2])
    #expect(answer.calls[1].moves.map(\.granted) == [0, 0])
  }

  @Test func `a charge above the bound of one meter is excess there and nowhere else`()
    async throws
  {
    let shop = try Shop()
    let uses = [
      shop.use(.total(limit: 30), 10, "tokens"),
      shop.use(.clockWindow(ClockWindow(length: minute, limit: 50)), 1, "requests"),
      shop.use(.total(limit: 1_000), 10, "tokens", owner: "budget", isLimitOnly: true),
    ]
    let call = try #require(try await shop.reserve(uses).calls.first)
    try await shop.settle(call, .told(35))
    let tokens = try shop.page(shop.key("tokens"))
    #expect(tokens[.settled] == 35)
    #expect(tokens[.reserved] == 0)
    #expect(tokens[.free] == -5)
    #expect(tokens.residual == 0)
    // Nobody tells the cost of a request: it settles by price. The budget is charged what the tokens were.
    #expect(try shop.page(shop.key("requests", "minute 2026-11-21T10:03Z"))[.settled] == 1)
    #expect(try shop.page(shop.key("tokens", owner: "budget"))[.settled] == 35)
    #expect(try shop.holds().isEmpty)
    let refusal = try #require(try await shop.reserve(uses).refusal)
    #expect(refusal.refusedBy == 0)
    #expect(refusal.available == -5)

    let event = try #require(try shop.charges().first)
    #expect(event.moves.map(\.basis) == [.told, .price, .told])
    #expect(event.shares.map(\.amounts) == [[35, 1]])
  }

  @Test(arguments: [
    // Of an estimate, up to its bound the price list says what was used, and above it the bound.
    (isEstimated: true, told: Int64(4), expected: Int64(4)), (true, 8, 8), (true, 12, 10),
    // What the price list says beforehand it says of any charge.
    (false, 4, 7), (false, 7, 7), (false, 12, 7),
  ])
  func `what only the answer shows is no other cost than the price list says`(
    isEstimated: Bool, told: Int64, expected: Int64
  ) async throws {
    let shop = try Shop()
    var use = shop.use(.total(limit: 100), 10, "tokens")
    use.expected = PrefixCosts(each: [7])
    use.isEstimated = isEstimated
    let call = try #require(try await shop.reserve([use]).calls.first)
    #expect(call.moves.map(\.expected) == [7], "the call is expected to cost so much")
    try await shop.settle(call, .told(told))
    let event = try #require(try shop.charges().first)
    #expect(event.moves.map(\.amount) == [told])
    #expect(event.moves.map(\.expected) == [expected])
  }

  @Test func `a window that turns between reservation and charge is charged where it was reserved`()
    async throws
  {
    let shop = try Shop()
    let uses = [shop.use(.clockWindow(ClockWindow(length: minute, limit: 10)), 6, "weight")]
    let call = try #require(try await shop.reserve(uses).calls.first)
    shop.time.advance(byMilliseconds: minute)
    let next = try #require(try await shop.reserve(uses).calls.first)
    #expect(next.moves.map(\.window) == ["minute 2026-11-21T10:04Z"])
    try await shop.settle(call, .told(4))
    let old = try shop.page(shop.key("weight", "minute 2026-11-21T10:03Z"))
    #expect(old[.settled] == 4)
    #expect(old[.free] == 6)
    #expect(old.residual == 0)
    let new = try shop.page(shop.key("weight", "minute 2026-11-21T10:04Z"))
    #expect(new[.settled] == 0)
    #expect(new[.reserved] == 6)
  }

  @Test func `a retry is reserved in the window of its own time`() async throws {
    let shop = try Shop()
    let uses = [
      shop.use(.clockWindow(ClockWindow(length: minute, limit: 6)), 6, "weight"),
      shop.use(.total(limit: 20), 6, "EUR"),
    ]
    let call = try #require(try await shop.reserve(uses).calls.first)
    let attempt = call
    shop.time.advance(byMilliseconds: minute)
    let next = try #require(try await shop.fail(attempt))
    #expect(next.number == 2)
    #expect(next.moves.map(\.window) == ["minute 2026-11-21T10:04Z", ""])
    #expect(try shop.page(shop.key("weight", "minute 2026-11-21T10:03Z"))[.inDoubt] == 6)
    #expect(try shop.page(shop.key("weight", "minute 2026-11-21T10:04Z"))[.reserved] == 6)
    #expect(try shop.page(shop.key("EUR"))[.inDoubt] == 6)

    // The doubts count as spent: a third does not fit the total.
    shop.time.advance(byMilliseconds: minute)
    let third = try #require(try await shop.fail(next))
    shop.time.advance(byMilliseconds: minute)
    #expect(try await shop.fail(third) == nil)
    #expect(try shop.page(shop.key("EUR"))[.inDoubt] == 18)
    #expect(try shop.holds().allSatisfy { $0.state == .inDoubt })

    // After the minutes' ends they are unprovable there, and nothing is in doubt on them for ever.
    for window in ["minute 2026-11-21T10:03Z", "minute 2026-11-21T10:04Z"] {
      let key = shop.key("weight", window)
      let doubts = try shop.holds().filter { $0.meter == key }
      let event = try #require(
        DoubtRule.atWindowEnd.end(
          ofWindow: try shop.page(key), doubts, at: shop.now, windows: []))
      try await shop.log.append([.chargeResolved(event)])
      #expect(try shop.page(key)[.unprovable] == 6)
      #expect(try shop.page(key)[.inDoubt] == 0)
    }
  }

  @Test func `a call that was not sent is released on every meter`() async throws {
    let shop = try Shop()
    let uses = [shop.use(.total(limit: 5), 5, "EUR"), shop.use(.total(limit: 1), 1, "requests")]
    let call = try #require(try await shop.reserve(uses).calls.first)
    #expect(try await shop.reserve(uses).refusal?.refusedBy == 0)
    #expect(try await shop.fail(call, .notSent, retries: false) == nil)
    #expect(try shop.holds().isEmpty)
    #expect(try await shop.reserve(uses).calls.count == 1)
  }

  @Test func `a cost below nothing is not believed: it is in doubt, and others settle by price`()
    async throws
  {
    let shop = try Shop()
    let uses = [shop.use(.total(limit: 5), 5, "EUR"), shop.use(.total(limit: 1), 1, "requests")]
    let call = try #require(try await shop.reserve(uses).calls.first)
    try await shop.settle(call, .told(-5))
    #expect(try shop.page(shop.key("EUR"))[.inDoubt] == 5)
    #expect(try shop.page(shop.key("requests"))[.settled] == 1)
    #expect(try await shop.reserve(uses).refusal != nil)
  }

  @Test func `a limit of all numbers is posted, spent and not exceeded`() async throws {
    let shop = try Shop()
    let uses = [shop.use(.total(limit: .max), .max, "EUR")]
    let call = try #require(try await shop.reserve(uses).calls.first)
    let page = try shop.page(shop.key("EUR"))
    #expect(page[.granted] == .max)
    #expect(page[.reserved] == .max)
    #expect(page[.free] == 0)
    let more = [shop.use(.total(limit: .max), 1, "EUR")]
    #expect(try await shop.reserve(more).refusal?.available == 0)
    try await shop.settle(call, .told(1))
    #expect(try shop.page(shop.key("EUR"))[.free] == .max - 1)
  }

  @Test func `a clock set back into a spent window buys nothing there`() async throws {
    let shop = try Shop()
    let uses = [shop.use(.clockWindow(ClockWindow(length: minute, limit: 6)), 6, "weight")]
    let call = try #require(try await shop.reserve(uses).calls.first)
    try await shop.settle(call, .told(6))
    shop.time.advance(byMilliseconds: minute)
    let next = try #require(try await shop.reserve(uses).calls.first)
    try await shop.settle(next, .told(6))
    // The window that is over has left the live table; its page still tells.
    shop.time.advance(byMilliseconds: -minute)
    let refusal = try #require(try await shop.reserve(uses).refusal)
    #expect(refusal.wants.map(\.page.window) == ["minute 2026-11-21T10:03Z"])
    #expect(refusal.available == 0)
    #expect(refusal.retryAt == instant("2026-11-21T10:04:00Z"))
  }

  @Test func `a day of 25 hours is one window`() async throws {
    let shop = try Shop(at: instant("2026-10-24T22:30:00Z"))
    let berlin = try #require(CalendarWindow(.day, zone: "Europe/Berlin", limit: 2))
    let uses = [shop.use(.calendarWindow(berlin), 1, "requests")]
    #expect(try await shop.reserve(uses).calls.count == 1)
    shop.time.advance(byMilliseconds: 24 * hour)
    #expect(try await shop.reserve(uses).calls.count == 1)
    let refusal = try #require(try await shop.reserve(uses).refusal)
    #expect(refusal.retryAt == instant("2026-10-25T23:00:00Z"))
    shop.time.advance(byMilliseconds: hour / 2)
    let call = try #require(try await shop.reserve(uses).calls.first)
    #expect(call.moves.map(\.window) == ["day 2026-10-26"])
  }

  @Test func `a bucket whose balance nobody knows is asked for before anything is reserved`()
    async throws
  {
    let shop = try Shop()
    let uses = [
      shop.use(.total(limit: 5), 1, "EUR"),
      shop.use(.refillBucket(KeepaUpstream.bucket()), 1, "tokens"),
    ]
    guard case .needsReading = try await shop.decide(uses) else {
      Issue.record("it was decided without a balance")
      return
    }
    #expect(shop.log.head == 0)
  }
}

/// A log, its books, and purchases that any upstream could make.
private struct Shop {
  let folder: TemporaryFolder
  let time: ManualTime
  let log: EventLog

  init(at start: Timestamp = instant("2026-11-21T10:03:20Z")) throws {
    folder = try TemporaryFolder()
    time = ManualTime(start)
    log = try folder.openLog(folds: allFolds, time: time.source)
  }

  var now: Timestamp { time.now }
  private var ledger: LedgerView { LedgerView(log) }

  func key(_ unit: String, _ window: String = "", owner: String = "group") -> MeterKey {
    MeterKey(owner: owner, unit: unit, window: window)
  }

  func use(
    _ rule: MeterRule, _ bound: Int64, _ unit: String, owner: String = "group", count: Int = 1,
    isLimitOnly: Bool = false
  ) -> MeterUse {
    MeterUse(
      key(unit, owner: owner), rule,
      bounds: PrefixCosts(each: Array(repeating: bound, count: count)), isLimitOnly: isLimitOnly)
  }

  private func resource(_ index: Int) -> ResourceKey {
    ResourceKey(shared: "test.thing", path: "\(index)")
  }

  func need(_ index: Int) -> Need { Need("test.call", resource(index)) }

  private func command(_ uses: [MeterUse], count: Int, callSize: Int) -> ReserveCommand {
    var demand = Demand()
    demand.account = "acme"
    let upstream = CallsOfUses(uses: uses, size: callSize)
    var queue = PurchaseQueue(
      .init(
        slots: 100, mostWaiting: 100, retries: RetryPolicy(), callSize: { _, _ in callSize },
        prerequisite: { _, _ in nil }, title: "Test"))
    let order = PurchaseOrder(
      needs: (0..<count).map(need), demand: demand, deadline: minute)
    let (_, actions) = queue.submit(order, at: .init(wall: now, monotonic: 0))
    guard case .decide(let batch)? = actions.first else { fatalError("it is decided first") }
    return ReserveCommand(
      batch: batch, upstream: upstream.name,
      members: [CredentialMember(id: "credential", upstream: upstream)], isCacheOn: true,
      storageAdmits: true, now: now)
  }

  func decide(
    _ uses: [MeterUse], count: Int = 1, callSize: Int = 10
  ) async throws -> ReserveCommand.Answer {
    let (cache, books) = (CacheView(log), PurchaseBooks(log))
    let command = command(uses, count: count, callSize: callSize)
    return try await log.decide { (state, context) throws(LogError) in
      try command.decide(cache, books, state, next: context.next)
    }.answer
  }

  func reserve(
    _ uses: [MeterUse], count: Int = 1, callSize: Int = 10
  ) async throws -> (calls: [Attempt], refusal: ReserveRefusal?, refusedPlaces: [Int]) {
    guard case .decided(let decision) = try await decide(uses, count: count, callSize: callSize)
    else { fatalError("no credential is needed here") }
    return (
      decision.started.map(sent), decision.refused.first?.refusal,
      decision.refused.flatMap(\.places)
    )
  }

  private func sent(_ attempt: Attempt) -> Attempt {
    var attempt = attempt
    attempt.sent = now
    return attempt
  }

  private func upstream(_ attempt: Attempt) -> any Upstream {
    CallsOfUses(uses: attempt.call.uses, size: attempt.call.needs.count)
  }

  func settle(_ attempt: Attempt, _ charge: MeterCharge) async throws {
    let command = SettleCommand(
      upstream: upstream(attempt), attempt: attempt, stored: [],
      charges: [attempt.call.uses[0].meter: charge], readings: [], observed: now,
      durationMilliseconds: 1, receivedBytes: 1)
    let (cache, ledger) = (CacheView(log), ledger)
    // No credential was added here: what the upstream says of one is not what these tests are about.
    _ = try await log.decide { (state, context) throws(LogError) in
      var decision = try command.decide(cache, ledger, state, context)
      decision.events.removeAll { $0.kind == .credentialStatusChanged }
      return decision
    }
  }

  func fail(
    _ attempt: Attempt, _ others: AttemptEnd.Others = .unknown, retries: Bool = true
  ) async throws -> Attempt? {
    let command = FailCommand(
      upstream: upstream(attempt), attempt: attempt,
      failure: UpstreamFailure(.timedOut, detail: "", charge: .unknown),
      end: AttemptEnd(charges: [:], others: others), wantsRetry: retries, mayRetry: retries,
      observed: now)
    let books = PurchaseBooks(log)
    return try await log.decide { (state, context) throws(LogError) in
      try command.decide(books, state, context)
    }.answer
  }

  // MARK: Looking

  func page(_ key: MeterKey) throws -> Meter {
    let ledger = ledger
    return try log.read { (transaction) throws(LogError) in
      try ledger.meter(key, in: transaction)
    }
  }

  func holds() throws -> [Hold] {
    let ledger = ledger
    return try log.read { (transaction) throws(LogError) in
      try ledger.holds(in: transaction)
    }
  }

  func charges() throws -> [TokensCharged] {
    let log = log
    return try log.read { (transaction) throws(LogError) in
      var found: [TokensCharged] = []
      try log.reader.scan(after: 0, in: transaction) { (recorded) throws(LogError) in
        if case .tokensCharged(let event) = recorded.event { found.append(event) }
        return .next
      }
      return found
    }
  }
}

/// An upstream whose calls use meters that a test names.
private struct CallsOfUses: Upstream {
  let uses: [MeterUse]
  let size: Int

  var name: String { "test" }
  var title: String { "Test" }
  var credentials: [String] { ["credential"] }
  var meters: [UpstreamMeter] {
    uses.map { UpstreamMeter($0.meter, $0.rule, doubt: .byOperator) }
  }
  var kinds: [ResourceKind] { [] }

  func callSize(of operation: String, parts: UInt64) -> Int { size }

  func plan(_ needs: [Need]) -> [PlannedCall] {
    stride(from: 0, to: needs.count, by: size).map { start in
      let places = start..<min(start + size, needs.count)
      let own = uses.map { use in
        var own = use
        own.bounds = PrefixCosts(each: places.map { use.bounds[$0..<$0 + 1] })
        own.expected = PrefixCosts(each: places.map { use.expected[$0..<$0 + 1] })
        return own
      }
      return PlannedCall(needs: Array(needs[places]), places: Array(places), uses: own)
    }
  }

  func perform(
    _ call: PlannedCall, with credential: String, within limit: Duration
  ) async -> Exchange {
    fatalError("nothing is sent here")
  }
}
