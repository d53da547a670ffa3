import LMDB
import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// How the buying of one product ended for one request.
struct Purchase: Sendable {
  var end: FlightOutcome
  /// Whether another request paid for it.
  var isJoined: Bool
  /// Whether the log tells that this request wanted it: by the start of a fetch, or by a refusal.
  var isBooked: Bool
}

/// Buys products from Keepa: one flight per product, calls of up to 100, reserve → call → settle per attempt.
final class KeepaBuyer: Sendable {
  static let operation = "keepa.product"
  static let unit = "tokens"
  /// The longest a request sleeps before it looks whether a shutdown has begun, in milliseconds.
  private static let longestSleep: Int64 = 1_000

  let meter: MeterKey
  private let log: EventLog
  private let cache: CacheView
  private let ledger: LedgerView
  private let keepa: any KeepaAPI
  private let settings: GatewaySettings
  private let statistics: GatewayStatistics
  private let random: @Sendable () -> Double
  private let inFlight = InFlightCalls()
  private let limiter: Limiter
  private let balance: BalanceWatch
  private let running = RunningCalls()
  private let lastFailure = Mutex<UpstreamFailure?>(nil)

  init(
    log: EventLog, keepa: any KeepaAPI, credential: String, settings: GatewaySettings,
    statistics: GatewayStatistics, random: @escaping @Sendable () -> Double
  ) {
    self.log = log
    self.keepa = keepa
    self.settings = settings
    self.statistics = statistics
    self.random = random
    meter = MeterKey(owner: credential, unit: Self.unit)
    cache = CacheView(log)
    ledger = LedgerView(log)
    limiter = Limiter(settings.concurrentCalls)
    balance = BalanceWatch(
      log: log, meter: meter, keepa: keepa, statistics: statistics,
      interval: settings.balanceInterval,
      timeout: settings.retries.attemptTimeout)
  }

  static func resource(_ asin: KeepaASIN, _ domain: KeepaDomain) -> ResourceKey {
    ResourceKey(shared: operation, path: "\(domain.rawValue)/\(asin)")
  }

  /// Buys what is not on its way already, waits for the rest, and goes on as refills arrive for as long as the request
  /// wants to wait.
  func buy(
    _ asins: [KeepaASIN], for request: ProductsRequest, within limit: SpendLimit
  ) async -> [(KeepaASIN, Purchase)] {
    let deadline = log.time.now().advanced(byMilliseconds: request.wait)
    let began = log.time.monotonicMilliseconds
    var rest = asins
    var done: [KeepaASIN: Purchase] = [:]
    while !rest.isEmpty {
      let round = await buyOnce(rest, for: request, within: limit, deadline: deadline)
      for (asin, purchase) in round { done[asin] = purchase }
      rest = rest.filter { done[$0]?.mustAskAgain ?? false }
      guard rest.isEmpty else { continue }
      rest = asins.filter { done[$0]?.retryAt != nil }
      guard let retryAt = rest.compactMap({ done[$0]?.retryAt }).min(), retryAt <= deadline,
        await sleep(until: retryAt, atMost: request.wait - (log.time.monotonicMilliseconds - began))
      else { break }
    }
    return asins.compactMap { asin in done[asin].map { (asin, $0) } }
  }

  /// Sleeps in short steps, so that a shutdown is not held up, and no longer than `limit`, whatever is done to the
  /// clock.
  ///
  /// - Returns: whether the time has come; false if it has not or nobody waits for it any more.
  private func sleep(until instant: Timestamp, atMost limit: Int64) async -> Bool {
    let began = log.time.monotonicMilliseconds
    while !running.isStopping {
      let left = instant.milliseconds - log.time.now().milliseconds
      if left <= 0 { return true }
      let allowed = limit - (log.time.monotonicMilliseconds - began)
      let step = min(left, allowed, Self.longestSleep)
      guard step > 0, (try? await log.time.sleep(step)) != nil else { return false }
    }
    return false
  }

  /// Buys without anybody waiting.
  func buyBehind(
    _ asins: [KeepaASIN], for request: ProductsRequest, within limit: SpendLimit
  ) {
    running.begin { [self] in _ = await buy(asins, for: request, within: limit) }
  }

  /// Asks for the balance if none was ever read or none since a restore, or if that would settle what is in doubt.
  func watchBalance() async {
    let ledger = ledger
    let key = meter
    let now = log.time.now()
    let isNeeded = try? log.read { (transaction) throws(LogError) in
      do throws(LMDBError) {
        return try ledger.meter(key, in: transaction).needsReading(at: now)
      } catch { throw .storage(error) }
    }
    if isNeeded == true { note(await balance.refresh(evenIfRead: true)) }
  }

