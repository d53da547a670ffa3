import DequeModule
import TollbookEvents
import TollbookUpstreams

// Whose turn it is, and what is decided together.

extension PurchaseQueue {
  mutating func dispatch(_ now: Clock, _ actions: inout [Action]) {
    while !isStopping, freeSlots > 0, let id = ready.first {
      ready.removeFirst()
      guard calls[id]?.phase == .ready else { continue }
      if breaker.isOpen {
        giveUp(id, paused(now), &actions)
        continue
      }
      calls[id]?.phase = .sending
      actions.append(.send(id))
    }
    guard deciding == nil, !isStopping, freeSlots > 0, !turn.isEmpty else { return }
    if isGathering, let need = turn.first.flatMap({ demands[$0]?.order.needs.first }),
      waiting < settings.callSize(need.operation, need.parts)
    {
      return
    }
    if let cooling, now.monotonic < cooling.until {
      refuseQueued(cooling.problem, now, &actions)
      return
    }
    var mostCalls = freeSlots
    var isProbe = false
    switch breaker.gate(at: now.monotonic) {
    case .calls: break
    case .wait: return
    case .probe:
      mostCalls = 1
      isProbe = true
    case .closed:
      failQueued(paused(now), &actions) { _ in true }
      return
    }
    guard let first = nextDemand(now, &actions) else { return }
    let batch = draft(first, mostCalls: mostCalls, isProbe: isProbe)
    if isProbe { breaker.probe() }
    deciding = batch
    actions.append(.decide(batch))
  }

  /// The demand whose turn it is. One whose operation needs something bought before makes way for that.
  mutating func nextDemand(_ now: Clock, _ actions: inout [Action]) -> DemandID? {
    let isBackgroundDue = callersInARow >= Self.turnsOfCallers
    for isBackground in [isBackgroundDue, !isBackgroundDue] {
      guard let id = nextDemand(isBackground: isBackground, now, &actions) else { continue }
      callersInARow = isBackground || isBackgroundDue ? 0 : callersInARow + 1
      return id
    }
    return nil
  }

  private mutating func nextDemand(
    isBackground: Bool, _ now: Clock, _ actions: inout [Action]
  ) -> DemandID? {
    for id in turn where demands[id]?.order.isBackground == isBackground {
      guard let operation = demands[id]?.order.needs.first?.operation else { continue }
      if prerequisites[operation] != nil { continue }
      guard granted.remove(operation) == nil, let demand = demands[id],
        let need = settings.prerequisite(operation, now.wall)
      else { return id }
      var order = PurchaseOrder(
        needs: [need], demand: demand.order.demand, deadline: demand.order.deadline)
      order.demand.clearMaxAgeSeconds()
      order.demand.contentSet = need.parts
      let before = open(order, at: now)
      demands[before]?.prerequisiteOf = operation
      prerequisites[operation] = before
      claim(Seat(demand: before, place: 0), &actions)
      if demands[before]?.queue.isEmpty == false { return before }
    }
    return nil
  }

  mutating func draft(_ first: DemandID, mostCalls: Int, isProbe: Bool) -> Batch {
    var batch = Batch(mostCalls: mostCalls, isProbe: isProbe)
    guard let model = demands[first]?.order.needs.first else { return batch }
    take(first, atMost: .max, into: &batch)
    batch.isWhole = demands[first]?.order.isWhole ?? false
    batch.isBackground = demands[first]?.order.isBackground ?? false
    batch.isAhead = demands[first]?.order.isAhead ?? false
    guard demands[first]?.order.limit == nil, !batch.isWhole, model.resource != nil else {
      return batch
    }
    let size = max(1, settings.callSize(model.operation, model.parts))
    let (room, isMore) = size.multipliedReportingOverflow(by: mostCalls)
    for id in turn where batch.needs.count < (isMore ? .max : room) {
      guard let demand = demands[id], let need = demand.order.needs.first,
        demand.order.limit == nil, !demand.order.isWhole,
        demand.order.isBackground == batch.isBackground, need.isLike(model), need.resource != nil
      else { continue }
      take(id, atMost: (isMore ? .max : room) - batch.needs.count, into: &batch)
    }
    return batch
  }

  mutating func take(_ id: DemandID, atMost most: Int, into batch: inout Batch) {
    guard var demand = demands[id] else { return }
    let places = demand.queue.prefix(most)
    demand.queue.removeFirst(places.count)
    waiting -= places.count
    turn.removeAll { $0 == id }
    if !demand.queue.isEmpty { turn.append(id) }
    for place in places {
      let seat = Seat(demand: id, place: place)
      batch.needs.append(demand.order.needs[place])
      batch.askerOf.append(batch.askers.count)
      batch.seats.append(seat)
      if let flight = flightOf[seat] { flights[flight]?.phase = .deciding }
    }
    batch.askers.append(
      Batch.Asker(
        demand: demand.order.demand, age: demand.order.age,
        limit: demand.limitLeft))
    demand.isLimitLent = demand.limitLeft != nil
    demands[id] = demand
  }

