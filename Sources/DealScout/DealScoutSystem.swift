package import TollbookGateway
package import TollbookHTTP
import TollbookUpstreams

extension HTTPSystem {
  /// eBay, and what accounts keep of it. Nothing is bought: see ``scouting(with:)``.
  package static let dealScout = HTTPSystem(
    EbayUpstream.name, title: "eBay",
    kinds: [
      EbayUpstream.searchKind: Kind("page of a search"),
      EbayUpstream.comparablesKind: Kind("page of comparables"),
      EbayUpstream.itemKind: Kind("item"),
      EbayUpstream.tokenKind: Kind("token's end"),
      EbayUpstream.limitsKind: Kind("account of calls"),
      SearchBook.kind: Kind("saved search", isBought: false),
      MarkBook.kind: Kind("list of marks", isBought: false),
      Scout.scheduleKind: Kind("schedule", isBought: false),
      UserBook.kind: Kind("consent of a user", isBought: false),
    ].merging(SellerKinds.shown) { own, _ in own }, addRoutes: { _, _ in })

  /// The same, with what is in memory of it.
  ///
  /// - Parameter seller: how the seller's desk is set up; nil: there is none.
  package func scouting(with scout: Scout, seller: SellerSettings? = nil) -> HTTPSystem {
    var system = self
    system.addRoutes = { service, router in
      service.addSearches(scout, to: router)
      service.addScanning(scout, to: router)
      service.addDeals(scout, to: router)
      service.addConsent(scout.consents, to: router)
      if let seller { service.addSeller(seller, scout: scout, to: router) }
    }
    system.addPages = { service, router in
      service.addDealPages(scout, to: router)
      service.addConsentPages(scout.consents, to: router)
      if let seller { service.addSnapPages(seller, scout: scout, to: router) }
    }
    system.work = { service in await scout.work(service.gateway) }
    return system
  }
}

extension RegisteredUpstream {
  /// - Parameters:
  ///   - seller: how the seller's desk is set up; nil: there is none.
  ///   - isSet: whether the settings have a key.
  package static func ebay(
    _ upstream: EbayUpstream, _ scout: Scout, seller: SellerSettings? = nil, isSet: Bool
  ) -> RegisteredUpstream {
    RegisteredUpstream(
      EbayUpstream.name, upstream,
      absence: isSet ? "" : "no key for eBay is set (EBAY_APP_ID and EBAY_CERT_ID)",
      jobKinds: [.scan(scout)] + (seller.map { [.snaps($0)] } ?? []),
      kinds: upstream.kinds + SellerKinds.all, units: [EbayUpstream.unit],
      files: seller.map { .photos($0) })
  }
}
