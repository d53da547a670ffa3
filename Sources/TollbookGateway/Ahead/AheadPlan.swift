import TollbookEvents
import TollbookViews

/// Which entries are bought ahead with what a bucket is going to lose, or a window allows: a pure choice.
struct AheadPlan: Sendable {
  /// An entry that may be bought ahead.
  struct Candidate: Sendable {
    var need: Need
    var fetched: Timestamp
    /// How likely it is of use.
    var chance: Double
  }

  /// One call's needs, those first that are most likely of use.
  var needs: [Need]
  /// What is in the cache of them is older than that, in milliseconds.
  var age: Int64
  /// The most that the call costs.
  var cost: Int64
}

extension AheadPlan {
  /// Orders candidates by how likely they are of use, and leaves out those that probably are not.
  static func ranked(_ candidates: [Candidate]) -> [Candidate] {
    candidates.filter { $0.chance >= ReadForecast.leastChance }.sorted { left, right in
      if left.chance != right.chance { return left.chance > right.chance }
      return left.need.resource?.description ?? "" < right.need.resource?.description ?? ""
    }
  }

  /// The first call of what is most likely of use and costs no more than is lost, or may be spent; nil: nothing does.
  ///
  /// - Parameters:
  ///   - candidates: ranked, those first that are bought first.
  ///   - lost: what may be spent on a meter.
  init?(
    _ candidates: [Candidate], for upstream: any Upstream, lost: Int64, on meter: MeterKey,
    at now: Timestamp
  ) {
    func bound(_ call: PlannedCall) -> PrefixCosts? {
      call.uses.first { $0.meter == meter }?.bounds
    }
    /// Whether it costs something that is lost anyway, and no more.
    func isAffordable(_ need: Need) -> Bool {
      guard let call = upstream.plan([need]).first, let bound = bound(call) else { return false }
      return bound.count == 1 && bound.first(1) <= Int128(lost)
    }
    let affordable = candidates.filter { isAffordable($0.need) }
    guard let first = affordable.first?.need else { return nil }
    let like = affordable.filter { $0.need.isLike(first) }
      .prefix(max(1, upstream.callSize(of: first.operation, parts: first.parts)))
    guard let call = upstream.plan(like.map(\.need)).first, let bound = bound(call) else {
      return nil
    }
    let count = call.isDivisible ? bound.count : 1
    let fits = (0...count).last { bound.first($0) <= Int128(lost) } ?? 0
    guard fits > 0 else { return nil }
    let chosen = call.places.prefix(fits).map { like[like.startIndex + $0] }
    needs = chosen.map(\.need)
    cost = Int64(clamping: bound.first(fits))
    let youngest = chosen.map(\.fetched).max() ?? now
    age = max(0, now.milliseconds - youngest.milliseconds - 1)
  }
}

extension AheadPlan {
  /// The calls that refresh what is due within what a window allows: that first which would cost readers the most, by how
  /// often it will be read and what a call for it costs.
  ///
  /// - Parameters:
  ///   - due: what is to be refreshed; each entry once.
  ///   - spendable: what may be spent on the meter.
  ///   - mostCalls: so many calls at the most.
  /// - Returns: the calls, and what no call can renew by itself.
  static func calls(
    for due: [HotKeys.Due], of upstream: any Upstream, on meter: MeterKey, spendable: Int64,
    mostCalls: Int, at now: Timestamp
  ) -> (plans: [AheadPlan], lasting: [HotKeys.Key]) {
    guard spendable > 0, mostCalls > 0 else { return ([], []) }
    var lasting: [HotKeys.Key] = []
    var worths: [(candidate: Candidate, worth: Double)] = []
    for entry in due {
      guard let need = upstream.renewal(of: entry.key.resource, parts: entry.key.parts),
        let use = upstream.plan([need]).first?.uses.first(where: { $0.meter == meter })
      else {
        lasting.append(entry.key)
        continue
      }
      // What has to be bought before is bought for somebody who asks.
      guard upstream.prerequisite(of: need.operation, at: now) == nil else { continue }
      let worth = entry.reads * Double(use.expected[0..<use.expected.count])
      worths.append((Candidate(need: need, fetched: entry.fetched, chance: 1), worth))
    }
    worths.sort { left, right in
      if left.worth != right.worth { return left.worth > right.worth }
      let names = (left.candidate.need.resource, right.candidate.need.resource)
      return names.0?.description ?? "" < names.1?.description ?? ""
    }
    var candidates = worths.map(\.candidate)
    var left = spendable
    var plans: [AheadPlan] = []
    while plans.count < mostCalls,
      let plan = AheadPlan(candidates, for: upstream, lost: left, on: meter, at: now)
    {
      plans.append(plan)
      left -= plan.cost
      let taken = Set(plan.needs.compactMap(\.resource))
      candidates.removeAll { $0.need.resource.map(taken.contains) ?? true }
    }
    return (plans, lasting)
  }
}
