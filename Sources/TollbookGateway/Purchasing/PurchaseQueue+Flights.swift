import DequeModule
import TollbookEvents
import TollbookUpstreams

// MARK: Flights

extension PurchaseQueue {
  /// Takes a place in line for a need: with the flight that is at it already, or with one of its own.
  mutating func claim(_ seat: Seat, _ actions: inout [Action]) {
    guard let need = demands[seat.demand]?.order.needs[seat.place] else { return }
    if isStopping {
      return finish(seat, Purchase(end: .failed(.stopping)), &actions)
    }
    if let resource = need.resource,
      let id = byResource[resource]?.first(where: {
        flights[$0].map { $0.need.serves(need) } ?? false
      })
    {
      if let told = flights[id]?.told {
        return finish(seat, Purchase(end: .failed(told), isJoined: true), &actions)
      }
      flights[id]?.joined.append(seat)
      flightOf[seat] = id
      return
    }
    guard waiting < settings.mostWaiting else {
      let problem = PurchaseProblem(
        .busy, "\(waiting) resources wait for \(settings.title) already; try again later")
      return finish(seat, Purchase(end: .failed(problem)), &actions)
    }
    let id = number()
    flights[id] = Flight(
      need: need, owner: seat, isAhead: demands[seat.demand]?.order.isAhead ?? false)
    if let resource = need.resource { byResource[resource, default: []].append(id) }
    flightOf[seat] = id
    enqueue(seat)
  }

  /// Takes a flight out of the line.
  mutating func remove(_ id: Int) -> Flight? {
    guard let flight = flights.removeValue(forKey: id) else { return nil }
    if let resource = flight.need.resource {
      byResource[resource]?.removeAll { $0 == id }
      if byResource[resource]?.isEmpty == true { byResource[resource] = nil }
    }
    if flightOf[flight.owner] == id { flightOf[flight.owner] = nil }
    for seat in flight.joined { flightOf[seat] = nil }
    if flight.phase == .queued { dequeue(flight.owner) }
    return flight
  }

  /// Ends a flight. What it says nothing about to those who joined they ask for again, and what was bought ahead and came to
  /// nothing too.
  mutating func end(
    _ id: Int, _ end: Purchase.End, lost: LostCost = LostCost(), isBooked: Bool = false,
    _ actions: inout [Action]
  ) {
    guard let flight = remove(id) else { return }
    finish(flight.owner, Purchase(end: end, isBooked: isBooked, lost: lost), &actions)
    let isAskedAgain =
      switch end {
      case .found: true
      case .failed, .refused: flight.isAhead
      case .written, .handedOn, .passedThrough: false
      }
    for seat in flight.joined {
      if isAskedAgain {
        claim(seat, &actions)
      } else {
        finish(seat, Purchase(end: end, isJoined: true), &actions)
      }
    }
  }

  /// Tells a need of a demand how it ended; the demand is answered when all of them have. Later ends change nothing.
  mutating func finish(_ seat: Seat, _ purchase: Purchase, _ actions: inout [Action]) {
    guard isOpen(seat) else { return }
    demands[seat.demand]?.purchases[seat.place] = purchase
    demands[seat.demand]?.open -= 1
    guard let demand = demands[seat.demand], demand.open == 0 else { return }
    demands[seat.demand] = nil
    // Nobody waits for their retries any more.
    for (call, _) in demand.deferred { actions.append(.fail(call, .none)) }
    guard let operation = demand.prerequisiteOf else {
      actions.append(.answer(seat.demand, demand.purchases.compactMap(\.self)))
      return
    }
    prerequisites[operation] = nil
    switch purchase.end {
    case .failed(let problem), .refused(let problem):
      failQueued(problem, &actions) { $0.need.operation == operation }
    default: granted.insert(operation)
    }
  }

  /// Ends needs that were refused by rule, or lets them wait until their meters free.
  mutating func refuse(
    _ refused: RefusedNeeds, _ flights: [Int?], _ now: Clock, _ actions: inout [Action]
  ) {
    let problem = PurchaseProblem(refused.refusal, settings.title)
    let reason = Refused(problem: problem, refusal: refused.refusal, isBooked: true)
    var final: [(demand: DemandID, note: RefusalNote)] = []
    for place in refused.places {
      guard let id = flights[place], let flight = remove(id) else { continue }
      if let owner = demands[flight.owner.demand], isOpen(flight.owner),
        !wait(flight.owner, reason, now, &actions)
      {
        if !owner.order.isAhead, final.last?.demand != flight.owner.demand {
          final.append(
            (
              flight.owner.demand,
              RefusalNote(demand: owner.order.demand, needs: [], refusal: refused.refusal)
            ))
        }
        if !owner.order.isAhead { final[final.count - 1].note.needs.append(flight.need) }
        finish(flight.owner, Purchase(end: .refused(problem), isBooked: true), &actions)
      }
      refuse(flight.joined, of: flight, reason, now, &actions)
    }
    actions += final.map { .record($0.note) }
  }