  /// Whether a shutdown has begun.
  var isStopping: Bool { running.isStopping }

  /// Whether no call is under way, refreshes behind answers included.
  var isIdle: Bool { running.isIdle }

  /// Waits for everything under way; later purchases are refused.
  func stop() async { await running.stop() }

  var status: UpstreamStatus {
    let ledger = ledger
    let key = meter
    let known = try? log.read { (transaction) throws(LogError) in
      do throws(LMDBError) {
        return (
          try ledger.credential(key.owner, in: transaction),
          try ledger.meter(key, in: transaction).reading
        )
      } catch { throw .storage(error) }
    }
    var status = UpstreamStatus(
      isConfigured: true, state: .unknown, detail: "", credential: key.owner)
    if let (credential, reading) = known {
      if credential?.status == .rejected {
        status.state = .keyRejected
        status.detail = credential?.detail ?? ""
        return status
      }
      if reading != nil { status.state = .ready }
    }
    if let failure = lastFailure.withLock({ $0 }), RetryPolicy.isWorthRetrying(failure.reason) {
      status.state = .unreachable
      status.detail = failure.detail
    }
    return status
  }

  // MARK: One round

  private func buyOnce(
    _ asins: [KeepaASIN], for request: ProductsRequest, within limit: SpendLimit,
    deadline: Timestamp
  ) async -> [KeepaASIN: Purchase] {
    var own: [Seat] = []
    var joined: [Seat] = []
    for asin in asins {
      let resource = Self.resource(asin, request.domain)
      switch inFlight.claim(resource, contentSet: request.contentSet.rawValue) {
      case .own(let flight): own.append((asin, flight))
      case .join(let flight): joined.append((asin, flight))
      }
    }
    let missing = endFlightsOfWhatIsThere(own, request)
    var booked: Set<KeepaASIN> = []
    if !missing.isEmpty {
      let count = await reserveAndCall(missing, request, limit, deadline)
      booked = Set(missing.prefix(count).map(\.asin))
    }
    var ends: [KeepaASIN: Purchase] = [:]
    for (asin, flight) in own {
      ends[asin] = Purchase(
        end: await flight.outcome.value(), isJoined: false, isBooked: booked.contains(asin))
    }
    for (asin, flight) in joined {
      ends[asin] = Purchase(end: await flight.outcome.value(), isJoined: true, isBooked: false)
    }
    return ends
  }

  /// Between looking into the cache and claiming the flight somebody else may have bought the product. Its flight ended
  /// after it was written, so a second look, after the claim, is sure. Where that cannot be read nothing is bought.
  ///
  /// - Returns: the others.
  private func endFlightsOfWhatIsThere(_ own: [Seat], _ request: ProductsRequest) -> [Seat] {
    guard settings.isCacheOn, !own.isEmpty else { return own }
    let cache = cache
    let now = log.time.now()
    var missing: [Seat] = []
    do throws(LogError) {
      missing = try log.read { (transaction) throws(LogError) in
        var missing: [Seat] = []
        do throws(LMDBError) {
          for seat in own {
            let entry = try cache.entry(
              seat.flight.resource, covering: seat.flight.contentSet, in: transaction)
            let usability = entry.map {
              Usability(of: $0, at: now, maximumAge: request.maximumAge)
            }
            if usability != .fresh { missing.append(seat) }
          }
        } catch { throw .storage(error) }
        return missing
      }
    } catch {
      end(own, .failed(ProductProblem(error)))
      return []
    }
    let stays = Set(missing.map(\.asin))
    end(own.filter { !stays.contains($0.asin) }, .found)
    return missing
  }

