import Hummingbird
import JSONText
package import TollbookEvents
package import TollbookGateway
package import TollbookHTTP
import TollbookLog
import TollbookUpstreams

extension HTTPService {
  /// `POST /keepa/import`: keeps products that were bought elsewhere, at no cost. Members: `products`, 1 to 100 objects as
  /// Keepa sends them; `domain`; `fetched_at`, when they were bought, of all or in a list of each; `include`, the paid parts
  /// that they hold. With `Tollbook-Dry-Run: 1` it only tells what would become of them.
  func addImport(to router: Router<TollbookContext>) {
    router.route(
      "/keepa/import", scope: .admin,
      post: { request, context in
        let isTrial = try Self.isDryRun(request.headers)
        let bytes = try await collectedBody(of: request, limit: ImportOrder.mostBytes)
        let order = try ImportOrder(bytes, now: log.time.now())
        let outcome = try await gateway.keep(order.entries, isTrial: isTrial)
        return .object(position: log.head) { json in
          if isTrial { json.field("dry_run", true) }
          json.field("products", order.entries.count)
          json.field("kept", outcome.kept)
          json.field("left_out", order.entries.count - outcome.kept)
          json.field("known", outcome.known)
          json.field("too_old", outcome.tooOld)
        }
      })
  }
}

/// Products that were bought elsewhere.
package struct ImportOrder {
  private static let names = ["products", "domain", "fetched_at", "include"]
  package static let most = 100
  /// A hundred products take 5 MB; one with many offers more.
  package static let mostBytes = 32 << 20
  /// A hundred products of the usual length hold 700,000.
  package static let mostValues = 6 << 20

  package let entries: [ImportedEntry]

  /// - Parameter bytes: an object as a client sends it.
  package init(_ bytes: [UInt8], now: Timestamp) throws(Problem) {
    let fields = try JSONFields(bytes, names: Self.names, mostValues: Self.mostValues)
    let domain = try KeepaDomain(of: fields)
    let parts = try ContentSet(included: fields)
    let products = try JSONFields.require(
      fields.value("products")?.array, "products", "name 1 to \(Self.most) products")
    guard 1...Self.most ~= products.count else {
      throw Problem(
        .invalidField, "products has \(products.count) elements; 1 to \(Self.most) are allowed",
        field: "products")
    }
    let times = try Self.times(fields, of: products.count, now: now)
    var entries: [ImportedEntry] = []
    for (index, product) in products.enumerated() {
      guard let asin = product["asin"]?.string.flatMap({ KeepaASIN($0) }) else {
        throw Problem(
          .invalidField, "it is no product with an asin", field: "products[\(index)]")
      }
      let read = KeepaProduct(asin, product, asked: parts)
      entries.append(ImportedEntry(read.write(in: domain), fetched: times[index]))
    }
    self.entries = entries
  }

  /// When each product was bought.
  private static func times(
    _ fields: JSONFields, of count: Int, now: Timestamp
  ) throws(Problem) -> [Timestamp] {
    let name = "fetched_at"
    guard fields.value(name)?.kind == .array else {
      let text = try JSONFields.require(fields.string(name), name, "say when they were bought")
      return Array(repeating: try time(text, named: name, now: now), count: count)
    }
    let texts = try fields.strings(name, limit: most) ?? []
    guard texts.count == count else {
      throw Problem(
        .invalidField, "fetched_at has \(texts.count) times for \(count) products", field: name)
    }
    var times: [Timestamp] = []
    for text in texts {
      times.append(try time(text, named: "\(name)[\(times.count)]", now: now))
    }
    return times
  }

  private static func time(
    _ text: String, named name: String, now: Timestamp
  ) throws(Problem) -> Timestamp {
    guard let time = Timestamp(rfc3339: text) else {
      throw Problem(
        .invalidField, "\(name) is “\(text.prefix(50))”; write it as 2026-11-03T14:03:00Z",
        field: name)
    }
    guard time <= now else {
      throw Problem(.invalidField, "\(name) lies in the future", field: name)
    }
    return time
  }
}
