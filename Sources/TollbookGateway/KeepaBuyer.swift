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
  /// Whether it was there by the time its turn came.
  var isFromCache = false
}

/// Buys products from Keepa: one flight per product, calls of up to 100, reserve → call → settle per attempt.
final class KeepaBuyer: Sendable {
  static let operation = "keepa.product"
  static let unit = "tokens"

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
    meter = MeterKey(credential: credential, unit: Self.unit)
    cache = CacheView(log)
    ledger = LedgerView(log)
    limiter = Limiter(settings.concurrentCalls)
    balance = BalanceWatch(
      log: log, meter: meter, keepa: keepa, interval: settings.balanceInterval,
      timeout: settings.retries.attemptTimeout)
  }

  static func resource(_ asin: KeepaASIN, _ domain: KeepaDomain) -> ResourceKey {
    ResourceKey(shared: operation, path: "\(domain.rawValue)/\(asin)")
  }

  /// Buys what is not on its way already, waits for the rest, and goes on as refills arrive for as long as the request
  /// wants to wait.
  func buy(
    _ asins: [KeepaASIN], for request: ProductsRequest
  ) async -> [(KeepaASIN, Purchase)] {
    let deadline = log.time.now().advanced(byMilliseconds: request.wait)
    var rest = asins
    var request = request
    var done: [KeepaASIN: Purchase] = [:]
    while !rest.isEmpty {
      let round = await buyOnce(rest, for: request, deadline: deadline)
      for (asin, purchase) in round { done[asin] = purchase }
      let spent = round.values.reduce(Int64(0)) { sum, purchase in
        guard case .written(let tokens) = purchase.end, !purchase.isJoined else { return sum }
        return sum + tokens
      }
      request.maximumTokens = request.maximumTokens.map { max(0, $0 - spent) }
      rest = rest.filter { done[$0]?.waitsForTokens ?? false }
      guard let retryAt = rest.compactMap({ done[$0]?.retryAt }).min(), retryAt <= deadline,
        !rest.isEmpty
      else { break }
      let wait = retryAt.milliseconds - log.time.now().milliseconds
      guard (try? await log.time.sleep(max(1, wait))) != nil else { break }
    }
    return asins.compactMap { asin in done[asin].map { (asin, $0) } }
  }

  /// Buys without anybody waiting.
  func buyBehind(_ asins: [KeepaASIN], for request: ProductsRequest) {
    running.begin { [self] in _ = await buy(asins, for: request) }
  }

  /// Asks for the balance if a doubt waits for a reading, or none was ever read.
  func watchBalance() async {
    let ledger = ledger
    let key = meter
    let needsReading = try? log.read { (transaction) throws(LogError) in
      do throws(LMDBError) {
        let meter = try ledger.meter(key, in: transaction)
        guard meter.reading != nil else { return true }
        return meter[.inDoubt] > 0
      } catch { throw .storage(error) }
    }
    if needsReading == true { note(await balance.refresh(evenIfRead: true).failure) }
  }

  /// Waits for everything under way; later purchases are refused.
  func stop() async { await running.stop() }

  var status: UpstreamStatus {
    let ledger = ledger
    let key = meter
    let known = try? log.read { (transaction) throws(LogError) in
      do throws(LMDBError) {
        return (
          try ledger.credential(key.credential, in: transaction),
          try ledger.meter(key, in: transaction).reading
        )
      } catch { throw .storage(error) }
    }
    var status = UpstreamStatus(
      isConfigured: true, state: .unknown, detail: "", credential: key.credential)
    if let (credential, reading) = known {
      if credential?.status == .rejected {
        status.state = .keyRejected
        status.detail = credential?.detail ?? ""
        return status
      }
      if reading != nil { status.state = .ready }
    }
    if let failure = lastFailure.withLock({ $0 }) {
      status.state = .unreachable
      status.detail = failure.detail
    }
    return status
  }

  // MARK: One round

  private func buyOnce(
    _ asins: [KeepaASIN], for request: ProductsRequest, deadline: Timestamp
  ) async -> [KeepaASIN: Purchase] {
    var own: [(asin: KeepaASIN, flight: Flight)] = []
    var joined: [(asin: KeepaASIN, flight: Flight)] = []
    for asin in asins {
      let resource = Self.resource(asin, request.domain)
      switch inFlight.claim(resource, contentSet: UInt8(request.contentSet.rawValue)) {
      case .own(let flight): own.append((asin, flight))
      case .join(let flight): joined.append((asin, flight))
      }
    }
    var ends: [KeepaASIN: Purchase] = [:]
    let fromCache = endFlightsThatWereJustBought(own, request)
    for (asin, flight) in own where fromCache.contains(asin) {
      ends[asin] = Purchase(
        end: await flight.outcome.value(), isJoined: false, isFromCache: true)
    }
    own.removeAll { fromCache.contains($0.asin) }
    if !own.isEmpty { await reserveAndCall(own, request, deadline) }
    for (asin, flight) in own {
      ends[asin] = Purchase(end: await flight.outcome.value(), isJoined: false)
    }
    for (asin, flight) in joined {
      ends[asin] = Purchase(end: await flight.outcome.value(), isJoined: true)
    }
    return ends
  }

  /// Between looking into the cache and claiming the flight somebody else may have bought the product. Its flight ended
  /// after it was written, so a second look, after the claim, is sure.
  private func endFlightsThatWereJustBought(
    _ own: [(asin: KeepaASIN, flight: Flight)], _ request: ProductsRequest
  ) -> Set<KeepaASIN> {
    guard settings.isCacheOn else { return [] }
    let cache = cache
    let now = log.time.now()
    let found = try? log.read { (transaction) throws(LogError) in
      var found: Set<KeepaASIN> = []
      do throws(LMDBError) {
        for (asin, flight) in own {
          let entry = try cache.entry(
            flight.resource, covering: flight.contentSet, in: transaction)
          let usability = entry.map {
            Usability(of: $0, at: now, maximumAge: request.maximumAge)
          }
          if usability == .fresh { found.insert(asin) }
        }
      } catch { throw .storage(error) }
      return found
    }
    for (asin, flight) in own where found?.contains(asin) == true {
      inFlight.end(flight, .written(tokens: 0))
    }
    return found ?? []
  }

  private func reserveAndCall(
    _ own: [(asin: KeepaASIN, flight: Flight)], _ request: ProductsRequest, _ deadline: Timestamp
  ) async {
    var answer = await reserve(own, request)
    if case .success(let first) = answer, first.mayChangeWithReading {
      let (isAsked, failure) = await balance.refresh(evenIfRead: !first.isRefused)
      note(failure)
      if let failure, failure.reason != .keyRejected {
        return end(own, .failed(.unavailable(failure)))
      }
      if isAsked { answer = await reserve(own, request) }
    }
    switch answer {
    case .failure(let error): end(own, .failed(ProductProblem(error)))
    case .success(.needsReading):
      end(
        own,
        .failed(ProductProblem(.upstreamUnavailable, "the balance of the key is not known yet")))
    case .success(.keyRejected(let detail)):
      end(own, .failed(ProductProblem(.keyRejected, "Keepa refuses the key: \(detail)")))
    case .success(.reserved(let calls, let refusal)):
      if let refusal {
        let problem = ProductProblem(refusal)
        end(own[refusal.from...], .refused(problem))
        let isFinal = refusal.retryAt.map { $0 > deadline } ?? true
        if isFinal { await recordRefusal(refusal, own, request) }
      }
      for call in calls { begin(call, own, request) }
    }
  }

  private func reserve(
    _ own: [(asin: KeepaASIN, flight: Flight)], _ request: ProductsRequest
  ) async -> Result<ReserveCommand.Answer, LogError> {
    guard !running.isStopping else { return .failure(.closed) }
    let command = reserveCommand(own, request)
    let ledger = ledger
    do throws(LogError) {
      return .success(
        try await log.decide { (state, context) throws(LMDBError) in
          try command.decide(ledger, state, context)
        }.answer)
    } catch { return .failure(error) }
  }

  private func reserveCommand(
    _ own: [(asin: KeepaASIN, flight: Flight)], _ request: ProductsRequest
  ) -> ReserveCommand {
    let bound = KeepaPriceList.bound(request.contentSet)
    let expected = KeepaPriceList.expected(request.contentSet)
    return ReserveCommand(
      terms: terms(request),
      items: own.map { .init(resource: $0.flight.resource, bound: bound, expected: expected) },
      contentSet: UInt8(request.contentSet.rawValue),
      callSize: KeepaPriceList.maximumProducts(for: request.contentSet),
      requestLimit: request.maximumTokens, overdraft: settings.overdraft,
      storageAdmits: (try? log.headroom().admits) ?? false,
      now: log.time.now())
  }

  private func terms(_ request: ProductsRequest) -> PurchaseTerms {
    PurchaseTerms(account: request.account, operation: Self.operation, meter: meter)
  }

  private func recordRefusal(
    _ refusal: ReserveRefusal, _ own: [(asin: KeepaASIN, flight: Flight)],
    _ request: ProductsRequest
  ) async {
    let event = reserveCommand(own, request).refused(refusal)
    // The refusal stands whether or not it can be written down.
    _ = try? await log.decide { (_, _) throws(LMDBError) in
      Decision(events: [.spendRefused(event)], answer: ())
    }
  }

  private func end(
    _ flights: some Sequence<(asin: KeepaASIN, flight: Flight)>, _ outcome: FlightOutcome
  ) {
    for (_, flight) in flights { inFlight.end(flight, outcome) }
  }

  // MARK: One call

  private func begin(
    _ call: ReservedCall, _ own: [(asin: KeepaASIN, flight: Flight)], _ request: ProductsRequest
  ) {
    let flights = Array(own[call.items])
    let attempt = Attempt(
      fetch: call.fetch, number: 1, terms: terms(request), bound: call.bound,
      expected: call.expected,
      weights: flights.map {
        ($0.flight.resource, KeepaPriceList.expected(request.contentSet))
      }, sent: log.time.now())
    running.begin { [self] in
      await limiter.run { await run(attempt, flights, request) }
    }
  }

  private func run(
    _ first: Attempt, _ flights: [(asin: KeepaASIN, flight: Flight)], _ request: ProductsRequest
  ) async {
    let began = log.time.now()
    var attempt = first
    let question = KeepaProductRequest(
      domain: request.domain, asins: flights.map(\.asin), contentSet: request.contentSet)
    while true {
      let elapsed = log.time.now().milliseconds - began.milliseconds
      let limit = max(
        1, min(settings.retries.attemptTimeout, settings.retries.totalTimeout - elapsed))
      attempt.sent = log.time.now()
      let call = await keepa.products(question, within: .milliseconds(limit))
      statistics.record(call)
      switch call.result {
      case .success(let answer):
        note(nil)
        return await settle(attempt, flights, request, call, answer)
      case .failure(let failure):
        note(failure)
        guard let delay = await fail(attempt, flights, failure, began: began) else { return }
        attempt.number += 1
        try? await log.time.sleep(delay)
      }
    }
  }

  private func settle(
    _ attempt: Attempt, _ flights: [(asin: KeepaASIN, flight: Flight)],
    _ request: ProductsRequest, _ call: UpstreamCall<KeepaProductAnswer>,
    _ answer: KeepaProductAnswer
  ) async {
    let written = await Self.written(answer, request.domain)
    let command = SettleCommand(
      attempt: attempt, written: written, contentSet: UInt8(request.contentSet.rawValue),
      policy: settings.products, charge: answer.charge, reading: answer.reading,
      observed: log.time.now(), durationMilliseconds: call.duration.milliseconds,
      receivedBytes: call.receivedBytes)
    let ledger = ledger
    let booked = await insist { (state, context) throws(LMDBError) in
      try command.decide(ledger, state, context)
    }
    let unanswered = Set(answer.unanswered)
    for (asin, flight) in flights {
      switch booked {
      case .failure(let error): inFlight.end(flight, .failed(ProductProblem(error)))
      case .success(let shares) where !unanswered.contains(asin):
        inFlight.end(flight, .written(tokens: shares[flight.resource] ?? 0))
      case .success:
        let detail = "Keepa's answer does not say anything about it"
        inFlight.end(flight, .failed(ProductProblem(.upstreamUnavailable, detail)))
      }
    }
  }

  /// Compresses the bodies: work for a processor, not for whoever else runs on this task's executor.
  @concurrent
  private static func written(
    _ answer: KeepaProductAnswer, _ domain: KeepaDomain
  ) async -> [SettleCommand.Written] {
    answer.products.map { product in
      SettleCommand.Written(
        resource: resource(product.asin, domain), body: Body(product.body),
        summary: product.summary.bytes,
        upstreamUpdated: product.lastUpdateMilliseconds)
    }
      + answer.absent.map { asin in
        SettleCommand.Written(
          resource: resource(asin, domain), body: nil, summary: [], upstreamUpdated: 0)
      }
  }

  /// Books a failed attempt.
  ///
  /// - Returns: how long to wait before the next attempt, which is then reserved; nil if the fetch has ended.
  private func fail(
    _ attempt: Attempt, _ flights: [(asin: KeepaASIN, flight: Flight)],
    _ failure: UpstreamFailure, began: Timestamp
  ) async -> Int64? {
    let now = log.time.now()
    let delay: Int64? =
      RetryPolicy.isWorthRetrying(failure.reason) && !running.isStopping
      ? settings.retries.delay(
        after: attempt.number, elapsed: now.milliseconds - began.milliseconds, random: random())
      : nil
    let command = FailCommand(
      attempt: attempt, failure: failure, wantsRetry: delay != nil,
      overdraft: settings.overdraft, observed: now)
    let ledger = ledger
    let booked = await insist { (state, context) throws(LMDBError) in
      try command.decide(ledger, state, context)
    }
    switch booked {
    case .success(true): return delay
    case .success(false):
      let problem = ProductProblem(failure, meter: currentMeter(), at: now)
      end(
        flights, problem.reason == .insufficientTokens ? .refused(problem) : .failed(problem))
    case .failure(let error): end(flights, .failed(ProductProblem(error)))
    }
    return nil
  }

  /// Books what has happened already: a full queue or a full disk is waited for, since it cannot be undone.
  private func insist<Answer: Sendable>(
    _ decider: @escaping Decider<Answer>
  ) async -> Result<Answer, LogError> {
    while true {
      do throws(LogError) {
        return .success(try await log.decide(decider).answer)
      } catch {
        switch error {
        case .queueFull, .readOnly:
          guard (try? await log.time.sleep(500)) != nil, !running.isStopping else {
            return .failure(error)
          }
        default: return .failure(error)
        }
      }
    }
  }

  private func currentMeter() -> Meter {
    let ledger = ledger
    let key = meter
    let meter = try? log.read { (transaction) throws(LogError) in
      do throws(LMDBError) { return try ledger.meter(key, in: transaction) } catch {
        throw .storage(error)
      }
    }
    return meter ?? Meter()
  }

  private func note(_ failure: UpstreamFailure?) {
    let isUnreachable = failure.map { RetryPolicy.isWorthRetrying($0.reason) } ?? false
    lastFailure.withLock { $0 = isUnreachable ? failure : nil }
  }
}
