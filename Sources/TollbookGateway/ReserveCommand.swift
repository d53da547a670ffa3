import LMDB
import TollbookEvents
import TollbookLog
import TollbookViews

/// Reserve what resources may cost, in request order, and start a fetch per call.
///
/// All meters of the purchase decide together: what is reserved is reserved on every one of them.
struct ReserveCommand: Sendable {
  struct Item: Sendable {
    var resource: ResourceKey
    /// What the price list says it costs: by that the cost of a call is divided.
    var expected: Int64
  }

  var terms: PurchaseTerms
  var items: [Item]
  /// The meters, and what the items cost on each; the first is the one that the upstream tells the cost on.
  var uses: [MeterUse]
  /// Who asked for what.
  var demand: Demand
  /// Most items in one call.
  var callSize: Int
  /// The most that the request wants to spend of the first meter; nil for no limit.
  var requestLimit: Int64?
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
    var booking = try Booking(terms.meter, [], ledger, state)
    let meters = try booking.standings(of: uses, at: now, ledger, state)
    guard !meters.contains(where: \.needsReading) else {
      return Decision(answer: .needsReading)
    }
    let admission =
      storageAdmits
      ? Admission(on: meters, requestLimit: requestLimit, callSize: callSize)
      : Admission(refusing: .storageReserve, on: meters)
    var decision = Decision<Answer>(answer: .needsReading)
    var calls: [ReservedCall] = []
    for start in stride(from: 0, to: admission.admitted, by: callSize) {
      let range = start..<min(start + callSize, admission.admitted)
      let call = ReservedCall(
        fetch: context.next + UInt64(calls.count), items: range,
        uses: uses.map { $0.ofCall(range) },
        moves: meters.map { $0.reservation(of: range, isFirst: calls.isEmpty) },
        duplicates: try duplicates(in: range, cache, state))
      decision.events.append(.fetchStarted(started(call)))
      calls.append(call)
    }
    let refusal = admission.refusal.map {
      ReserveRefusal(
        reason: $0, from: admission.admitted, retryAt: admission.retryAt, wants: admission.wants,
        refusedBy: admission.refusedBy)
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
    event.moves = call.moves
    return event
  }

  /// The event of a refusal that is final for the request.
  func refused(_ refusal: ReserveRefusal) -> SpendRefused {
    let rest = items[refusal.from...]
    var event = SpendRefused()
    event.operation = terms.operation
    event.credential = terms.meter.owner
    event.resources = UInt32(rest.count)
    event.reason = refusal.reason
    event.retryMs = refusal.retryAt?.milliseconds ?? 0
    event.refused = rest.map(\.resource.description)
    event.demand = demand
    event.wants = refusal.wants.map { wanted in
      var want = Want()
      want.meter = wanted.page.name
      want.window = wanted.page.window
      want.wanted = wanted.wanted
      want.available = wanted.available
      want.retryMs = wanted.retryAt?.milliseconds ?? 0
      return want
    }
    event.refusedBy = UInt32(refusal.refusedBy)
    event.payers = [Payer].counting(rest.map(\.resource), of: demand)
    return event
  }
}

/// A call that is reserved: which items of the command it buys.
struct ReservedCall: Sendable {
  let fetch: Position
  let items: Range<Int>
  /// What it takes of each meter.
  let uses: [MeterUse]
  /// What is reserved on each meter.
  let moves: [Move]
  /// Those of the items that a fresh entry would have answered.
  let duplicates: Set<Int>

  /// The most that it may cost on the first meter.
  var bound: Int64 { moves.first?.amount ?? 0 }
  /// What it probably costs on the first meter.
  var expected: Int64 { moves.first?.expected ?? 0 }
}

/// Why the items from an index on were not reserved.
struct ReserveRefusal: Sendable {
  let reason: RefusalReason
  let from: Int
  let retryAt: Timestamp?
  /// What the rest wanted of each meter.
  let wants: [Admission.Wanted]
  /// The number of the meter that said no.
  let refusedBy: Int

  /// What was there of the meter that said no.
  var available: Int64 { wants.indices.contains(refusedBy) ? wants[refusedBy].available : 0 }
}
