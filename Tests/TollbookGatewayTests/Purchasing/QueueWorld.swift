import TollbookEvents
import TollbookTestSupport
import TollbookUpstreams
import TollbookViews

@testable import TollbookGateway

/// A purchase queue whose actions a test carries out, in any order, and clocks that it moves.
struct QueueWorld {
  /// A call that an action began and that has not ended.
  typealias Pending = PurchaseQueue.Action

  var queue: PurchaseQueue
  var now = PurchaseQueue.Clock(wall: .testStart, monotonic: 0)
  /// Actions that wait to be carried out.
  private(set) var pending: [Pending] = []
  private(set) var answers: [Int: [Purchase]] = [:]
  private(set) var recorded: [PurchaseQueue.RefusalNote] = []
  /// The resources of each call that was sent, in the order of sending; a retry is another.
  private(set) var sent: [[String]] = []
  private(set) var complaints: [String] = []

  init(
    slots: Int = 2, mostWaiting: Int = 1_000, callSize: Int = 3, attempts: UInt32 = 3,
    gatherTime: Int64 = 0,
    prerequisite: @escaping @Sendable (String, Timestamp) -> Need? = { _, _ in nil }
  ) {
    var retries = RetryPolicy()
    retries.attempts = attempts
    queue = PurchaseQueue(
      .init(
        slots: slots, mostWaiting: mostWaiting, retries: retries, gatherTime: gatherTime,
        callSize: { _, _ in callSize }, prerequisite: prerequisite, title: "Test"))
    self.callSize = callSize
  }

  private let callSize: Int

  // MARK: Asking

  @discardableResult
  mutating func ask(
    _ names: [String], parts: UInt64 = 0, operation: String = "test.get", limit: Int64? = nil,
    patience: Int64 = 0, deadline: Int64 = 60_000, isWhole: Bool = false, isLive: Bool = false,
    isAhead: Bool = false, isBackground: Bool = false
  ) -> Int {
    var demand = Demand()
    demand.account = "acme"
    var order = PurchaseOrder(
      needs: names.map {
        Need(operation, ResourceKey(shared: "test.thing", path: $0), parts: parts, isLive: isLive)
      }, demand: demand, patience: patience, limit: limit, deadline: deadline)
    order.isWhole = isWhole
    order.isAhead = isAhead
    order.isBackground = isAhead || isBackground
    let (id, actions) = queue.submit(order, at: now)
    take(actions)
    return id
  }

  mutating func pass(_ milliseconds: Int64) {
    now.wall = now.wall.advanced(byMilliseconds: milliseconds)
    now.monotonic += milliseconds
    take(queue.tick(at: now))
  }

  mutating func withdraw(_ id: Int) { take(queue.withdraw(id, at: now)) }

  mutating func stop() { take(queue.stop(at: now)) }

  mutating func take(_ actions: [Pending]) {
    for action in actions {
      switch action {
      case .answer(let id, let purchases):
        if answers[id] != nil { complaints.append("demand \(id) was answered twice") }
        answers[id] = purchases
      case .record(let note): recorded.append(note)
      case .send(let id):
        if queue.isStopping { complaints.append("call \(id) was sent after the stop") }
        sent.append(queue.calls[id]?.attempt.call.needs.compactMap { $0.resource?.name } ?? [])
        pending.append(action)
      default: pending.append(action)
      }
    }
    look()
  }

  // MARK: What the shell would do

  /// How a batch is decided: each need costs one, and so much is there.
  mutating func decide(free: Int64 = .max, retryAt: Timestamp? = nil) {
    guard let index = pending.firstIndex(where: { if case .decide = $0 { true } else { false } }),
      case .decide(let batch) = pending.remove(at: index)
    else { return }
    take(queue.decided(.decided(decision(batch, free, retryAt)), at: now))
  }

  mutating func decide(_ decided: PurchaseQueue.Decided) {
    guard let index = pending.firstIndex(where: { if case .decide = $0 { true } else { false } })
    else { return }
    pending.remove(at: index)
    take(queue.decided(decided, at: now))
  }

