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

/// One attempt of a fetch that is under way, as its end is booked.
struct Attempt: Sendable {
  var fetch: Position
  var number: UInt32
  var terms: PurchaseTerms
  /// What it takes of each meter.
  var uses: [MeterUse]
  /// What is reserved for it on each meter, in the window of that time.
  var moves: [Move]
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

  /// The most that it may cost on the first meter.
  var bound: Int64 { moves.first?.amount ?? 0 }

  var question: BalanceReconciliation.Question { .init(asked: sent, meter: meter) }

  /// Who pays how much of it, by kind.
  var payers: [Payer] {
    [Payer].counting(items.map(\.resource), of: demand, weights: items.map(\.expected))
  }

  /// A cost divided over the items.
  func divided(_ cost: Int64) -> [Int64] { allot(cost, over: items.map(\.expected)) }

  /// The shares of a charge.
  ///
  /// - Parameters:
  ///   - costs: on each meter but those that only limit.
  ///   - results: what became of each item; empty: the attempt brought nothing.
  func shares(of costs: [Int64], _ payers: [Payer], _ results: [Result]) -> [Share] {
    let parts = costs.map(divided)
    return items.enumerated().map { index, item in
      let result = index < results.count ? results[index] : Result(use: .failed, written: 0)
      let kind = item.resource.kind
      var share = Share()
      share.resource = item.resource.description
      share.amounts = parts.map { $0[index] }
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

/// The window key of the day of an instant, in UTC. To be told by the wall clock of a decision: the time of a commit stays
/// ahead after a clock was wrong.
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

  /// What was brought of a resource.
  struct Brought: Sendable {
    /// Its share of the cost; of the bound where the cost is in doubt.
    var share: Int64
    /// Position of its `CacheWritten`.
    var written: Position
  }

  func decide(
    _ cache: CacheView, _ ledger: LedgerView, _ state: borrowing ReadTransaction,
    _ context: DecisionContext
  ) throws(LMDBError) -> Decision<[ResourceKey: Brought]> {
    var booking = try Booking(attempt.terms.meter, attempt.moves, ledger, state)
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
    let day = dayWindow(observed)
    booking.end(
      attempt, charge,
      results: attempt.items.map { results[$0.resource] ?? .init(use: .failed, written: 0) },
      ended: observed, day: day)
    try booking.noteKey(.accepted, ledger, state)
    try booking.observe(
      reading, to: attempt.question, at: observed, fetch: attempt.fetch, day: day, ledger, state)
    let brought = results.reduce(into: [:]) { brought, result in
      brought[result.key] = Brought(
        share: byResource[result.key] ?? 0, written: result.value.written)
    }
    return Decision(events: booking.events, bodies: written.compactMap(\.body), answer: brought)
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
  var observed: Timestamp

  /// - Returns: the next attempt, if it is reserved.
  func decide(
    _ ledger: LedgerView, _ state: borrowing ReadTransaction, _ context: DecisionContext
  ) throws(LMDBError) -> Decision<Attempt?> {
    var booking = try Booking(attempt.terms.meter, attempt.moves, ledger, state)
    let day = dayWindow(observed)
    booking.end(attempt, failure.charge, results: [], ended: observed, day: day)
    if failure.reason == .keyRejected {
      try booking.noteKey(.rejected, detail: failure.detail, ledger, state)
    }
    try booking.observe(
      failure.reading, to: attempt.question, at: observed, fetch: attempt.fetch, day: day,
      ledger, state)
    let next =
      wantsRetry && mayRetry
      ? try nextAttempt(booking.standings(of: attempt.uses, at: observed, ledger, state)) : nil
    booking.append(.fetchAttemptFailed(attemptFailed(next)))
    if next == nil { booking.append(.fetchFailed(fetchFailed(isRefused: wantsRetry))) }
    return Decision(events: booking.events, answer: next)
  }

  /// The next attempt, if it fits on all meters as they are now: in the windows of now.
  private func nextAttempt(_ meters: [MeterStanding]) -> Attempt? {
    guard Admission(on: meters).refusal == nil else { return nil }
    var next = attempt
    next.number += 1
    next.moves = meters.map { $0.reservation(of: 0..<1, isFirst: true) }
    return next
  }

  private func attemptFailed(_ next: Attempt?) -> FetchAttemptFailed {
    var event = FetchAttemptFailed()
    event.fetch = attempt.fetch
    event.attempt = attempt.number
    event.reason = failure.reason
    event.status = UInt32(clamping: failure.status)
    event.detail = failure.detail
    guard let next else { return event }
    event.nextAttempt = next.number
    event.credential = next.terms.meter.owner
    event.operation = next.terms.operation
    event.moves = next.moves
    event.payers = next.payers
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
    var booking = try Booking(meter, [], ledger, state)
    switch result {
    case .success(let reading):
      try booking.noteKey(.accepted, ledger, state)
      try booking.observe(
        reading, to: question, at: observed, fetch: 0, day: dayWindow(observed), ledger, state)
    case .failure(let failure) where failure.reason == .keyRejected:
      try booking.noteKey(.rejected, detail: failure.detail, ledger, state)
    case .failure: break
    }
    return Decision(events: booking.events, answer: ())
  }
}
