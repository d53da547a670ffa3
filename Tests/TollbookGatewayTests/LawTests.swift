import Keepa
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

private let reached = Reached()

private let mustReach =
  EventKind.allCases.filter { !ofOthers.contains($0) }.map { "event \($0.name)" }
  + [
    "notSent", "timedOut", "connectionLost", "unreadable", "upstreamError", "insufficientTokens",
    "keyRejected", "requestRejected", "processEnded", "retryRefused",
  ].map { "failure \($0)" }
  + ["insufficientTokens", "requestLimit", "storageReserve"].map { "refusal \($0)" }
  + ["keepa", "cache", "stale", "none"].map { "source \($0)" }
  + [
    "insufficient_tokens", "max_tokens_reached", "upstream_unavailable", "key_rejected",
    "request_rejected", "storage_full", "stopping",
  ].map { "problem \($0)" }
  + [
    "joined", "idle", "crash", "clean restart", "restore",
    "gap with doubts", "client gone", "ended without unprovable", "job cancelled",
  ]

/// What the gateway does not write, or not for Keepa, or no more.
private let ofOthers: Set<EventKind> = [
  .snapshotTaken, .windowObserved, .cacheExpired, .cacheEvicted,
  // Of these there are laws of their own.
  .accountOpened, .accountClosed, .accessKeyIssued, .accessKeyRevoked, .budgetSet, .budgetRemoved,
  .webhookSet, .webhookRemoved, .alertRaised, .alertCleared, .notificationSent,
  .notificationRequeued, .credentialSet, .credentialRemoved, .credentialCooled, .poolSet,
  .requestBegun, .requestAnswered, .requestsForgotten, .chargeCorrected, .invoicePosted,
]

@Suite(Reaching(title: "The gateway", names: mustReach, reached: reached), .timeLimit(.minutes(30)))
struct `Laws 4, 6, 7 and 9: the gateway against a model of Keepa` {
  @Test(arguments: Seeds.all)
  func `any requests, faults, clocks and restarts keep the laws after every operation`(
    seed: UInt64
  ) async throws {
    let run = try await LawRun(seed: seed)
    for step in 0..<LawRun.steps {
      try await run.act()
      if let problem = try run.problem() {
        Issue.record("seed \(seed), step \(step): \(problem)")
        return await run.abandon()
      }
    }
    if let problem = try await run.end() { Issue.record("seed \(seed), at the end: \(problem)") }
  }
}

/// One seed: what it does, and what must hold after each step.
private final class LawRun {
  static let steps = 500
  private static let catalogue = asins(12)

  private struct Client {
    var task: Task<ProductsAnswer, Never>
    var callsBefore: Int
  }

  private var random: SeededGenerator
  private let world: World
  private let hasOthers: Bool
  private let isFrugal: Bool
  /// Whether time passes slowly, so that the bucket is seldom full.
  private let isCalm: Bool
  /// Whether some restarts are restores, after which every doubt is unprovable.
  private let isRestoring: Bool
  /// Whether lists are bought as jobs too: then more is written than what was asked for.
  private let hasJobs: Bool
  private var clients: [Client] = []
  private var watches: [Task<Void, Never>] = []
  private var isFull = false
  private var isKeyRejected = false
  private var audit = Audit()
  /// Over all answers: products bought for the request itself, and what they have cost it.
  private var bought = 0
  private var paid: Int64 = 0

  init(seed: UInt64) async throws {
    var random = SeededGenerator(seed: seed)
    hasOthers = seed % 3 == 0
    isFrugal = seed % 4 != 0
    isCalm = seed % 5 < 2
    isRestoring = seed % 2 == 0
    hasJobs = seed % 4 == 1
    let rate = random.pick(isCalm ? [20] : [2, 5, 20] as [Int64])
    let isCacheOn = seed % 9 != 0
    let overdraft: GatewaySettings.Overdraft = isFrugal ? .never : .allow
    world = try await World(
      rate: rate, balance: isCalm ? 400 : random.int64(1...(rate * 60)), jitter: 0.3
    ) {
      $0.isCacheOn = isCacheOn
      $0.bodyRetention = minute
      $0.overdraft = overdraft
    }
    self.random = random
    audit.isFrugal = isFrugal
    world.keepa.hold()
  }

  // MARK: What is done

  func act() async throws {
    if isKeyRejected, random.chance(10) { switchKey(true) }
    switch random.int(0...99) {
    case 0..<2 where hasJobs: await warm()
    case 2 where hasJobs: await cancelJob()
    case 0..<26: ask()
    case 26..<56: goOn()
    case 56..<66: fault()
    case 66..<76: world.time.advance(byMilliseconds: random.int64(1...5_000))
    case 76..<82: world.time.advance(byMilliseconds: random.int64(5_000...120_000))
    case 82..<84: world.time.advance(byMilliseconds: random.int64(1...(isCalm ? 5_000 : 40 * day)))
    case 84..<88: watch()
    case 88: await world.gateway.sweep()
    case 89: await purge()
    case 90: await world.gateway.pruneBodies()
    case 91: await world.gateway.writeTallies()
    case 92..<94: others()
    case 94: hangUp()
    case 95..<97: switchKey(isKeyRejected ? random.chance(90) : random.chance(25))
    default: if random.chance(isCalm ? 30 : 100) { try await restart() }
    }
    await settleDown()
  }

