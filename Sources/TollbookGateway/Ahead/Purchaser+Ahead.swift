import Synchronization
import TollbookEvents
import TollbookLog
import TollbookViews

// Buying ahead: with what a bucket is about to lose, entries are bought again that will probably be read.

extension Purchaser {
  /// What became of one look.
  enum AheadTurn: Hashable, Sendable {
    /// Nothing was bought, and why.
    case nothing(String)
    case bought(Int)
    case failed(String)
  }

  /// Between two looks, in milliseconds: one finds the time in which it is spent, with enough of it left to ask for the
  /// balance.
  static let aheadInterval: Int64 = AheadPace.room / 3
  /// The most entries that are looked at, those first that stop being fresh first.
  static let mostCandidates = 2_000

  /// Spends on one call what would be lost at the next refill, if nobody wants anything.
  func buyAhead(into reads: AheadReads) async -> AheadTurn {
    if let reason = reasonNotToBuyAhead { return .nothing(reason) }
    let model = model
    guard let bucket = model.meters.first(where: { $0.rule.limit == nil }) else {
      return .nothing("nothing is lost at \(upstream.title)")
    }
    guard lost(of: bucket) > 0 else { return .nothing("nothing is lost") }
    let candidates = AheadPlan.ranked(candidates())
    guard !candidates.isEmpty else { return .nothing("nothing will probably be read") }
    // Others may spend from the same bucket: it is looked into before.
    note(await watch(of: model).refresh(evenIfRead: false))
    let now = log.time.now()
    guard isReadingYoung(of: bucket, at: now) else { return .nothing("the balance is not known") }
    if let reason = reasonNotToBuyAhead { return .nothing(reason) }
    let lost = lost(of: bucket)
    guard lost > 0,
      let plan = AheadPlan(candidates, for: model, lost: lost, on: bucket.key, at: now)
    else { return .nothing("nothing is lost") }
    let order = order(for: plan, limit: lost, deadline: settings.answerTimeout)
    reads.begin(after: log.head)
    let began = clock.monotonic
    let purchases = await buy(order)
    let took = clock.monotonic - began
    let written = written(by: purchases, of: plan)
    reads.bought(written)
    if let problem = purchases.lazy.compactMap(\.problem).first { return .failed(problem.detail) }
    aheadPace.withLock { $0.note(took) }
    return .bought(written.count)
  }

  /// What buys the needs of a plan.
  ///
  /// - Parameters:
  ///   - limit: the most that it may cost.
  ///   - deadline: in milliseconds from now.
  func order(for plan: AheadPlan, limit: Int64, deadline: Int64) -> PurchaseOrder {
    var demand = Demand()
    demand.account = settings.account
    demand.tags = [AheadReads.tag]
    demand.refresh = .ahead
    demand.contentSet = plan.needs.first?.parts ?? 0
    let age = AgeLimit.fetched(plan.age)
    demand.ageBasis = age.basis
    if let seconds = age.seconds { demand.maxAgeSeconds = seconds }
    var order = PurchaseOrder(
      needs: plan.needs, demand: demand, age: age, limit: limit, deadline: deadline)
    order.isAhead = true
    order.isBackground = true
    return order
  }

  /// What purchases have brought, by the positions that wrote it: until when it is fresh.
  func written(by purchases: [Purchase], of plan: AheadPlan) -> [Position: Timestamp] {
    let cache = cache
    let written = try? log.read { (transaction) throws(LogError) in
      var written: [Position: Timestamp] = [:]
      for (need, purchase) in zip(plan.needs, purchases) {
        guard case .written(_, let position) = purchase.end, let resource = need.resource else {
          continue
        }
        let entry = try cache.entry(resource, covering: need.parts, in: transaction)
        // What is gone again nobody will read.
        let isThere = entry?.written == position
        written[position] = isThere ? entry?.freshUntil : Timestamp(milliseconds: 0)
      }
      return written
    }
    return written ?? [:]
  }

