package import TollbookUpstreams

/// What a call to `/product` costs in tokens, before Keepa says so. All prices from the fact sheet,
/// section 5, which names who confirms them. Keepa's `tokensConsumed` beats this list.
package enum KeepaPriceList {
  /// A product without anything extra. (Documentation; 1 on captured bodies.)
  package static let base: Int64 = 1

  /// `rating=1`: "up to" 1, only if both values were updated within 14 days. (Documentation; a
  /// captured call with rating and buy box cost 4.)
  package static let rating: Int64 = 1

  /// `buybox=1`: 2 on top of the base. (Documentation; same captured call.) Free with offers.
  package static let buyBox: Int64 = 2

  /// `offers`: 6 for each page of ten offers that is found, instead of the base. (Documentation.) 5
  /// in total when Keepa's own offers are fresh, 1 if it could not collect them.
  package static let offersPage: Int64 = 6

  /// Offers on one page. (Documentation.)
  package static let offersPerPage = 10

  /// `stock=1`: 2 more for each product, only where its stock was updated within seven days. (Documentation.)
  package static let stock: Int64 = 2

  /// `historical-variations=1`: 1 more for a product with a parent. (Documentation.)
  package static let historicalVariations: Int64 = 1

  /// `update=0`: 1 more if Keepa's copy was younger than an hour. (Documentation; that it also
  /// holds for a call with offers is our caution.)
  package static let live: Int64 = 1

  /// Most ASINs in one call. (Documentation.)
  package static let maximumProducts = 100

  /// Most ASINs in one call with offers. (Keepa's own Java client.)
  package static let maximumProductsWithOffers = 20

  /// Fewest and most offers that can be asked for. (Documentation.)
  package static let offersRange = 20...100

  /// How many products may be asked for at once.
  package static func maximumProducts(for contentSet: ContentSet) -> Int {
    contentSet.covers(.offers) ? maximumProductsWithOffers : maximumProducts
  }

  /// The most that one product may cost: every price that Keepa might charge, and every page found.
  ///
  /// - Parameter isLive: whether the call says `update=0`.
  package static func bound(_ contentSet: ContentSet, isLive: Bool = false) -> Int64 {
    let extra = (isLive ? live : 0) + extras(contentSet)
    guard contentSet.covers(.offers) else {
      return base + parts(contentSet) + extra
    }
    let pages = (contentSet.offerCount + offersPerPage - 1) / offersPerPage
    return Int64(pages) * offersPage + extra
  }

  /// What one product will probably cost: most have at most one page of offers, and most copies at
  /// Keepa are older than an hour.
  package static func expected(_ contentSet: ContentSet) -> Int64 {
    (contentSet.covers(.offers) ? offersPage : base + parts(contentSet)) + extras(contentSet)
  }

  /// The least that one product costs, known to Keepa or not: the look is always paid for, a rating only if it is new, and
  /// offers cost as much as none if they could not be collected.
  package static func least(_ contentSet: ContentSet, isPresent: Bool) -> Int64 {
    guard isPresent, !contentSet.covers(.offers) else { return base }
    return base + (contentSet.contains(.buyBox) ? buyBox : 0)
  }

  private static func parts(_ contentSet: ContentSet) -> Int64 {
    (contentSet.contains(.rating) ? rating : 0) + (contentSet.contains(.buyBox) ? buyBox : 0)
  }

  /// What stands beside the base or the offers.
  private static func extras(_ contentSet: ContentSet) -> Int64 {
    (contentSet.contains(.stock) ? stock : 0)
      + (contentSet.contains(.historicalVariations) ? historicalVariations : 0)
  }
}
