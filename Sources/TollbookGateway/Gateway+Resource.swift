package import TollbookEvents
package import TollbookUpstreams

extension Gateway {
  /// Under which name a product stands in the cache.
  package static func resource(_ asin: KeepaASIN, in domain: KeepaDomain) -> ResourceKey {
    KeepaBuyer.resource(asin, domain)
  }
}
