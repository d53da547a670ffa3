import Deflate
import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Buys from one upstream: carries out what its ``PurchaseQueue`` says, and tells it what came of that.
///
/// Whatever it waits for runs in a task of its own, so that a client who hangs up does not stop what is paid for.
final class Purchaser: Sendable {
  struct State {
    var queue: PurchaseQueue
    var askers: [PurchaseQueue.DemandID: @Sendable ([Purchase]) -> Void] = [:]
    var exchanges: [PurchaseQueue.CallID: Exchange] = [:]
    var naps: [PurchaseQueue.Wake: Task<Void, Never>] = [:]
    /// Refusals that are being written.
    var recording = 0
    var idle: [CheckedContinuation<Void, Never>] = []
    /// What calls that are booked with their answer hold.
    var held: [MeterKey: Int64] = [:]
    var turning = TurningCalls()

    var isIdle: Bool { queue.isIdle && recording == 0 }
  }

  /// As it was registered: what holds of it whatever it is bought from with.
  let upstream: SimulatorGuard
  let members: UpstreamMembers
  let refusals = RefusalLog()
  let log: EventLog
  let cache: CacheView
  let ledger: LedgerView
  let books: PurchaseBooks
  let settings: GatewaySettings
  let statistics: GatewayStatistics
  /// Seals the bodies of ``sealedKinds``.
  let keys: DataKeys
  /// The kinds whose bodies are sealed.
  let sealedKinds: Set<String>
  let random: @Sendable () -> Double
  /// What is read often; of an upstream that ``isHot`` says it of.
  let hot = Mutex(HotKeys())
  let aheadBudget = Mutex(AheadBudget())
  let aheadPace = Mutex(AheadPace())
  /// Whether entries are refreshed ahead within what a meter allows.
  let isHot: Bool
  private let watches = Mutex<[String: MeterWatch]>([:])
  let state: Mutex<State>
  let lastFailure = Mutex<UpstreamFailure?>(nil)
  /// Whether it has answered since the process began.
  let isHeard = Mutex(false)

  init(
    log: EventLog, _ upstream: any Upstream, settings: GatewaySettings,
    statistics: GatewayStatistics, keys: DataKeys, random: @escaping @Sendable () -> Double
  ) {
    let upstream = SimulatorGuard(upstream, for: log.directory.mode)
    self.upstream = upstream
    self.keys = keys
    isHot = Self.isHot(upstream)
    sealedKinds = Set(upstream.kinds.filter(\.isSealed).map(\.name))
    members = UpstreamMembers(upstream)
    self.log = log
    self.settings = settings
    self.statistics = statistics
    self.random = random
    cache = CacheView(log)
    ledger = LedgerView(log)
    books = PurchaseBooks(log)
    state = Mutex(
      State(
        queue: PurchaseQueue(
          PurchaseQueue.Settings(
            slots: max(1, settings.concurrentCalls), mostWaiting: settings.mostWaiting,
            retries: settings.retries, gatherTime: settings.gatherTime,
            callSize: { upstream.callSize(of: $0, parts: $1) },
            prerequisite: { upstream.prerequisite(of: $0, at: $1) }, title: upstream.title))))
  }

  /// Whether there is anything that calls can be sent with.
  var isConfigured: Bool { !members.all.isEmpty }

  /// The upstream as it is bought from with the first credential.
  var model: any Upstream { members.all.first?.upstream ?? upstream }

  /// The upstream as it is bought from with one of its credentials.
  func upstream(of credential: String) -> any Upstream {
    members.upstream(of: credential) ?? upstream
  }

  /// What asks how the meters of an upstream stand.
  func watch(of upstream: any Upstream) -> MeterWatch {
    watches.withLock { watches in
      let key = upstream.credentials.first ?? ""
      if let known = watches[key] { return known }
      let watch = MeterWatch(
        log: log, upstream, statistics: statistics, interval: settings.balanceInterval,
        timeout: settings.retries.attemptTimeout)
      watches[key] = watch
      return watch
    }
  }

  // MARK: Asking

