/// The condition of an item, by eBay's condition ids.
enum EbayGrade: Int, Sendable, CaseIterable {
  case new = 1000
  case newOther = 1500
  case newWithDefects = 1750
  case certified = 2000
  case excellent = 2010
  case veryGoodRefurbished = 2020
  case goodRefurbished = 2030
  case sellerRefurbished = 2500
  case likeNew = 2750
  case used = 3000
  case veryGood = 4000
  case good = 5000
  case acceptable = 6000
  case forParts = 7000

  /// The words beside the id.
  var label: String {
    switch self {
    case .new: "New"
    case .newOther: "Open box"
    case .newWithDefects: "New with defects"
    case .certified: "Certified - Refurbished"
    case .excellent: "Excellent - Refurbished"
    case .veryGoodRefurbished: "Very Good - Refurbished"
    case .goodRefurbished: "Good - Refurbished"
    case .sellerRefurbished: "Seller refurbished"
    case .likeNew: "Like New"
    case .used: "Used"
    case .veryGood: "Very Good"
    case .good: "Good"
    case .acceptable: "Acceptable"
    case .forParts: "For parts or not working"
    }
  }

  /// What the filter `conditions` calls it.
  var word: String { rawValue < 2000 ? "NEW" : "USED" }

  /// What an item in it fetches, in thousandths of a new one. Within new, refurbished and used the figures are close
  /// together, so that each group has one fair price.
  var worth: Int64 {
    switch self {
    case .new: 1_000
    case .newOther: 960
    case .newWithDefects: 920
    case .certified: 800
    case .excellent: 790
    case .veryGoodRefurbished: 780
    case .goodRefurbished: 760
    case .sellerRefurbished: 770
    case .likeNew: 640
    case .used: 620
    case .veryGood: 615
    case .good: 590
    case .acceptable: 560
    case .forParts: 180
    }
  }

  /// The condition of an ordinary listing; `draw` is one of 100.
  static func drawn(_ draw: Int) -> EbayGrade {
    switch draw {
    case ..<36: .new
    case ..<40: .newOther
    case ..<41: .newWithDefects
    case ..<44: .certified
    case ..<46: .excellent
    case ..<48: .veryGoodRefurbished
    case ..<49: .goodRefurbished
    case ..<53: .sellerRefurbished
    case ..<56: .likeNew
    case ..<90: .used
    case ..<94: .veryGood
    case ..<98: .good
    default: .acceptable
    }
  }
}
