import Algorithms
package import TollbookEvents
import TollbookLog
import TollbookUpstreams
package import TollbookViews

/// What would become of a demand, without buying anything: what is cached, what would be bought, and what that costs.
package struct DemandPreview: Sendable {
  package enum Fate: Sendable {
    /// It would be answered from the cache.
    case cached(CacheEntry)
    /// It is not cached, and would not be bought.
    case unknown
    /// It would be bought.
    case bought
    /// It would not be bought, and why; the entry answers, marked stale, if there is one.
    case refused(PurchaseProblem, CacheEntry?)
  }

  /// What all calls together would take of the meters of one unit.
  package struct Cost: Hashable, Sendable {
    package var unit: String
    package var expected: Int64
    /// What would be reserved.
    package var atMost: Int64

    package init(unit: String, expected: Int64, atMost: Int64) {
      self.unit = unit
      self.expected = expected
      self.atMost = atMost
    }
  }

  /// One for each different resource, in the order of the demand.
  package var fates: [(resource: ResourceKey, fate: Fate)]
  /// How many calls would be made.
  package var calls: Int
  package var costs: [Cost]
  /// What it reflects.
  package var position: Position
  package var now: Timestamp
}

extension Gateway {
  /// Says what ``answer(_:)`` would do now. Nothing is bought, reserved, counted or written.
  ///
  /// What others have under way is not seen: what they bring by then is not bought twice.
  package func preview(_ demand: ResourceDemand) -> Result<DemandPreview, PurchaseProblem> {
    let resources = Array(demand.resources.uniqued())
    let now = log.time.now()
    let found: [ResourceKey: CacheEntry]
    do throws(LogError) {
      found = settings.isCacheOn ? try entries(resources, demand.parts) : [:]
    } catch { return .failure(PurchaseProblem(error)) }
    var fates: [ResourceKey: DemandPreview.Fate] = [:]
    var missing: [ResourceKey] = []
    for resource in resources {
      if let problem = demand.principal.problem(with: resource) {
        fates[resource] = .refused(problem, nil)
        continue
      }
      let entry = found[resource]
      let usability = entry.map { Usability(of: $0, at: now, demand.age) }
      if let entry, usability == .fresh || usability == .grace || demand.age == .neverBuy {
        fates[resource] = .cached(entry)
      } else if demand.age == .neverBuy {
        fates[resource] = .unknown
      } else {
        missing.append(resource)
      }
    }
    var preview = DemandPreview(position: log.head, now: now)
    func refuse(_ resource: ResourceKey, _ problem: PurchaseProblem) {
      let entry = found[resource].flatMap {
        Usability(of: $0, at: now, .windows) == .none ? nil : $0
      }
      fates[resource] = .refused(problem, entry)
    }
    if !missing.isEmpty {
      if let purchaser = purchaser(of: demand.operation) {
        switch purchaser.preview(PurchaseOrder(missing, demand, settings)) {
        case .failure(let problem): for resource in missing { refuse(resource, problem) }
        case .success(let decision):
          preview.count(decision)
          for resource in missing { fates[resource] = .bought }
          for refused in decision.refused {
            let problem = PurchaseProblem(refused.refusal, purchaser.upstream.title)
            for place in refused.places { refuse(missing[place], problem) }
          }
        }
      } else {
        for resource in missing { refuse(resource, notConfigured(demand.operation)) }
      }
    }
    preview.fates = resources.compactMap { resource in fates[resource].map { (resource, $0) } }
    return .success(preview)
  }
}

extension Gateway {
  /// Says what ``pass(_:_:for:)`` would do now, as ``preview(_:)`` does.
  package func preview(
    passing request: PassedRequest, by operation: String, for demand: ResourceDemand
  ) -> Result<DemandPreview, PurchaseProblem> {
    guard let purchaser = purchaser(of: operation) else {
      return .failure(notConfigured(operation))
    }
    var order = PurchaseOrder([], demand, settings)
    order.needs = [Need(operation, nil, parts: demand.parts, request: request)]
    return purchaser.preview(order).flatMap { decision in
      if let refused = decision.refused.first {
        return .failure(PurchaseProblem(refused.refusal, purchaser.upstream.title))
      }
      var preview = DemandPreview(position: log.head, now: log.time.now())
      preview.count(decision)
      return .success(preview)
    }
  }
}

extension DemandPreview {
  /// Of nothing.
  package init(position: Position, now: Timestamp) {
    self.init(fates: [], calls: 0, costs: [], position: position, now: now)
  }

  /// Takes in what would become of another demand of the same request.
  package mutating func add(_ other: DemandPreview) {
    let known = Set(fates.map(\.resource))
    fates += other.fates.filter { !known.contains($0.resource) }
    calls += other.calls
    for cost in other.costs {
      if let place = costs.firstIndex(where: { $0.unit == cost.unit }) {
        costs[place].expected &+= cost.expected
        costs[place].atMost &+= cost.atMost
      } else {
        costs.append(cost)
      }
    }
    position = max(position, other.position)
    now = other.now
  }

  fileprivate mutating func count(_ decision: BatchDecision) {
    calls = decision.started.count
    for move in decision.started.flatMap(\.moves) where !move.limitOnly {
      if let place = costs.firstIndex(where: { $0.unit == move.meter.unit }) {
        costs[place].expected &+= move.expected
        costs[place].atMost &+= move.amount
      } else {
        costs.append(Cost(unit: move.meter.unit, expected: move.expected, atMost: move.amount))
      }
    }
  }
}

extension Purchaser {
  /// What would be decided about an order now.
  fileprivate func preview(_ order: PurchaseOrder) -> Result<BatchDecision, PurchaseProblem> {
    let status = status
    if status.state == .paused {
      return .failure(
        .paused(upstream.title, until: status.pausedUntil ?? log.time.now()))
    }
    let now = log.time.now()
    let (cache, books) = (cache, books)
    let batch = PurchaseQueue.Batch(previewing: order)
    let command = ReserveCommand(
      batch: batch, upstream: upstream.name, members: members(for: batch), draw: random(),
      elsewhere: taken(for: batch, at: now), budgetReserve: settings.budgetReserve,
      isCacheOn: settings.isCacheOn, storageAdmits: storageAdmits,
      mostBudgetValues: settings.mostBudgetValues, now: now)
    do throws(LogError) {
      let decision = try log.read { (state) throws(LogError) in
        try command.decide(cache, books, state, next: 1)
      }
      switch decision.answer {
      case .decided(let decided): return .success(decided)
      case .keyRejected(_, let detail):
        return .failure(
          PurchaseProblem(.keyRejected, "\(upstream.title) refuses the key: \(detail)"))
      case .needsReading:
        return .failure(
          PurchaseProblem(
            .upstreamUnavailable,
            "what is left at \(upstream.title) is not known yet; the first"
              + " purchase asks for it"))
      }
    } catch { return .failure(PurchaseProblem(error)) }
  }
}
