/// What one product of a `/product` call costs, in tokens.
package enum ProductPrices {
  /// How old Keepa's own data was when the call came, in minutes.
  package struct Ages: Sendable, Equatable {
    /// Of the product.
    package var copy: Int
    /// Of its offers; nil if they were never collected.
    package var offers: Int?

    /// Two ages.
    package init(copy: Int, offers: Int? = nil) {
      self.copy = copy
      self.offers = offers
    }
  }

  /// The cost of a product that Keepa knows.
  ///
  /// - Parameters:
  ///   - offersFound: how many offers the product has
  ///   - hasParent: whether it is a variation of another
  package static func tokens(
    for query: ProductQuery, ages: Ages, offersFound: Int, hasParent: Bool
  ) -> Int {
    var tokens = 0
    if let limit = query.parts.offers {
      if isFresh(offers: ages.offers, update: query.update) {
        tokens += 5
      } else {
        tokens += 6 * max(1, (min(offersFound, limit) + 9) / 10)
      }
      if query.stock { tokens += 2 }
    } else {
      tokens += 1
      if query.update == 0, ages.copy < 60 { tokens += 1 }
      if query.parts.buybox { tokens += 2 }
    }
    if query.parts.rating { tokens += 1 }
    if query.historicalVariations, hasParent { tokens += 1 }
    return tokens
  }

  /// The cost of an ASIN that no shop has: the look is paid for, unless Keepa was told not to look.
  package static func tokensForUnknown(_ query: ProductQuery) -> Int {
    query.update == -1 ? 0 : 1
  }

  /// Whether collected offers are newer than the hours the caller tolerates.
  package static func isFresh(offers age: Int?, update: Int) -> Bool {
    guard let age else { return false }
    return update == -1 || age < update * 60
  }
}
