import TollbookEvents
import TollbookUpstreams

@testable import TollbookGateway

/// An upstream on a meter of weight a minute. A resource's path begins with what it weighs; up to three go into a call.
struct HotUpstream: Upstream {
  static let kind = "hot.thing"
  static let meter = MeterKey(owner: "hot:address", unit: "weight")

  /// What a minute holds.
  var limit: Int64 = 1_000
  /// Paths that no call renews by itself.
  var lasting: Set<String> = []

  var name: String { "hot" }
  var title: String { "Hot" }
  var credentials: [String] { ["hot:address"] }
  var kinds: [ResourceKind] { [] }
  var rule: MeterRule { .clockWindow(ClockWindow(length: 60_000, limit: limit)) }
  var meters: [UpstreamMeter] { [UpstreamMeter(Self.meter, rule, doubt: .atWindowEnd)] }

  static func resource(_ number: Int, weight: Int64 = 1) -> ResourceKey {
    ResourceKey(shared: kind, path: "\(weight)/\(number)")
  }

  static func weight(_ resource: ResourceKey?) -> Int64 {
    resource.flatMap { $0.path.split(separator: "/").first }.flatMap { Int64($0) } ?? 0
  }

  func callSize(of operation: String, parts: UInt64) -> Int { 3 }

  func renewal(of resource: ResourceKey, parts: UInt64) -> Need? {
    lasting.contains(String(resource.path)) ? nil : Need("hot.get", resource, parts: parts)
  }

  func plan(_ needs: [Need]) -> [PlannedCall] {
    stride(from: 0, to: needs.count, by: 3).map { start in
      let places = Array(start..<min(start + 3, needs.count))
      let costs = PrefixCosts(each: places.map { Self.weight(needs[$0].resource) })
      return PlannedCall(
        needs: places.map { needs[$0] }, places: places,
        uses: [MeterUse(Self.meter, rule, bounds: costs)])
    }
  }

  func perform(
    _ call: PlannedCall, with credential: String, within limit: Duration
  ) async -> Exchange {
    let failure = UpstreamFailure(.notSent, detail: "nothing is sent here", charge: .none)
    return Exchange(.failure(failure), duration: .zero)
  }
}
