import Hummingbird
import JSONText
import SwiftProtobuf
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookViews

extension HTTPService {
  /// The tables of the predecessors as reads: `GET /views/keepa_products_cache` and `/views/product_discovery_cache`.
  func addViews(to router: Router<TollbookContext>) {
    let query = QueryNames(["limit", "cursor"])
    router.route(
      "/views/keepa_products_cache", query: query,
      get: { request, _ in
        try rows(of: KeepaUpstream.product, request) { entry, json in
          writeProduct(entry, to: &json)
        }
      })
    router.route(
      "/views/product_discovery_cache", query: query,
      get: { request, _ in
        // Each shows up to 10,000 products.
        try rows(of: KeepaEndpoint.finder.operation, request, most: 100) { entry, json in
          writeDiscovery(entry, to: &json)
        }
      })
  }

  /// A page of the entries of a kind in key order: it may be shorter than its limit, and still have a next one.
  private func rows(
    of kind: String, _ request: Request, most: Int = 1_000,
    _ write: (CacheEntry, inout JSONWriter) -> Void
  ) throws -> Response {
    let parameters = QueryParameters(request)
    let limit = try parameters.limit(maximum: most)
    var cursor: [UInt8]?
    if let text = parameters["cursor"] {
      guard let key = bytes(hexadecimal: text), (3...500).contains(key.count) else {
        throw Problem(
          .invalidParameter, "cursor is not the “next” of a page before", field: "cursor")
      }
      cursor = key
    }
    let head = log.head
    let page = try log.read { (transaction) throws(LogError) in
      try cache.page(
        prefix: "shared/\(kind)/", after: cursor, limit: limit, in: transaction
      ) { $0.isPresent }
    }
    return .object(position: head, capacity: 512 * (page.entries.count + 1)) { json in
      json.array("rows", page.entries) { json, entry in
        json.object { json in write(entry, &json) }
      }
      json.field("next", page.next?.hexadecimal)
    }
  }

  private func writeProduct(_ entry: CacheEntry, to json: inout JSONWriter) {
    guard let product = KeepaUpstream.product(of: entry.resource) else { return }
    json.field("asin", product.asin.description)
    json.field("domain", product.domain.rawValue)
    let summary = (try? ProductSummary(serializedBytes: entry.summary)) ?? ProductSummary()
    json.field("title", summary.hasTitle ? summary.title : nil)
    json.field("brand", summary.hasBrand ? summary.brand : nil)
    json.field("currency", product.domain.currency)
    summary.writeFigures(to: &json)
    writeTimes(entry, created: "cached_at", to: &json)
  }

  /// The filters that were asked for, as `POST /api/v1/products/discover` takes them.
  private func writeDiscovery(_ entry: CacheEntry, to json: inout JSONWriter) {
    let summary = FinderSummary(entry.summary)
    let selection = summary?.selection
    let domain = entry.resource.path.split(separator: "/").first.flatMap { Int($0) }
    json.field("cache_key", entry.resource.description)
    json.field("domain", domain)
    json.field("category", selection?["categories_include"]?[0]?.int64)
    json.field("bsr_min", selection?["current_SALES_gte"]?.int64)
    json.field("bsr_max", selection?["current_SALES_lte"]?.int64)
    let digits = domain.flatMap(KeepaDomain.init)?.currencyDigits ?? 2
    for (name, member) in [("price_min", "current_NEW_gte"), ("price_max", "current_NEW_lte")] {
      if let price = selection?[member]?.int64 {
        json.rawField(name, Array(DiscoveryRequest.decimal(price, digits: digits).utf8))
      } else {
        json.nullField(name)
      }
    }
    json.field("count", summary?.count ?? 0)
    json.name("asins")
    let content = (try? gateway.body(of: entry)).flatMap { try? $0?.content() }
    if let list = content.flatMap({ try? JSONDocument($0).root["asinList"] }) {
      json.raw(list.bytes)
    } else {
      json.null()
    }
    writeTimes(entry, created: "created_at", to: &json)
  }

  private func writeTimes(
    _ entry: CacheEntry, created: String, to json: inout JSONWriter
  ) {
    json.field(created, entry.fetched)
    json.field("expires_at", entry.freshUntil)
    json.field("hit_count", entry.hits)
  }
}
