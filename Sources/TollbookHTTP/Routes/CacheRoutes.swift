import Hummingbird
import JSONText
import TollbookEvents
import TollbookLog
import TollbookViews

extension HTTPService {
  /// `GET /cache/stats`, `/cache/entries` and `/cache/entries/{key}`.
  func addCache(to router: Router<TollbookContext>) {
    router.route(
      "/cache/stats",
      get: { request, _ in
        let query = QueryParameters(request)
        try AsOf.refuse(query, view: "metrics")
        return try await cacheStatistics(of: kind(query))
      })
    router.route(
      "/cache/entries", get: { request, _ in try cacheEntries(QueryParameters(request)) })
    router.route(
      "/cache/entries/**",
      get: { request, context in try cacheEntry(context, QueryParameters(request)) })
  }

  /// The kind that a query names; nil: it names none.
  private func kind(_ query: QueryParameters) throws(Problem) -> String? {
    let known = systems.kindNames
    return try query.choice("kind", of: known) { known.contains($0) ? $0 : nil }
  }

  private func cacheStatistics(of kind: String?) async throws -> Response {
    let figures =
      if let kind { try await CacheFigures(self, kind: kind) } else { try CacheFigures(self) }
    return .object(position: log.head) { json in
      json.field("success", true)
      json.object("data") { json in
        json.fieldIfPresent("kind", kind)
        json.object("cache_stats") { json in figures.writeAll(to: &json) }
      }
    }
  }

  /// A page of entries in key order. A page may be shorter than its limit, even empty, and still have a next one: so
  /// many entries are looked at and no more.
  private func cacheEntries(_ query: QueryParameters) throws -> Response {
    try AsOf.refuse(query, view: "cache")
    let limit = try query.limit()
    let kind = query["kind"]
    let state = try query.choice(
      "state", of: CacheEntry.State.allCases.map(\.rawValue), CacheEntry.State.init(rawValue:))
    let cursor = try cacheCursor(query)
    let now = log.time.now()
    let head = log.head
    let page = try log.read { (transaction) throws(LogError) in
      try cache.page(after: cursor, limit: limit, in: transaction) { entry in
        (kind == nil || entry.resource.kind == kind)
          && (state == nil || entry.state(at: now) == state)
      }
    }
    return .object(position: head, capacity: 512 * (page.entries.count + 1)) { json in
      json.array("entries", page.entries) { json, entry in
        entry.write(to: &json, systems, at: now, withSummary: false)
      }
      json.field("next", page.next?.hexadecimal)
      json.field("position", head)
    }
  }

  private func cacheCursor(_ query: QueryParameters) throws(Problem) -> [UInt8]? {
    guard let text = query["cursor"] else { return nil }
    guard let key = bytes(hexadecimal: text), (3...500).contains(key.count),
      key[key.count - 2] == 0
    else { throw query.invalid("cursor", text, "the “next” of a page before") }
    return key
  }

  /// All entries of a resource, one for each content set: now, or as they were.
  private func cacheEntry(
    _ context: TollbookContext, _ query: QueryParameters
  ) throws -> Response {
    let path = context.parameters.getCatchAll().joined(separator: "/")
    let key = ResourceKey(stored: percentDecoded(path) ?? path)
    let asOf = try AsOf(query, log)
    let position = asOf?.position ?? log.head
    let entries = try asOf.map { try pastEntries(of: key, $0) } ?? entries(of: key)
    guard !entries.isEmpty else {
      throw Problem(
        .notFound,
        "the cache \(asOf == nil ? "has" : "had") no entry of \(key.description.prefix(200))"
          + (asOf.map { " at position \($0.position)" } ?? ""))
    }
    let now = asOf?.time ?? log.time.now()
    return .object(position: position) { json in
      json.field("key", key.description)
      json.array("entries", entries) { json, entry in
        entry.write(
          to: &json, systems, at: now, withSummary: true, isPast: asOf != nil)
      }
      json.field("position", position)
    }
  }

  private func entries(of key: ResourceKey) throws(LogError) -> [CacheEntry] {
    try log.read { (transaction) throws(LogError) in
      try cache.all(of: key, in: transaction)
    }
  }

  private func pastEntries(of key: ResourceKey, _ asOf: AsOf) throws(LogError) -> [CacheEntry] {
    let index = log.index
    let reader = log.reader
    return try log.read { (transaction) throws(LogError) in
      try cache.past(
        of: key, asOf: asOf.position, index: index, reader: reader, in: transaction)
    }
  }
}
