package import Hummingbird
import JSONText
import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookViews
package import TollbookGateway

/// What a request may buy after its first demand, as what comes of that one wants.
package struct DryRunSequel: Sendable {
  package var demand: ResourceDemand
  /// Whether it is known already that it will be asked for.
  package var isCertain: Bool

  package init(demand: ResourceDemand, isCertain: Bool) {
    self.demand = demand
    self.isCertain = isCertain
  }
}

extension HTTPService {
  /// The answer to a request that asks what would happen (`Tollbook-Dry-Run: 1`): for each resource whether it is cached,
  /// would be bought or refused, and what the calls would take at most and probably. Buys nothing.
  ///
  /// - Parameter sequel: what may be bought after that: of both together the answer tells the most that they take.
  /// - Returns: nil if the request does not ask that.
  package func dryRun(
    _ demand: ResourceDemand, then sequel: DryRunSequel? = nil, _ headers: HTTPFields
  ) throws(Problem) -> Response? {
    guard try Self.isDryRun(headers) else { return nil }
    var both = DryRun(preview: try preview(demand))
    if let sequel { both.add(try preview(sequel.demand), isCertain: sequel.isCertain) }
    return both.response
  }

  private func preview(_ demand: ResourceDemand) throws(Problem) -> DemandPreview {
    switch gateway.preview(demand) {
    case .failure(let problem):
      throw Problem(.storageFailed, problem.detail).retrying(after: 5)
    case .success(let preview): return preview
    }
  }

  /// The same for a request that makes several demands, one after the other.
  package func dryRun(_ demands: [ResourceDemand]) throws(Problem) -> Response {
    var whole = DemandPreview(position: log.head, now: log.time.now())
    for var demand in demands {
      // What the request may cost holds for all of it.
      let spent = whole.costs.reduce(0) { $0 &+ $1.expected }
      demand.limit = demand.limit.map { max(0, $0 &- spent) }
      whole.add(try preview(demand))
    }
    return DryRun(preview: whole).response
  }

  /// The same for a call that is sent on as it is.
  package func dryRun(
    passing request: PassedRequest, by operation: String, for demand: ResourceDemand
  ) throws(PurchaseProblem) -> Response {
    DryRun(
      preview: try gateway.preview(passing: request, by: operation, for: demand).get()
    ).response
  }

  /// Whether a request only asks what would happen.
  package static func isDryRun(_ headers: HTTPFields) throws(Problem) -> Bool {
    guard let text = headers[.dryRun] else { return false }
    guard text == "1" else {
      throw Problem(
        .invalidParameter, "Tollbook-Dry-Run is “\(text.prefix(100))”; it is 1, or left out",
        field: "Tollbook-Dry-Run")
    }
    return true
  }
}

/// What would become of a demand, and of what may come after it.
private struct DryRun {
  var preview: DemandPreview
  /// Resources that are bought only if what comes before calls for it.
  var possible: [(resource: ResourceKey, fate: DemandPreview.Fate)] = []

  mutating func add(_ next: DemandPreview, isCertain: Bool) {
    if isCertain {
      preview.fates += next.fates
      preview.calls += next.calls
    } else {
      possible = next.fates
    }
    for cost in next.costs {
      let expected = isCertain ? cost.expected : 0
      if let place = preview.costs.firstIndex(where: { $0.unit == cost.unit }) {
        preview.costs[place].expected &+= expected
        preview.costs[place].atMost &+= cost.atMost
      } else {
        preview.costs.append(
          DemandPreview.Cost(unit: cost.unit, expected: expected, atMost: cost.atMost))
      }
    }
  }

  var response: Response {
    let fates = preview.fates
    let rows = fates.map { ($0, "would_buy") } + possible.map { ($0, "may_buy") }
    let capacity = 256 * (rows.count + 2)
    var response = Response.object(position: preview.position, capacity: capacity) { json in
      json.field("dry_run", true)
      json.array("resources", rows) { json, item in
        let (row, bought) = item
        json.object { json in
          json.field("key", row.resource.description)
          switch row.fate {
          case .cached(let entry): write("cached", entry, nil, &json)
          case .unknown: write("not_cached", nil, nil, &json)
          case .bought: write(bought, nil, nil, &json)
          case .refused(let problem, let entry):
            write(entry == nil ? "refused" : "stale", entry, problem, &json)
          }
        }
      }
      json.object("stats") { json in
        json.field("requested", fates.count)
        json.field("cached", count { if case .cached = $0 { true } else { false } })
        json.field("would_buy", count { if case .bought = $0 { true } else { false } })
        json.field("refused", count { if case .refused = $0 { true } else { false } })
        if !possible.isEmpty {
          let bought = possible.count { if case .bought = $0.fate { true } else { false } }
          json.field("may_buy", bought)
        }
        json.field("calls", preview.calls)
        json.array("costs", preview.costs) { json, cost in
          json.object { json in
            json.field("unit", cost.unit)
            json.amount("expected", cost.expected, cost.unit)
            json.amount("at_most", cost.atMost, cost.unit)
          }
        }
      }
    }
    response.headers[.charge] = "0"
    return response
  }

  private func count(_ isMeant: (DemandPreview.Fate) -> Bool) -> Int {
    preview.fates.count { isMeant($0.fate) }
  }

  private func write(
    _ state: String, _ entry: CacheEntry?, _ problem: PurchaseProblem?, _ json: inout JSONWriter
  ) {
    json.field("state", state)
    json.field("fetched_at", entry?.fetched)
    json.field("expires_at", entry?.freshUntil)
    json.field("reason", problem?.reason.rawValue)
    json.field("detail", problem?.detail)
    problem?.budget?.write(to: &json)
    json.field("retry_at", problem?.retryAt)
  }
}