  /// Why nothing is bought ahead now, whatever would be lost; nil: it may be.
  private var reasonNotToBuyAhead: String? {
    reasonToWait ?? (isQueueIdle ? nil : "somebody waits")
  }

  private var isQueueIdle: Bool { state.withLock { $0.queue.isIdle } }

  /// Why nothing is bought that nobody has asked for, whoever waits; nil: it may be.
  var reasonToWait: String? {
    guard settings.isCacheOn else { return "the cache is off" }
    guard storageAdmits else { return "storage is full" }
    if let ahead = try? log.clockAhead() { return "\(ahead)" }
    let status = status
    guard status.state == .ready else { return "\(upstream.title) is \(status.state.rawValue)" }
    let clock = clock
    return state.withLock { state in
      if state.queue.isStopping { return "Tollbook is shutting down" }
      if let cooling = state.queue.cooling, clock.monotonic < cooling.until {
        return "\(upstream.title) has refused a call"
      }
      return nil
    }
  }

  private func page(of meter: UpstreamMeter) -> Meter? {
    (try? log.readPages([meter.key], ledger))?[meter.key]
  }

  /// What a bucket loses at the next refill, if it is time to spend that; 0 if nobody knows.
  private func lost(of meter: UpstreamMeter) -> Int64 {
    let now = log.time.now()
    let pace = aheadPace.withLock { $0 }
    return page(of: meter).flatMap { meter.rule.level(on: $0, at: now) }?
      .lost(from: now, after: pace.landing, within: pace.lead) ?? 0
  }

  /// Whether the balance was told so short a while ago that nobody else is likely to have spent much of it.
  private func isReadingYoung(of meter: UpstreamMeter, at now: Timestamp) -> Bool {
    guard let reading = page(of: meter)?.reading else { return false }
    let age = now.milliseconds - reading.observed.milliseconds
    return (0...settings.balanceInterval).contains(age)
  }

  /// What calls that are made ahead leave in the upstream's buckets, and in the windows that they may spend of.
  func keptAhead(at now: Timestamp) -> [MeterKey: Int64] {
    var kept: [MeterKey: Int64] = [:]
    for meter in members.upstreams.flatMap(\.meters) {
      guard let ahead = meter.ahead else { continue }
      kept[meter.key.inWindow(meter.rule.window(at: now).name)] = ahead.reserve
    }
    let lead = aheadPace.withLock { $0.lead }
    for meter in members.upstreams.flatMap(\.meters) where meter.rule.limit == nil {
      let level = page(of: meter).flatMap { meter.rule.level(on: $0, at: now) }
      // More than any bucket holds: nothing may be spent.
      kept[meter.key] = level?.kept(from: now, within: lead) ?? 1 << 60
    }
    return kept
  }

  /// Entries that stop being fresh before long and can be bought again.
  private func candidates() -> [AheadPlan.Candidate] {
    let now = log.time.now()
    let windows = Dictionary(
      upstream.kinds.map { ($0.name, $0.freshness.present.fresh) }
    ) { first, _ in first }
    // What has more than half of its time before it is left alone.
    let horizon = (windows.values.max() ?? 0) / 2
    let (cache, upstream) = (cache, upstream)
    let entries = try? log.read { (transaction) throws(LogError) in
      try cache.dueEntries(
        after: now, through: now.advanced(byMilliseconds: horizon), limit: Self.mostCandidates,
        in: transaction)
    }
    return (entries ?? []).compactMap { entry in
      guard !entry.isMarkedExpired, let fresh = windows[entry.resource.kind],
        let chance = ReadForecast.chance(of: entry, fresh: fresh, at: now),
        let need = upstream.renewal(of: entry.resource, parts: entry.contentSet)
      else { return nil }
      return AheadPlan.Candidate(need: need, fetched: entry.fetched, chance: chance)
    }
  }
}
