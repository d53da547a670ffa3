/// In what condition something is, in the words of this desk.
package enum SellerCondition: String, Hashable, Sendable, CaseIterable {
  case new
  case openBox = "open_box"
  case refurbished
  case used
  case parts

  /// The condition of eBay's that stands for it.
  var ebay: EbayCondition {
    switch self {
    case .new: .new
    case .openBox: .newOther
    case .refurbished: .sellerRefurbished
    case .used: .used
    case .parts: .forParts
    }
  }

  static let words = allCases.map(\.rawValue).joined(separator: ", ")
}