  /// - Returns: of how many, from the first on, the log tells.
  private func reserveAndCall(
    _ own: [Seat], _ request: ProductsRequest, _ limit: SpendLimit, _ deadline: Timestamp
  ) async -> Int {
    // What is begun in here is waited for by a shutdown, or not begun.
    guard running.enter() else { return fail(own, ProductProblem(.closed)) }
    defer { running.leave() }
    var answer = await reserve(own, request, limit)
    if case .success(let first) = answer, first.mayChangeWithReading {
      let outcome = await balance.refresh(evenIfRead: !first.isRefused)
      note(outcome)
      switch outcome {
      case .read: answer = await reserve(own, request, limit)
      case .failed(let failure) where failure.reason == .keyRejected:
        answer = await reserve(own, request, limit)
      // Somebody else's question may have been answered since the look at the books.
      case .notAsked where !first.isRefused: answer = await reserve(own, request, limit)
      // A refusal for want of tokens stands without the upstream's word.
      case .failed(let failure) where !first.isRefused:
        return fail(own, .unavailable(failure))
      case .notBooked(let error) where !first.isRefused:
        return fail(own, ProductProblem(error))
      case .failed, .notBooked, .notAsked: break
      }
    }
    switch answer {
    case .failure(let error): return fail(own, ProductProblem(error))
    case .success(.needsReading):
      let failure = lastFailure.withLock { $0 }
      let unknown = ProductProblem(
        .upstreamUnavailable, "the balance of the key is not known yet")
      return fail(own, failure.map { .unavailable($0) } ?? unknown)
    case .success(.keyRejected(let detail)):
      return fail(own, ProductProblem(.keyRejected, "Keepa refuses the key: \(detail)"))
    case .success(.reserved(let calls, let refusal)):
      limit.take(calls.reduce(0) { $0 + $1.bound })
      for call in calls { begin(call, own, request, limit) }
      guard let refusal else { return own.count }
      end(own[refusal.from...], .refused(ProductProblem(refusal)))
      let isFinal = refusal.retryAt.map { $0 > deadline } ?? true
      let isRecorded = isFinal ? await recordRefusal(refusal, own, request) : false
      return isRecorded ? own.count : refusal.from
    }
  }

  /// Ends flights of which the log says nothing.
  private func fail(_ own: [Seat], _ problem: ProductProblem) -> Int {
    end(own, .failed(problem))
    return 0
  }

  private func reserve(
    _ own: [Seat], _ request: ProductsRequest, _ limit: SpendLimit
  ) async -> Result<ReserveCommand.Answer, LogError> {
    let command = reserveCommand(own, request, limit)
    let (cache, ledger) = (cache, ledger)
    do throws(LogError) {
      return .success(
        try await log.decide { (state, context) throws(LMDBError) in
          try command.decide(cache, ledger, state, context)
        }.answer)
    } catch { return .failure(error) }
  }

  private func reserveCommand(
    _ own: [Seat], _ request: ProductsRequest, _ limit: SpendLimit
  ) -> ReserveCommand {
    let bound = KeepaPriceList.bound(request.contentSet)
    let expected = KeepaPriceList.expected(request.contentSet)
    let use = MeterUse(
      meter, .refillBucket(RefillBucket(overdraft: settings.overdraft)),
      bounds: PrefixCosts(each: own.map { _ in bound }),
      expected: PrefixCosts(each: own.map { _ in expected }))
    return ReserveCommand(
      terms: terms,
      items: own.map { .init(resource: $0.flight.resource, expected: expected) },
      uses: [use], demand: Demand(request),
      callSize: KeepaPriceList.maximumProducts(for: request.contentSet),
      requestLimit: limit.remaining,
      storageAdmits: storageAdmits, now: log.time.now())
  }

  /// Whether storage has more left than the reserve for calls already paid.
  private var storageAdmits: Bool { (try? log.headroom().admits) ?? false }

  private var terms: PurchaseTerms { PurchaseTerms(operation: Self.operation, meter: meter) }

  /// Writes a refusal down. It stands whether or not that can be done.
  ///
  /// - Returns: whether it is written.
  private func recordRefusal(
    _ refusal: ReserveRefusal, _ own: [Seat], _ request: ProductsRequest
  ) async -> Bool {
    let event = reserveCommand(own, request, SpendLimit(nil)).refused(refusal)
    let written = try? await log.decide { (_, _) throws(LMDBError) in
      Decision(events: [.spendRefused(event)], answer: ())
    }
    return written != nil
  }

  private func end(
    _ flights: some Sequence<Seat>, _ outcome: FlightOutcome
  ) {
    for (_, flight) in flights { inFlight.end(flight, outcome) }
  }

  // MARK: One call

  private func begin(
    _ reserved: ReservedCall, _ own: [Seat], _ request: ProductsRequest, _ limit: SpendLimit
  ) {
    let seats = Array(own[reserved.items])
    let items = reserved.items.map { index in
      Attempt.Item(
        resource: own[index].flight.resource,
        expected: KeepaPriceList.expected(request.contentSet),
        isDuplicate: reserved.duplicates.contains(index))
    }
    let attempt = Attempt(
      fetch: reserved.fetch, number: 1, terms: terms, uses: reserved.uses, moves: reserved.moves,
      demand: Demand(request), items: items, sent: log.time.now())
    let call = Call(seats: seats, request: request, limit: limit)
    running.begin { [self] in
      await limiter.run { await run(attempt, call) }
    }
  }

