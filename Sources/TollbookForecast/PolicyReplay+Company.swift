import TollbookEvents
import TollbookGateway

// What is on the record whatever the windows are, and what the record does not tell one by one.

extension PolicyReplay {
  /// A call for what is bought under every policy. A purchase that is not on the record may have shared it.
  mutating func buyCompany(_ probe: Probe) {
    let call = demand.calls[Int(probe.link)]
    let attempts = Int64(call.attempts)
    let shares = mayShare(call.group, -1, probe.time, with: lastOwnShared)
    let cost = Bounds(low: shares ? 0 : call.fixed.low, high: call.fixed.high)
    totals.cost += cost
    gap += call.fixed - cost
    calls += Bounds(low: shares ? attempts - 1 : attempts, high: attempts)
    if shares { lastOwnShared[call.group] = nil }
    lastShared.note(call.group, -1, probe.time)
    lastCall = probe.time
  }

  /// An entry that came without being asked for comes under every policy.
  mutating func bring(_ probe: Probe) {
    let held = demand.brought[Int(probe.link)]
    shelves[Int(probe.resource)].put(held)
    for index in (forks[probe.resource] ?? []).indices {
      forks[probe.resource]?[index].shelf.put(held)
    }
  }

  /// Adds the reads of which nobody knows what they read. Where nothing has gone otherwise than recorded, they have not
  /// either; else each may have bought, or not.
  func addCut(to outcome: inout WhatIfOutcome) {
    let cut = demand.cut
    guard cut.all > 0 else { return }
    guard hasParted else {
      outcome.hits += Bounds(cut.fresh)
      outcome.stale += Bounds(cut.stale)
      outcome.unanswered += Bounds(cut.unmet)
      return
    }
    let any = Bounds(low: 0, high: cut.all)
    outcome.hits += any
    outcome.stale += any
    outcome.unanswered += any
    outcome.bought += any
    outcome.calls += any
    let (most, overflow) = cut.all.multipliedReportingOverflow(by: demand.dearest)
    outcome.cost.high += overflow ? .max / 4 : most
  }
}
