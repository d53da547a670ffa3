package import TollbookEvents
package import TollbookLog
package import TollbookUpstreams

/// One product that Keepa delivered.
package struct KeepaProduct: Hashable, Sendable {
  package let asin: KeepaASIN
  /// The product's JSON object, exactly the bytes that Keepa sent.
  package let body: [UInt8]
  /// The paid parts that the body really holds: those that were asked for, without offers and what comes with them if
  /// Keepa could not collect the offers.
  package let contentSet: ContentSet
  /// Where the body is cut into pieces; empty: it is one.
  package let cuts: [Body.Cut]
  package let summary: ProductSummary
  /// How old Keepa's data is: its `lastUpdate`, in milliseconds since 1970 UTC; 0 if unknown.
  package let lastUpdateMilliseconds: Int64

  package init(
    asin: KeepaASIN, body: [UInt8], contentSet: ContentSet, cuts: [Body.Cut] = [],
    summary: ProductSummary, lastUpdateMilliseconds: Int64
  ) {
    self.asin = asin
    self.body = body
    self.contentSet = contentSet
    self.cuts = cuts
    self.summary = summary
    self.lastUpdateMilliseconds = lastUpdateMilliseconds
  }
}
