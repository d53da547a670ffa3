package import TollbookEvents
package import TollbookUpstreams

/// One product that Keepa delivered.
package struct KeepaProduct: Hashable, Sendable {
  package let asin: KeepaASIN
  /// The product's JSON object, exactly the bytes that Keepa sent.
  package let body: [UInt8]
  /// The paid parts that the body really holds: those that were asked for, without offers and what comes with them if
  /// Keepa could not collect the offers.
  package let contentSet: ContentSet
  package let summary: ProductSummary
  /// How old Keepa's data is: its `lastUpdate`, in milliseconds since 1970 UTC; 0 if unknown.
  package let lastUpdateMilliseconds: Int64

  package init(
    asin: KeepaASIN, body: [UInt8], contentSet: ContentSet, summary: ProductSummary,
    lastUpdateMilliseconds: Int64
  ) {
    self.asin = asin
    self.body = body
    self.contentSet = contentSet
    self.summary = summary
    self.lastUpdateMilliseconds = lastUpdateMilliseconds
  }
}