  /// Buys what is not on its way already, waits for the rest, and goes on as meters free for as long as the order wants to
  /// wait.
  ///
  /// What somebody has asked for is bought also if the task is cancelled. If he hangs up, what of it only waits is given
  /// up, unless others want it too: he may ask again, and a call that is out goes on and is kept. What nobody waits for is
  /// given up with the task.
  ///
  /// - Returns: how each need ended, in their order.
  func buy(_ order: PurchaseOrder) async -> [Purchase] {
    guard !order.needs.isEmpty else { return [] }
    let isGivenUp = order.demand.isBehind
    let client = isGivenUp ? nil : ClientPresence.current
    let watcher = Mutex<Int?>(nil)
    defer { if let watcher = watcher.withLock({ $0 }) { client?.forget(watcher) } }
    let demand = Mutex<PurchaseQueue.DemandID?>(nil)
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let id = submit(order) { continuation.resume(returning: $0) }
        demand.withLock { $0 = id }
        // It may have been cancelled before it had a name.
        if isGivenUp, Task.isCancelled { feed { $0.withdraw(id, at: $1) } }
        let watching = client?.whenGone { [self] in feed { $0.withdraw(id, at: $1) } }
        watcher.withLock { $0 = watching }
      }
    } onCancel: {
      guard isGivenUp, let id = demand.withLock({ $0 }) else { return }
      feed { $0.withdraw(id, at: $1) }
    }
  }

  /// Buys without anybody waiting, as a job. One that is cancelled sends no call that is not out.
  func buyBehind(_ order: PurchaseOrder, as jobs: JobRunner) {
    guard !order.needs.isEmpty else { return }
    let demand = Mutex<PurchaseQueue.DemandID?>(nil)
    let job = jobs.open(.refresh) { [self] in
      if let id = demand.withLock({ $0 }) { feed { $0.withdraw(id, at: $1) } }
    }
    guard let job else { return }
    let id = submit(order) { purchases in
      let failures = purchases.compactMap(\.problem)
      jobs.close(job, failures.first.map { .failed($0.detail) } ?? .done())
    }
    demand.withLock { $0 = id }
    // It may have been cancelled before it had a name.
    if jobs[job]?.isEnding == true { feed { $0.withdraw(id, at: $1) } }
  }

  @discardableResult
  private func submit(
    _ order: PurchaseOrder, _ answer: @escaping @Sendable ([Purchase]) -> Void
  ) -> PurchaseQueue.DemandID {
    let (id, actions) = state.withLock { state in
      let (id, actions) = state.queue.submit(order, at: clock)
      state.askers[id] = answer
      return (id, actions)
    }
    carryOut(actions)
    return id
  }

  /// Answers those whose time is over. To be called once a second.
  func tick() { feed { $0.tick(at: $1) } }

  /// Whether a shutdown has begun.
  var isStopping: Bool { state.withLock { $0.queue.isStopping } }

  /// Demands that have no answer yet.
  var openDemands: Int { state.withLock { $0.queue.demands.count } }

  /// Whether nothing is under way, refreshes behind answers included.
  var isIdle: Bool { state.withLock { $0.isIdle } }

  /// Answers what waits, and sends nothing more.
  func beginStop() {
    feed { $0.stop(at: $1) }
    let naps = state.withLock { Array($0.naps.values) }
    for nap in naps { nap.cancel() }
  }

  /// The same, and waits for the calls that are out.
  func stop() async {
    beginStop()
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if !state.isIdle { state.idle.append(continuation) }
        return state.isIdle
      }
      if isIdle { continuation.resume() }
    }
  }

  // MARK: What the queue says

  var clock: PurchaseQueue.Clock {
    PurchaseQueue.Clock(
      wall: log.time.now(), monotonic: log.time.monotonicMilliseconds)
  }

  func feed(
    _ step: (inout PurchaseQueue, PurchaseQueue.Clock) -> [PurchaseQueue.Action]
  ) {
    let actions = state.withLock { step(&$0.queue, clock) }
    carryOut(actions)
    tellIdle()
  }

  private func tellIdle() {
    let waiters = state.withLock { state in
      guard state.isIdle else { return [] as [CheckedContinuation<Void, Never>] }
      defer { state.idle = [] }
      return state.idle
    }
    for waiter in waiters { waiter.resume() }
  }

  private func carryOut(_ actions: [PurchaseQueue.Action]) {
    var notes: [PurchaseQueue.RefusalNote] = []
    var answers: [(@Sendable ([Purchase]) -> Void, [Purchase])] = []
    for action in actions {
      switch action {
      case .decide(let batch):
        Task {
          let decided = await decide(batch)
          feed { $0.decided(decided, at: $1) }
        }
      case .send(let id): Task { await send(id) }
      case .settle(let id): Task { await settle(id) }
      case .fail(let id, let wish): Task { await fail(id, wish) }
      case .giveUp(let id, let problem): Task { await giveUp(id, problem) }
      case .pause(let wake, let milliseconds): nap(wake, milliseconds)
      case .record(let note): notes.append(note)
      case .answer(let id, let purchases):
        let asker = state.withLock { $0.askers.removeValue(forKey: id) }
        if let asker { answers.append((asker, purchases)) }
      }
    }
    guard !notes.isEmpty else {
      for (asker, purchases) in answers { asker(purchases) }
      return
    }
    state.withLock { $0.recording += 1 }
    Task { [notes, answers] in
      await record(notes)
      state.withLock { $0.recording -= 1 }
      for (asker, purchases) in answers { asker(purchases) }
      tellIdle()
    }
  }

  private func nap(_ wake: PurchaseQueue.Wake, _ milliseconds: Int64) {
    state.withLock { state in
      state.naps[wake] = Task {
        try? await log.time.sleep(milliseconds)
        self.state.withLock { $0.naps[wake] = nil }
        feed { $0.woken(wake, at: $1) }
      }
    }
  }

  /// Writes refusals down. They stand whether or not that can be done.
  private func record(_ notes: [PurchaseQueue.RefusalNote]) async {
    let events = notes.compactMap {
      refusals.note($0, credential: model.credentials.first ?? "")
    }
    guard !events.isEmpty else { return }
    let written = try? await log.decide { (_, _) throws(LogError) in
      Decision(events: events, answer: ())
    }
    if written == nil { refusals.restore(events) }
  }

  // MARK: Deciding

  private func decide(_ batch: PurchaseQueue.Batch) async -> PurchaseQueue.Decided {
    // The same choice for each look at the same batch.
    let draw = random()
    var without: Set<String> = []
    var asked: Set<String> = []
    var answer = await reserve(batch, without: without, draw: draw)
    asking: while case .success(let first) = answer, let credential = first.credentialToRead,
      asked.insert(credential).inserted
    {
      let outcome = await watch(of: upstream(of: credential)).refresh(evenIfRead: !first.isRefused)
      note(outcome)
      let problem: PurchaseProblem
      switch outcome {
      case .read:
        answer = await reserve(batch, without: without, draw: draw)
        continue
      case .failed(let failure) where failure.reason == .keyRejected:
        answer = await reserve(batch, without: without, draw: draw)
        continue
      // Somebody else's question may have been answered since the look at the books.
      case .notAsked where !first.isRefused:
        answer = await reserve(batch, without: without, draw: draw)
        continue
      // A refusal for want of tokens stands without the upstream's word.
      case .failed(let failure) where !first.isRefused:
        problem = .unavailable(failure, upstream.title)
      case .notBooked(let error) where !first.isRefused: problem = PurchaseProblem(error)
      case .failed, .notBooked, .notAsked: break asking
      }
      // Another credential may do without.
      without.insert(credential)
      guard members.all.contains(where: { !without.contains($0.id) }) else {
        return .failed(problem)
      }
      answer = await reserve(batch, without: without, draw: draw)
    }
    switch answer {
    case .failure(let error): return .failed(PurchaseProblem(error))
    case .success(.needsReading):
      let failure = lastFailure.withLock { $0 }
      let unknown = PurchaseProblem(
        .upstreamUnavailable, "the balance of the key is not known yet")
      return .failed(failure.map { .unavailable($0, upstream.title) } ?? unknown)
    case .success(.keyRejected(_, let detail)):
      return .failed(
        PurchaseProblem(.keyRejected, "\(upstream.title) refuses the key: \(detail)"))
    case .success(.decided(let decision)): return .decided(decision)
    }
  }

  /// - Parameter without: credentials that are not to be used.
  private func reserve(
    _ batch: PurchaseQueue.Batch, without: Set<String>, draw: Double
  ) async -> Result<ReserveCommand.Answer, LogError> {
    let (cache, books) = (cache, books)
    let now = log.time.now()
    let command = ReserveCommand(
      batch: batch, upstream: upstream.name,
      members: members(for: batch).filter { !without.contains($0.id) }, draw: draw,
      elsewhere: taken(for: batch, at: now), budgetReserve: settings.budgetReserve,
      isCacheOn: settings.isCacheOn,
      storageAdmits: storageAdmits, mostBudgetValues: settings.mostBudgetValues, now: now)
    do throws(LogError) {
      let isLight = members.upstreams.contains { upstream in
        upstream.meters.contains { $0.durability == .withAnswer }
      }
      if isLight {
        // What needs no writing before it is sent needs no writer either: one batch is decided at a time.
        let decision = try log.read { (state) throws(LogError) in
          try command.decide(cache, books, state, next: 1)
        }
        if decision.events.isEmpty {
          hold(decision.answer)
          return .success(decision.answer)
        }
      }
      let answer = try await log.decide { (state, context) throws(LogError) in
        try command.decide(cache, books, state, next: context.next)
      }.answer
      hold(answer)
      return .success(answer)
    } catch { return .failure(error) }
  }

  /// What a batch may be bought with. What is bought ahead is bought with the first credential: of its bucket it was seen
  /// that something is lost.
  func members(for batch: PurchaseQueue.Batch) -> [CredentialMember] {
    batch.isAhead ? Array(members.all.prefix(1)) : members.all
  }

  /// Whether storage has more left than the reserve for calls already paid.
  var storageAdmits: Bool { (try? log.headroom().admits) ?? false }

  /// What is taken of pages and is not in the books, and of balances what is kept for those who wait for an answer, or is
  /// not lost.
  func taken(for batch: PurchaseQueue.Batch, at now: Timestamp) -> [MeterKey: Int64] {
    var taken = elsewhere(at: now)
    var kept = batch.isAhead ? keptAhead(at: now) : [:]
    if batch.isBackground, settings.interactiveReserve > 0 {
      for meter in members.upstreams.flatMap(\.meters) {
        if case .refillBucket = meter.rule {
          kept[meter.key] = max(kept[meter.key] ?? 0, settings.interactiveReserve)
        }
      }
    }
    for (key, amount) in kept { taken[key, default: 0] &+= amount }
    return taken
  }

  /// Remembers what calls hold that are booked with their answer.
  private func hold(_ answer: ReserveCommand.Answer) {
    guard case .decided(let decision) = answer else { return }
    state.withLock { state in
      for attempt in decision.started where attempt.fetch == 0 {
        for move in attempt.moves { state.held[move.page, default: 0] &+= move.amount }
      }
    }
  }

  func release(_ attempt: Attempt) {
    guard attempt.fetch == 0 else { return }
    state.withLock { state in
      for move in attempt.moves {
        let left = (state.held[move.page] ?? 0) &- move.amount
        state.held[move.page] = left == 0 ? nil : left
      }
    }
  }

  /// What is taken of pages and is not in the books.
  ///
  /// - Parameter attempt: its own part is left out.
  func elsewhere(
    at now: Timestamp, without attempt: Attempt? = nil
  ) -> [MeterKey: Int64] {
    state.withLock { state in
      state.turning.forget(before: now)
      var taken = state.held
      for (page, amount) in state.turning.amounts { taken[page, default: 0] &+= amount }
      if let attempt, attempt.fetch == 0 {
        for move in attempt.moves { taken[move.page, default: 0] &-= move.amount }
      }
      return taken
    }
  }
}

extension ReserveCommand.Answer {
  /// The credential of which a look at the balance might change what was decided, since nothing was reserved; nil: none.
  fileprivate var credentialToRead: String? {
    switch self {
    case .needsReading(let credential), .keyRejected(let credential, _): credential
    case .decided(let decision): isRefused ? decision.shortOf : nil
    }
  }

  /// Whether nothing was reserved for want of tokens.
  fileprivate var isRefused: Bool {
    guard case .decided(let decision) = self else { return false }
    return decision.started.isEmpty
      && decision.refused.contains { $0.refusal.reason == .insufficientTokens }
  }
}
