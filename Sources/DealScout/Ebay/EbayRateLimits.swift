package import TollbookEvents

/// What is left of the calls, by eBay's own count (`developer/analytics/v1_beta/rate_limit`).
package struct EbayRateLimits: Hashable, Sendable {
  /// A limit of a resource for a window.
  package struct Rate: Hashable, Sendable {
    /// How many calls were made; nil: it is not told.
    package let count: Int64?
    package let limit: Int64
    package let remaining: Int64
    /// When the window ends; nil: it is not told.
    package let reset: Timestamp?
    /// How long a window is, in seconds.
    package let timeWindow: Int64

    /// How many calls were made: as told, or what is missing from the limit.
    package var used: Int64 { count ?? max(0, limit - remaining) }
  }

  /// What is limited by itself.
  package struct Resource: Hashable, Sendable {
    /// Such as `buy`.
    package let context: String
    /// Such as `browse`.
    package let api: String
    /// Such as `v1`.
    package let version: String
    /// Such as `buy.browse`.
    package let name: String
    package let rates: [Rate]
  }

  package static let mostResources = 5_000
  private static let mostBytes = 8 << 20
  private static let mostCalls: Int64 = 1_000_000_000_000

  package let resources: [Resource]

  /// The path of the question, for one API or for all.
  package static func pathAndQuery(context: String? = "buy", api: String? = "browse") -> String {
    var items: [(name: String, value: String)] = []
    if let context { items.append(("api_context", context)) }
    if let api { items.append(("api_name", api)) }
    let path = "/developer/analytics/v1_beta/rate_limit/"
    return items.isEmpty ? path : "\(path)?\(EbayText.form(items))"
  }

  /// Status 204: eBay has nothing to report.
  package static let none = EbayRateLimits(resources: [])

  private init(resources: [Resource]) { self.resources = resources }

  /// Reads an answer with status 200.
  ///
  /// - Throws: the member that is missing, doubled or not what it should be.
  package init(_ bytes: [UInt8]) throws(EbayReadingError) {
    let root = try EbayReader.root(bytes, most: Self.mostBytes, values: 1 << 19)
    var resources: [Resource] = []
    for limit in try root.elements("rateLimits", most: 500) {
      let api = try EbayReader(limit.value, limit.place)
      let context = try api.line("apiContext", atMost: 64) ?? ""
      let name = try api.line("apiName", atMost: 64) ?? ""
      let version = try api.line("apiVersion", atMost: 64) ?? ""
      for element in try api.elements("resources", most: Self.mostResources) {
        let resource = try EbayReader(element.value, element.place)
        guard resources.count < Self.mostResources else {
          throw EbayReadingError(
            .count(resources.count + 1, most: Self.mostResources), at: element.place)
        }
        var rates: [Rate] = []
        for rate in try resource.elements("rates", most: 20) {
          rates.append(try Self.rate(try EbayReader(rate.value, rate.place)))
        }
        resources.append(
          Resource(
            context: context, api: name, version: version,
            name: try resource.required(try resource.line("name", atMost: 100), "name"),
            rates: rates))
      }
    }
    self.resources = resources
  }

  private static func rate(_ rate: EbayReader) throws(EbayReadingError) -> Rate {
    func calls(_ name: String) throws(EbayReadingError) -> Int64? {
      try rate.integer(name, 0...mostCalls)
    }
    return Rate(
      count: try calls("count"), limit: try rate.required(try calls("limit"), "limit"),
      remaining: try rate.required(try calls("remaining"), "remaining"),
      reset: try rate.instant("reset"),
      timeWindow: try rate.required(
        try rate.integer("timeWindow", 1...31_622_400), "timeWindow"))
  }

  /// A resource by its name.
  package func resource(_ name: String) -> Resource? { resources.first { $0.name == name } }
}
