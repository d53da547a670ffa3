package import TollbookEvents

/// How far a score can be trusted.
package enum Confidence: String, CaseIterable, Hashable, Sendable {
  case low, medium, high

  /// One step lower; low stays low.
  package var lowered: Confidence { self == .high ? .medium : .low }
}

/// Something about an offer that a reader must see beside its score.
package enum DealFlag: String, CaseIterable, Hashable, Sendable {
  /// Its total is below the share of the fair price at which it is still believed: it has no points.
  case implausiblyCheap = "implausibly_cheap"
  /// Its total is the price alone.
  case unknownShipping = "unknown_shipping"
  /// Its price can still rise until the end.
  case auction
}

/// What takes points from a score.
package struct DealPenalty: Hashable, Sendable {
  package enum Reason: String, CaseIterable, Hashable, Sendable {
    case lowFeedback = "low_feedback"
    case fewRatings = "few_ratings"
    case unknownFeedback = "unknown_feedback"
    case unknownShipping = "unknown_shipping"
  }

  package let reason: Reason
  /// In tenths of a point.
  package let tenths: Int64

  package init(reason: Reason, tenths: Int64) {
    self.reason = reason
    self.tenths = tenths
  }
}

/// How an offer stands beside its comparables, with everything that this comes from.
package struct DealScore: Hashable, Sendable {
  /// The comparables that a score rests on: of the same product, condition group, currency and marketplace (for titles
  /// also category), one for each other seller, the cheapest.
  package struct Comparables: Hashable, Sendable {
    /// The key of the group, which tells the rule and, for titles, the leading wording.
    package let key: ProductKey
    package let condition: ConditionGroup
    /// Of their totals.
    package let statistics: RobustStatistics
    /// How many of the kept ones were sold; the others are on offer.
    package let sold: Int
    /// When the comparable of the group was seen that was seen longest ago, kept or not.
    package let oldestSeen: Timestamp
  }

  package let id: String
  /// In minor units, as the offer has it.
  package let total: Int64
  package let currency: String
  /// The median of the kept comparables.
  package let fair: QuarterUnits
  /// How far the total is below the fair price, in tenths of a percent of that, halves away from zero; negative above
  /// it.
  package let discount: Int64
  /// 0 to 1,000: tenths of a point. The discount by the full one, less the penalties; 0 if the offer is implausibly
  /// cheap.
  package let tenths: Int64
  package let confidence: Confidence
  package let flags: [DealFlag]
  /// All that apply, also those that a score of 0 has no room for.
  package let penalties: [DealPenalty]
  package let comparables: Comparables

  /// 0 to 100, halves up.
  package var points: Int { Int(tenths.rounded(by: 10)) }
}

/// Why an offer has no score.
package enum DealRefusal: Hashable, Sendable {
  case excluded(ListingExclusion)
  /// The condition's number is missing or not known.
  case unknownCondition
  /// Neither a number nor the title tells which product it is.
  case unknownProduct
  case sold
  case ended
  /// An auction that ends too late, or does not say when.
  case auctionTooEarly
  /// How many comparables were kept, of how many that are needed.
  case tooFewComparables(Int, needed: Int)
}

extension DealRefusal: CustomStringConvertible {
  package var description: String {
    switch self {
    case .excluded(.lot): "this is a lot of several items"
    case .excluded(.bundle): "this is a bundle"
    case .excluded(.multipack): "this is the product more than once"
    case .excluded(.parts): "this is broken, untested or for parts"
    case .excluded(.emptyBox): "this is a package or a part without the product"
    case .unknownCondition: "its condition is not known"
    case .unknownProduct: "it is not known which product this is"
    case .sold: "this has been sold"
    case .ended: "this has ended"
    case .auctionTooEarly: "this auction is not near its end"
    case .tooFewComparables(let count, let needed):
      "\(count.of("comparable")) \(count == 1 ? "is" : "are") known; \(needed.grouped) are needed"
    }
  }
}

/// A score, or why there is none.
package enum DealVerdict: Hashable, Sendable {
  case scored(DealScore)
  case unscored(DealRefusal)

  package var score: DealScore? {
    if case .scored(let score) = self { score } else { nil }
  }

  package var refusal: DealRefusal? {
    if case .unscored(let refusal) = self { refusal } else { nil }
  }
}
