import TollbookEvents
import TollbookGateway

/// Plays the recorded demand through a cache with other windows.
///
/// What the record decides is exact: a purchase that the record holds too cost what it cost and came when it came. What
/// it only bounds is followed as an interval. Where an interval leaves open whether an entry still answers, both ways
/// are followed until they meet again, so that one purchase that may have come earlier or later stays one purchase. The
/// balance is not followed itself but as its difference to the recorded one.
struct PolicyReplay {
  let demand: RecordedDemand
  let policy: FreshnessPolicy
  let overdraft: GatewaySettings.Overdraft
  let kind: WhatIfKind
  var shelves: [ReplayShelf]
  /// Of resources that went more than one way.
  var forks: [Int32: [ReplayFork]] = [:]
  var isForked: [Bool]
  var totals = ReplayCounts()
  var calls = Bounds.zero
  var youngest = AgeHistogram()
  var oldest = AgeHistogram()
  /// What is there more than was recorded.
  var gap = Bounds.zero
  /// When a call was made for sure, and when one that is not on the record.
  var lastCall = Int64.min
  var lastOwnCall = Int64.min
  /// The same by groups of what may share a call.
  var lastShared: [Int32: SharedPurchase] = [:]
  var lastOwnShared: [Int32: SharedPurchase] = [:]
  /// Whether anything has gone otherwise than recorded.
  var hasParted = false
  /// The ways of the resource at hand, while a step is made.
  var ways: [ReplayFork] = []

  /// What a step knows beside its probe.
  struct Step {
    /// The recorded purchase, if it is one.
    var purchase: RecordedPurchase?
    /// What it cost under this policy, if it is made.
    var cost = Bounds.zero
    /// What products before it in the same request have reserved.
    var reserved: Int64 = 0
    /// Whether the call is made as it was recorded.
    var isSame = false
    /// `gap` before the first product of the request.
    var gap: Bounds
  }

  enum Verdict {
    case yes, no, perhaps
  }

  init(
    _ demand: RecordedDemand, _ policy: FreshnessPolicy, overdraft: GatewaySettings.Overdraft,
    _ kind: WhatIfKind
  ) {
    self.kind = kind
    self.demand = demand
    self.policy = policy
    self.overdraft = overdraft
    shelves = Array(repeating: ReplayShelf(), count: demand.resources)
    isForked = Array(repeating: false, count: demand.resources)
    if let before = demand.unknownBefore {
      // Perhaps nothing was there, and at the best everything, fetched a moment ago.
      for index in shelves.indices {
        shelves[index].put(.anything(before: before))
      }
    }
    for (resource, entries) in demand.initial {
      for entry in entries { shelves[Int(resource)].put(entry) }
    }
  }

  /// - Parameter isWanted: asked now and then; false ends the replay early.
  mutating func run(while isWanted: () -> Bool) {
    var index = 0
    while index < demand.probes.count {
      if index & 0xffff == 0, !isWanted() { return }
      let probe = demand.probes[index]
      switch probe.kind {
      case .refill: refill(probe)
      case .purged: purge(probe)
      case .brought: bring(probe)
      case .company: buyCompany(probe)
      case .bought, .refreshed:
        index = call(from: index)
        continue
      case .refused, .refreshRefused:
        index = refusals(from: index)
        continue
      default: step(probe, Step(gap: gap))
      }
      index += 1
    }
  }

  func outcome(_ name: String, requests: Int64) -> WhatIfOutcome {
    var counts = totals
    for ways in forks.values { counts += ways.counts }
    var outcome = WhatIfOutcome(name: name, products: policy)
    outcome.requests = requests
    outcome.calls = calls
    outcome.cost = counts.cost
    outcome.bought = counts.bought
    outcome.hits = counts.hits
    outcome.stale = counts.stale
    outcome.refused = counts.refused
    outcome.unanswered = counts.unanswered
    outcome.medianAge = age(0.5)
    outcome.highAge = age(0.95)
    addCut(to: &outcome)
    return outcome
  }

  func age(_ part: Double) -> Bounds? {
    guard let low = youngest.percentile(part), let high = oldest.percentile(part) else {
      return nil
    }
    return Bounds(low: low.lowerBound, high: high.upperBound)
  }

  // MARK: Steps

