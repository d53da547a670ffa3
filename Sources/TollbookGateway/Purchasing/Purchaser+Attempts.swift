import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

// One attempt of a call: sent, and its end booked.

extension Purchaser {
  func send(_ id: PurchaseQueue.CallID) async {
    guard let call = state.withLock({ $0.queue.calls[id] }) else { return }
    var attempt = call.attempt
    let limit = settings.retries.attemptLimit(
      upstream.callLimit, asked: attempt.call.attemptLimit,
      elapsed: clock.monotonic - call.began)
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
    let exchange = await upstream(of: attempt.credential).perform(
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
      let others = members.all.count - 1
      feed { $0.failed(id, failure, left: left, others: others, random: draw, at: $1) }
    }
  }

  func settle(_ id: PurchaseQueue.CallID) async {
    let found = state.withLock { state in
      (state.queue.calls[id]?.attempt, state.exchanges.removeValue(forKey: id))
    }
    guard let attempt = found.0, let exchange = found.1,
      case .success(let delivery) = exchange.result
    else { return }
    let observed = log.time.now()
    let (stored, unsealed) = await Self.stored(delivery.writes, sealed: sealedKinds, keys)
    let command = SettleCommand(
      upstream: upstream(of: attempt.credential), attempt: attempt, stored: stored,
      handedOn: delivery.writes.filter { $0.disposition != .store } + unsealed,
      silence: delivery.silence, raw: delivery.raw, charges: exchange.charges,
      readings: exchange.readings,
      counts: exchange.counts, elsewhere: elsewhere(at: observed, without: attempt),
      observed: observed, durationMilliseconds: exchange.duration.milliseconds,
      receivedBytes: exchange.receivedBytes)
    let (cache, ledger) = (cache, ledger)
    let booked = await insist(for: id) { (state, context) throws(LogError) in
      try command.decide(cache, ledger, state, context)
    }
    release(attempt)
    switch booked {
    case .success(let answer):
      feed { $0.booked(id, .ended(answer.ends, lost: answer.lost, left: answer.left), at: $1) }
    case .failure(let error): end(id, attempt, exchange.end, PurchaseProblem(error))
    }
  }

  /// What is to be stored of an answer, each resource once, and what has to be sealed for that and cannot be.
  ///
  /// Compresses and seals the bodies: work for a processor, not for whoever else runs on this task's executor.
  ///
  /// - Parameter kinds: those whose bodies are sealed.
  @concurrent
  private static func stored(
    _ writes: [Write], sealed kinds: Set<String>, _ keys: DataKeys
  ) async -> (stored: [SettleCommand.Stored], unsealed: [Write]) {
    var seen: Set<ResourceKey> = []
    var stored: [SettleCommand.Stored] = []
    var unsealed: [Write] = []
    // What cannot be a key is not kept.
    for write in writes
    where write.disposition == .store && write.resource.isPossible
      && seen.insert(write.resource).inserted
    {
      guard let content = write.body, kinds.contains(write.resource.kind) else {
        let body = write.body.map { Body($0, cuts: write.cuts) }
        stored.append(SettleCommand.Stored(write: write, body: body))
        continue
      }
      if let sealed = keys.seal(content, as: write.resource) {
        stored.append(SettleCommand.Stored(write: write, body: Body(sealed)))
      } else {
        var write = write
        write.disposition = .handOn(.passedThrough, detail: "it could not be sealed")
        unsealed.append(write)
      }
    }
    return (stored, unsealed)
  }