  private func decision(
    _ batch: PurchaseQueue.Batch, _ free: Int64, _ retryAt: Timestamp?
  ) -> BatchDecision {
    var decision = BatchDecision()
    var left = free
    var limits = batch.askers.map(\.limit)
    var refused: [Int] = []
    var beyond: [Int] = []
    var calls: [[Int]] = []
    for place in batch.needs.indices {
      let asker = batch.askerOf[place]
      if let limit = limits[asker], limit < 1 {
        beyond.append(place)
        continue
      }
      if !refused.isEmpty || left < 1 {
        refused.append(place)
        continue
      }
      if calls.last.map({ $0.count == callSize }) ?? true {
        guard batch.isWhole || calls.count < batch.mostCalls else { break }
        calls.append([])
      }
      calls[calls.count - 1].append(place)
      left -= 1
      limits[asker] = limits[asker].map { $0 - 1 }
    }
    if batch.isWhole, !refused.isEmpty || !beyond.isEmpty {
      calls = []
      if beyond.isEmpty {
        refused = Array(batch.needs.indices)
      } else {
        (beyond, refused) = (Array(batch.needs.indices), [])
      }
    }
    let meter = MeterKey(owner: "test", unit: "tokens")
    for places in calls {
      let use = MeterUse(
        meter, .total(limit: 1_000), bounds: PrefixCosts(each: places.map { _ in 1 }))
      let call = PlannedCall(needs: places.map { batch.needs[$0] }, places: places, uses: [use])
      decision.started.append(
        Attempt(
          fetch: 1, credential: "test", call: call, moves: [Move(meter, Int64(places.count))],
          batch, duplicates: []))
    }
    if !refused.isEmpty {
      var refusal = ReserveRefusal(reason: .meter)
      refusal.retryAt = retryAt
      decision.refused.append(RefusedNeeds(places: refused, refusal: refusal))
    }
    if !beyond.isEmpty {
      decision.refused.append(
        RefusedNeeds(places: beyond, refusal: ReserveRefusal(reason: .requestLimit)))
    }
    return decision
  }

  /// What is to be decided.
  var batch: PurchaseQueue.Batch? {
    pending.lazy.compactMap { if case .decide(let batch) = $0 { batch } else { nil } }.first
  }

  /// Calls that are out, in the order in which they were sent.
  var out: [Int] {
    pending.compactMap { if case .send(let id) = $0 { id } else { nil } }
  }

  mutating func answer(_ id: Int) {
    remove { if case .send(id) = $0 { true } else { false } }
    take(queue.succeeded(id, at: now))
  }

  mutating func fail(_ id: Int, _ reason: FailureReason = .timedOut, status: Int = 0) {
    remove { if case .send(id) = $0 { true } else { false } }
    let failure = UpstreamFailure(reason, status: status, detail: "", charge: .unknown)
    take(queue.failed(id, failure, left: 0, random: 0.5, at: now))
  }

  /// Those who wait for a call are told how it ends before it does.
  mutating func tell(_ id: Int) {
    take(queue.tell(id, PurchaseProblem(.storageFull, "no space")))
  }

  /// The call is not sent after all.
  mutating func drop(_ id: Int) {
    remove { if case .send(id) = $0 { true } else { false } }
    take(queue.unsent(id, PurchaseProblem(.storageFailed, "not sent"), at: now))
  }

  /// Books that the upstream has refused a call until an instant.
  mutating func refuse(_ id: Int, until instant: Timestamp) {
    remove { if case .fail(id, _) = $0 { true } else { false } }
    let needs = queue.calls[id]?.attempt.call.needs ?? []
    let problem = PurchaseProblem(.insufficientTokens, "nothing is left", retryAt: instant)
    take(
      queue.booked(
        id,
        .ended(
          needs.map { _ in .refused(problem) }, lost: needs.map { _ in LostCost() }, left: 1),
        at: now))
  }