  mutating func refill(_ probe: Probe) {
    guard gap != .zero else { return }
    guard probe.link >= 0 else {
      // What was not spent in a window is not there in the next.
      gap = .zero
      return
    }
    let refill = demand.refills[Int(probe.link)]
    let recorded = refill.applied(to: probe.available)
    gap = Bounds(
      low: refill.applied(to: probe.available + gap.low) - recorded,
      high: refill.applied(to: probe.available + gap.high) - recorded)
  }

  mutating func purge(_ probe: Probe) {
    let purge = demand.purges[Int(probe.link)]
    shelves[Int(probe.resource)].apply(purge)
    for index in (forks[probe.resource] ?? []).indices {
      forks[probe.resource]?[index].shelf.apply(purge)
    }
  }

  /// The products of a recorded call. If all of them are bought under this policy too it is the same call. Each is decided
  /// as of when it was asked for.
  ///
  /// - Returns: the step after them.
  mutating func call(from start: Int) -> Int {
    guard demand.probes[start].link >= 0 else { return start + 1 }
    let call = demand.calls[Int(demand.purchases[Int(demand.probes[start].link)].call)]
    let end = start + call.items.count
    let probes = demand.probes[start..<end].map(\.asAsked)
    let verdicts = probes.map { buys($0) }
    let ways = probes.map { buysBehind($0) }
    let isSame = verdicts.allSatisfy { $0 == .yes } && isEnough(call.items.count, probes[0])
    let costs = isSame ? [] : self.costs(of: call, probes, verdicts)
    // Alone in its call, it costs what it cost.
    let isAsRecorded = isSame || (call.items.count == 1 && call.company.isEmpty)
    let before = gap
    var reserved: Int64 = 0
    for (index, probe) in probes.enumerated() {
      let purchase = demand.purchases[Int(probe.link)]
      var step = Step(purchase: purchase, reserved: reserved, gap: before)
      step.isSame = isSame
      step.cost = isAsRecorded ? purchase.cost : costs[index]
      self.step(probe, step)
      if verdicts[index] != .no { reserved += bound(probe.resource, call.contentSet) }
    }
    guard let first = verdicts.firstIndex(where: { $0 != .no }) else { return end }
    let probe = probes[first]
    let admitted = admits(
      probe, Step(purchase: demand.purchases[Int(probe.link)], reserved: 0, gap: before))
    if admitted != .no {
      count(
        call, ways, isSame: isSame, isSure: verdicts.contains(.yes) && admitted == .yes,
        at: demand.probes[start].time)
    }
    return end
  }

  /// Counts a recorded call: made as it was, or its products bought in other company.
  mutating func count(
    _ call: RecordedCall, _ isBehind: [Bool?], isSame: Bool, isSure: Bool, at time: Int64
  ) {
    guard call.company.isEmpty else {
      if isSure { lastCall = time }
      return
    }
    let attempts = Int64(call.attempts)
    let asRecorded = call.items.map { demand.purchases[Int($0)].isBehind }
    if isSame, zip(isBehind, asRecorded).allSatisfy({ $0 == $1 }) {
      // A purchase that is not on the record may have shared it.
      let shares = isNear(lastOwnCall, time)
      calls += Bounds(low: shares ? attempts - 1 : attempts, high: attempts)
      if shares { lastOwnCall = .min }
    } else {
      let isSplit = !isBehind.allSatisfy { $0 == true } && !isBehind.allSatisfy { $0 == false }
      let isAlone = isSure && !isNear(lastCall, time)
      calls += Bounds(low: isAlone ? 1 : 0, high: isSplit ? 2 * attempts : attempts)
      if isAlone { lastOwnCall = time }
    }
    if isSure { lastCall = time }
  }

  /// Whether two purchases may have been of one request, which decides and books within a second.
  func isNear(_ earlier: Int64, _ time: Int64) -> Bool {
    earlier != .min && time - earlier <= 1_000
  }

  /// Whether a read buys behind its answer; nil: nobody can tell.
  func buysBehind(_ probe: Probe) -> Bool? {
    guard !isForked[Int(probe.resource)] else { return nil }
    let shelf = shelves[Int(probe.resource)]
    let index = shelf.newest(covering: probe.wanted)
    guard index >= 0 else { return false }
    let low = usability(shelf[index], fetched: shelf[index].low, probe)
    return low == usability(shelf[index], fetched: shelf[index].high, probe) ? low == .grace : nil
  }