  func fail(_ id: PurchaseQueue.CallID, _ wish: PurchaseQueue.RetryWish) async {
    let found = state.withLock { state in
      (state.queue.calls[id]?.attempt, state.exchanges.removeValue(forKey: id))
    }
    guard let attempt = found.0, let exchange = found.1,
      case .failure(let failure) = exchange.result
    else { return }
    if wish != .none, RetryPolicy.isOfCredential(failure.reason) {
      await readUnread(but: attempt.credential)
    }
    let observed = log.time.now()
    var pause: Int64?
    if case .after(let delay) = wish, storageAdmits { pause = delay }
    let command = FailCommand(
      upstream: upstream(of: attempt.credential), attempt: attempt, failure: failure.believable,
      end: exchange.end, readings: exchange.readings, closures: exchange.closures,
      elsewhere: elsewhere(at: observed, without: attempt),
      mostBudgetValues: settings.mostBudgetValues, wantsRetry: wish != .none,
      mayRetry: pause != nil, observed: observed, members: members.all, draw: random())
    let books = books
    let booked = await insist(for: id) { (state, context) throws(LogError) in
      try command.decide(books, state, context)
    }
    release(attempt)
    switch booked {
    case .success(let next?):
      let lost = attempt.lost(exchange.end)
      feed { $0.booked(id, .retry(next, pause: pause ?? 0, lost: lost), at: $1) }
    case .success(nil):
      let problem = problem(
        of: failure, attempt, closedUntil: exchange.closures.values.max(), at: observed)
      end(id, attempt, exchange.end, problem)
    case .failure(let error): end(id, attempt, exchange.end, PurchaseProblem(error))
    }
  }

  /// Ends a fetch whose attempt is reserved and not made: nothing was sent.
  func giveUp(_ id: PurchaseQueue.CallID, _ problem: PurchaseProblem) async {
    guard let attempt = state.withLock({ $0.queue.calls[id]?.attempt }) else { return }
    let notSent = AttemptEnd(charges: [:], others: .notSent)
    defer { release(attempt) }
    // What is not in the log yet needs no end there.
    guard attempt.fetch != 0 else { return end(id, attempt, notSent, problem) }
    let command = FailCommand(
      upstream: upstream(of: attempt.credential), attempt: attempt,
      failure: UpstreamFailure(.notSent, detail: problem.detail, charge: .none), end: notSent,
      wantsRetry: false, mayRetry: false, observed: log.time.now())
    let books = books
    _ = await insist(for: id) { (state, context) throws(LogError) in
      try command.decide(books, state, context)
    }
    end(id, attempt, notSent, problem)
  }

  /// Ends all needs of a call alike.
  private func end(
    _ id: PurchaseQueue.CallID, _ attempt: Attempt, _ end: AttemptEnd, _ problem: PurchaseProblem
  ) {
    let purchase: Purchase.End =
      problem.reason == .insufficientTokens || problem.reason == .limitReached
      ? .refused(problem) : .failed(problem)
    let ends = attempt.call.needs.map { _ in purchase }
    feed { $0.booked(id, .ended(ends, lost: attempt.lost(end), left: 0), at: $1) }
  }

  private func problem(
    of failure: UpstreamFailure, _ attempt: Attempt, closedUntil: Timestamp?, at now: Timestamp
  ) -> PurchaseProblem {
    guard failure.reason == .insufficientTokens else {
      return PurchaseProblem(failure, upstream.title)
    }
    if let closedUntil {
      return PurchaseProblem(
        .limitReached, "\(upstream.title) takes no more calls for now: \(failure.detail)",
        retryAt: closedUntil, upstreamStatus: failure.status)
    }
    // The upstream's word stands against a ledger that has something left; only a refill can change it.
    var booking = Booking(upstream(of: attempt.credential))
    let ledger = ledger
    let standings =
      (try? log.read { (state) throws(LogError) in
        try booking.standings(of: attempt.call.uses.map { $0.first(1) }, at: now, ledger, state)
      }) ?? []
    return PurchaseProblem(
      .insufficientTokens, "\(upstream.title) says that the \(attempt.unit) are used up",
      retryAt: standings.resumption
        ?? (Admission(on: standings).refusal == nil
          ? now.advanced(byMilliseconds: settings.balanceInterval) : nil))
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

extension [MeterStanding] {
  /// When an upstream that has said no takes the call, as far as its meters tell: its word stands against books that have
  /// something left, and then only a refill or another window can change it.
  var resumption: Timestamp? {
    let admission = Admission(on: self)
    guard admission.refusal == nil else { return admission.retryAt }
    return first.flatMap { $0.nextRefill ?? $0.window.ends }
  }
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
      case .refillBucket, .calendarWindow, .rollingWindow, .total, .unlimited: break
      }
    }
  }
}
