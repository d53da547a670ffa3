import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

private let reached = Reached()
private let mustReach = [
  "admitted", "refused", "charged", "released", "in doubt", "resolved", "retried", "retry refused",
  "carried", "paused", "lowered", "removed", "client gone", "next window",
]

@Suite(Reaching(title: "Budgets", names: mustReach, reached: reached), .timeLimit(.minutes(30)))
struct `Laws of budgets` {
  @Test(arguments: Seeds.chosen.map { [$0] } ?? Array(1...60))
  func `no admission exceeds a limit, and nothing is reserved when all is idle`(
    seed: UInt64
  ) async throws {
    let run = try await BudgetLawRun(seed: seed)
    for step in 0..<80 {
      try await run.act()
      if let problem = try run.audit.read(run.world) {
        Issue.record("seed \(seed), step \(step): \(problem)")
        break
      }
    }
    await run.end()
    if let problem = try run.audit.read(run.world) { Issue.record("seed \(seed): \(problem)") }
    let holds = try run.world.holds()
    #expect(holds.allSatisfy { $0.state == .inDoubt }, "seed \(seed)")
    for standing in try run.world.gateway.budgets() {
      #expect(standing.reserved == 0, "seed \(seed): \(standing.name)")
    }
  }
}

/// One seed: what it does.
private final class BudgetLawRun {
  let world: TollWorld
  var audit = BudgetAudit()
  private var random: SeededGenerator
  private var clients: [Task<DemandAnswer, Never>] = []
  private var next = 0

  private static let accounts = ["default", "acme"]
  private static let names = ["all", "acme", "each", "hour"]

  init(seed: UInt64) async throws {
    random = SeededGenerator(seed: seed)
    let calls = random.int(1...4)
    world = try await TollWorld {
      $0.concurrentCalls = calls
      $0.retries.attempts = 3
    }
    try await OpenAccount(id: "acme", timeZone: "Europe/Berlin", actor: "").run(on: world.log)
    world.toll.hold()
  }

  func act() async throws {
    switch random.int(0...99) {
    case 0..<30: ask()
    case 30..<60: letGo()
    case 60..<72: try await setBudget()
    case 72..<80: try await changeBudget()
    case 80..<83: await removeBudget()
    case 83..<89: try await resolve()
    case 89..<92: hangUp()
    case 92..<97: world.time.advance(byMilliseconds: random.int64(1...5_000))
    default:
      reached.count("next window")
      world.time.advance(byMilliseconds: random.int64(1...(3 * hour)))
    }
    for _ in 0..<2 { await world.log.settle() }
  }

  private func ask() {
    let names = (0..<random.int(1...4)).map { _ in
      next += 1
      return "\(next)"
    }
    let account = random.pick(Self.accounts)
    let tags = random.pick([[], ["user=ann"], ["user=bob"]])
    let world = world
    clients.append(Task { await world.ask(names, account: account, tags: tags) })
  }

  private func letGo() {
    world.toll.letGo(
      random.pick([
        .told(100), .told(100), .told(random.int64(0...100)), .notSent, .timedOut,
        .failed(charged: 0), .failed(charged: random.int64(1...100)),
      ]))
  }

  private func setBudget() async throws {
    let name = random.pick(Self.names)
    let limit = random.int64(0...12) * 100
    // One of that name may be there.
    switch name {
    case "acme": try? await world.setBudget(name, limit: limit, .day, account: "acme")
    case "each": try? await world.setBudget(name, limit: limit, .hour, tag: "user=*")
    case "hour":
      try? await world.setBudget(name, limit: limit, .rolling(seconds: random.int64(60...7_200)))
    default: try? await world.setBudget(name, limit: limit + 500)
    }
  }

  private func changeBudget() async throws {
    let isPaused: Bool? = random.chance(40) ? random.chance(40) : nil
    let limit: Int64? = random.chance(70) ? random.int64(0...20) * 100 : nil
    if isPaused == true { reached.count("paused") }
    try? await ChangeBudget(
      random.pick(Self.names), limit: limit, isPaused: isPaused, now: world.time.now, actor: ""
    ).run(on: world.log)
  }