  /// Whether so many products like this one are sure to be let through.
  func isEnough(_ count: Int, _ probe: Probe) -> Bool {
    if gap.low >= 0 || probe.available == .max { return true }
    let needed = overdraft == .allow && kind.isBucket ? 1 : Int64(count) * bound(probe)
    return probe.available + gap.low >= needed
  }

  /// Whether a read buys, before the balance is asked.
  func buys(_ probe: Probe) -> Verdict {
    guard !isForked[Int(probe.resource)] else { return .perhaps }
    let shelf = shelves[Int(probe.resource)]
    let index = shelf.newest(covering: probe.wanted)
    guard index >= 0 else { return .yes }
    let low = usability(shelf[index], fetched: shelf[index].low, probe)
    let high = usability(shelf[index], fetched: shelf[index].high, probe)
    if low == .fresh && high == .fresh { return .no }
    return low != .fresh && high != .fresh ? .yes : .perhaps
  }

  /// The products that a request was refused together.
  mutating func refusals(from start: Int) -> Int {
    let before = gap
    var reserved: Int64 = 0
    var index = start
    let first = demand.probes[start]
    while index < demand.probes.count {
      let probe = demand.probes[index]
      guard probe.kind == first.kind, probe.link == first.link else { break }
      if buys(probe) != .no { reserved += bound(probe) }
      step(probe, Step(reserved: reserved - bound(probe), gap: before))
      index += 1
    }
    return index
  }

  func bound(_ probe: Probe) -> Int64 {
    bound(probe.resource, probe.wanted)
  }

  mutating func step(_ probe: Probe, _ step: Step) {
    let resource = Int(probe.resource)
    if !isForked[resource], answersAtOnce(probe, shelves[resource]) {
      if let cost = step.purchase?.cost {
        gap += cost
        hasParted = true
      }
      return
    }
    var step = step
    if step.purchase != nil,
      mayShare(demand.terms[resource].group, probe.resource, probe.time, with: lastOwnShared)
    {
      step.cost.low = 0
      step.isSame = false
    }
    let before = isForked[resource] ? forks[probe.resource] ?? [] : []
    ways.removeAll(keepingCapacity: true)
    if before.isEmpty { serve(ReplayFork(shelves[resource]), probe, step) }
    for var fork in before {
      fork.age = nil
      fork.hasCalled = false
      serve(fork, probe, step)
    }
    countRepeats(probe)
    countAges(probe)
    countCalls(probe)
    let (earlier, now) = (before.counts.cost, ways.counts.cost)
    let spent = Bounds(low: now.low - earlier.low, high: now.high - earlier.high)
    if let purchase = step.purchase {
      if !step.isSame { gap += purchase.cost - spent }
    } else {
      gap = gap - spent
    }
    if ways.count > 1 {
      hasParted = true
      ReplayFork.merge(&ways)
    }
    if ways.count == 1 {
      shelves[resource] = ways[0].shelf
      totals += ways[0].counts
      if !before.isEmpty { forks[probe.resource] = nil }
    } else {
      forks[probe.resource] = ways
    }
    isForked[resource] = ways.count > 1
  }

  /// The common case: the entry is there and fresh, whatever is not known about it.
  mutating func answersAtOnce(_ probe: Probe, _ shelf: ReplayShelf) -> Bool {
    guard probe.kind != .joined, probe.kind != .peek, repeats(probe) == 0 else { return false }
    let index = shelf.newest(covering: probe.wanted)
    guard index >= 0 else { return false }
    let held = shelf[index]
    guard probe.time >= held.high, usability(held, fetched: held.low, probe) == .fresh,
      held.low == held.high || usability(held, fetched: held.high, probe) == .fresh
    else { return false }
    let weight = Int64(probe.weight)
    totals.hits += Bounds(weight)
    if weight > 0 {
      youngest.add(milliseconds: probe.time - held.high, times: weight)
      oldest.add(milliseconds: probe.time - held.low, times: weight)
    }
    return true
  }

  /// How many of some reads, of which only the first and the last are known exactly, may have bought once more between
  /// the two: none, unless an entry is fresh for a shorter time than lies between them.
  func repeats(_ probe: Probe) -> Int64 {
    guard probe.weight > 1, probe.earliest < probe.time, probe.kind == .read else { return 0 }
    let known = demand.presence[Int(probe.resource)]
    let terms = demand.terms[Int(probe.resource)]
    var fresh = min(
      known == 2 ? .max : max(policy.present.fresh, terms.window?.least ?? 0),
      known == 1 ? .max : policy.absent.fresh)
    if probe.maximumAge >= 0 { fresh = min(fresh, probe.maximumAge) }
    let lateness = demand.lateness(terms)
    if terms.hasTurned(from: probe.earliest, to: probe.time, lateness: lateness) { fresh = 0 }
    return probe.time - probe.earliest < fresh ? 0 : Int64(probe.weight) - 1
  }

