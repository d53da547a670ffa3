package import TollbookUpstreams

/// A call to `/product`, as far as Tollbook chooses.
package struct KeepaProductRequest: Hashable, Sendable {
  package let domain: KeepaDomain
  /// In the order in which the answer's parts are to be listed; at most
  /// ``KeepaPriceList/maximumProducts(for:)``.
  package let asins: [KeepaASIN]
  package let contentSet: ContentSet
  /// `update`: Keepa refreshes what is older than this many hours; 0 asks for live data, -1 never
  /// refreshes, nil leaves it to Keepa (1 hour).
  package let updateHours: Int?

  package init(
    domain: KeepaDomain, asins: [KeepaASIN], contentSet: ContentSet = .plain,
    updateHours: Int? = nil
  ) {
    self.domain = domain
    self.asins = asins
    self.contentSet = contentSet
    self.updateHours = updateHours
  }

  /// The most that one of the products may cost, in tokens.
  package var boundPerProduct: Int64 {
    KeepaPriceList.bound(contentSet, isLive: updateHours == 0)
  }

  /// The parameters in the order in which they are sent, without the key. Always asks for every
  /// part that costs nothing (full history, statistics, videos, A+), so that a later request for
  /// them needs no further call.
  package var parameters: [(name: String, value: String)] {
    var result = [
      ("domain", "\(domain.rawValue)"),
      ("asin", asins.map(\.description).joined(separator: ",")),
      ("stats", "90"), ("history", "1"), ("videos", "1"), ("aplus", "1"),
    ]
    if contentSet.covers(.offers) {
      // Offers bring rating and buy box; asking for these as well might cost more.
      result.append(("offers", "\(contentSet.offerCount)"))
      if contentSet.contains(.stock) { result.append(("stock", "1")) }
      if contentSet.contains(.rental) { result.append(("rental", "1")) }
    } else {
      if contentSet.contains(.rating) { result.append(("rating", "1")) }
      if contentSet.contains(.buyBox) { result.append(("buybox", "1")) }
    }
    if contentSet.contains(.historicalVariations) { result.append(("historical-variations", "1")) }
    if let updateHours { result.append(("update", "\(updateHours)")) }
    return result
  }
}
