import Algorithms
import JSONText
package import TollbookGateway
import TollbookHTTP
import TollbookUpstreams

/// Products that are to be fresh in the cache: what `POST /cache/warm` asks for, and what the log keeps of it.
///
/// Members: one of `asins`, 1 to 10,000 strings, and `discovery`, filters as ``DiscoveryRequest`` takes them; beside
/// `asins` also `domain`, 1 if left out; `include`, any of `rating`, `buybox`, `offers`; `limit_units`, the most tokens
/// that it may cost, the search included.
struct WarmOrder {
  static let mostProducts = 10_000
  static let names = ["asins", "discovery", "domain", "include", "limit_units"]

  /// Without ASINs where they are to be found.
  let products: ProductsRequest
  /// How they are found; nil: they are named.
  let discovery: DiscoveryRequest?
  /// What the log keeps of it, in the members of the request.
  let bytes: [UInt8]

  init(_ fields: JSONFields) throws(Problem) {
    let discovery = try Self.discovery(fields)
    let asins = discovery == nil ? try Self.asins(fields) : []
    let domain: KeepaDomain
    if let discovery { domain = discovery.request.domain } else { domain = try .init(of: fields) }
    let limit = try fields.integer("limit_units", in: 1 ... .max)
    products = ProductsRequest(
      asins: asins, domain: domain, contentSet: try .init(included: fields), maximumTokens: limit)
    self.discovery = discovery?.request
    let include = try fields.strings("include", limit: 16) ?? []
    var json = JSONWriter(capacity: 16 * (asins.count + 8))
    json.object { json in
      if let discovery {
        json.rawField("discovery", Array(discovery.value.bytes))
      } else {
        json.array("asins", asins) { json, asin in json.string(asin.description) }
        json.field("domain", domain.rawValue)
      }
      if !include.isEmpty { json.array("include", include) { json, part in json.string(part) } }
      if let limit { json.field("limit_units", limit) }
    }
    bytes = json.bytes
  }

  private static func asins(_ fields: JSONFields) throws(Problem) -> [KeepaASIN] {
    let texts = try JSONFields.require(
      fields.strings("asins", limit: Self.mostProducts, excess: .tooManyProducts), "asins",
      "name 1 to \(Self.mostProducts) ASINs, or say by “discovery” how they are found")
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
    return Array(named.uniqued())
  }

  /// The filters, and how the client wrote them; nil: there are none.
  private static func discovery(
    _ fields: JSONFields
  ) throws(Problem) -> (request: DiscoveryRequest, value: JSONValue)? {
    guard let value = fields.value("discovery") else { return nil }
    for name in ["asins", "domain"] where fields.value(name) != nil {
      throw Problem(
        .invalidField,
        name == "asins"
          ? "asins and discovery stand side by side; send one of them"
          : "domain stands beside discovery; put it into discovery", field: name)
    }
    guard value.kind == .object else {
      throw Problem(
        .invalidField, "discovery must be an object of filters, not \(value.kind)",
        field: "discovery")
    }
    do throws(Problem) {
      let filters = try JSONFields(Array(value.bytes), names: DiscoveryRequest.names)
      return (try DiscoveryRequest(filters), value)
    } catch {
      var problem = error
      problem.field = problem.field.map { "discovery.\($0)" } ?? "discovery"
      throw problem
    }
  }

  /// As it stands in the log; nil: it cannot be read.
  init?(_ bytes: [UInt8]) {
    guard let fields = try? JSONFields(bytes, names: Self.names),
      let order = try? WarmOrder(fields)
    else { return nil }
    self = order
  }

  /// How the products are found, as a job does it; nil: they are named.
  var finding: ListFinding? {
    guard let discovery else { return nil }
    let ways = [discovery.bestSellers, discovery.question].compactMap(\.self)
    let cheapest = discovery.isCheaperByBestSellers ? ways : ways.reversed()
    return ListFinding(cheapest.map(\.demand)) { body in
      guard let list = try? KeepaList(body) else { return [] }
      return list.asins.prefix(discovery.limit).map {
        KeepaUpstream.resource($0, discovery.domain)
      }
    }
  }
}

extension PurchaseJobKind {
  /// Products that are to be fresh in the cache, named or to be found.
  package static let warmKeepa = PurchaseJobKind(
    "keepa.warm", unit: KeepaUpstream.unit, finding: { WarmOrder($0)?.finding }
  ) { bytes in
    WarmOrder(bytes)?.products.demand.warming
  }
}
