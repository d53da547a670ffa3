package import TollbookEvents

/// Offers that may be used to suggest a price, and by what right.
///
/// eBay's API licence does not allow its content to model the prices of items on eBay (second-hand reading of clause
/// 9.5), so whoever makes this value says what permits it.
package struct LicensedComparables: Hashable, Sendable {
  package enum Licence: String, CaseIterable, Hashable, Sendable {
    /// Invented data of a simulator.
    case simulated
    /// The source has consented, as the user declares.
    case consent
  }

  package let offers: [Offer]
  package let licence: Licence
  /// The instant by which ends and ages of the offers are told.
  package let now: Timestamp

  package init(_ offers: [Offer], licence: Licence, now: Timestamp) {
    self.offers = offers
    self.licence = licence
    self.now = now
  }
}