  private func run(_ first: Attempt, _ call: Call) async {
    let began = log.time.monotonicMilliseconds
    var attempt = first
    while true {
      let elapsed = log.time.monotonicMilliseconds - began
      let limit = min(settings.retries.attemptTimeout, settings.retries.totalTimeout - elapsed)
      attempt.sent = log.time.now()
      guard limit > 0 else {
        return await giveUp(attempt, call, "the time for the fetch was over before it was sent")
      }
      // Against what is read here the balance is held that the answer tells.
      do throws(LogError) { attempt.meter = try readMeter() } catch {
        return await giveUp(attempt, call, "it was not sent, since \(error)")
      }
      let answer = await keepa.products(call.question, within: .milliseconds(limit))
      statistics.record(answer)
      switch answer.result {
      case .success(let products):
        note(nil)
        return await settle(attempt, call, answer, products)
      case .failure(let failure):
        note(failure)
        let spent = log.time.monotonicMilliseconds - began
        guard let delay = await fail(&attempt, call, failure.believable, elapsed: spent) else {
          return
        }
        try? await log.time.sleep(delay)
      }
    }
  }

  /// Ends a fetch whose next attempt is reserved and cannot be made: nothing was sent.
  private func giveUp(_ attempt: Attempt, _ call: Call, _ detail: String) async {
    let failure = UpstreamFailure(.notSent, detail: detail, charge: .none)
    var attempt = attempt
    _ = await fail(&attempt, call, failure, elapsed: settings.retries.totalTimeout)
  }

  private func settle(
    _ attempt: Attempt, _ call: Call, _ answer: UpstreamCall<KeepaProductAnswer>,
    _ products: KeepaProductAnswer
  ) async {
    // An answer shows that the attempt was sent, whatever it says about its cost.
    let charge = products.charge == .none ? .unknown : products.charge.believable
    call.limit.giveBack(charge.left(of: attempt.bound))
    let written = await Self.written(products, asked: call.question)
    let command = SettleCommand(
      attempt: attempt, written: written, policy: settings.products, charge: charge,
      reading: products.reading,
      observed: log.time.now(), durationMilliseconds: answer.duration.milliseconds,
      receivedBytes: answer.receivedBytes)
    let (cache, ledger) = (cache, ledger)
    let booked = await insist(for: call) { (state, context) throws(LMDBError) in
      try command.decide(cache, ledger, state, context)
    }
    for (_, flight) in call.seats {
      switch booked {
      case .failure(let error): inFlight.end(flight, .failed(ProductProblem(error)))
      case .success(let brought):
        guard let own = brought[flight.resource] else {
          let detail = "Keepa's answer does not say anything about it"
          inFlight.end(flight, .failed(ProductProblem(.upstreamUnavailable, detail)))
          continue
        }
        inFlight.end(flight, .written(tokens: own.share, position: own.written))
      }
    }
  }

  /// What is to be stored of an answer: of what was asked for, each once.
  ///
  /// Compresses the bodies: work for a processor, not for whoever else runs on this task's executor.
  @concurrent
  private static func written(
    _ answer: KeepaProductAnswer, asked: KeepaProductRequest
  ) async -> [SettleCommand.Written] {
    var open = Set(asked.asins)
    var written: [SettleCommand.Written] = []
    for product in answer.products where open.remove(product.asin) != nil {
      written.append(
        SettleCommand.Written(
          resource: resource(product.asin, asked.domain), body: Body(product.body),
          contentSet: product.contentSet.rawValue, summary: product.summary.bytes,
          upstreamUpdated: product.lastUpdateMilliseconds))
    }
    for asin in answer.absent where open.remove(asin) != nil {
      written.append(
        SettleCommand.Written(
          resource: resource(asin, asked.domain), body: nil,
          contentSet: asked.contentSet.rawValue, summary: [], upstreamUpdated: 0))
    }
    return written
  }