  private func ask() {
    let names = Array(Self.catalogue.shuffled(using: &random).prefix(random.int(1...6)))
    let set = random.pick([.plain, .plain, .rating, .buyBox, .offers] as [ContentSet])
    let age = random.chance(15) ? random.int64(0...hour) : nil
    let limit = random.chance(15) ? random.int64(0...8) : nil
    let wait = random.chance(15) ? random.int64(1...(3 * minute)) : 0
    // Looked at first: the call may be made before `begin` returns.
    let callsBefore = world.keepa.calls.count
    clients.append(
      Client(
        task: world.begin(names) {
          $0.contentSet = set
          $0.maximumAge = age
          $0.maximumTokens = limit
          $0.wait = wait
        }, callsBefore: callsBefore))
  }

  private func goOn() {
    let parked = world.keepa.parked
    if !parked.isEmpty { world.keepa.letGo(random.pick(parked)) }
  }

  private func fault() {
    let faults: [FakeKeepa.Fault] = [
      .notSent, .timedOut(chargedAfter: 0), .timedOut(chargedAfter: 30_000),
      .timedOut(chargedAfter: nil), .lost(charged: true), .lost(charged: false),
      .failed500(charged: true), .failed500(charged: false), .failed503(charged: true),
      .failed503(charged: false), .refused429(bare: true), .refused429(bare: false),
      .unreadable(charged: true), .unreadable(charged: false), .error200, .firstUnanswered,
      .damagedEnvelope, .tooMany, .requestRejected,
    ]
    world.keepa.script([random.pick(faults)])
  }

  /// In a task of its own, since Keepa may hold the question back.
  private func watch() {
    let gateway = world.gateway
    watches.append(Task { await gateway.keepaPurchaser?.watchMeters() })
  }

  private func others() {
    if hasOthers { world.keepa.spendElsewhere(random.int64(1...30)) }
  }

  private func purge() async {
    let name = "shared/keepa.product/1/\(random.pick(Self.catalogue))"
    let scope = random.pick(
      [.key(name), .prefix(String(name.dropLast())), .all] as [PurgeOrder.Scope])
    let isHard = random.chance(40)
    // A log that is full takes none.
    _ = try? await PurgeOrder(scope: scope, isHard: isHard).carryOut(on: world.log)
  }

  private func warm() async {
    let count = random.int(1...Self.catalogue.count)
    let names = Self.catalogue.shuffled(using: &random).prefix(count)
    // A log that is full takes none.
    _ = try? await world.warm(Array(names), limit: random.chance(50) ? random.int64(1...12) : nil)
  }

  private func cancelJob() async {
    let open = (try? world.openJobs()) ?? []
    guard !open.isEmpty else { return }
    _ = try? await world.gateway.cancelJob(random.pick(open), actor: "somebody")
    reached.count("job cancelled")
  }

  /// Lets the jobs end, so that nothing is under way.
  private func endJobs() async {
    for id in (try? world.openJobs()) ?? [] {
      _ = try? await world.gateway.cancelJob(id, actor: "")
      world.gateway.jobs.cancel(id)
    }
    // A call that is out outlives the job that it was made for.
    for _ in 0..<20_000
    where !world.gateway.jobs.isIdle || world.gateway.keepaPurchaser?.isIdle == false {
      world.keepa.letGo()
      world.gateway.keepaPurchaser?.tick()
      await world.pass(500)
    }
    if !world.gateway.jobs.isIdle { audit.complain("a job that was cancelled does not end") }
    if world.gateway.keepaPurchaser?.isIdle == false { audit.complain("a purchase does not end") }
  }

  private func hangUp() {
    guard !clients.isEmpty else { return }
    clients[random.int(0...clients.count - 1)].task.cancel()
    reached.count("client gone")
  }

  private func switchKey(_ isNow: Bool) {
    if isNow { isKeyRejected.toggle() }
    world.keepa.setKeyRejected(isKeyRejected)
  }

  private func restart() async throws {
    var options = EventLog.Options.scratch
    if random.chance(10) && !isFull { options.reserveBytes = 1 << 60 }
    isFull = options.reserveBytes == 1 << 60
    let isCrash = random.chance(50)
    reached.count(isCrash ? "crash" : "clean restart")
    await world.end(orderly: !isCrash)
    await collect()
    let isRestored = isRestoring && random.chance(25)
    if isRestored {
      // From a copy that lost nothing. That takes its time: what was under way is charged by then.
      world.time.advance(byMilliseconds: random.int64(61_000...200_000))
      reached.count("restore")
    }
    try await world.reopen(options) { folder in
      if isRestored { try World.noteRestore(in: folder) }
    }
    world.keepa.hold()
  }

