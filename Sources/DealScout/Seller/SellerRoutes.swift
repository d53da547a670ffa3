package import Hummingbird
package import TollbookHTTP

extension HTTPService {
  /// All routes of the seller's desk.
  package func addSeller(_ settings: SellerSettings, to router: Router<TollbookContext>) {
    let desk = SellerDesk(gateway, settings)
    addPhotos(to: router, desk)
    addSnaps(to: router, desk)
    addDrafts(to: router, desk)
    addSales(to: router, desk)
  }
}
