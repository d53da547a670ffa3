import TollbookEvents

extension AuditFold {
  mutating func started(_ event: StartedFields, _ record: RawSpan) {
    var call = AuditCall()
    for demand in event.demands {
      call.demands.append(
        .init(
          account: names.number(of: demand.account, in: record), isBehind: demand.isBehind))
    }
    call.tellsKinds = event.tellsDemands
    call.credential = names.number(of: event.credential, in: record)
    call.operation = names.number(of: event.operation, in: record)
    call.demandOf = event.demandOf
    call.weights = event.weights
    if followsResources {
      call.resources.reserveCapacity(event.resources.count)
      call.marks.reserveCapacity(event.resources.count)
      for (index, range) in event.resources.enumerated() {
        take(shelf.place(of: range, in: record), index, event, into: &call)
      }
    }
    for move in event.moves {
      let meter = meter(move.meter, record)
      note(call: position, meter)
      if isCounting { reserved(move, meter, record) }
    }
    if isCounting {
      if followsResources {
        countCall(call, isRetry: false)
      } else {
        var delta = AuditCounts()
        delta.calls = 1
        delta.readsBought = event.readsBought
        let key = group(
          at: wall, account: call.account, credential: call.credential, operation: call.operation)
        groups.add(delta, to: key)
      }
    }
    calls[position] = call
  }

  /// Takes a resource of a call that begins.
  private mutating func take(
    _ place: Int, _ index: Int, _ event: StartedFields, into call: inout AuditCall
  ) {
    let number = event.demand(ofResource: index)
    let demand = event.demands[event.demands.indices.contains(number) ? number : 0]
    let isAnswered = shelf.answers(place, demand, at: wall)
    shelf[place].underWay.append(.init(fetch: position, contentSet: event.contentSet))
    shelf[place].references += 1
    call.resources.append(place)
    call.marks.append(isAnswered ? .duplicate : [])
  }

  /// Counts an attempt, and the reads that made the first one necessary.
  private mutating func countCall(_ call: AuditCall?, isRetry: Bool) {
    let isAnyWanted = call?.demands.contains { isWanted($0.account) } ?? false
    guard isAnyWanted || (call?.demands.isEmpty ?? true) && isWanted(nil) else { return }
    var attempt = AuditCounts()
    attempt.calls = 1
    attempt.retries = isRetry ? 1 : 0
    let waiting = isRetry ? [] : call?.waiting { isWanted($0.account) } ?? []
    guard options.grouping.divides, let call, !call.demands.isEmpty else {
      attempt.readsBought = Int64(waiting.count)
      let key = group(
        at: wall, account: call?.account, credential: call?.credential,
        operation: call?.operation)
      return groups.add(attempt, to: key)
    }
    groups.addToTotal(attempt)
    for key in touchedGroups(of: call) { groups.addToGroup(attempt, key) }
    var read = AuditCounts()
    read.readsBought = 1
    for index in waiting { groups.add(read, to: group(ofResource: index, of: call)) }
  }

  /// The groups that a call touches, each once.
  private mutating func touchedGroups(of call: AuditCall) -> [AuditGroups.Key] {
    var touched = TouchedGroups()
    if call.resources.isEmpty {
      if options.grouping == .account {
        let demand = call.demands.first { isWanted($0.account) }
        touched.insert(demand.map { .name($0.account) } ?? .unknown)
      } else {
        touched.insert(call.tellsKinds ? groupOfCallItself() : .unknown)
      }
    }
    for index in call.resources.indices {
      guard isWanted(call.demand(ofResource: index)?.account) else { continue }
      touched.insert(group(ofResource: index, of: call))
    }
    return touched.keys
  }

  /// The group of one of a call's resources, where groups are resources, classes of them, or who pays for them.
  private mutating func group(ofResource index: Int, of call: AuditCall) -> AuditGroups.Key {
    guard options.grouping == .account else {
      return group(ofResource: shelf[call.resources[index]].name)
    }
    return call.demand(ofResource: index).map { .name($0.account) } ?? .unknown
  }

  mutating func ended(_ event: EndedFields, _ kind: EventKind) {
    switch kind {
    case .fetchSucceeded:
      // One that began before what the log holds is known from here on.
      calls[event.fetch, default: AuditCall()].succeeded = event.attempt
      noLongerUnderWay(event.fetch)
    case .fetchAttemptFailed where event.nextAttempt > 0:
      if isCounting { countCall(calls[event.fetch], isRetry: true) }
    case .fetchFailed:
      noLongerUnderWay(event.fetch)
      calls[event.fetch]?.isOver = true
      forget(event.fetch)
    default: break
    }
  }

  private mutating func noLongerUnderWay(_ fetch: Position) {
    for place in calls[fetch]?.resources ?? [] {
      shelf[place].underWay.removeAll { $0.fetch == fetch }
    }
  }

  /// An attempt's reservation has ended, or a part of it: the last booking of a call that was answered.
  mutating func attemptBooked(_ fetch: Position, _ attempt: UInt32) {
    guard let call = calls[fetch], call.succeeded == attempt else { return }
    if ending != fetch { forgetEnding() }
    calls[fetch]?.isOver = true
    ending = fetch
  }

  mutating func forgetEnding() {
    guard let fetch = ending else { return }
    ending = nil
    forget(fetch)
  }

  /// Forgets a call of which nothing more can come.
  mutating func forget(_ fetch: Position) {
    guard let call = calls[fetch], call.isOver, call.openDoubts == 0 else { return }
    calls[fetch] = nil
    for place in call.resources {
      shelf[place].references -= 1
      shelf.giveUp(place)
    }
  }

  /// The index of a resource among those of a call; one that is not among them is added.
  mutating func index(of place: Int, near hint: Int, in fetch: Position) -> Int? {
    guard let call = calls[fetch] else { return nil }
    if let index = call.index(of: place, near: hint) { return index }
    shelf[place].references += 1
    calls[fetch]?.resources.append(place)
    calls[fetch]?.marks.append([])
    return call.resources.count
  }
}

extension AuditCall {
  /// The indices of the resources that somebody waits for, of those whose demand is wanted.
  fileprivate func waiting(_ isWanted: (Demand) -> Bool) -> [Int] {
    if demands.count == 1 || demandOf.isEmpty {
      guard let demand = demands.first, !demand.isBehind, isWanted(demand) else { return [] }
      return Array(resources.indices)
    }
    return resources.indices.filter { index in
      demand(ofResource: index).map { !$0.isBehind && isWanted($0) } ?? false
    }
  }
}

extension StartedFields {
  /// How many resources somebody waits for.
  fileprivate var readsBought: Int64 {
    guard demands.count > 1, !demandOf.isEmpty else {
      return demands[0].isBehind ? 0 : Int64(resourceCount)
    }
    var count: Int64 = 0
    for index in 0..<resourceCount {
      let number = demand(ofResource: index)
      if !demands[demands.indices.contains(number) ? number : 0].isBehind { count += 1 }
    }
    return count
  }
}
