import Deflate
import FoundationEssentials
import LMDB
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// What a purchase is booked under.
struct PurchaseTerms: Sendable {
  var account: String
  var operation: String
  var meter: MeterKey
}

/// Reserve tokens for resources in request order and start a fetch per call.
struct ReserveCommand: Sendable {
  struct Item: Sendable {
    var resource: ResourceKey
    var bound: Int64
    var expected: Int64
  }

  var terms: PurchaseTerms
  var items: [Item]
  var contentSet: UInt8
  /// The age that the reader demanded, in milliseconds.
  var demandedAge: Int64?
  /// When the reader was answered, if nobody waits for this any more.
  var behind: Timestamp?
  /// Most items in one call.
  var callSize: Int
  var requestLimit: Int64?
  var overdraft: GatewaySettings.Overdraft
  /// Whether storage has more than the reserve left.
  var storageAdmits: Bool
  var now: Timestamp

  enum Answer: Sendable {
    case reserved(calls: [ReservedCall], refusal: ReserveRefusal?)
    case keyRejected(detail: String)
    /// Nobody knows the balance yet, or not since the log was restored: ask for it first.
    case needsReading
  }

  func decide(
    _ ledger: LedgerView, _ state: borrowing ReadTransaction, _ context: DecisionContext
  ) throws(LMDBError) -> Decision<Answer> {
    if let credential = try ledger.credential(terms.meter.credential, in: state),
      credential.status == .rejected
    {
      return Decision(answer: .keyRejected(detail: credential.detail))
    }
    let meter = try ledger.meter(terms.meter, in: state)
    guard meter.reading != nil, !meter.awaitsRestoreGap else {
      return Decision(answer: .needsReading)
    }
    var admission = Admission(
      of: items.map(\.bound), on: meter, at: now, requestLimit: requestLimit,
      overdraft: overdraft, callSize: callSize)
    if !storageAdmits {
      admission.admitted = 0
      admission.refusal = .storageReserve
      admission.retryAt = nil
    }
    var decision = Decision<Answer>(answer: .needsReading)
    var calls: [ReservedCall] = []
    for start in stride(from: 0, to: admission.admitted, by: callSize) {
      let range = start..<min(start + callSize, admission.admitted)
      let event = started(items[range])
      calls.append(
        ReservedCall(
          fetch: context.next + UInt64(calls.count), items: range, bound: event.bound,
          expected: event.expected))
      decision.events.append(.fetchStarted(event))
    }
    let refusal = admission.refusal.map {
      ReserveRefusal(
        reason: $0, from: admission.admitted, available: admission.available,
        retryAt: admission.retryAt)
    }
    decision.answer = .reserved(calls: calls, refusal: refusal)
    return decision
  }

  private func started(_ items: ArraySlice<Item>) -> FetchStarted {
    var event = FetchStarted()
    event.operation = terms.operation
    event.credential = terms.meter.credential
    event.account = terms.account
    event.unit = terms.meter.unit
    event.resources = items.map(\.resource.description)
    event.contentSet = UInt32(contentSet)
    event.bound = items.reduce(0) { $0 + $1.bound }
    event.expected = items.reduce(0) { $0 + $1.expected }
    if let demandedAge { event.maxAgeSeconds = UInt32(clamping: demandedAge / 1_000) }
    event.behind = behind != nil
    event.askedMs = behind?.milliseconds ?? 0
    return event
  }

  /// The event of a refusal that is final for the request.
  func refused(_ refusal: ReserveRefusal) -> SpendRefused {
    var event = SpendRefused()
    event.account = terms.account
    event.operation = terms.operation
    event.credential = terms.meter.credential
    event.unit = terms.meter.unit
    event.wanted = items[refusal.from...].reduce(0) { $0 + $1.bound }
    event.available = refusal.available
    event.resources = UInt32(items.count - refusal.from)
    event.reason = refusal.reason
    event.retryMs = refusal.retryAt?.milliseconds ?? 0
    event.refused = items[refusal.from...].map(\.resource.description)
    event.contentSet = UInt32(contentSet)
    if let demandedAge { event.maxAgeSeconds = UInt32(clamping: demandedAge / 1_000) }
    event.behind = behind != nil
    event.askedMs = behind?.milliseconds ?? 0
    return event
  }
}

