import Hummingbird
import JSONText
import TollbookEvents
import TollbookGateway
import TollbookHTTP
import TollbookLog
import TollbookUpstreams

extension HTTPService {
  /// `POST /keepa/import`: keeps products that were bought elsewhere, at no cost. Members: `products`, 1 to 100 objects as
  /// Keepa sends them; `domain`; `fetched_at`, when they were bought; `include`, the paid parts that they hold.
  func addImport(to router: Router<TollbookContext>) {
    router.route(
      "/keepa/import", scope: .admin,
      post: { request, context in
        let fields = try await JSONFields(
          of: request, limit: ImportOrder.mostBytes, names: ImportOrder.names,
          mostValues: ImportOrder.mostValues)
        let order = try ImportOrder(fields, now: log.time.now())
        let kept = try await gateway.keep(order.entries)
        return .object(position: log.head) { json in
          json.field("products", order.entries.count)
          json.field("kept", kept)
          json.field("left_out", order.entries.count - kept)
        }
      })
  }
}

/// Products that were bought elsewhere.
struct ImportOrder {
  static let names = ["products", "domain", "fetched_at", "include"]
  static let most = 100
  /// A hundred products take 5 MB; one with many offers more.
  static let mostBytes = 32 << 20
  /// A hundred products of the usual length hold 700,000.
  static let mostValues = 6 << 20

  let entries: [ImportedEntry]

  init(_ fields: JSONFields, now: Timestamp) throws(Problem) {
    let domain = try KeepaDomain(of: fields)
    let parts = try ContentSet(included: fields)
    let text = try JSONFields.require(
      fields.string("fetched_at"), "fetched_at", "say when they were bought")
    guard let fetched = Timestamp(rfc3339: text) else {
      throw Problem(
        .invalidField, "fetched_at is “\(text.prefix(50))”; write it as 2026-11-03T14:03:00Z",
        field: "fetched_at")
    }
    guard fetched <= now else {
      throw Problem(.invalidField, "fetched_at lies in the future", field: "fetched_at")
    }
    let products = try JSONFields.require(
      fields.value("products")?.array, "products", "name 1 to \(Self.most) products")
    guard 1...Self.most ~= products.count else {
      throw Problem(
        .invalidField, "products has \(products.count) elements; 1 to \(Self.most) are allowed",
        field: "products")
    }
    var entries: [ImportedEntry] = []
    for (index, product) in products.enumerated() {
      guard let asin = product["asin"]?.string.flatMap({ KeepaASIN($0) }) else {
        throw Problem(
          .invalidField, "it is no product with an asin", field: "products[\(index)]")
      }
      let read = KeepaProduct(asin, product, asked: parts)
      entries.append(ImportedEntry(read.write(in: domain), fetched: fetched))
    }
    self.entries = entries
  }
}