  /// Books a failed attempt.
  ///
  /// - Parameters:
  ///   - attempt: becomes the next one, if that is reserved.
  ///   - elapsed: milliseconds since the fetch began.
  /// - Returns: how long to wait before the next attempt; nil if the fetch has ended.
  private func fail(
    _ attempt: inout Attempt, _ call: Call, _ failure: UpstreamFailure, elapsed: Int64
  ) async -> Int64? {
    let now = log.time.now()
    let delay: Int64? =
      RetryPolicy.isWorthRetrying(failure.reason) && !running.isStopping
      ? settings.retries.delay(after: attempt.number, elapsed: elapsed, random: random()) : nil
    call.limit.giveBack(failure.charge.left(of: attempt.bound))
    let mayRetry =
      delay != nil && storageAdmits && call.limit.takeIfPossible(attempt.bound)
    let command = FailCommand(
      attempt: attempt, failure: failure, wantsRetry: delay != nil, mayRetry: mayRetry,
      observed: now)
    let ledger = ledger
    let booked = await insist(for: call) { (state, context) throws(LMDBError) in
      try command.decide(ledger, state, context)
    }
    if case .success(let next?) = booked {
      attempt = next
      return delay
    }
    if mayRetry { call.limit.giveBack(attempt.bound) }
    switch booked {
    case .success: end(call.seats, outcome(of: failure, call, at: now))
    case .failure(let error): end(call.seats, .failed(ProductProblem(error)))
    }
    return nil
  }

  private func outcome(
    of failure: UpstreamFailure, _ call: Call, at now: Timestamp
  ) -> FlightOutcome {
    // Tells only when to try again.
    let meter = (try? readMeter()) ?? Meter()
    let admission = Admission(
      of: [KeepaPriceList.bound(call.request.contentSet)], on: meter, at: now,
      requestLimit: nil, overdraft: settings.overdraft)
    let problem = ProductProblem(failure, admission: admission, meter: meter, at: now)
    return problem.reason == .insufficientTokens ? .refused(problem) : .failed(problem)
  }

  /// Books what has happened already: a full queue or a full disk is waited for, since it cannot be undone. Who waits
  /// for the products is not kept waiting for space.
  private func insist<Answer: Sendable>(
    for call: Call, _ decider: @escaping Decider<Answer>
  ) async -> Result<Answer, LogError> {
    while true {
      do throws(LogError) {
        return .success(try await log.decide(decider).answer)
      } catch {
        switch error {
        case .readOnly:
          for (_, flight) in call.seats {
            inFlight.tell(flight, .failed(ProductProblem(error)))
          }
        case .queueFull: break
        default: return .failure(error)
        }
        guard !running.isStopping, (try? await log.time.sleep(500)) != nil else {
          return .failure(error)
        }
      }
    }
  }

  private func readMeter() throws(LogError) -> Meter {
    let ledger = ledger
    let key = meter
    return try log.read { (transaction) throws(LogError) in
      do throws(LMDBError) { return try ledger.meter(key, in: transaction) } catch {
        throw .storage(error)
      }
    }
  }

  private func note(_ outcome: BalanceWatch.Outcome) {
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

/// A product and its place in line.
private typealias Seat = (asin: KeepaASIN, flight: Flight)

/// One call to be made, and who it is for.
private struct Call: Sendable {
  let seats: [Seat]
  let request: ProductsRequest
  let limit: SpendLimit

  var question: KeepaProductRequest {
    KeepaProductRequest(
      domain: request.domain, asins: seats.map(\.asin), contentSet: request.contentSet)
  }
}

extension Meter {
  /// Whether a question for the balance would tell something: the first of all or since a restore, or one that is young
  /// enough to settle what is in doubt. Calls under way read it themselves.
  fileprivate func needsReading(at now: Timestamp) -> Bool {
    guard reading != nil, !awaitsRestoreGap else { return true }
    guard self[.inDoubt] > 0, self[.reserved] == 0 else { return false }
    guard let sent = lastDoubtSent else { return true }
    return now >= sent.advanced(byMilliseconds: BalanceReconciliation.doubtSettlesAfter)
  }
}

extension Demand {
  /// What a request asks of a call.
  fileprivate init(_ request: ProductsRequest) {
    self.init()
    account = request.account
    contentSet = request.contentSet.rawValue
    if let age = request.demandedAge { maxAgeSeconds = UInt32(clamping: age / 1_000) }
    if let behind = request.behind {
      refresh = .grace
      askedMs = behind.asked.milliseconds
    }
  }
}

extension TimeSource {
  fileprivate var monotonicMilliseconds: Int64 { monotonicNanoseconds() / 1_000_000 }
}