/// A call whose tokens are reserved: which items of the command it buys.
struct ReservedCall: Sendable {
  let fetch: Position
  let items: Range<Int>
  let bound: Int64
  let expected: Int64
}

/// Why the items from an index on were not reserved.
struct ReserveRefusal: Sendable {
  let reason: RefusalReason
  let from: Int
  let available: Int64
  let retryAt: Timestamp?
}

/// One attempt of a fetch that is under way, as its end is booked.
struct Attempt: Sendable {
  var fetch: Position
  var number: UInt32
  var terms: PurchaseTerms
  var bound: Int64
  var expected: Int64
  /// The resources of the call in request order, each with what the price list says it costs.
  var weights: [(resource: ResourceKey, expected: Int64)]
  /// When it was sent, by our clock.
  var sent: Timestamp
  /// The meter as it stood then.
  var meter = Meter()

  var question: BalanceReconciliation.Question { .init(asked: sent, meter: meter) }

  /// A cost divided over the resources.
  func shares(of tokens: Int64) -> [Share] {
    zip(weights, allot(tokens, over: weights.map(\.expected))).map { weight, tokens in
      var share = Share()
      share.resource = weight.resource.description
      share.tokens = tokens
      return share
    }
  }
}

/// Books kept while the events of one decision are put together: the meter as each event leaves it.
private struct Booking {
  var events: [Event] = []
  var meter: Meter
  private let key: MeterKey
  private let settledBefore: Int64

  init(_ key: MeterKey, _ ledger: LedgerView, _ state: borrowing ReadTransaction) throws(LMDBError)
  {
    self.key = key
    meter = try ledger.meter(key, in: state)
    settledBefore = meter[.settled]
  }

  mutating func append(_ event: Event) {
    events.append(event)
    if let moved = MeterKey(of: event), moved == key { meter.apply(event) }
  }

  /// What an attempt cost: charged if the upstream told it, in doubt if it was sent and nobody knows, else released.
  ///
  /// - Parameters:
  ///   - isAnswered: whether it brought what was asked for; then a cost of nothing is a charge too.
  ///   - ended: when it was over, by our clock. When it was really sent only the connection knows: not after that.
  mutating func end(
    _ attempt: Attempt, _ charge: UpstreamCharge, isAnswered: Bool, ended: Timestamp, day: String
  ) {
    switch charge {
    case .known(let tokens) where tokens > 0 || isAnswered:
      var event = TokensCharged()
      event.fetch = attempt.fetch
      event.attempt = attempt.number
      event.credential = key.credential
      event.unit = key.unit
      event.account = attempt.terms.account
      event.operation = attempt.terms.operation
      event.tokens = tokens
      event.reserved = attempt.bound
      event.expected = attempt.expected
      event.shares = attempt.shares(of: tokens)
      event.windows = [day]
      append(.tokensCharged(event))
    case .none, .known:
      var event = ReservationReleased()
      event.fetch = attempt.fetch
      event.attempt = attempt.number
      event.credential = key.credential
      event.unit = key.unit
      event.tokens = attempt.bound
      append(.reservationReleased(event))
    case .unknown:
      append(.chargeInDoubt(ChargeInDoubt(of: attempt, sent: ended)))
    }
  }

  /// Takes in a reading, if there is one.
  ///
  mutating func observe(
    _ reading: UpstreamReading?, to question: BalanceReconciliation.Question,
    at observed: Timestamp, fetch: Position, day: String, _ ledger: LedgerView,
    _ state: borrowing ReadTransaction
  ) throws(LMDBError) {
    guard let reading = reading?.believable else { return }
    var reconciliation = BalanceReconciliation(
      of: key, meter: meter, settledBefore: settledBefore, reading: reading, question: question,
      observed: observed, fetch: fetch)
    let doubts = try openDoubts(ledger, state)
    for event in reconciliation.events(doubts: doubts, windows: [day]) { append(event) }
  }

