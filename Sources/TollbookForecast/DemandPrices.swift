import TollbookEvents
import TollbookGateway

// What purchases cost that are not on the record.

extension RecordedDemand {
  /// What of a call's cost stays whatever the windows are: what its company would have cost without its items.
  func fixedCost(of call: RecordedCall, _ kind: WhatIfKind) -> Bounds {
    guard !call.company.isEmpty else { return .zero }
    guard !call.items.isEmpty, call.hasSucceeded else { return call.cost }
    switch kind.prices {
    case .calls(let price, _):
      let alone = price(call.company, Timestamp(milliseconds: call.start))
      return alone.map { Bounds(min($0, call.cost.low)) } ?? call.cost
    case .each, .recorded:
      let all = Int64(call.company.count + call.items.count)
      return Bounds(call.cost.low / all * Int64(call.company.count))
    }
  }

  /// Puts down what each resource costs if it is bought alone.
  mutating func price(_ kind: WhatIfKind) {
    switch kind.prices {
    case .each(let bound, _): dearest = purchases.map { bound($0.contentSet) }.max() ?? 0
    case .calls(let price, _):
      // The price list may have changed meanwhile.
      let times = probes.lazy.filter { $0.resource >= 0 }.map(\.time)
      let ends = [times.min() ?? 0, times.max() ?? 0].map { Timestamp(milliseconds: $0) }
      let most = calls.map(\.cost.high).max() ?? 0
      for index in terms.indices {
        let prices = ends.compactMap { price([names[index]], $0) }
        terms[index].price = Bounds(
          low: prices.count == 2 ? prices.min() ?? 0 : 0, high: prices.max() ?? most)
      }
      dearest = terms.map(\.price.high).max() ?? 0
    case .recorded: priceByRecord()
    }
  }

  private mutating func priceByRecord() {
    var known: [Int32: Bounds] = [:]
    var any: Bounds?
    for purchase in purchases where purchase.fetched != .min {
      let call = calls[Int(purchase.call)]
      guard call.hasSucceeded, call.attempts == 1 else { continue }
      known[purchase.resource] =
        known[purchase.resource].map { $0.joined(purchase.cost) } ?? purchase.cost
      any = any.map { $0.joined(purchase.cost) } ?? purchase.cost
    }
    for index in terms.indices { terms[index].price = known[Int32(index)] ?? any ?? .zero }
    dearest = any?.high ?? 0
  }
}

extension PolicyReplay {
  /// The most that a resource with some parts may cost.
  func bound(_ resource: Int32, _ parts: UInt64) -> Int64 {
    switch kind.prices {
    case .each(let bound, _): bound(parts)
    case .calls, .recorded: demand.terms[Int(resource)].price.high
    }
  }

  /// The least that it costs, whether the upstream has it or not.
  func least(_ resource: Int32, _ parts: UInt64, _ isPresent: Bool) -> Int64 {
    switch kind.prices {
    case .each(_, let least): least(parts, isPresent)
    case .calls, .recorded: demand.terms[Int(resource)].price.low
    }
  }

  /// What the items of a recorded call cost that is not made as it was.
  ///
  /// - Parameter verdicts: of each item whether it is bought.
  func costs(of call: RecordedCall, _ probes: [Probe], _ verdicts: [Verdict]) -> [Bounds] {
    guard call.hasSucceeded, call.attempts == 1 else {
      return probes.map { _ in Bounds(low: 0, high: max(0, call.cost.high - call.fixed.low)) }
    }
    guard case .calls(let price, _) = kind.prices else {
      return probes.map { cost(of: $0, in: call, probes) }
    }
    let sure = probes.indices.filter { verdicts[$0] == .yes }
    let possible = probes.indices.filter { verdicts[$0] == .perhaps }
    if sure.isEmpty, possible.count == 1, call.company.isEmpty {
      let terms = demand.terms[Int(probes[possible[0]].resource)]
      return probes.indices.map { verdicts[$0] == .no ? .zero : terms.price }
    }
    // What is sure is bought in one call with the company; what joins it makes that no cheaper, and no dearer than it is
    // alone.
    let names = call.company + sure.map { demand.names[Int(probes[$0].resource)] }
    let whole =
      names.isEmpty ? 0 : price(names, Timestamp(milliseconds: call.start)) ?? call.cost.high
    let shares = allot(
      max(0, whole - call.fixed.low), over: Array(repeating: 1, count: sure.count))
    var costs = Array(repeating: Bounds.zero, count: probes.count)
    for (place, share) in zip(sure, shares) { costs[place] = Bounds(share) }
    for place in possible {
      costs[place] = Bounds(low: 0, high: demand.terms[Int(probes[place].resource)].price.high)
    }
    return costs
  }

  /// Its own price lies within the list's, and leaves for the others what theirs can be.
  private func cost(of probe: Probe, in call: RecordedCall, _ probes: [Probe]) -> Bounds {
    let purchase = demand.purchases[Int(probe.link)]
    let cost = call.cost - call.fixed
    var others = Bounds.zero
    for other in probes where other.link != probe.link {
      others += Bounds(
        low: least(other.resource, call.contentSet, false),
        high: bound(other.resource, call.contentSet))
    }
    let least = least(probe.resource, call.contentSet, purchase.isPresent)
    let low = max(min(least, cost.low), cost.low - others.high)
    let high = min(bound(probe.resource, call.contentSet), cost.high - others.low)
    return Bounds(low: low, high: max(low, high))
  }

  /// Whether a purchase may have shared a call with one of something else before it.
  ///
  /// - Parameter time: when it began at the earliest.
  func mayShare(
    _ group: Int32, _ resource: Int32, _ time: Int64, with last: [Int32: SharedPurchase]
  ) -> Bool {
    guard group >= 0, let earlier = last[group]?.time(ofOtherThan: resource) else { return false }
    // Who waits for the calls that are out may be taken together with others.
    return time - earlier <= min(1_000, max(50, demand.longestAnswer))
  }
}

/// The last purchases of a group of what may share a call.
struct SharedPurchase: Sendable {
  private var resource: Int32
  private var time: Int64
  /// Of the last one of another resource.
  private var before: Int64?

  /// - Parameter resource: negative: what is bought under every policy.
  init(_ resource: Int32, _ time: Int64, after last: SharedPurchase?) {
    self.resource = resource
    self.time = time
    before = last.flatMap { $0.resource == resource ? $0.before : $0.time }
  }

  func time(ofOtherThan resource: Int32) -> Int64? { resource == self.resource ? before : time }
}

extension [Int32: SharedPurchase] {
  mutating func note(_ group: Int32, _ resource: Int32, _ time: Int64) {
    guard group >= 0 else { return }
    self[group] = SharedPurchase(resource, time, after: self[group])
  }
}
