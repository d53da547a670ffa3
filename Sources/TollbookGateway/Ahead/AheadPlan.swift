import TollbookEvents
import TollbookViews

/// Which entries are bought ahead with what a bucket is going to lose: a pure choice.
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
}

extension AheadPlan {
  /// Orders candidates by how likely they are of use, and leaves out those that probably are not.
  static func ranked(_ candidates: [Candidate]) -> [Candidate] {
    candidates.filter { $0.chance >= ReadForecast.leastChance }.sorted { left, right in
      if left.chance != right.chance { return left.chance > right.chance }
      return left.need.resource?.description ?? "" < right.need.resource?.description ?? ""
    }
  }

  /// The first call of what is most likely of use and costs no more than is lost; nil: nothing does.
  ///
  /// - Parameters:
  ///   - candidates: ranked.
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
    let youngest = chosen.map(\.fetched).max() ?? now
    age = max(0, now.milliseconds - youngest.milliseconds - 1)
  }
}