  /// Books whatever waits for it: answers bring everything, failures are retried if that is wanted.
  mutating func book() {
    while let action = pending.first(where: {
      switch $0 {
      case .settle, .fail, .giveUp: true
      default: false
      }
    }) { book(action) }
  }

  private mutating func book(_ action: Pending) {
    switch action {
    case .settle(let id):
      remove { if case .settle(id) = $0 { true } else { false } }
      let needs = queue.calls[id]?.attempt.call.needs ?? []
      take(
        queue.booked(
          id,
          .ended(
            needs.map { _ in .written(cost: 1, position: 7) },
            lost: needs.map { _ in LostCost() }, left: 0), at: now))
    case .fail(let id, let wish):
      remove { if case .fail(id, _) = $0 { true } else { false } }
      guard var attempt = queue.calls[id]?.attempt else { return }
      let lost = attempt.call.needs.map { _ in LostCost(charged: 0, inDoubt: 1) }
      if case .after(let delay) = wish {
        attempt.number += 1
        take(queue.booked(id, .retry(attempt, pause: delay, lost: lost), at: now))
      } else {
        let problem = PurchaseProblem(.upstreamUnavailable, "failed")
        take(
          queue.booked(
            id, .ended(attempt.call.needs.map { _ in .failed(problem) }, lost: lost, left: 0),
            at: now))
      }
    case .giveUp(let id, let problem):
      remove { if case .giveUp(id, _) = $0 { true } else { false } }
      let needs = queue.calls[id]?.attempt.call.needs ?? []
      take(
        queue.booked(
          id,
          .ended(
            needs.map { _ in .failed(problem) }, lost: needs.map { _ in LostCost() }, left: 1),
          at: now))
    default: break
    }
  }

  /// Those who sleep, with how long.
  var naps: [(wake: PurchaseQueue.Wake, milliseconds: Int64)] {
    pending.compactMap {
      if case .pause(let wake, let milliseconds) = $0 { (wake, milliseconds) } else { nil }
    }
  }

  mutating func wake(_ wake: PurchaseQueue.Wake) {
    remove { if case .pause(wake, _) = $0 { true } else { false } }
    take(queue.woken(wake, at: now))
  }

  private mutating func remove(_ isMeant: (Pending) -> Bool) {
    if let index = pending.firstIndex(where: isMeant) { pending.remove(at: index) }
  }

  // MARK: What must hold

  private mutating func look() {
    if queue.out > queue.settings.slots { complaints.append("\(queue.out) calls are out") }
    var seen: [ResourceKey: [UInt64]] = [:]
    for flight in queue.flights.values {
      guard let resource = flight.need.resource else { continue }
      // What is live is apart.
      seen[resource, default: []].append(flight.need.parts | (flight.need.isLive ? 1 << 63 : 0))
    }
    for (resource, parts) in seen where Set(parts).count < parts.count {
      complaints.append("\(resource) is bought twice at once")
    }
    let queued = queue.demands.values.reduce(0) { $0 + $1.queue.count }
    if queued != queue.waiting { complaints.append("\(queued) wait, counted as \(queue.waiting)") }
    if queue.waiting > queue.settings.mostWaiting + 3 * queue.settings.slots {
      complaints.append("\(queue.waiting) wait")
    }
    for demand in queue.demands.values {
      let open = demand.purchases.count { $0 == nil }
      if open != demand.open { complaints.append("\(open) are open, counted as \(demand.open)") }
      if demand.limitLeft.map({ $0 < 0 }) == true {
        complaints.append("a demand's own limit is overspent")
      }
    }
  }
}

extension ResourceKey {
  var name: String { String(path) }
}

extension [Purchase] {
  var reasons: [PurchaseProblem.Reason?] {
    map {
      switch $0.end {
      case .failed(let problem), .refused(let problem): problem.reason
      default: nil
      }
    }
  }
}
