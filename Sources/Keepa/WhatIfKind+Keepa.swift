import TollbookEvents
package import TollbookForecast
import TollbookUpstreams

extension WhatIfKind {
  /// Keepa's products, by its price list.
  package static let keepa = WhatIfKind(
    KeepaUpstream.product, limit: .bucket(KeepaUpstream.bucket()),
    prices: .each(
      bound: { KeepaPriceList.bound(ContentSet(keepa: $0)) },
      least: { KeepaPriceList.least(ContentSet(keepa: $0), isPresent: $1) }))

  /// What else Keepa answers and is kept, each by what it cost.
  package static let keepaAnswers: [WhatIfKind] = KeepaEndpoint.allCases.filter(\.isKept).map {
    WhatIfKind(
      $0.operation, limit: .bucket(KeepaUpstream.bucket()), prices: .recorded,
      standard: KeepaUpstream.standardFreshness(of: $0.operation))
  }
}