  /// The doubts that a reading may settle. One that this very decision opens is too young, and keeps the others open.
  private func openDoubts(
    _ ledger: LedgerView, _ state: borrowing ReadTransaction
  ) throws(LMDBError) -> [Hold] {
    guard meter[.inDoubt] > 0, !events.contains(where: { $0.kind == .chargeInDoubt }) else {
      return []
    }
    let key = key
    return try ledger.holds(in: state).filter { $0.state == .inDoubt && $0.meter == key }
  }

  /// Notes that the upstream takes or refuses the key, if that is news.
  mutating func noteKey(
    _ status: CredentialStatus, detail: String = "", _ ledger: LedgerView,
    _ state: borrowing ReadTransaction
  ) throws(LMDBError) {
    let known = try ledger.credential(key.credential, in: state)
    guard known?.status != status || known?.detail != detail else { return }
    var event = CredentialStatusChanged()
    event.credential = key.credential
    event.status = status
    event.detail = detail
    append(.credentialStatusChanged(event))
  }
}

extension ChargeInDoubt {
  init(of attempt: Attempt, sent: Timestamp) {
    self.init()
    fetch = attempt.fetch
    self.attempt = attempt.number
    credential = attempt.terms.meter.credential
    unit = attempt.terms.meter.unit
    tokens = attempt.bound
    sentMs = sent.milliseconds
  }
}

/// The window key of the day of an instant, in UTC.
func dayWindow(_ time: Timestamp) -> String { "day \(time.day)" }

/// Write down what a successful attempt brought and cost.
struct SettleCommand: Sendable {
  struct Written: Sendable {
    var resource: ResourceKey
    /// Nil: the upstream does not have it.
    var body: Body?
    var summary: [UInt8]
    var upstreamUpdated: Int64
  }

  var attempt: Attempt
  var written: [Written]
  var contentSet: UInt8
  var policy: FreshnessPolicy
  var charge: UpstreamCharge
  var reading: UpstreamReading?
  var observed: Timestamp
  var durationMilliseconds: Int64
  var receivedBytes: Int

  /// - Returns: each resource's share of the cost; the bounds where the cost is in doubt.
  func decide(
    _ ledger: LedgerView, _ state: borrowing ReadTransaction, _ context: DecisionContext
  ) throws(LMDBError) -> Decision<[ResourceKey: Int64]> {
    var booking = try Booking(attempt.terms.meter, ledger, state)
    var byResource: [ResourceKey: Int64] = [:]
    for share in attempt.shares(of: charge.tokens ?? attempt.bound) {
      byResource[ResourceKey(stored: share.resource)] = share.tokens
    }
    booking.append(.fetchSucceeded(succeeded))
    for item in written {
      booking.append(.cacheWritten(cacheWritten(item, tokens: byResource[item.resource] ?? 0)))
    }
    let day = dayWindow(context.time)
    booking.end(attempt, charge, isAnswered: true, ended: observed, day: day)
    try booking.noteKey(.accepted, ledger, state)
    try booking.observe(
      reading, to: attempt.question, at: observed, fetch: attempt.fetch, day: day, ledger, state)
    return Decision(
      events: booking.events, bodies: written.compactMap(\.body), answer: byResource)
  }

  private var succeeded: FetchSucceeded {
    var event = FetchSucceeded()
    event.fetch = attempt.fetch
    event.attempt = attempt.number
    event.found = UInt32(written.count { $0.body != nil })
    event.absent = UInt32(written.count { $0.body == nil })
    event.durationMs = UInt32(clamping: durationMilliseconds)
    event.receivedBytes = UInt64(receivedBytes)
    return event
  }