  mutating func countRepeats(_ probe: Probe) {
    let repeats = repeats(probe)
    guard repeats > 0 else { return }
    for index in ways.indices {
      ways[index].counts.cost.high += repeats * bound(probe)
      ways[index].counts.bought.high += repeats
    }
    calls.high += repeats
  }

  mutating func countAges(_ probe: Probe) {
    var age: Bounds?
    for way in ways {
      guard let other = way.age else { continue }
      age = age?.joined(other) ?? other
    }
    guard let age, probe.weight > 0 else { return }
    youngest.add(milliseconds: age.low, times: Int64(probe.weight))
    oldest.add(milliseconds: age.high, times: Int64(probe.weight))
  }

  /// Calls that are not on the record: products of one instant may have shared one.
  mutating func countCalls(_ probe: Probe) {
    let count = ways.count { $0.hasCalled }
    guard count > 0 else { return }
    let isSure = count == ways.count
    let isAlone = isSure && !isNear(lastCall, probe.time)
    calls += Bounds(low: isAlone ? 1 : 0, high: 1)
    hasParted = true
    if isSure { lastCall = probe.time }
    if isAlone { lastOwnCall = probe.time }
  }

  // MARK: One read, one way

  func usability(_ held: Held, fetched: Int64, _ probe: Probe) -> Usability {
    let now = Timestamp(milliseconds: probe.time)
    let instants = instants(held, fetched: fetched, probe.resource)
    // The sweeper removes it.
    if now >= instants.keepUntil { return .none }
    // What is still on its way when somebody asks is waited for, and is new when it comes.
    return Usability(
      fetched: min(Timestamp(milliseconds: fetched), now), instants, at: now,
      maximumAge: probe.maximumAge < 0 ? nil : probe.maximumAge)
  }

  func instants(_ held: Held, fetched: Int64, _ resource: Int32) -> FreshnessInstants {
    var windows = policy.windows(isPresent: held.isPresent)
    if held.isPresent {
      let terms = demand.terms[Int(resource)]
      windows.fresh = terms.fresh(
        windows.fresh, fetched: fetched, lateness: demand.lateness(terms),
        answer: demand.shortestAnswer)
    }
    var instants = windows.instants(fetched: Timestamp(milliseconds: fetched))
    if held.staleFrom != .max {
      let stale = Timestamp(milliseconds: held.staleFrom)
      instants.freshUntil = min(instants.freshUntil, stale)
      instants.graceUntil = min(instants.graceUntil, stale)
    }
    return instants
  }

  mutating func serve(_ fork: ReplayFork, _ probe: Probe, _ step: Step) {
    if probe.kind == .peek { return peek(fork, probe) }
    let index = fork.shelf.newest(covering: probe.wanted)
    guard index >= 0 else { return miss(fork, probe, step, known: nil) }
    let held = fork.shelf[index]
    let low = usability(held, fetched: held.low, probe)
    guard low == usability(held, fetched: held.high, probe) else {
      // Both ways, each with the times that lead to it.
      var (last, first) = (held.low, held.high)
      while last + 1 < first {
        let middle = last + (first - last) / 2
        if usability(held, fetched: middle, probe) == low { last = middle } else { first = middle }
      }
      var (older, newer) = (fork, fork)
      older.shelf[index].high = last
      newer.shelf[index].low = first
      serve(older, probe, step)
      serve(newer, probe, step)
      return
    }
    switch low {
    case .fresh:
      var fork = fork
      answer(&fork, probe, held)
      ways.append(fork)
    case .grace:
      var fork = fork
      answer(&fork, probe, held)
      if probe.time <= fork.shelf.busyUntil {
        ways.append(fork)
      } else {
        buy(fork, probe, step, known: held, isBehind: true)
      }
    default: miss(fork, probe, step, known: held)
    }
  }

