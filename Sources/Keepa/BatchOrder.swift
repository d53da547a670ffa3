import Algorithms
import JSONText
import TollbookEvents
package import TollbookGateway
import TollbookHTTP
import TollbookUpstreams

/// A long list that is bought as a job: what `POST /keepa/batch-analyze` asks for with `Prefer: respond-async`, and what the
/// log keeps of it.
///
/// Members: `asinList`, 1 to 100,000 strings; `domain`, 1 if left out; `include`, any of `rating`, `buybox`, `offers`;
/// `max_tokens`, the most that it may cost.
struct BatchOrder {
  static let mostProducts = 100_000
  /// The longest body of a request for it, in bytes.
  static let mostBytes = 4 << 20
  /// What is kept of a text that is no ASIN, in Unicode scalars.
  private static let mostText = 50

  /// In the order of the list.
  let places: [BatchQuestion.Place]
  /// Each product once, in the order in which they are bought.
  let products: ProductsRequest
  /// What the log keeps of it, in the members of the request.
  let bytes: [UInt8]

  init(_ fields: JSONFields) throws(Problem) {
    let hint = "name 1 to \(Self.mostProducts) ASINs"
    let texts = try JSONFields.require(
      fields.strings("asinList", limit: Self.mostProducts, excess: .tooManyProducts), "asinList",
      hint)
    let places = texts.map { text in
      KeepaASIN(text).map(BatchQuestion.Place.asin)
        ?? .invalid(text.inOneLine(atMost: Self.mostText))
    }
    let asins = places.compactMap { if case .asin(let asin) = $0 { asin } else { nil } }
    guard !asins.isEmpty else {
      throw Problem(.invalidField, "asinList has no ASIN: \(hint)", field: "asinList")
    }
    let limit = try fields.integer("max_tokens", in: 1 ... .max)
    let products = ProductsRequest(
      asins: Array(asins.uniqued()), domain: try .init(of: fields),
      contentSet: try .init(included: fields), maximumTokens: limit)
    let include = try fields.strings("include", limit: 16) ?? []
    var json = JSONWriter(capacity: 16 * (places.count + 8))
    json.object { json in
      json.array("asinList", places) { json, place in
        switch place {
        case .asin(let asin): json.string(asin.description)
        case .invalid(let text): json.string(text)
        }
      }
      json.field("domain", products.domain.rawValue)
      if !include.isEmpty { json.array("include", include) { json, part in json.string(part) } }
      if let limit { json.field("max_tokens", limit) }
    }
    self.places = places
    self.products = products
    bytes = json.bytes
  }

  /// As it stands in the log; nil: it cannot be read.
  init?(_ bytes: [UInt8]) {
    guard let fields = try? JSONFields(bytes, names: BatchQuestion.names),
      let order = try? BatchOrder(fields)
    else { return nil }
    self = order
  }
}

extension PurchaseJobKind {
  /// Products of a long list. Each list may be a megabyte, so fewer may be open.
  package static let batchKeepa = PurchaseJobKind(
    "keepa.batch", mostOpen: 20, unit: KeepaUpstream.unit
  ) { bytes in
    BatchOrder(bytes)?.products.demand.warming
  }
}
