import Deflate
import FoundationEssentials
import LMDB
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// What a purchase is booked under.
struct PurchaseTerms: Sendable {
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
  /// Who asked for what.
  var demand: Demand
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
    _ cache: CacheView, _ ledger: LedgerView, _ state: borrowing ReadTransaction,
    _ context: DecisionContext
  ) throws(LMDBError) -> Decision<Answer> {
    if let credential = try ledger.credential(terms.meter.owner, in: state),
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
      let call = ReservedCall(
        fetch: context.next + UInt64(calls.count), items: range,
        bound: items[range].reduce(0) { $0 + $1.bound },
        expected: items[range].reduce(0) { $0 + $1.expected },
        duplicates: try duplicates(in: range, cache, state))
      decision.events.append(.fetchStarted(started(call)))
      calls.append(call)
    }
    let refusal = admission.refusal.map {
      ReserveRefusal(
        reason: $0, from: admission.admitted, available: admission.available,
        retryAt: admission.retryAt)
    }
    decision.answer = .reserved(calls: calls, refusal: refusal)
    return decision
  }

  /// Which items a fresh entry would have answered.
  private func duplicates(
    in range: Range<Int>, _ cache: CacheView, _ state: borrowing ReadTransaction
  ) throws(LMDBError) -> Set<Int> {
    let maximumAge = demand.hasMaxAgeSeconds ? Int64(demand.maxAgeSeconds) * 1_000 : nil
    var found: Set<Int> = []
    for index in range {
      let entry = try cache.entry(
        items[index].resource, covering: demand.contentSet, in: state)
      if let entry, Usability(of: entry, at: now, maximumAge: maximumAge) == .fresh {
        found.insert(index)
      }
    }
    return found
  }

  private func started(_ call: ReservedCall) -> FetchStarted {
    let items = items[call.items]
    var event = FetchStarted()
    event.operation = terms.operation
    event.credential = terms.meter.owner
    event.resources = items.map(\.resource.description)
    event.contentSet = demand.contentSet
    event.demands = [demand]
    if items.contains(where: { $0.expected != items.first?.expected }) {
      event.weights = items.map(\.expected)
    }
    event.moves = [Move(terms.meter, call.bound, expected: call.expected)]
    return event
  }

  /// The event of a refusal that is final for the request.
  func refused(_ refusal: ReserveRefusal) -> SpendRefused {
    let rest = items[refusal.from...]
    var want = Want()
    want.meter = terms.meter.name
    want.window = terms.meter.window
    want.wanted = rest.reduce(0) { $0 + $1.bound }
    want.available = refusal.available
    want.retryMs = refusal.retryAt?.milliseconds ?? 0
    var event = SpendRefused()
    event.operation = terms.operation
    event.credential = terms.meter.owner
    event.resources = UInt32(rest.count)
    event.reason = refusal.reason
    event.retryMs = want.retryMs
    event.refused = rest.map(\.resource.description)
    event.demand = demand
    event.wants = [want]
    event.payers = [Payer].counting(rest.map(\.resource), of: demand)
    return event
  }
}

/// A call whose tokens are reserved: which items of the command it buys.
struct ReservedCall: Sendable {
  let fetch: Position
  let items: Range<Int>
  let bound: Int64
  let expected: Int64
  /// Those of the items that a fresh entry would have answered.
  let duplicates: Set<Int>
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
  var demand: Demand
  var items: [Item]
  /// When it was sent, by our clock.
  var sent: Timestamp
  /// The meter as it stood then.
  var meter = Meter()

  /// One resource of the call, in request order.
  struct Item: Sendable {
    var resource: ResourceKey
    /// What the price list says it costs.
    var expected: Int64
    /// Whether a fresh entry would have answered when the call began.
    var isDuplicate: Bool
  }

  /// What became of an item.
  struct Result {
    var use: Use
    /// Position of the `CacheWritten` that it brought; 0: none.
    var written: Position
  }

  var question: BalanceReconciliation.Question { .init(asked: sent, meter: meter) }

  /// Who pays how much of it, by kind.
  var payers: [Payer] {
    [Payer].counting(items.map(\.resource), of: demand, weights: items.map(\.expected))
  }

  /// A cost divided over the items.
  func divided(_ cost: Int64) -> [Int64] { allot(cost, over: items.map(\.expected)) }

  /// The shares of a charge.
  ///
  /// - Parameter results: what became of each item; empty: the attempt brought nothing.
  func shares(of cost: Int64, _ payers: [Payer], _ results: [Result]) -> [Share] {
    zip(items, divided(cost)).enumerated().map { index, part in
      let (item, amount) = part
      let result = index < results.count ? results[index] : Result(use: .failed, written: 0)
      let kind = item.resource.kind
      var share = Share()
      share.resource = item.resource.description
      share.amounts = [amount]
      share.payer = UInt32(payers.firstIndex { $0.kind == kind } ?? 0)
      share.use = item.isDuplicate ? .duplicate : result.use
      share.written = result.written
      return share
    }
  }
}

extension [Payer] {
  /// Who pays for resources that one request asked for, by their kinds.
  ///
  /// - Parameter weights: of each resource; empty: 1.
  static func counting(
    _ resources: some Collection<ResourceKey>, of demand: Demand, weights: [Int64] = []
  ) -> [Payer] {
    var payers: [Payer] = []
    for (index, resource) in resources.enumerated() {
      let kind = resource.kind
      let weight = index < weights.count ? weights[index] : 1
      if let place = payers.firstIndex(where: { $0.kind == kind }) {
        payers[place].weight += weight
      } else {
        payers.append(
          Payer(account: demand.account, tags: demand.tags, kind: kind, weight: weight))
      }
    }
    return payers
  }
}