  /// An answer from the cache, or from a purchase that is under way.
  func answer(_ fork: inout ReplayFork, _ probe: Probe, _ held: Held) {
    let weight = Int64(probe.weight)
    guard weight > 0 else { return }
    let hits = Bounds(low: weight - repeats(probe), high: weight)
    let age = Bounds(
      low: max(0, probe.time - held.high), high: max(0, probe.time - held.low))
    if held.isBehind, probe.time < held.high {
      // What it takes the place of still answers.
      let prior = held.prior < 0 ? age.high : max(0, probe.time - held.prior)
      fork.age = Bounds(low: probe.time < held.low ? prior : age.low, high: max(prior, age.high))
      fork.counts.hits += hits
    } else if probe.time < held.low || (probe.kind == .joined && held.link == probe.link) {
      fork.age = age
    } else if probe.time < held.high {
      fork.age = age
      fork.counts.hits += Bounds(low: 0, high: weight)
    } else {
      fork.age = age
      fork.counts.hits += hits
    }
  }

  mutating func peek(_ fork: ReplayFork, _ probe: Probe) {
    var fork = fork
    let weight = Int64(probe.weight)
    let index = fork.shelf.newest(covering: probe.wanted)
    var ranks = (low: 0, high: 0)
    if index >= 0, fork.shelf[index].isPresent {
      let held = fork.shelf[index]
      ranks = (rank(held, held.low, probe), rank(held, held.high, probe))
      if ranks.high > 0 {
        fork.age = Bounds(
          low: max(0, probe.time - held.high), high: max(0, probe.time - held.low))
      }
    }
    func bounds(_ rank: Int) -> Bounds {
      Bounds(
        low: ranks == (rank, rank) ? weight : 0,
        high: min(ranks.low, ranks.high) <= rank && rank <= max(ranks.low, ranks.high)
          ? weight : 0)
    }
    fork.counts.hits += bounds(2)
    fork.counts.stale += bounds(1)
    fork.counts.unanswered += bounds(0)
    ways.append(fork)
  }

  /// What a look finds: 2 fresh, 1 something, 0 nothing.
  func rank(_ held: Held, _ fetched: Int64, _ probe: Probe) -> Int {
    let now = Timestamp(milliseconds: probe.time)
    guard now < instants(held, fetched: fetched, probe.resource).keepUntil else { return 0 }
    guard probe.time >= fetched || held.isBehind else { return 0 }
    return usability(held, fetched: fetched, probe) == .fresh ? 2 : 1
  }

  mutating func miss(_ fork: ReplayFork, _ probe: Probe, _ step: Step, known: Held?) {
    let joins = probe.kind == .read || probe.kind == .joined
    if probe.kind == .failed || (joins && probe.time <= fork.shelf.busyUntil) {
      var fork = fork
      fallBack(&fork, probe, known, Bounds(Int64(probe.weight)))
      ways.append(fork)
    } else {
      buy(fork, probe, step, known: known, isBehind: false)
    }
  }

  /// Answers with what is past its time, if there is something.
  func fallBack(
    _ fork: inout ReplayFork, _ probe: Probe, _ known: Held?, _ weight: Bounds
  ) {
    var anyAge = probe
    anyAge.maximumAge = -1
    guard weight.high > 0 else { return }
    guard let known, usability(known, fetched: known.high, anyAge) != .none else {
      fork.counts.unanswered += weight
      return
    }
    fork.age = Bounds(
      low: max(0, probe.time - known.high), high: max(0, probe.time - known.low))
    if usability(known, fetched: known.low, anyAge) != .none {
      fork.counts.stale += weight
    } else {
      fork.counts.stale += Bounds(low: 0, high: weight.high)
      fork.counts.unanswered += Bounds(low: 0, high: weight.high)
    }
  }
}

extension [ReplayFork] {
  /// What was counted, whichever way it went.
  var counts: ReplayCounts {
    guard let first else { return ReplayCounts() }
    return dropFirst().reduce(first.counts) { $0.joined($1.counts) }
  }
}

extension Probe {
  /// At the time at which a purchase was asked for.
  fileprivate var asAsked: Probe {
    var probe = self
    probe.time = earliest
    return probe
  }
}

extension RecordedDemand {
  func lateness(_ terms: ResourceTerms) -> Int64 { lateness ?? terms.window?.lateness ?? 0 }

  /// Whether the upstream may have failed then.
  func isOut(at time: Int64) -> Bool { outages.contains { $0.contains(time) } }
}