  mutating func start(
    _ attempt: Attempt, _ batch: Batch, _ flights: [Int?], _ now: Clock,
    _ actions: inout [Action]
  ) {
    let id = number()
    let own = attempt.call.places.compactMap { flights[$0] }
    for flight in own { self.flights[flight]?.phase = .called(id) }
    let askers = Set(attempt.call.places.map { batch.seats[$0].demand })
    if batch.isAhead, !askers.contains(where: { demands[$0]?.order.isOfWindow ?? true }) {
      madeUp = now.monotonic + Self.makingUp
    }
    let limited = askers.first { demands[$0]?.limitLeft != nil }
    giveBack(-attempt.bound, to: limited)
    calls[id] = Call(
      attempt: attempt, flights: own, began: now.monotonic,
      lost: Array(repeating: LostCost(), count: own.count), demands: askers, limited: limited)
    if isStopping {
      giveUp(id, .stopping, &actions)
    } else if out > settings.slots {
      calls[id]?.phase = .ready
      ready.append(id)
    } else {
      actions.append(.send(id))
    }
  }

  /// Puts back what was not decided about. If nobody waits for it any more it is given up.
  mutating func requeue(_ id: Int, _ actions: inout [Action]) {
    if isStopping { return end(id, .failed(.stopping), &actions) }
    guard let flight = flights[id] else { return }
    if isOpen(flight.owner) {
      flights[id]?.phase = .queued
      enqueue(flight.owner)
    } else {
      handOver(id)
    }
  }

  /// Whether a need still waits for its end.
  func isOpen(_ seat: Seat) -> Bool {
    demands[seat.demand].map { $0.purchases[seat.place] == nil } ?? false
  }

  mutating func enqueue(_ seat: Seat) {
    guard demands[seat.demand] != nil else { return }
    demands[seat.demand]?.queue.append(seat.place)
    demands[seat.demand]?.queue.sort()
    waiting += 1
    if !isOut(seat.demand) { takeTurn(seat.demand) }
  }

  /// Whether a call is out that was drafted for a demand.
  func isOut(_ id: DemandID) -> Bool {
    calls.values.contains { $0.phase == .sending && $0.demands.contains(id) }
  }

  /// Puts a demand with a queue behind the others.
  mutating func takeTurn(_ id: DemandID) {
    guard demands[id]?.queue.isEmpty == false, !turn.contains(id) else { return }
    // What others wait for comes first.
    if demands[id]?.prerequisiteOf != nil {
      turn.prepend(id)
    } else {
      turn.append(id)
    }
  }

  /// A call is not out any more: those it was drafted for stand in line again.
  mutating func rejoin(_ call: Call) {
    for id in call.demands.sorted() { takeTurn(id) }
  }

  /// Takes a need out of the queue.
  mutating func dequeue(_ seat: Seat) {
    guard let index = demands[seat.demand]?.queue.firstIndex(of: seat.place) else { return }
    demands[seat.demand]?.queue.remove(at: index)
    waiting -= 1
    if demands[seat.demand]?.queue.isEmpty == true { turn.removeAll { $0 == seat.demand } }
  }

  /// Notes until when the upstream has said no.
  mutating func cool(_ problem: PurchaseProblem, _ now: Clock) {
    guard let retryAt = problem.retryAt else { return }
    let left = retryAt.milliseconds - now.wall.milliseconds
    // A clock that somebody sets does not keep it cool for ever.
    guard left > 0 else { return }
    cooling = (now.monotonic + min(left, Self.longestCooling), problem)
  }

  /// What waits is refused as the upstream would refuse it, or waits as long as it is patient.
  private mutating func refuseQueued(
    _ problem: PurchaseProblem, _ now: Clock, _ actions: inout [Action]
  ) {
    for (id, flight) in flights.sorted(by: { $0.key < $1.key }) where flight.phase == .queued {
      refuse(id, problem, isBooked: false, now, &actions)
    }
  }

  /// The upstream is left alone for a while.
  func paused(_ now: Clock) -> PurchaseProblem {
    let left = breaker.pausedUntil.map { max(0, $0 - now.monotonic) } ?? 0
    return .paused(settings.title, until: now.wall.advanced(byMilliseconds: left))
  }

  mutating func failQueued(
    _ problem: PurchaseProblem, _ actions: inout [Action], where isMeant: (Flight) -> Bool
  ) {
    for (id, flight) in flights.sorted(by: { $0.key < $1.key })
    where flight.phase == .queued && isMeant(flight) {
      end(id, .failed(problem), &actions)
    }
  }
}