  private func cacheWritten(_ item: Written, tokens: Int64) -> CacheWritten {
    var event = CacheWritten()
    event.resource = item.resource.description
    event.contentSet = UInt32(contentSet)
    event.presence = item.body == nil ? .absent : .present
    event.fetch = attempt.fetch
    event.body = .init(item.body?.digest ?? [])
    event.bodyBytes = UInt32(item.body?.fragment.rawLength ?? 0)
    event.upstreamUpdatedMs = item.upstreamUpdated
    event.tokens = tokens
    event.summary = .init(item.summary)
    policy.stamp(&event, fetched: observed)
    return event
  }
}

/// Write down that an attempt failed, and reserve the next one if there shall be one.
struct FailCommand: Sendable {
  var attempt: Attempt
  var failure: UpstreamFailure
  /// Whether another attempt is wanted.
  var wantsRetry: Bool
  /// Whether the request's own limit and the storage allow one.
  var mayRetry: Bool
  var overdraft: GatewaySettings.Overdraft
  var observed: Timestamp

  /// - Returns: whether the next attempt is reserved.
  func decide(
    _ ledger: LedgerView, _ state: borrowing ReadTransaction, _ context: DecisionContext
  ) throws(LMDBError) -> Decision<Bool> {
    var booking = try Booking(attempt.terms.meter, ledger, state)
    let day = dayWindow(context.time)
    booking.end(attempt, failure.charge, isAnswered: false, ended: observed, day: day)
    if failure.reason == .keyRejected {
      try booking.noteKey(.rejected, detail: failure.detail, ledger, state)
    }
    try booking.observe(
      failure.reading, to: attempt.question, at: observed, fetch: attempt.fetch, day: day,
      ledger, state)
    let admission = Admission(
      of: [attempt.bound], on: booking.meter, at: observed, requestLimit: nil,
      overdraft: overdraft)
    let isRetrying = wantsRetry && mayRetry && admission.refusal == nil
    booking.append(.fetchAttemptFailed(attemptFailed(isRetrying: isRetrying)))
    if !isRetrying {
      booking.append(.fetchFailed(fetchFailed(isRefused: wantsRetry)))
    }
    return Decision(events: booking.events, answer: isRetrying)
  }

  private func attemptFailed(isRetrying: Bool) -> FetchAttemptFailed {
    var event = FetchAttemptFailed()
    event.fetch = attempt.fetch
    event.attempt = attempt.number
    event.reason = failure.reason
    event.status = UInt32(clamping: failure.status)
    event.detail = failure.detail
    guard isRetrying else { return event }
    event.nextAttempt = attempt.number + 1
    event.nextBound = attempt.bound
    event.credential = attempt.terms.meter.credential
    event.unit = attempt.terms.meter.unit
    event.account = attempt.terms.account
    event.operation = attempt.terms.operation
    return event
  }

  private func fetchFailed(isRefused: Bool) -> FetchFailed {
    var event = FetchFailed()
    event.fetch = attempt.fetch
    event.attempts = attempt.number
    event.reason = isRefused ? .retryRefused : failure.reason
    event.status = UInt32(clamping: failure.status)
    event.detail = failure.detail
    return event
  }
}

/// Take in a balance that was asked for by itself.
struct ObserveCommand: Sendable {
  var meter: MeterKey
  var result: Result<UpstreamReading, UpstreamFailure>
  var question: BalanceReconciliation.Question
  var observed: Timestamp

  func decide(
    _ ledger: LedgerView, _ state: borrowing ReadTransaction, _ context: DecisionContext
  ) throws(LMDBError) -> Decision<Void> {
    var booking = try Booking(meter, ledger, state)
    switch result {
    case .success(let reading):
      try booking.noteKey(.accepted, ledger, state)
      try booking.observe(
        reading, to: question, at: observed, fetch: 0, day: dayWindow(context.time), ledger, state)
    case .failure(let failure) where failure.reason == .keyRejected:
      try booking.noteKey(.rejected, detail: failure.detail, ledger, state)
    case .failure: break
    }
    return Decision(events: booking.events, answer: ())
  }
}
