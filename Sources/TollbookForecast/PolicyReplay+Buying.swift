import TollbookEvents
import TollbookGateway

// What a policy buys, and what that does to its balance and its entries.

extension PolicyReplay {
  mutating func buy(
    _ fork: ReplayFork, _ probe: Probe, _ step: Step, known: Held?, isBehind: Bool
  ) {
    let verdict = admits(probe, step)
    if verdict != .no {
      if let purchase = step.purchase {
        buyAsRecorded(fork, probe, step, purchase, known: known, isBehind: isBehind)
      } else {
        buyAnew(fork, probe, known: known, isBehind: isBehind)
      }
    }
    if verdict != .yes {
      var fork = fork
      fork.shelf.busyUntil = max(fork.shelf.busyUntil, probe.time)
      if !isBehind {
        let weight = missed(probe, known)
        fork.counts.refused += weight
        fork.counts.hits += Bounds(low: 0, high: weight.high - weight.low)
        fallBack(&fork, probe, known, weight)
      }
      ways.append(fork)
    }
  }

  /// How many of the reads could not be answered: those after the entry had stopped being fresh.
  func missed(_ probe: Probe, _ known: Held?) -> Bounds {
    let weight = Int64(probe.weight)
    guard probe.earliest < probe.time, weight > 1, let known else { return Bounds(weight) }
    var first = probe
    first.time = probe.earliest
    return usability(known, fetched: known.high, first) == .fresh
      ? Bounds(low: 1, high: weight) : Bounds(weight)
  }

  func admits(_ probe: Probe, _ step: Step) -> Verdict {
    guard kind.isBucket else { return admitsInWindow(probe, step) }
    let bound = bound(probe)
    var available = probe.available
    if probe.kind == .refused || probe.kind == .refreshRefused {
      guard demand.refusals[Int(probe.link)].reason == .insufficientTokens, step.gap != .zero
      else { return .no }
      available = min(available, bound - 1)
    } else if available == .max || (step.purchase != nil && step.gap.low >= 0) {
      return .yes
    }
    let needed = overdraft == .allow ? 1 : step.reserved + bound
    if needed <= available + step.gap.low { return .yes }
    return needed > available + step.gap.high ? .no : .perhaps
  }

  /// The same of a limit of which the record does not tell what it had left at each instant: it is sure to admit what fits
  /// beside all that its window took later too.
  private func admitsInWindow(_ probe: Probe, _ step: Step) -> Verdict {
    if probe.kind == .refused || probe.kind == .refreshRefused {
      return demand.refusals[Int(probe.link)].isOfLimit && hasParted ? .perhaps : .no
    }
    if probe.available == .max || (step.purchase != nil && step.gap.low >= 0) { return .yes }
    return step.reserved + bound(probe) <= probe.available + step.gap.low ? .yes : .perhaps
  }

  mutating func buyAsRecorded(
    _ fork: ReplayFork, _ probe: Probe, _ step: Step, _ purchase: RecordedPurchase, known: Held?,
    isBehind: Bool
  ) {
    var fork = fork
    let call = demand.calls[Int(purchase.call)]
    fork.counts.cost += step.cost
    let group = demand.terms[Int(probe.resource)].group
    lastShared.note(group, probe.resource, probe.time)
    guard purchase.fetched != .min else {
      fork.shelf.busyUntil = max(fork.shelf.busyUntil, call.end)
      if !isBehind { fallBack(&fork, probe, known, Bounds(Int64(probe.weight))) }
      ways.append(fork)
      return
    }
    fork.counts.bought += Bounds(1)
    if !isBehind { fork.age = Bounds(0) }
    var held = Held(
      low: purchase.fetched, high: purchase.fetched, prior: known?.low ?? .min,
      link: probe.link, contentSet: purchase.contentSet, isPresent: purchase.isPresent,
      isBehind: isBehind)
    if hasParted, isBehind || purchase.isBehind {
      // What is bought behind an answer waits for what else its request buys.
      let (low, high) = answerTimes(probe.time, probe.time, isBehind: isBehind)
      held.low = min(held.low, low)
      held.high = max(held.high, high)
    }
    fork.shelf.put(held)
    ways.append(fork)
  }

  mutating func buyAnew(
    _ fork: ReplayFork, _ probe: Probe, known: Held?, isBehind: Bool
  ) {
    let bound = bound(probe)
    let group = demand.terms[Int(probe.resource)].group
    let begin = begin(probe, known)
    let shares = mayShare(group, probe.resource, begin, with: lastShared)
    lastShared.note(group, probe.resource, probe.time)
    lastOwnShared.note(group, probe.resource, probe.time)
    var called = fork
    called.hasCalled = true
    let others = max(0, Int64(probe.weight) - 1)
    if others > 0, !isBehind { called.counts.hits += Bounds(low: 0, high: others) }
    for isPresent in presence(of: probe.resource, at: probe.time) {
      var way = called
      way.counts.cost += Bounds(
        low: shares ? 0 : least(probe.resource, probe.wanted, isPresent), high: bound)
      way.counts.bought += Bounds(1)
      if !isBehind {
        way.age = Bounds(
          low: 0, high: others > 0 ? max(0, probe.time - (known?.low ?? probe.time)) : 0)
      }
      let (low, high) = answerTimes(begin, probe.time, isBehind: isBehind)
      way.shelf.put(
        Held(
          low: low, high: high,
          prior: known?.low ?? .min, contentSet: probe.wanted, isPresent: isPresent,
          isBehind: isBehind))
      ways.append(way)
    }
    if demand.isOut(at: probe.time) {
      var way = called
      way.counts.cost += Bounds(low: 0, high: bound)
      way.shelf.busyUntil = max(way.shelf.busyUntil, probe.time)
      if !isBehind { fallBack(&way, probe, known, Bounds(Int64(probe.weight))) }
      ways.append(way)
    }
  }

  /// When what is asked for between two instants may be there.
  func answerTimes(
    _ first: Int64, _ last: Int64, isBehind: Bool
  ) -> (low: Int64, high: Int64) {
    (first + demand.shortestAnswer, last + demand.longestAnswer * (isBehind ? 2 : 1))
  }

  /// When the purchase may have begun at the earliest: not before what is known stopped being fresh.
  func begin(_ probe: Probe, _ known: Held?) -> Int64 {
    guard probe.earliest < probe.time, let known else { return probe.earliest }
    var until = instants(known, fetched: known.low, probe.resource).freshUntil.milliseconds
    if probe.maximumAge >= 0 { until = min(until, known.low + probe.maximumAge) }
    return min(probe.time, max(probe.earliest, until))
  }

  /// Whether the upstream had the resource then: what the last purchase before and the first one after it say.
  func presence(of resource: Int32, at time: Int64) -> [Bool] {
    switch demand.presence[Int(resource)] {
    case 1: return [true]
    case 2: return [false]
    case 0: return [true, false]
    default:
      let changes = demand.presenceChanges[resource] ?? []
      var (low, high) = (0, changes.count)
      while low < high {
        let middle = (low + high) / 2
        if changes[middle].time <= time { low = middle + 1 } else { high = middle }
      }
      let before = low > 0 ? changes[low - 1].isPresent : nil
      let after = low < changes.count ? changes[low].isPresent : nil
      guard let known = before ?? after, known == after ?? known else { return [true, false] }
      return [known]
    }
  }
}
