import Deflate
import LMDB
import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Buys from one upstream: carries out what its ``PurchaseQueue`` says, and tells it what came of that.
///
/// Whatever it waits for runs in a task of its own, so that a client who hangs up does not stop what is paid for.
final class Purchaser: Sendable {
  private typealias Queue = PurchaseQueue

  private struct State {
    var queue: PurchaseQueue
    var askers: [PurchaseQueue.DemandID: CheckedContinuation<[Purchase], Never>] = [:]
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

  let upstream: SimulatorGuard
  let refusals = RefusalLog()
  private let log: EventLog
  private let cache: CacheView
  private let ledger: LedgerView
  private let settings: GatewaySettings
  private let statistics: GatewayStatistics
  private let random: @Sendable () -> Double
  private let watch: MeterWatch
  private let state: Mutex<State>
  private let lastFailure = Mutex<UpstreamFailure?>(nil)

  init(
    log: EventLog, _ upstream: any Upstream, settings: GatewaySettings,
    statistics: GatewayStatistics, random: @escaping @Sendable () -> Double
  ) {
    let upstream = SimulatorGuard(upstream, for: log.directory.mode)
    self.upstream = upstream
    self.log = log
    self.settings = settings
    self.statistics = statistics
    self.random = random
    cache = CacheView(log)
    ledger = LedgerView(log)
    watch = MeterWatch(
      log: log, upstream, statistics: statistics, interval: settings.balanceInterval,
      timeout: settings.retries.attemptTimeout)
    state = Mutex(
      State(
        queue: PurchaseQueue(
          PurchaseQueue.Settings(
            slots: max(1, settings.concurrentCalls), mostWaiting: settings.mostWaiting,
            retries: settings.retries,
            callSize: { upstream.callSize(of: $0, parts: $1) },
            prerequisite: { upstream.prerequisite(of: $0, at: $1) }, title: upstream.title))))
  }

  // MARK: Asking

  /// Buys what is not on its way already, waits for the rest, and goes on as meters free for as long as the order wants to
  /// wait.
  ///
  /// - Returns: how each need ended, in their order.
  func buy(_ order: PurchaseOrder) async -> [Purchase] {
    guard !order.needs.isEmpty else { return [] }
    return await withCheckedContinuation { continuation in
      submit(order, continuation)
    }
  }

  /// Buys without anybody waiting.
  func buyBehind(_ order: PurchaseOrder) {
    if !order.needs.isEmpty { submit(order, nil) }
  }

  private func submit(
    _ order: PurchaseOrder, _ continuation: CheckedContinuation<[Purchase], Never>?
  ) {
    let actions = state.withLock { state in
      let (id, actions) = state.queue.submit(order, at: clock)
      state.askers[id] = continuation
      return actions
    }
    carryOut(actions)
  }

  /// Answers those whose time is over. To be called once a second.
  func tick() { feed { $0.tick(at: $1) } }

  /// Whether a shutdown has begun.
  var isStopping: Bool { state.withLock { $0.queue.isStopping } }

  /// Whether nothing is under way, refreshes behind answers included.
  var isIdle: Bool { state.withLock { $0.isIdle } }

