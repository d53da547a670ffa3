package import TollbookEvents

/// What is asked or was paid for one item at a marketplace, as far as comparing prices needs it.
///
/// Whether the terms of a marketplace allow its offers to be compared is for whoever makes this value to know.
package struct Offer: Hashable, Sendable {
  /// The highest total that is believed, in minor units: sums and products of the score never overflow.
  package static let mostMinorUnits: Int64 = 1_000_000_000_000
  /// Those that are believed.
  static let totals = 1...mostMinorUnits

  /// Who sells, as far as that counts.
  package struct Seller: Hashable, Sendable {
    /// The same number for the same seller, and nothing else about them: a keyed digest, for example. Nil: not known,
    /// so that no doubles can be told.
    package var token: UInt64?
    /// How many ratings they have, less the bad ones.
    package var feedbackScore: Int64?
    /// Good ratings in hundredths of a percent: 9940 is 99.4 %.
    package var feedbackPercentage: Int64?

    package init(
      token: UInt64? = nil, feedbackScore: Int64? = nil, feedbackPercentage: Int64? = nil
    ) {
      self.token = token
      self.feedbackScore = feedbackScore
      self.feedbackPercentage = feedbackPercentage
    }
  }

  package let id: String
  package let title: String
  /// Price and shipping in minor units; the price alone where the shipping is unknown.
  package let total: Int64
  /// The shipping is unknown, which is not the same as free.
  package let isShippingUnknown: Bool
  /// Three capitals of ISO 4217.
  package let currency: String
  package let marketplace: String
  package let condition: ConditionGroup?
  /// The narrowest category.
  package let category: String?
  package let seller: Seller
  package let isAuction: Bool
  /// Nil: it stays until it is sold.
  package let endsAt: Timestamp?
  /// Nil: it is still on offer.
  package let soldAt: Timestamp?
  package let seen: Timestamp
  /// Nil: neither a number nor the title tells what it is.
  package let key: ProductKey?
  /// Why it is not one whole product; nil: it seems to be one.
  package let exclusion: ListingExclusion?

  /// Reads the title once, for the key and for what excludes the offer.
  ///
  /// - Parameters:
  ///   - total: price and shipping in minor units, or the price alone where `isShippingUnknown`.
  ///   - conditionID: eBay's number of the condition.
  ///   - gtin: a barcode's number; one with a wrong check digit is passed over.
  ///   - epid: the number of eBay's catalogue.
  /// - Returns: nil if the total is not from 1 to ``mostMinorUnits``.
  package init?(
    id: String, title: String, total: Int64, isShippingUnknown: Bool = false, currency: String,
    marketplace: String, conditionID: Int?, category: String? = nil, gtin: String? = nil,
    epid: String? = nil, seller: Seller = Seller(), isAuction: Bool = false,
    endsAt: Timestamp? = nil, soldAt: Timestamp? = nil, seen: Timestamp
  ) {
    guard Self.totals ~= total else { return nil }
    let condition = conditionID.flatMap { ConditionGroup(id: $0) }
    self.init(
      id: id, title: title, total: total, isShippingUnknown: isShippingUnknown,
      currency: currency, marketplace: marketplace, condition: condition, category: category,
      seller: seller, isAuction: isAuction, endsAt: endsAt, soldAt: soldAt, seen: seen,
      reading: Reading(title, condition, gtin: gtin, epid: epid))
  }

  /// Of a title that was read before.
  ///
  /// - Parameter total: one of ``totals``.
  init(
    id: String, title: String, total: Int64, isShippingUnknown: Bool, currency: String,
    marketplace: String, condition: ConditionGroup?, category: String?, seller: Seller,
    isAuction: Bool, endsAt: Timestamp?, soldAt: Timestamp?, seen: Timestamp, reading: Reading
  ) {
    self.id = id
    self.title = title
    self.total = total
    self.isShippingUnknown = isShippingUnknown
    self.currency = currency
    self.marketplace = marketplace
    self.condition = condition
    self.category = category
    self.seller = seller
    self.isAuction = isAuction
    self.endsAt = endsAt
    self.soldAt = soldAt
    self.seen = seen
    key = reading.key
    exclusion = reading.exclusion
  }

  /// What a title and the numbers beside it tell.
  struct Reading: Sendable {
    let key: ProductKey?
    let exclusion: ListingExclusion?

    init(_ title: String, _ condition: ConditionGroup?, gtin: String? = nil, epid: String?) {
      let words = TitleWords(title)
      key = ProductKey(gtin: gtin, epid: epid, words: words)
      exclusion = condition == .parts ? .parts : ListingExclusion(words)
    }
  }
}