  /// Ends a flight that the upstream has refused, or lets those who wait for it wait for its meters to free.
  mutating func refuse(
    _ id: Int, _ problem: PurchaseProblem, isBooked: Bool, lost: LostCost = LostCost(),
    _ now: Clock, _ actions: inout [Action]
  ) {
    guard let flight = remove(id) else { return }
    let reason = Refused(problem: problem, refusal: nil, isBooked: isBooked)
    if !wait(flight.owner, reason, now, &actions) {
      finish(
        flight.owner, Purchase(end: .refused(problem), isBooked: isBooked, lost: lost), &actions)
    }
    refuse(flight.joined, of: flight, reason, now, &actions)
  }

  /// What one demand was refused is refused to those who joined it, unless it was by its own limit, or they want less, or it
  /// was to be bought ahead.
  private mutating func refuse(
    _ joined: [Seat], of flight: Flight, _ reason: Refused, _ now: Clock,
    _ actions: inout [Action]
  ) {
    for seat in joined {
      let wanted = demands[seat.demand]?.order.needs[seat.place].parts
      if reason.problem.reason == .requestLimit || wanted != flight.need.parts || flight.isAhead {
        claim(seat, &actions)
      } else if !wait(seat, reason, now, &actions) {
        finish(seat, Purchase(end: .refused(reason.problem), isJoined: true), &actions)
      }
    }
  }

  /// - Returns: whether the need waits for its meters to free.
  private mutating func wait(
    _ seat: Seat, _ reason: Refused, _ now: Clock, _ actions: inout [Action]
  ) -> Bool {
    guard !isStopping, isOpen(seat), let demand = demands[seat.demand],
      let frees = reason.problem.frees,
      frees.milliseconds - now.wall.milliseconds <= patienceLeft(of: demand, at: now)
    else { return false }
    demands[seat.demand]?.refused[seat.place] = reason
    pause(seat.demand, now, &actions)
    return true
  }

  /// How long a demand may still wait for refills: as long as it wants to, and until what was bought ahead is made up for.
  private func patienceLeft(of demand: OpenDemand, at now: Clock) -> Int64 {
    let own = demand.patienceLeft(at: now)
    guard let madeUp, !demand.order.isAhead else { return own }
    return max(own, madeUp - now.monotonic)
  }

  private mutating func pause(_ id: DemandID, _ now: Clock, _ actions: inout [Action]) {
    guard let demand = demands[id], !demand.isPausing,
      let frees = demand.refused.values.compactMap(\.problem.frees).min()
    else { return }
    let left = min(
      frees.milliseconds - now.wall.milliseconds, patienceLeft(of: demand, at: now),
      Self.longestSleep)
    demands[id]?.isPausing = true
    actions.append(.pause(.refill(id), milliseconds: max(1, left)))
  }

  /// Asks again for what waits, if its meters have freed; else sleeps on, as long as the demand is patient.
  mutating func wakeRefused(_ id: DemandID, _ now: Clock, _ actions: inout [Action]) {
    guard let demand = demands[id],
      let frees = demand.refused.values.compactMap(\.problem.frees).min()
    else { return }
    if frees <= now.wall {
      demands[id]?.refused = [:]
      for place in demand.refused.keys.sorted() {
        claim(Seat(demand: id, place: place), &actions)
      }
    } else if patienceLeft(of: demand, at: now) <= 0 {
      endRefused(id, &actions)
    } else {
      pause(id, now, &actions)
    }
  }

