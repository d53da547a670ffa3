package import TollbookEvents
package import TollbookLog
import Synchronization
import TollbookUpstreams
import TollbookViews

/// What a long list is expected to cost. Nothing is reserved or written for it, and others may spend before it does.
package struct DemandEstimate: Hashable, Sendable {
  /// Different resources that would be answered from the cache now.
  package var cached = 0
  /// Different resources that are to be bought.
  package var missing = 0
  /// What each portion of the list is expected to cost on the first meter of its calls.
  var portions: [Int64] = []
  /// The first meter of its calls; nil: nothing is to be bought, or nothing sells it.
  var meter: UpstreamMeter?

  package init() {}

  /// What all of it is expected to cost.
  package var units: Int64 { portions.reduce(0, &+) }
}

/// What an open job is still expected to cost, and when it will have ended.
package struct JobExpectation: Hashable, Sendable {
  /// What it has yet to buy, at most what is left of its limit.
  package var units: Int64
  package var unit: String
  /// When that will have arrived, if nobody spends beside the jobs that came before; nil: nobody knows.
  package var end: Timestamp?
  /// The meter that it counts on.
  var meter: MeterKey
}

extension Gateway {
  /// Looks what of a demand is cached, and adds up what its upstream's price list says of the rest. Buys nothing.
  ///
  /// A long list is read in portions, so that no read of the log lasts long.
  package func estimate(_ demand: ResourceDemand) async throws(LogError) -> DemandEstimate {
    var estimate = DemandEstimate()
    let purchaser = purchaser(of: demand.operation)
    var seen: Set<ResourceKey> = []
    var start = 0
    while start < demand.resources.count {
      let portion = demand.resources.dropFirst(start).prefix(PurchaseJob.portion)
      start += portion.count
      let resources = portion.filter { seen.insert($0).inserted && $0.isPossible }
      let missing = try missing(resources, demand)
      estimate.cached += resources.count - missing.count
      estimate.missing += missing.count
      var units: Int64 = 0
      if let purchaser, !missing.isEmpty {
        let needs = PurchaseOrder(missing, demand, settings).needs
        let model = purchaser.model
        for call in model.plan(needs) {
          guard let use = call.uses.first else { continue }
          units &+= use.expected[0..<use.expected.count]
          estimate.meter = model.meters.first { $0.key == use.meter }
        }
      }
      estimate.portions.append(units)
      // A long look lets others have their turn.
      await Task.yield()
    }
    return estimate
  }

  /// What of it ``answer(_:)`` would buy.
  private func missing(
    _ resources: [ResourceKey], _ demand: ResourceDemand
  ) throws(LogError) -> [ResourceKey] {
    let found = settings.isCacheOn ? try entries(resources, demand.parts) : [:]
    let now = log.time.now()
    return resources.filter { resource in
      switch found[resource].map({ Usability(of: $0, at: now, demand.age) }) {
      case .fresh?: false
      case .grace?: demand.behind != nil
      default: demand.age != .neverBuy
      }
    }
  }

  /// Says of a job what it is still expected to cost, behind those that came before it and draw on the same meter.
  ///
  /// - Parameter number: nil: it comes next.
  package func expect(
    _ units: Int64, of estimate: DemandEstimate, by number: Position? = nil
  ) -> JobExpectation? {
    guard let meter = estimate.meter else { return nil }
    let ahead = expectations.withLock { expectations in
      expectations.reduce(Int64(0)) { sum, other in
        guard other.value.meter == meter.key, other.key < number ?? .max else { return sum }
        return sum &+ other.value.units
      }
    }
    return JobExpectation(
      units: units, unit: meter.key.unit, end: instant(ofSpending: ahead &+ units, of: meter),
      meter: meter.key)
  }

  /// When so much of a meter could have been spent in the background; nil: nobody knows.
  private func instant(ofSpending units: Int64, of meter: UpstreamMeter) -> Timestamp? {
    let now = log.time.now()
    guard units > 0 else { return now }
    guard case .refillBucket(let bucket) = meter.rule else {
      let pages = meter.rule.windows(at: now).map { page(meter.key.inWindow($0.name)) }
      return meter.rule.available(on: pages, at: now) >= units ? now : nil
    }
    return bucket.instant(
      ofSpending: units, keeping: settings.interactiveReserve, on: page(meter.key), at: now)
  }
}

extension RefillBucket {
  /// When so much will have been spent by somebody who spends whatever comes, and leaves alone what is kept; nil: nobody
  /// knows, or that never comes.
  func instant(
    ofSpending amount: Int64, keeping reserve: Int64, on meter: Meter, at now: Timestamp
  ) -> Timestamp? {
    guard let reading = meter.reading, !meter.awaitsRestoreGap, reserve < capacity(of: reading)
    else { return nil }
    let (missing, isTooMuch) = amount.subtractingReportingOverflow(
      available(on: meter, at: now) &- reserve)
    guard !isTooMuch else { return nil }
    guard missing > 0 else { return now }
    guard reading.sureRefill > 0 else { return nil }
    let refills = (missing - 1) / reading.sureRefill
    guard refills < Self.mostTicks else { return nil }
    return refill(after: now, of: reading).advanced(byMilliseconds: refills * tick)
  }
}