  /// Waits until what was begun has come to where it waits for a test's next step, as far as one can see from outside.
  private func settleDown() async {
    for _ in 0..<2 { await world.log.settle() }
  }

  /// Takes in the answers of all clients, while Keepa answers all calls and the clock goes on.
  private func collect() async {
    let clients = clients
    let watches = watches
    self.clients = []
    self.watches = []
    let isDone = Flag()
    let answers = Task {
      var answers: [ProductsAnswer] = []
      for client in clients { answers.append(await client.task.value) }
      for watch in watches { await watch.value }
      isDone.set()
      return answers
    }
    while !isDone.isSet {
      world.keepa.letGo()
      await world.pass(500)
    }
    for (client, answer) in zip(clients, await answers.value) {
      for outcome in answer.outcomes { note(outcome, client) }
    }
  }

  private func note(_ outcome: ProductOutcome, _ client: Client) {
    reached.count("source \(outcome.source.rawValue)")
    if let problem = outcome.problem { reached.count("problem \(problem.reason.rawValue)") }
    if outcome.isJoined { reached.count("joined") }
    // What was bought may be purged before it is answered with; it is paid for all the same.
    let isGone = outcome.source == .none && outcome.tokens > 0
    if isGone { reached.count("purged before the answer") }
    if outcome.source == .none && outcome.problem == nil {
      audit.complain("\(outcome.asin) has no answer, and nothing says why")
    }
    let isBought = !outcome.isJoined && (outcome.source == .keepa || isGone)
    if isBought {
      bought += 1
      paid += outcome.tokens
    } else if outcome.tokens != 0 {
      audit.complain("an answer from \(outcome.source) costs \(outcome.tokens)")
    }
    if outcome.source != .none && outcome.entry == nil {
      audit.complain("an answer from \(outcome.source) without an entry")
    }
    // Law 9: what is shown as bought was delivered by a call that began after the request, and what is shown as a hit
    // was there.
    guard isBought else { return }
    let isDelivered = world.keepa.calls.dropFirst(client.callsBefore).contains {
      $0.isDelivered && $0.asins.contains(outcome.asin.description)
    }
    if !isDelivered { audit.complain("\(outcome.asin) is shown as bought, and no call brought it") }
  }

  // MARK: What must hold

  func problem() throws -> String? {
    try audit.read(world.log)
    let books = world.keepa.books
    if let complaint = audit.complaint { return complaint }
    let meter = audit.meter
    let held = meter[.reserved] + meter[.inDoubt] + meter[.unprovable]
    if books.charged > meter[.settled] + held {
      return "\(books.charged) was charged, \(meter[.settled]) settled and \(held) held"
    }
    guard !hasOthers else { return nil }
    if meter[.settled] > books.charged {
      return "\(meter[.settled]) was settled and only \(books.charged) charged"
    }
    if !(-meter[.unprovable]...0).contains(meter[.unexplained]) {
      return "\(meter[.unexplained]) is unexplained though nobody else uses the key"
    }
    if isFrugal, world.keepa.balance < 0 { return "the balance is \(world.keepa.balance)" }
    return nil
  }

  func end() async throws -> String? {
    world.keepa.setKeyRejected(false)
    await collect()
    await endJobs()
    reached.count("idle")
    for _ in 0..<3 {
      world.time.advance(byMilliseconds: 61_000)
      await world.gateway.keepaPurchaser?.watchMeters()
    }
    await world.gateway.stop()
    if let problem = try problem() { return problem }
    let meter = audit.meter
    if meter[.reserved] != 0 { return "\(meter[.reserved]) is reserved though all is idle" }
    if meter[.inDoubt] != 0 { return "\(meter[.inDoubt]) is still in doubt" }
    if audit.open.count > 0 { return "a fetch has no end" }
    if !hasJobs, bought != audit.written {
      return "\(bought) products are said to be bought, and \(audit.written) were written"
    }
    if !hasJobs, paid != audit.writtenTokens {
      return "answers cost \(paid), and what was written \(audit.writtenTokens)"
    }
    for (name, count) in audit.counts { reached.count(name, count) }
    if meter[.unprovable] == 0 && !hasOthers {
      reached.count("ended without unprovable")
      if meter[.settled] != world.keepa.books.charged {
        return "\(meter[.settled]) settled and \(world.keepa.books.charged) charged"
      }
    }
    return nil
  }

  /// After a problem: lets everything end, so that nothing hangs.
  func abandon() async {
    await collect()
    await endJobs()
    await world.gateway.stop()
  }
}
