package import Hummingbird
import JSONText
import TollbookEvents
import TollbookLog
import TollbookViews
package import TollbookGateway

extension HTTPService {
  /// The answer to a request that asks what would happen (`Tollbook-Dry-Run: 1`): for each resource whether it is cached,
  /// would be bought or refused, and what the calls would take at most and probably. Buys nothing.
  ///
  /// - Returns: nil if the request does not ask that.
  package func dryRun(
    _ demand: ResourceDemand, _ headers: HTTPFields
  ) throws(Problem) -> Response? {
    guard try Self.isDryRun(headers) else { return nil }
    return try dryRun([demand])
  }

  /// The same for a request that makes several demands, one after the other.
  package func dryRun(_ demands: [ResourceDemand]) throws(Problem) -> Response {
    var whole = DemandPreview(position: log.head, now: log.time.now())
    for var demand in demands {
      // What the request may cost holds for all of it.
      let spent = whole.costs.reduce(0) { $0 &+ $1.expected }
      demand.limit = demand.limit.map { max(0, $0 &- spent) }
      switch gateway.preview(demand) {
      case .failure(let problem):
        throw Problem(.storageFailed, problem.detail).retrying(after: 5)
      case .success(let preview): whole.add(preview)
      }
    }
    return whole.response
  }

  /// The same for a call that is sent on as it is.
  package func dryRun(
    passing request: PassedRequest, by operation: String, for demand: ResourceDemand
  ) throws(PurchaseProblem) -> Response {
    try gateway.preview(passing: request, by: operation, for: demand).get().response
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

extension DemandPreview {
  fileprivate var response: Response {
    var response = Response.object(position: position, capacity: 256 * (fates.count + 2)) { json in
      json.field("dry_run", true)
      json.array("resources", fates) { json, row in
        json.object { json in
          json.field("key", row.resource.description)
          switch row.fate {
          case .cached(let entry): write("cached", entry, nil, &json)
          case .unknown: write("not_cached", nil, nil, &json)
          case .bought: write("would_buy", nil, nil, &json)
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
        json.field("calls", calls)
        json.array("costs", costs) { json, cost in
          json.object { json in
            json.field("unit", cost.unit)
            json.field("expected", cost.expected)
            json.field("at_most", cost.atMost)
          }
        }
      }
    }
    response.headers[.charge] = "0"
    return response
  }

  private func count(_ isMeant: (Fate) -> Bool) -> Int { fates.count { isMeant($0.fate) } }

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