  private func removeBudget() async {
    let removed: Void? = try? await RemoveBudget(random.pick(Self.names), actor: "").run(
      on: world.log)
    if removed != nil { reached.count("removed") }
  }

  private func resolve() async throws {
    let doubts = try world.holds().filter { $0.state == .inDoubt && !$0.isLimitOnly }
    guard !doubts.isEmpty else { return }
    let doubt = random.pick(doubts)
    _ = try await ResolveCommand(
      fetch: doubt.fetch, attempt: doubt.attempt, settled: random.int64(0...doubt.amount), note: ""
    ).run(on: world.log)
  }

  private func hangUp() {
    guard !clients.isEmpty else { return }
    clients[random.int(0...clients.count - 1)].cancel()
    reached.count("client gone")
  }

  /// Lets all come to its end.
  func end() async {
    let (clients, world) = (clients, world)
    let isDone = Flag()
    Task {
      for client in clients { _ = await client.value }
      await world.gateway.stop()
      isDone.set()
    }
    await world.run { isDone.isSet }
  }
}

/// Reads the events of budgets and what is booked on their pages, and complains about what must not be.
private struct BudgetAudit {
  private var position: Position = 0
  private var budgets: [String: BudgetSet] = [:]
  private var terms: [MeterKey: [Int64]] = [:]

  /// What has happened since it last looked.
  mutating func read(_ world: TollWorld) throws -> String? {
    for (position, event) in try world.events(after: position) {
      self.position = position
      note(event)
      for posting in event.postings(at: position) where posting.page.ownerKind == .budget {
        for term in LedgerTerm.allCases {
          terms[posting.page, default: Self.nothing][term.rawValue] &+= term.change(by: posting)
        }
        if posting.carried > 0 { reached.count("carried") }
        if let problem = problem(with: posting, at: position) { return problem }
      }
    }
    for (page, terms) in terms where terms[LedgerTerm.reserved.rawValue] < 0 {
      return "less than nothing is reserved on \(page)"
    }
    return nil
  }

  private static let nothing = [Int64](repeating: 0, count: LedgerTerm.allCases.count)

  private mutating func note(_ event: Event) {
    switch event {
    case .budgetSet(let event):
      if let before = budgets[event.budget], event.limit < before.limit { reached.count("lowered") }
      budgets[event.budget] = event
    case .budgetRemoved(let event): budgets[event.budget] = nil
    case .spendRefused: reached.count("refused")
    case .tokensCharged: reached.count("charged")
    case .reservationReleased: reached.count("released")
    case .chargeInDoubt: reached.count("in doubt")
    case .chargeResolved: reached.count("resolved")
    case .fetchAttemptFailed(let event): if event.nextAttempt > 0 { reached.count("retried") }
    case .fetchFailed(let event):
      if event.reason == .retryRefused { reached.count("retry refused") }
    default: break
    }
  }

  /// What is reserved fits what there was, unless the budget refuses nothing.
  private func problem(with posting: Posting, at position: Position) -> String? {
    guard case .reserved(let amount) = posting.change, let set = budgets[posting.page.owner],
      !set.soft, !set.paused
    else { return nil }
    reached.count("admitted")
    let spent: Int64 = pages(of: posting, set).reduce(0) { sum, page in
      let terms = terms[page] ?? Self.nothing
      return [LedgerTerm.settled, .reserved, .inDoubt, .unprovable, .unexplained]
        .reduce(sum) { $0 + terms[$1.rawValue] }
    }
    guard spent > set.limit else { return nil }
    return "at \(position) \(amount) was admitted on \(posting.page), and now \(spent) of"
      + " \(set.limit) is spent or held"
  }

  /// The pages that count together: of one that rolls every part of its window.
  private func pages(of posting: Posting, _ set: BudgetSet) -> [MeterKey] {
    guard set.span == .rolling, let end = posting.windowEnds else { return [posting.page] }
    let rule = RollingWindow(length: set.rollingSeconds * 1_000, limit: set.limit)
    return rule.parts(at: end.advanced(byMilliseconds: -1))
      .map { posting.page.inWindow($0.name) }
  }
}
