/// Conditions whose prices are compared with each other.
///
/// A group holds condition ids and not their names, which differ by category (eBay's type "Condition"; the ids 2010 to
/// 2030 and 2750 are not confirmed). The cut into groups is a convention.
package enum ConditionGroup: String, CaseIterable, Hashable, Sendable {
  /// 1000: new, unused, unopened.
  case new
  /// 1500 and 1750: new without its sealed package, and new with small defects.
  case openBox = "open_box"
  /// 2000 to 2030 and 2500: refurbished by the maker, a certified seller or any seller.
  case refurbished
  /// 2750 to 6000: like new, used, very good, good and acceptable.
  case used
  /// 7000: for parts or not working. Such an offer is never scored and never a comparable: its price is that of what
  /// still works.
  case parts

  /// Nil for an id that is not known: nothing is compared with it.
  package init?(id: Int) {
    switch id {
    case 1000: self = .new
    case 1500, 1750: self = .openBox
    case 2000, 2010, 2020, 2030, 2500: self = .refurbished
    case 2750, 3000, 4000, 5000, 6000: self = .used
    case 7000: self = .parts
    default: return nil
    }
  }

  /// The condition of eBay's that stands for it in a listing.
  var ebay: EbayCondition {
    switch self {
    case .new: .new
    case .openBox: .newOther
    case .refurbished: .sellerRefurbished
    case .used: .used
    case .parts: .forParts
    }
  }

  /// All names, for who has written none of them.
  static let words = allCases.map(\.rawValue).joined(separator: ", ")
}
