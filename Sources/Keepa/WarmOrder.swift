import Algorithms
import JSONText
package import TollbookGateway
import TollbookHTTP
import TollbookUpstreams

/// Products that are to be fresh in the cache: what `POST /cache/warm` asks for, and what the log keeps of it.
///
/// Members: `asins`, 1 to 10,000 strings; `domain`, 1 if left out; `include`, any of `rating`, `buybox`, `offers`;
/// `limit_units`, the most tokens that it may cost.
struct WarmOrder {
  static let mostProducts = 10_000
  static let names = ["asins", "domain", "include", "limit_units"]

  let products: ProductsRequest
  /// What the log keeps of it, in the members of the request.
  let bytes: [UInt8]

  init(_ fields: JSONFields) throws(Problem) {
    let texts = try JSONFields.require(
      fields.strings("asins", limit: Self.mostProducts, excess: .tooManyProducts), "asins",
      "name 1 to \(Self.mostProducts) ASINs")
    guard !texts.isEmpty else {
      throw Problem(
        .invalidField, "asins is empty: name 1 to \(Self.mostProducts) ASINs", field: "asins")
    }
    var named: [KeepaASIN] = []
    for (index, text) in texts.enumerated() {
      guard let asin = KeepaASIN(text) else {
        throw Problem(.invalidField, "\(ASINFault(text))", field: "asins[\(index)]")
      }
      named.append(asin)
    }
    let asins = Array(named.uniqued())
    products = ProductsRequest(
      asins: asins, domain: try .init(of: fields), contentSet: try .init(included: fields),
      maximumTokens: try fields.integer("limit_units", in: 1 ... .max))
    let (domain, limit) = (products.domain, products.maximumTokens)
    let include = try fields.strings("include", limit: 16) ?? []
    var json = JSONWriter(capacity: 16 * (asins.count + 8))
    json.object { json in
      json.array("asins", asins) { json, asin in json.string(asin.description) }
      json.field("domain", domain.rawValue)
      if !include.isEmpty { json.array("include", include) { json, part in json.string(part) } }
      if let limit { json.field("limit_units", limit) }
    }
    bytes = json.bytes
  }
}

extension PurchaseJobKind {
  /// Products that are to be fresh in the cache.
  package static let warmKeepa = PurchaseJobKind("keepa.warm", unit: KeepaUpstream.unit) { bytes in
    (try? WarmOrder(JSONFields(bytes, names: WarmOrder.names)))?.products.demand.warming
  }
}