  /// Ends what waits for its meters to free: nobody waits any longer.
  mutating func endRefused(_ id: DemandID, _ actions: inout [Action]) {
    guard let demand = demands[id], !demand.refused.isEmpty else { return }
    demands[id]?.refused = [:]
    let places = demand.refused.keys.sorted()
    let noted = places.filter { demand.refused[$0]?.refusal != nil }
    if let refusal = noted.first.flatMap({ demand.refused[$0]?.refusal }) {
      actions.append(
        .record(
          RefusalNote(
            demand: demand.order.demand, needs: noted.map { demand.order.needs[$0] },
            refusal: refusal)))
    }
    for (place, reason) in demand.refused.sorted(by: { $0.key < $1.key }) {
      finish(
        Seat(demand: id, place: place),
        Purchase(end: .refused(reason.problem), isBooked: reason.isBooked), &actions)
    }
  }

  /// Answers a demand whose time is over. What is under way goes on, and is kept.
  mutating func expire(_ id: DemandID, _ actions: inout [Action]) {
    endRefused(id, &actions)
    guard let demand = demands[id] else { return }
    for place in demand.purchases.indices where demand.purchases[place] == nil {
      let seat = Seat(demand: id, place: place)
      var isBooked = false
      var failure: UpstreamFailure?
      if let flight = flightOf[seat], let found = flights[flight] {
        if case .called(let call) = found.phase { failure = calls[call]?.failure }
        if found.owner != seat {
          flights[flight]?.joined.removeAll { $0 == seat }
          flightOf[seat] = nil
        } else if found.phase == .queued {
          handOver(flight)
        } else {
          isBooked = found.phase != .deciding
        }
      }
      let problem = PurchaseProblem.tooLate(settings.title, after: failure)
      finish(seat, Purchase(end: .failed(problem), isBooked: isBooked), &actions)
    }
  }

  /// Gives the place in line to who joined first and still waits, or gives it up.
  mutating func handOver(_ id: Int) {
    guard let flight = flights[id] else { return }
    guard let next = flight.joined.first(where: isOpen) else {
      _ = remove(id)
      return
    }
    if flight.phase == .queued { dequeue(flight.owner) }
    flightOf[flight.owner] = nil
    flights[id]?.joined.removeAll { $0 == next }
    flights[id]?.owner = next
    flights[id]?.isAhead = demands[next.demand]?.order.isAhead ?? false
    flights[id]?.phase = .queued
    enqueue(next)
  }
}

// MARK: Calls

extension PurchaseQueue {
  /// How long somebody still waits for something of the call, in milliseconds; 0: nobody does.
  func timeLeft(for call: Call, at now: Clock) -> Int64 {
    let seats = call.flights.compactMap { flights[$0] }.flatMap { [$0.owner] + $0.joined }
    let left = seats.compactMap { seat in
      guard isOpen(seat), let demand = demands[seat.demand], !demand.order.isAhead else {
        return nil as Int64?
      }
      return demand.timeLeft(at: now)
    }
    return max(0, left.max() ?? 0)
  }

  /// Asks the demand's own limit for another attempt.
  mutating func wishRetry(_ id: CallID, after delay: Int64, _ actions: inout [Action]) {
    guard let call = calls[id] else { return }
    guard let limited = call.limited, let demand = demands[limited], let left = demand.limitLeft
    else { return actions.append(.fail(id, .after(delay))) }
    if demand.isLimitLent {
      demands[limited]?.deferred.append((id, delay))
    } else if left >= call.attempt.bound {
      demands[limited]?.limitLeft = left - call.attempt.bound
      calls[id]?.isRetryTaken = true
      actions.append(.fail(id, .after(delay)))
    } else {
      actions.append(.fail(id, .beyondLimit))
    }
  }

  /// The batch is decided: what is left of its demand's own limit is known.
  mutating func returnLimit(_ batch: Batch, _ actions: inout [Action]) {
    for id in Set(batch.seats.map(\.demand)) where demands[id]?.isLimitLent == true {
      demands[id]?.isLimitLent = false
      let deferred = demands[id]?.deferred ?? []
      demands[id]?.deferred = []
      for (call, delay) in deferred { wishRetry(call, after: delay, &actions) }
    }
  }

  /// Gives back to a demand's own limit what an attempt did not use; takes what it used beyond its bound.
  mutating func giveBack(_ amount: Int64, to demand: DemandID?) {
    guard let demand, let left = demands[demand]?.limitLeft else { return }
    demands[demand]?.limitLeft = left.addingReportingOverflow(amount).partialValue
  }

  /// A reserved attempt is not sent.
  mutating func giveUp(
    _ id: CallID, _ problem: PurchaseProblem, _ actions: inout [Action]
  ) {
    calls[id]?.phase = .booking
    ready.removeAll { $0 == id }
    actions.append(.giveUp(id, problem))
  }
}
