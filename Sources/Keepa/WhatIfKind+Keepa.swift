package import TollbookForecast
import TollbookUpstreams

extension WhatIfKind {
  /// Keepa's products, by its price list.
  package static let keepa = WhatIfKind(
    KeepaUpstream.product, system: KeepaUpstream.name + ".", bucket: KeepaUpstream.bucket(),
    bound: { KeepaPriceList.bound(ContentSet(keepa: $0)) },
    least: { KeepaPriceList.least(ContentSet(keepa: $0), isPresent: $1) })
}
