import LMDB
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
    let command = shop.command(uses)
    let answer = try await shop.reserve(command)
    #expect(answer.calls.isEmpty)
    let refusal = try #require(answer.refusal)
    #expect(shop.log.head == 0)
    #expect(try shop.holds().isEmpty)
    for use in uses {
      #expect(try shop.page(use.meter.inWindow(use.rule.window(at: shop.now).name)) == Meter())
    }

    let event = command.refused(refusal)
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
    let answer = try await shop.reserve(shop.command(uses, count: 3, callSize: 1))
    #expect(answer.calls.count == 2)
    #expect(answer.refusal?.from == 2)
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
    let call = try #require(try await shop.reserve(shop.command(uses)).calls.first)
    try await shop.settle(shop.attempt(call, uses), .known(35))
    let tokens = try shop.page(shop.key("tokens"))
    #expect(tokens[.settled] == 35)
    #expect(tokens[.reserved] == 0)
    #expect(tokens[.free] == -5)
    #expect(tokens.residual == 0)
    // Nobody tells the cost of a request: it settles by price. The budget is charged what the tokens were.
    #expect(try shop.page(shop.key("requests", "minute 2026-11-21T10:03Z"))[.settled] == 1)
    #expect(try shop.page(shop.key("tokens", owner: "budget"))[.settled] == 35)
    #expect(try shop.holds().isEmpty)
    let refusal = try #require(try await shop.reserve(shop.command(uses)).refusal)
    #expect(refusal.refusedBy == 0)
    #expect(refusal.available == -5)

    let event = try #require(try shop.charges().first)
    #expect(event.moves.map(\.basis) == [.told, .price, .told])
    #expect(event.shares.map(\.amounts) == [[35, 1]])
  }

  @Test func `a window that turns between reservation and charge is charged where it was reserved`()
    async throws
  {
    let shop = try Shop()
    let uses = [shop.use(.clockWindow(ClockWindow(length: minute, limit: 10)), 6, "weight")]
    let call = try #require(try await shop.reserve(shop.command(uses)).calls.first)
    shop.time.advance(byMilliseconds: minute)
    let next = try #require(try await shop.reserve(shop.command(uses)).calls.first)
    #expect(next.moves.map(\.window) == ["minute 2026-11-21T10:04Z"])
    try await shop.settle(shop.attempt(call, uses), .known(4))
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
    let call = try #require(try await shop.reserve(shop.command(uses)).calls.first)
    let attempt = shop.attempt(call, uses)
    shop.time.advance(byMilliseconds: minute)
    let next = try #require(try await shop.fail(attempt, .unknown))
    #expect(next.number == 2)
    #expect(next.moves.map(\.window) == ["minute 2026-11-21T10:04Z", ""])
    #expect(try shop.page(shop.key("weight", "minute 2026-11-21T10:03Z"))[.inDoubt] == 6)
    #expect(try shop.page(shop.key("weight", "minute 2026-11-21T10:04Z"))[.reserved] == 6)
    #expect(try shop.page(shop.key("EUR"))[.inDoubt] == 6)

    // The doubts count as spent: a third does not fit the total.
    shop.time.advance(byMilliseconds: minute)
    let third = try #require(try await shop.fail(next, .unknown))
    shop.time.advance(byMilliseconds: minute)
    #expect(try await shop.fail(third, .unknown) == nil)
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
    let call = try #require(try await shop.reserve(shop.command(uses)).calls.first)
    #expect(try await shop.reserve(shop.command(uses)).refusal?.refusedBy == 0)
    #expect(try await shop.fail(shop.attempt(call, uses), .none, retries: false) == nil)
    #expect(try shop.holds().isEmpty)
    #expect(try await shop.reserve(shop.command(uses)).calls.count == 1)
  }

  @Test func `a cost below nothing is not believed: it is in doubt on every meter`() async throws {
    let shop = try Shop()
    let uses = [shop.use(.total(limit: 5), 5, "EUR"), shop.use(.total(limit: 1), 1, "requests")]
    let call = try #require(try await shop.reserve(shop.command(uses)).calls.first)
    try await shop.settle(shop.attempt(call, uses), UpstreamCharge.known(-5).believable)
    #expect(try shop.page(shop.key("EUR"))[.inDoubt] == 5)
    #expect(try shop.page(shop.key("requests"))[.inDoubt] == 1)
    #expect(try await shop.reserve(shop.command(uses)).refusal != nil)
  }

  @Test func `a limit of all numbers is posted, spent and not exceeded`() async throws {
    let shop = try Shop()
    let uses = [shop.use(.total(limit: .max), .max, "EUR")]
    let call = try #require(try await shop.reserve(shop.command(uses)).calls.first)
    let page = try shop.page(shop.key("EUR"))
    #expect(page[.granted] == .max)
    #expect(page[.reserved] == .max)
    #expect(page[.free] == 0)
    let more = [shop.use(.total(limit: .max), 1, "EUR")]
    #expect(try await shop.reserve(shop.command(more)).refusal?.available == 0)
    try await shop.settle(shop.attempt(call, uses), .known(1))
    #expect(try shop.page(shop.key("EUR"))[.free] == .max - 1)
  }

  @Test func `a clock set back into a spent window buys nothing there`() async throws {
    let shop = try Shop()
    let uses = [shop.use(.clockWindow(ClockWindow(length: minute, limit: 6)), 6, "weight")]
    let call = try #require(try await shop.reserve(shop.command(uses)).calls.first)
    try await shop.settle(shop.attempt(call, uses), .known(6))
    shop.time.advance(byMilliseconds: minute)
    let next = try #require(try await shop.reserve(shop.command(uses)).calls.first)
    try await shop.settle(shop.attempt(next, uses), .known(6))
    // The window that is over has left the live table; its page still tells.
    shop.time.advance(byMilliseconds: -minute)
    let refusal = try #require(try await shop.reserve(shop.command(uses)).refusal)
    #expect(refusal.wants.map(\.page.window) == ["minute 2026-11-21T10:03Z"])
    #expect(refusal.available == 0)
    #expect(refusal.retryAt == instant("2026-11-21T10:04:00Z"))
  }

  @Test func `a day of 25 hours is one window`() async throws {
    let shop = try Shop(at: instant("2026-10-24T22:30:00Z"))
    let berlin = try #require(CalendarWindow(.day, zone: "Europe/Berlin", limit: 2))
    let uses = [shop.use(.calendarWindow(berlin), 1, "requests")]
    #expect(try await shop.reserve(shop.command(uses)).calls.count == 1)
    shop.time.advance(byMilliseconds: 24 * hour)
    #expect(try await shop.reserve(shop.command(uses)).calls.count == 1)
    let refusal = try #require(try await shop.reserve(shop.command(uses)).refusal)
    #expect(refusal.retryAt == instant("2026-10-25T23:00:00Z"))
    shop.time.advance(byMilliseconds: hour / 2)
    let call = try #require(try await shop.reserve(shop.command(uses)).calls.first)
    #expect(call.moves.map(\.window) == ["day 2026-10-26"])
  }

  @Test func `a bucket whose balance nobody knows is asked for before anything is reserved`()
    async throws
  {
    let shop = try Shop()
    let uses = [
      shop.use(.total(limit: 5), 1, "EUR"), shop.use(.refillBucket(RefillBucket()), 1, "tokens"),
    ]
    guard case .needsReading = try await shop.decide(shop.command(uses)) else {
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

  private var terms: PurchaseTerms {
    PurchaseTerms(operation: "test.call", meter: key("credential"))
  }

  private var demand: Demand {
    var demand = Demand()
    demand.account = "acme"
    return demand
  }

  private func resource(_ index: Int) -> ResourceKey {
    ResourceKey(shared: "test.thing", path: "\(index)")
  }

  func command(_ uses: [MeterUse], count: Int = 1, callSize: Int = 10) -> ReserveCommand {
    ReserveCommand(
      terms: terms, items: (0..<count).map { .init(resource: resource($0), expected: 1) },
      uses: uses, demand: demand, callSize: callSize, requestLimit: nil, storageAdmits: true,
      now: now)
  }

  func decide(_ command: ReserveCommand) async throws -> ReserveCommand.Answer {
    let (cache, ledger) = (CacheView(log), ledger)
    return try await log.decide { (state, context) throws(LMDBError) in
      try command.decide(cache, ledger, state, context)
    }.answer
  }

  func reserve(
    _ command: ReserveCommand
  ) async throws -> (calls: [ReservedCall], refusal: ReserveRefusal?) {
    guard case .reserved(let calls, let refusal) = try await decide(command) else {
      fatalError("no credential is needed here")
    }
    return (calls, refusal)
  }

  func attempt(_ call: ReservedCall, _ uses: [MeterUse]) -> Attempt {
    Attempt(
      fetch: call.fetch, number: 1, terms: terms, uses: call.uses, moves: call.moves,
      demand: demand,
      items: call.items.map {
        .init(resource: resource($0), expected: 1, isDuplicate: false)
      }, sent: now)
  }

  func settle(_ attempt: Attempt, _ charge: UpstreamCharge) async throws {
    let command = SettleCommand(
      attempt: attempt, written: [], policy: FreshnessPolicy(), charge: charge, reading: nil,
      observed: now, durationMilliseconds: 1, receivedBytes: 1)
    let (cache, ledger) = (CacheView(log), ledger)
    // No credential was added here: what the upstream says of one is not what these tests are about.
    _ = try await log.decide { (state, context) throws(LMDBError) in
      var decision = try command.decide(cache, ledger, state, context)
      decision.events.removeAll { $0.kind == .credentialStatusChanged }
      return decision
    }
  }

  func fail(
    _ attempt: Attempt, _ charge: UpstreamCharge, retries: Bool = true
  ) async throws -> Attempt? {
    let command = FailCommand(
      attempt: attempt,
      failure: UpstreamFailure(.timedOut, detail: "", charge: charge), wantsRetry: retries,
      mayRetry: retries, observed: now)
    let ledger = ledger
    return try await log.decide { (state, context) throws(LMDBError) in
      try command.decide(ledger, state, context)
    }.answer
  }

  // MARK: Looking

  func page(_ key: MeterKey) throws -> Meter {
    let ledger = ledger
    return try log.read { (transaction) throws(LogError) in
      do throws(LMDBError) { return try ledger.meter(key, in: transaction) } catch {
        throw .storage(error)
      }
    }
  }

  func holds() throws -> [Hold] {
    let ledger = ledger
    return try log.read { (transaction) throws(LogError) in
      do throws(LMDBError) { return try ledger.holds(in: transaction) } catch {
        throw .storage(error)
      }
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