extension Move {
  /// A move on a page.
  init(_ page: MeterKey, _ amount: Int64, expected: Int64 = 0, reserved: Int64 = 0) {
    self.init()
    meter = page.name
    window = page.window
    self.amount = amount
    self.expected = expected
    self.reserved = reserved
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
    if event.hasPostings { meter.apply(event, to: key) }
  }

  /// What an attempt cost: charged if the upstream told it, in doubt if it was sent and nobody knows, else released.
  ///
  /// - Parameters:
  ///   - results: what became of each item; empty: it brought nothing. Where it brought something a cost of nothing is a
  ///     charge too.
  ///   - ended: when it was over, by our clock. When it was really sent only the connection knows: not after that.
  mutating func end(
    _ attempt: Attempt, _ charge: UpstreamCharge, results: [Attempt.Result], ended: Timestamp,
    day: String
  ) {
    switch charge {
    case .known(let cost) where cost > 0 || !results.isEmpty:
      let payers = attempt.payers
      var event = TokensCharged()
      event.fetch = attempt.fetch
      event.attempt = attempt.number
      event.credential = key.owner
      event.operation = attempt.terms.operation
      event.moves = [Move(key, cost, expected: attempt.expected, reserved: attempt.bound)]
      event.payers = payers
      event.shares = attempt.shares(of: cost, payers, results)
      event.windows = [day]
      append(.tokensCharged(event))
    case .none, .known:
      var event = ReservationReleased()
      event.fetch = attempt.fetch
      event.attempt = attempt.number
      event.credential = key.owner
      event.moves = [Move(key, attempt.bound)]
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
    let known = try ledger.credential(key.owner, in: state)
    guard known?.status != status || known?.detail != detail else { return }
    var event = CredentialStatusChanged()
    event.credential = key.owner
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
    credential = attempt.terms.meter.owner
    operation = attempt.terms.operation
    moves = [Move(attempt.terms.meter, attempt.bound)]
    payers = attempt.payers
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
    /// The parts that the answer really brought.
    var contentSet: UInt64
    var summary: [UInt8]
    var upstreamUpdated: Int64
  }

  var attempt: Attempt
  var written: [Written]
  var policy: FreshnessPolicy
  var charge: UpstreamCharge
  var reading: UpstreamReading?
  var observed: Timestamp
  var durationMilliseconds: Int64
  var receivedBytes: Int

  /// - Returns: each resource's share of the cost; the bounds where the cost is in doubt.
  func decide(
    _ cache: CacheView, _ ledger: LedgerView, _ state: borrowing ReadTransaction,
    _ context: DecisionContext
  ) throws(LMDBError) -> Decision<[ResourceKey: Int64]> {
    var booking = try Booking(attempt.terms.meter, ledger, state)
    var byResource: [ResourceKey: Int64] = [:]
    for (item, part) in zip(attempt.items, attempt.divided(charge.tokens ?? attempt.bound)) {
      byResource[item.resource] = part
    }
    booking.append(.fetchSucceeded(succeeded))
    var results: [ResourceKey: Attempt.Result] = [:]
    for item in written {
      let before = try cache.all(of: item.resource, in: state)
      results[item.resource] = Attempt.Result(
        use: use(of: item, after: before), written: context.next + UInt64(booking.events.count))
      let cost = byResource[item.resource] ?? 0
      booking.append(.cacheWritten(cacheWritten(item, cost: cost, after: before)))
    }
    let day = dayWindow(context.time)
    booking.end(
      attempt, charge,
      results: attempt.items.map { results[$0.resource] ?? .init(use: .failed, written: 0) },
      ended: observed, day: day)
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
    event.operation = attempt.terms.operation
    event.payers = [Payer].counting(written.map(\.resource), of: attempt.demand)
    return event
  }

  /// What an answer was good for, given what the cache held of the resource.
  private func use(of item: Written, after entries: [CacheEntry]) -> Use {
    let digest = item.body?.digest ?? []
    let isUnchanged = entries.contains {
      $0.contentSet == item.contentSet && $0.isPresent == (item.body != nil) && $0.digest == digest
    }
    if isUnchanged { return .unchanged }
    return attempt.demand.isBehind ? .refreshed : .served
  }

  private func cacheWritten(
    _ item: Written, cost: Int64, after entries: [CacheEntry]
  ) -> CacheWritten {
    var event = CacheWritten()
    event.resource = item.resource.description
    event.contentSet = item.contentSet
    event.replaced = entries.filter { $0.contentSet & item.contentSet == $0.contentSet }
      .map(\.written)
    event.presence = item.body == nil ? .absent : .present
    event.fetch = attempt.fetch
    event.body = .init(item.body?.digest ?? [])
    event.bodyBytes = UInt32(item.body?.fragment.rawLength ?? 0)
    event.upstreamUpdatedMs = item.upstreamUpdated
    event.costs = [Cost(Amount(cost, attempt.terms.meter.unit))]
    event.summary = .init(item.summary)
    event.summaryForm = item.summary.isEmpty ? .none : .public
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
    booking.end(attempt, failure.charge, results: [], ended: observed, day: day)
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
    event.credential = attempt.terms.meter.owner
    event.operation = attempt.terms.operation
    event.moves = [Move(attempt.terms.meter, attempt.bound, expected: attempt.expected)]
    event.payers = attempt.payers
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