  /// Answers what waits and sends nothing more, and waits for the calls that are out.
  func stop() async {
    feed { $0.stop(at: $1) }
    let naps = state.withLock { Array($0.naps.values) }
    for nap in naps { nap.cancel() }
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if !state.isIdle { state.idle.append(continuation) }
        return state.isIdle
      }
      if isIdle { continuation.resume() }
    }
  }

  // MARK: What the queue says

  private var clock: PurchaseQueue.Clock {
    PurchaseQueue.Clock(
      wall: log.time.now(), monotonic: log.time.monotonicNanoseconds() / 1_000_000)
  }

  private func feed(
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
    var answers: [(CheckedContinuation<[Purchase], Never>, [Purchase])] = []
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
      for (asker, purchases) in answers { asker.resume(returning: purchases) }
      return
    }
    state.withLock { $0.recording += 1 }
    Task { [notes, answers] in
      await record(notes)
      state.withLock { $0.recording -= 1 }
      for (asker, purchases) in answers { asker.resume(returning: purchases) }
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
      refusals.note($0, credential: upstream.credentials.first ?? "")
    }
    guard !events.isEmpty else { return }
    let written = try? await log.decide { (_, _) throws(LMDBError) in
      Decision(events: events, answer: ())
    }
    if written == nil { refusals.restore(events) }
  }

  // MARK: Deciding

  private func decide(_ batch: PurchaseQueue.Batch) async -> PurchaseQueue.Decided {
    var answer = await reserve(batch)
    if case .success(let first) = answer, first.mayChangeWithReading {
      let outcome = await watch.refresh(evenIfRead: !first.isRefused)
      note(outcome)
      switch outcome {
      case .read: answer = await reserve(batch)
      case .failed(let failure) where failure.reason == .keyRejected:
        answer = await reserve(batch)
      // Somebody else's question may have been answered since the look at the books.
      case .notAsked where !first.isRefused: answer = await reserve(batch)
      // A refusal for want of tokens stands without the upstream's word.
      case .failed(let failure) where !first.isRefused:
        return .failed(.unavailable(failure, upstream.title))
      case .notBooked(let error) where !first.isRefused: return .failed(PurchaseProblem(error))
      case .failed, .notBooked, .notAsked: break
      }
    }
    switch answer {
    case .failure(let error): return .failed(PurchaseProblem(error))
    case .success(.needsReading):
      let failure = lastFailure.withLock { $0 }
      let unknown = PurchaseProblem(
        .upstreamUnavailable, "the balance of the key is not known yet")
      return .failed(failure.map { .unavailable($0, upstream.title) } ?? unknown)
    case .success(.keyRejected(let detail)):
      return .failed(
        PurchaseProblem(.keyRejected, "\(upstream.title) refuses the key: \(detail)"))
    case .success(.decided(let decision)): return .decided(decision)
    }
  }

  private func reserve(
    _ batch: PurchaseQueue.Batch
  ) async -> Result<ReserveCommand.Answer, LogError> {
    let (cache, ledger) = (cache, ledger)
    let now = log.time.now()
    let command = ReserveCommand(
      upstream: upstream, batch: batch, credentials: upstream.credentials,
      elsewhere: elsewhere(at: now), isCacheOn: settings.isCacheOn, storageAdmits: storageAdmits,
      now: now)
    do throws(LogError) {
      if upstream.meters.contains(where: { $0.durability == .withAnswer }) {
        // What needs no writing before it is sent needs no writer either: one batch is decided at a time.
        let decision = try log.readViews { (state) throws(LMDBError) in
          try command.decide(cache, ledger, state, next: 1)
        }
        if decision.events.isEmpty {
          hold(decision.answer)
          return .success(decision.answer)
        }
      }
      let answer = try await log.decide { (state, context) throws(LMDBError) in
        try command.decide(cache, ledger, state, next: context.next)
      }.answer
      hold(answer)
      return .success(answer)
    } catch { return .failure(error) }
  }

  /// Whether storage has more left than the reserve for calls already paid.
  private var storageAdmits: Bool { (try? log.headroom().admits) ?? false }

  /// Remembers what calls hold that are booked with their answer.
  private func hold(_ answer: ReserveCommand.Answer) {
    guard case .decided(let decision) = answer else { return }
    state.withLock { state in
      for attempt in decision.started where attempt.fetch == 0 {
        for move in attempt.moves { state.held[move.page, default: 0] &+= move.amount }
      }
    }
  }

  private func release(_ attempt: Attempt) {
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
  private func elsewhere(
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

  // MARK: One attempt

  private func send(_ id: PurchaseQueue.CallID) async {
    guard let call = state.withLock({ $0.queue.calls[id] }) else { return }
    var attempt = call.attempt
    let elapsed = clock.monotonic - call.began
    let limit = min(settings.retries.attemptTimeout, settings.retries.totalTimeout - elapsed)
    guard limit > 0 else {
      return feed { $0.unsent(id, .tooLate(upstream.title), at: $1) }
    }
    attempt.sent = log.time.now()
    // Against what is read here the readings are held that the answer brings.
    do throws(LogError) {
      attempt.pages = try log.readPages(
        attempt.call.uses.map { $0.meter.inWindow($0.rule.window(at: attempt.sent).name) }, ledger)
    } catch {
      let problem = PurchaseProblem(.storageFailed, "it was not sent, since \(error)")
      return feed { $0.unsent(id, problem, at: $1) }
    }
    state.withLock { state in
      state.queue.calls[id]?.attempt = attempt
      state.turning.note(attempt)
    }
    let exchange = await upstream.perform(
      attempt.call, with: attempt.credential, within: .milliseconds(limit))
    statistics.record(exchange, of: upstream.name)
    state.withLock { $0.exchanges[id] = exchange }
    switch exchange.result {
    case .success:
      note(nil)
      feed { $0.succeeded(id, at: $1) }
    case .failure(let failure):
      note(failure)
      let left = attempt.left(exchange.end)
      let draw = random()
      feed { $0.failed(id, failure, left: left, random: draw, at: $1) }
    }
  }

  private func settle(_ id: PurchaseQueue.CallID) async {
    let found = state.withLock { state in
      (state.queue.calls[id]?.attempt, state.exchanges.removeValue(forKey: id))
    }
    guard let attempt = found.0, let exchange = found.1,
      case .success(let delivery) = exchange.result
    else { return }
    let observed = log.time.now()
    let command = SettleCommand(
      upstream: upstream, attempt: attempt, stored: await Self.stored(delivery.writes),
      handedOn: delivery.writes.filter { $0.disposition != .store }, silence: delivery.silence,
      raw: delivery.raw, charges: exchange.charges, readings: exchange.readings,
      counts: exchange.counts, elsewhere: elsewhere(at: observed, without: attempt),
      observed: observed, durationMilliseconds: exchange.duration.milliseconds,
      receivedBytes: exchange.receivedBytes)
    let (cache, ledger) = (cache, ledger)
    let booked = await insist(for: id) { (state, context) throws(LMDBError) in
      try command.decide(cache, ledger, state, context)
    }
    release(attempt)
    switch booked {
    case .success(let answer):
      let lost = answer.ends.map { _ in LostCost() }
      feed { $0.booked(id, .ended(answer.ends, lost: lost, left: answer.left), at: $1) }
    case .failure(let error): end(id, attempt, exchange.end, PurchaseProblem(error))
    }
  }

  /// What is to be stored of an answer, each resource once.
  ///
  /// Compresses the bodies: work for a processor, not for whoever else runs on this task's executor.
  @concurrent
  private static func stored(_ writes: [Write]) async -> [SettleCommand.Stored] {
    var seen: Set<ResourceKey> = []
    return writes.filter { $0.disposition == .store && seen.insert($0.resource).inserted }.map {
      SettleCommand.Stored(write: $0, body: $0.body.map { Body($0) })
    }
  }

  private func fail(_ id: PurchaseQueue.CallID, _ wish: PurchaseQueue.RetryWish) async {
    let found = state.withLock { state in
      (state.queue.calls[id]?.attempt, state.exchanges.removeValue(forKey: id))
    }
    guard let attempt = found.0, let exchange = found.1,
      case .failure(let failure) = exchange.result
    else { return }
    let observed = log.time.now()
    var pause: Int64?
    if case .after(let delay) = wish, storageAdmits { pause = delay }
    let command = FailCommand(
      upstream: upstream, attempt: attempt, failure: failure.believable, end: exchange.end,
      readings: exchange.readings, elsewhere: elsewhere(at: observed, without: attempt),
      wantsRetry: wish != .none, mayRetry: pause != nil, observed: observed)
    let ledger = ledger
    let booked = await insist(for: id) { (state, context) throws(LMDBError) in
      try command.decide(ledger, state, context)
    }
    release(attempt)
    switch booked {
    case .success(let next?):
      let lost = attempt.lost(exchange.end)
      feed { $0.booked(id, .retry(next, pause: pause ?? 0, lost: lost), at: $1) }
    case .success(nil): end(id, attempt, exchange.end, problem(of: failure, attempt, at: observed))
    case .failure(let error): end(id, attempt, exchange.end, PurchaseProblem(error))
    }
  }

  /// Ends a fetch whose attempt is reserved and not made: nothing was sent.
  private func giveUp(_ id: PurchaseQueue.CallID, _ problem: PurchaseProblem) async {
    guard let attempt = state.withLock({ $0.queue.calls[id]?.attempt }) else { return }
    let notSent = AttemptEnd(charges: [:], others: .notSent)
    defer { release(attempt) }
    // What is not in the log yet needs no end there.
    guard attempt.fetch != 0 else { return end(id, attempt, notSent, problem) }
    let command = FailCommand(
      upstream: upstream, attempt: attempt,
      failure: UpstreamFailure(.notSent, detail: problem.detail, charge: .none), end: notSent,
      wantsRetry: false, mayRetry: false, observed: log.time.now())
    let ledger = ledger
    _ = await insist(for: id) { (state, context) throws(LMDBError) in
      try command.decide(ledger, state, context)
    }
    end(id, attempt, notSent, problem)
  }

  /// Ends all needs of a call alike.
  private func end(
    _ id: PurchaseQueue.CallID, _ attempt: Attempt, _ end: AttemptEnd, _ problem: PurchaseProblem
  ) {
    let purchase: Purchase.End =
      problem.reason == .insufficientTokens ? .refused(problem) : .failed(problem)
    let ends = attempt.call.needs.map { _ in purchase }
    feed { $0.booked(id, .ended(ends, lost: attempt.lost(end), left: 0), at: $1) }
  }

  private func problem(
    of failure: UpstreamFailure, _ attempt: Attempt, at now: Timestamp
  ) -> PurchaseProblem {
    guard failure.reason == .insufficientTokens else {
      return PurchaseProblem(failure, upstream.title)
    }
    // The upstream's word stands against a ledger that has something left; only a refill can change it.
    var booking = Booking(upstream)
    let ledger = ledger
    let standings =
      (try? log.readViews { (state) throws(LMDBError) in
        try booking.standings(of: attempt.call.uses.map { $0.first(1) }, at: now, ledger, state)
      }) ?? []
    let admission = Admission(on: standings)
    let refill = standings.compactMap { $0.nextRefill }.max()
    return PurchaseProblem(
      .insufficientTokens, "\(upstream.title) says that the \(attempt.unit) are used up",
      retryAt: admission.refusal == nil
        ? refill ?? now.advanced(byMilliseconds: settings.balanceInterval) : admission.retryAt)
  }

  /// Books what has happened already: a full queue or a full disk is waited for, since it cannot be undone. Who waits
  /// for the products is not kept waiting for space.
  private func insist<Answer: Sendable>(
    for id: PurchaseQueue.CallID, _ decider: @escaping Decider<Answer>
  ) async -> Result<Answer, LogError> {
    while true {
      do throws(LogError) {
        return .success(try await log.decide(decider).answer)
      } catch {
        switch error {
        case .readOnly: feed { queue, _ in queue.tell(id, PurchaseProblem(error)) }
        case .queueFull: break
        default: return .failure(error)
        }
        guard !isStopping, (try? await log.time.sleep(500)) != nil else {
          return .failure(error)
        }
      }
    }
  }

  private func note(_ outcome: MeterWatch.Outcome) {
    switch outcome {
    case .read: note(nil)
    case .failed(let failure): note(failure)
    case .notAsked, .notBooked: break
    }
  }

  private func note(_ failure: UpstreamFailure?) {
    lastFailure.withLock { $0 = failure }
  }
}

// MARK: Looking after its meters

extension Purchaser {
  /// Asks for balances that were never read or not since a restore, or where that would settle what is in doubt; and ends
  /// doubts that no reading can settle any more.
  func watchMeters() async {
    let now = log.time.now()
    let keys = upstream.meters.compactMap {
      if case .refillBucket = $0.rule { $0.key } else { nil }
    }
    let pages = try? log.readPages(keys, ledger)
    if pages?.values.contains(where: { $0.needsReading(at: now) }) == true {
      note(await watch.refresh(evenIfRead: true))
    }
    await endDoubts(at: now)
  }

  private func endDoubts(at now: Timestamp) async {
    let (ledger, upstream) = (ledger, upstream)
    guard upstream.meters.contains(where: { $0.rule.counts }) else { return }
    let ends = try? log.readViews { (state) throws(LMDBError) in
      var booking = Booking(upstream)
      try booking.endDoubts(ofWindowsBefore: now, ledger, state)
      return booking.events.count
    }
    guard let ends, ends > 0 else { return }
    _ = try? await log.decide { (state, _) throws(LMDBError) in
      var booking = Booking(upstream)
      try booking.endDoubts(ofWindowsBefore: now, ledger, state)
      return Decision(events: booking.events, answer: ())
    }
  }

  var status: UpstreamStatus {
    let ledger = ledger
    let id = upstream.credentials.first ?? ""
    let bucket = upstream.meters.first.map(\.key)
    let known = try? log.readViews { (transaction) throws(LMDBError) in
      (
        try ledger.credential(id, in: transaction),
        try bucket.map { key throws(LMDBError) in try ledger.meter(key, in: transaction) }?.reading
      )
    }
    var status = UpstreamStatus(
      upstream.name, isConfigured: true, state: .unknown, credential: id)
    status.isSimulated = upstream.isSimulated
    if upstream.isRefusing {
      status.state = .simulator
      status.detail = upstream.refusal
      return status
    }
    if let (credential, reading) = known {
      if credential?.status == .rejected {
        status.state = .keyRejected
        status.detail = credential?.detail ?? ""
        return status
      }
      if reading != nil { status.state = .ready }
    }
    if let failure = lastFailure.withLock({ $0 }), RetryPolicy.isFault(failure.reason) {
      status.state = .unreachable
      status.detail = failure.detail
    }
    let now = clock
    let breaker = state.withLock { state in
      status.waiting = state.queue.waiting
      return state.queue.breaker
    }
    if breaker.isOpen {
      status.state = .paused
      status.pausedUntil = breaker.pausedUntil.map {
        now.wall.advanced(byMilliseconds: max(0, $0 - now.monotonic))
      }
    }
    return status
  }
}

extension Exchange {
  /// How it ended, as far as its cost goes.
  var end: AttemptEnd {
    let others: AttemptEnd.Others =
      switch result {
      case .success: .byPrice
      case .failure(let failure) where failure.status > 0: .byPrice
      case .failure(let failure): failure.charge == .none ? .notSent : .unknown
      }
    return AttemptEnd(charges: charges, counts: counts, others: others)
  }
}

extension Attempt {
  /// What its first meter counts in.
  var unit: String { call.uses.first?.meter.unit ?? "" }
}

extension MeterRule {
  /// Whether it counts in windows.
  fileprivate var counts: Bool { window(at: Timestamp(milliseconds: 0)) != .none }
}

extension MeterStanding {
  /// The next refill of a bucket whose balance is known.
  fileprivate var nextRefill: Timestamp? {
    guard case .refillBucket(let bucket) = use.rule, let reading = pages.last?.reading else {
      return nil
    }
    return bucket.refill(after: now, of: reading)
  }
}

extension TurningCalls {
  /// Notes what an attempt takes of windows with a turn nearby.
  fileprivate mutating func note(_ attempt: Attempt) {
    for (use, move) in zip(attempt.call.uses, attempt.moves) {
      switch use.rule {
      case .clockWindow, .anchoredWindow:
        note(
          use.meter, use.rule, amount: move.amount, booked: move.window, sent: attempt.sent)
      // Of these no upstream tells a figure.
      case .refillBucket, .calendarWindow, .rollingWindow, .total: break
      }
    }
  }
}

extension ReserveCommand.Answer {
  /// Whether nothing was reserved, and a look at the balance might change that.
  fileprivate var mayChangeWithReading: Bool {
    switch self {
    case .needsReading, .keyRejected: true
    case .decided: isRefused
    }
  }

  /// Whether nothing was reserved for want of tokens.
  fileprivate var isRefused: Bool {
    guard case .decided(let decision) = self else { return false }
    return decision.started.isEmpty
      && decision.refused.contains { $0.refusal.reason == .insufficientTokens }
  }
}
