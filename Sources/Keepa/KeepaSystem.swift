import JSONText
import SwiftProtobuf
import TollbookEvents
import TollbookForecast
package import TollbookHTTP
import TollbookUpstreams

extension HTTPSystem {
  /// Keepa: products in batches, their bodies, lists of them that are to be fresh, and its own wire format. Nothing is
  /// scored: see ``scoring(_:)``.
  package static let keepa: HTTPSystem = {
    var system = routes
    system.addControlRoutes = { $0.addImport(to: $1) }
    system.whatIf = [.keepa] + WhatIfKind.keepaAnswers
    system.untried = [
      KeepaUpstream.code: "a call for a code brings the products that it stands for too"
    ]
    return system
  }()

  private static let routes = HTTPSystem(
    KeepaUpstream.name, title: "Keepa",
    kinds: keepaKinds,
    dropIn: .keepa, warming: .products,
    addRoutes: { service, router in
      service.addBatch(to: router)
      service.addProduct(to: router)
      service.addDropIn(to: router)
      service.addDiscovery(to: router)
      service.addDiscoverySchemas(to: router)
      service.addImport(to: router)
      service.addViews(to: router)
    })

  /// The same, with what products would bring.
  ///
  /// - Parameter fresh: how long a score answers, in milliseconds; nil: as long as usual.
  package func scoring(_ basis: ScoringBasis, fresh: Int64? = nil) -> HTTPSystem {
    var system = self
    system.addRoutes = { [addRoutes] service, router in
      addRoutes(service, router)
      service.addScoring(basis, window: fresh ?? RememberedScores.window, to: router)
    }
    return system
  }
}

extension HTTPSystem {
  private static var keepaKinds: [String: Kind] {
    var kinds: [String: Kind] = [
      KeepaUpstream.product: Kind(
        "product", parts: { ContentSet(keepa: $0).keepaName }, summary: ProductSummary.writer,
        labels: .products),
      KeepaUpstream.code: Kind("code"),
    ]
    let nouns: [KeepaEndpoint: String] = [
      .bestSellers: "list of best sellers", .category: "category", .search: "answer of a search",
      .deals: "page of deals", .seller: "seller", .graph: "graph",
    ]
    for (endpoint, noun) in nouns { kinds[endpoint.operation] = Kind(noun) }
    kinds[KeepaEndpoint.finder.operation] = Kind(
      "answer of the finder", summary: FinderSummary.writer)
    return kinds
  }
}

extension FinderSummary {
  /// What writes an encoded summary; nil if it cannot be read.
  @Sendable
  fileprivate static func writer(
    _ bytes: [UInt8]
  ) -> (@Sendable (inout JSONWriter) -> Void)? {
    guard let summary = FinderSummary(bytes) else { return nil }
    return { json in summary.write(to: &json) }
  }
}

extension ProductSummary {
  /// What writes an encoded summary; nil if it cannot be read.
  @Sendable
  fileprivate static func writer(
    _ bytes: [UInt8]
  ) -> (@Sendable (inout JSONWriter) -> Void)? {
    guard let summary = try? ProductSummary(serializedBytes: bytes) else { return nil }
    return { json in summary.write(to: &json) }
  }

  /// Writes what a list shows of a product, as members of an object.
  fileprivate func write(to json: inout JSONWriter) {
    json.field("title", hasTitle ? title : nil)
    json.field("brand", hasBrand ? brand : nil)
    json.field("manufacturer", hasManufacturer ? manufacturer : nil)
    json.field("root_category", hasRootCategory ? rootCategory : nil)
    json.field("root_category_name", hasRootCategoryName ? rootCategoryName : nil)
    json.field("image", hasImage ? image : nil)
    writeFigures(to: &json)
  }
}
