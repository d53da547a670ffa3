package import TollbookEvents

/// What could be asked for a product, and on what this rests.
package struct PriceSuggestion: Hashable, Sendable {
  /// A price, and what it brings.
  package struct Price: Hashable, Sendable {
    /// What the buyer pays, shipping included, in minor units, rounded from the exact figure, halves up.
    package let total: Int64
    /// What is left after the fees that the user states, before what it costs to send; nil: no fees are stated.
    package let net: Int64?

    package init(total: Int64, net: Int64?) {
      self.total = total
      self.net = net
    }
  }

  /// What a suggestion rests on.
  package struct Basis: Hashable, Sendable {
    /// Which rule tells that it is the same product.
    package let rule: ProductKey.Rule
    /// How many sales of the user's own there are, outliers included.
    package let ownSales: Int
    /// Of those, how many are known without shipping and count by their price alone.
    package let ownSalesWithoutShipping: Int
    /// How many licensed comparables were added, outliers included; 0 where the own sales suffice.
    package let comparables: Int
    /// Of those, how many were sold.
    package let soldComparables: Int
    /// By what right comparables were added; nil: none were.
    package let licence: LicensedComparables.Licence?
    /// The day of the oldest of all: of its sale, or when an offer was seen.
    package let oldest: CalendarDay
    package let newest: CalendarDay
    /// Of all totals together.
    package let statistics: RobustStatistics
  }

  package let currency: String
  package let condition: ConditionGroup
  /// The lower quartile of what is kept: three of four were dearer.
  package let quick: Price
  /// The median of what is kept.
  package let typical: Price
  /// The upper quartile of what is kept: three of four were cheaper.
  package let patient: Price
  package let confidence: Confidence
  package let basis: Basis
}

/// Why no price is suggested.
package enum PricingRefusal: Hashable, Sendable {
  /// Neither a number nor the title tells which product it is.
  case unknownProduct
  case unknownCondition
  case excluded(ListingExclusion)
  /// - Parameters:
  ///   - sales: of the user's own.
  ///   - comparables: that are licensed; nil: there was no licence to look at any.
  ///   - kept: without outliers.
  case tooFew(sales: Int, comparables: Int?, kept: Int, needed: Int)
}

extension PricingRefusal: CustomStringConvertible {
  package var description: String {
    switch self {
    case .unknownProduct: return DealRefusal.unknownProduct.description
    case .unknownCondition: return DealRefusal.unknownCondition.description
    case .excluded(let exclusion): return DealRefusal.excluded(exclusion).description
    case .tooFew(let sales, let comparables, let kept, let needed):
      let others = comparables.map { " and \($0.of("comparable"))" } ?? ""
      let verb = sales == 1 && comparables == nil ? "is" : "are"
      let found = "\(sales.of("sale"))\(others) of this product \(verb) known"
      let all = sales + (comparables ?? 0)
      let rest = kept < all ? ", \(kept.grouped) without outliers" : ""
      return "\(found)\(rest); \(needed.grouped) are needed"
    }
  }
}

/// A suggestion, or why there is none.
package enum PricingAnswer: Hashable, Sendable {
  case suggested(PriceSuggestion)
  case refused(PricingRefusal)

  package var suggestion: PriceSuggestion? {
    if case .suggested(let suggestion) = self { suggestion } else { nil }
  }

  package var refusal: PricingRefusal? {
    if case .refused(let refusal) = self { refusal } else { nil }
  }
}
