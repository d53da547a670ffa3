import TollbookEvents

/// Which filters of a search a listing does not keep to.
package struct EbayAdmission: Hashable, Sendable {
  /// Filters that the listing breaks.
  package let broken: [EbayFilterName]
  /// Filters of which the listing shows nothing, such as the delivery cost where its shipping is unknown.
  package let unproven: [EbayFilterName]

  /// Whether the listing keeps to every filter that listings show. Where it should show one and does not, it does not:
  /// eBay may have dropped the filter.
  package var isAdmitted: Bool {
    broken.isEmpty && unproven.allSatisfy { !$0.isShownByListings }
  }
}

// eBay answers a filter that it dropped with 200 and listings that no filter kept out. So each one is checked here.

extension EbaySearch {
  /// Whether a listing keeps to every filter that can be checked.
  package func admits(_ listing: EbayListing) -> Bool { admission(of: listing).isAdmitted }

  /// What a listing makes of each filter.
  package func admission(of listing: EbayListing) -> EbayAdmission {
    var broken: [EbayFilterName] = []
    var unproven: [EbayFilterName] = []
    for (name, _) in filters.parts {
      switch filters.verdict(name, listing, in: marketplace) {
      case true?: continue
      case false?: broken.append(name)
      case nil: unproven.append(name)
      }
    }
    return EbayAdmission(broken: broken, unproven: unproven)
  }
}

extension EbayFilters {
  /// Whether the listing keeps to a filter; nil: it does not show it.
  fileprivate func verdict(
    _ name: EbayFilterName, _ listing: EbayListing, in marketplace: EbayMarketplace
  ) -> Bool? {
    switch name {
    case .buyingOptions:
      listing.buyingOptions.isEmpty
        ? nil : buyingOptions.contains { listing.buyingOptions.contains($0) }
    case .conditionIds:
      listing.conditionId.map { id in conditions.contains { $0.rawValue == id } }
    case .deliveryCountry: nil
    case .excludeCategoryIds:
      listing.categories.isEmpty
        ? nil : !excludedCategories.contains { listing.categories.contains($0) }
    case .itemEndDate:
      // What goes on until it is sold ends at no instant that could lie between.
      listing.endsAt.map { itemEnd?.contains($0) ?? true } ?? false
    case .itemLocationCountry: listing.country.map { $0 == itemLocationCountry }
    case .itemStartDate: startVerdict(listing)
    case .maxDeliveryCost: deliveryVerdict(listing.shipping, marketplace.currency)
    case .price: priceVerdict(listing)
    }
  }

  /// Which of the two instants eBay means is not documented: one of them must lie between.
  private func startVerdict(_ listing: EbayListing) -> Bool? {
    let starts = [listing.createdAt, listing.originAt].compactMap(\.self)
    guard let itemStart, !starts.isEmpty else { return nil }
    return starts.contains { itemStart.contains($0) }
  }

  private func deliveryVerdict(_ shipping: EbayShipping, _ currency: EbayCurrency) -> Bool? {
    switch shipping {
    case .free: true
    case .unknown: nil
    case .known(let cost):
      cost.minorUnits(in: currency).map { $0 <= maxDeliveryCost?.minorUnits ?? .max }
    }
  }

  /// An auction that can be bought at once has two prices; one of them must lie between.
  private func priceVerdict(_ listing: EbayListing) -> Bool? {
    guard let price else { return true }
    let hasBoth = listing.isAuction && listing.buyingOptions.contains(.fixedPrice)
    let prices = hasBoth ? [listing.price, listing.currentBid] : [listing.currentPrice]
    let own = prices.compactMap(\.self).filter { $0.minorUnits(in: price.currency) != nil }
    return own.isEmpty ? nil : own.contains { price.contains($0) }
  }
}
