import JSONText

/// Answers `rate_limit` and `user_rate_limit` of the Developer Analytics API.
struct EbayRateLimitWork: Sendable {
  /// A limit and what was used of it.
  struct Rate: Sendable {
    let resource: EbayRoute.Resource
    let count: Int
    let limit: Int
  }

  let rates: [Rate]
  /// When all begin anew, milliseconds since 1970.
  let reset: Int64

  private struct API {
    let context: String
    let name: String
    let version: String
    let resources: [EbayRoute.Resource]
  }

  private static let apis = [
    API(context: "buy", name: "browse", version: "v1", resources: [.browse, .items]),
    API(
      context: "buy", name: "marketplace_insights", version: "v1_beta", resources: [.insights]),
    API(
      context: "developer", name: "analytics", version: "v1_beta", resources: [.analytics]),
  ]

  /// The body; nil: there is nothing to report.
  func json(context: String?, name: String?) -> [UInt8]? {
    let apis = Self.apis.filter { api in
      context?.lowercased() ?? api.context == api.context
        && name?.lowercased() ?? api.name == api.name
        && rates.contains { api.resources.contains($0.resource) }
    }
    guard !apis.isEmpty else { return nil }
    var json = JSONWriter(capacity: 1_024)
    json.object { json in
      json.array("rateLimits", apis) { json, api in
        json.object { json in
          json.field("apiContext", api.context)
          json.field("apiName", api.name)
          json.field("apiVersion", api.version)
          json.array("resources", rates.filter { api.resources.contains($0.resource) }) {
            json, rate in
            json.object { json in
              json.field("name", rate.resource.rawValue)
              json.array("rates") { json in write(rate, to: &json) }
            }
          }
        }
      }
    }
    return json.bytes
  }

  private func write(_ rate: Rate, to json: inout JSONWriter) {
    json.object { json in
      json.field("count", rate.count)
      json.field("limit", rate.limit)
      json.field("remaining", max(0, rate.limit - rate.count))
      json.field("reset", EbayReadingText.instant(reset))
      json.field("timeWindow", 86_400)
    }
  }
}
