package import Hummingbird
package import TollbookHTTP

extension HTTPService {
  /// All routes of the seller's desk.
  ///
  /// - Parameter scout: knows the listings that were seen; nil: prices are suggested by own sales alone.
  package func addSeller(
    _ settings: SellerSettings, scout: Scout? = nil, to router: Router<TollbookContext>
  ) {
    let desk = SellerDesk(gateway, settings, scout: scout)
    addPhotos(to: router, desk)
    addSnaps(to: router, desk)
    addPricing(to: router, desk)
    addDrafts(to: router, desk)
    addSales(to: router, desk)
  }
}
