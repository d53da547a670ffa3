/// A site of eBay that the Browse API searches. Whoever names one that eBay does not know gets the answers of
/// `EBAY_US` without a word about it, so that names are checked here.
package enum EbayMarketplace: String, Hashable, Sendable, CaseIterable {
  case australia = "EBAY_AU"
  case austria = "EBAY_AT"
  case belgium = "EBAY_BE"
  case canada = "EBAY_CA"
  case france = "EBAY_FR"
  case germany = "EBAY_DE"
  case greatBritain = "EBAY_GB"
  case hongKong = "EBAY_HK"
  case ireland = "EBAY_IE"
  case italy = "EBAY_IT"
  case netherlands = "EBAY_NL"
  case poland = "EBAY_PL"
  case singapore = "EBAY_SG"
  case spain = "EBAY_ES"
  case switzerland = "EBAY_CH"
  case unitedStates = "EBAY_US"

  /// The header that names it. Without the header eBay takes `EBAY_US`.
  package static let header = "X-EBAY-C-MARKETPLACE-ID"

  /// - Parameter id: such as `EBAY_US`; capitals matter.
  /// - Throws: it is none of them.
  package init(id: String, field: String = "marketplace") throws(EbayRequestFault) {
    guard let found = Self(rawValue: id) else {
      let known = Self.allCases.map(\.rawValue).sorted().joined(separator: ", ")
      throw EbayRequestFault(.unknownWord(id, allowed: known), of: field)
    }
    self = found
  }

  package var id: String { rawValue }

  /// The country's two capitals (ISO 3166-1): the end of the id.
  package var country: String { String(rawValue.suffix(2)) }

  /// What its prices are in, unless a listing says otherwise.
  package var currency: EbayCurrency {
    switch self {
    case .australia: .australianDollar
    case .canada: .canadianDollar
    case .greatBritain: .pound
    case .hongKong: .hongKongDollar
    case .poland: .zloty
    case .singapore: .singaporeDollar
    case .switzerland: .swissFranc
    case .unitedStates: .dollar
    case .austria, .belgium, .france, .germany, .ireland, .italy, .netherlands, .spain: .euro
    }
  }

  /// The host of its pages, such as `www.ebay.com`.
  package var site: String {
    switch self {
    case .australia: "www.ebay.com.au"
    case .greatBritain: "www.ebay.co.uk"
    case .hongKong: "www.ebay.com.hk"
    case .singapore: "www.ebay.com.sg"
    case .unitedStates: "www.ebay.com"
    default: "www.ebay.\(country.lowercased())"
    }
  }

  /// For a person.
  package var name: String {
    switch self {
    case .australia: "eBay Australia"
    case .austria: "eBay Austria"
    case .belgium: "eBay Belgium"
    case .canada: "eBay Canada"
    case .france: "eBay France"
    case .germany: "eBay Germany"
    case .greatBritain: "eBay UK"
    case .hongKong: "eBay Hong Kong"
    case .ireland: "eBay Ireland"
    case .italy: "eBay Italy"
    case .netherlands: "eBay Netherlands"
    case .poland: "eBay Poland"
    case .singapore: "eBay Singapore"
    case .spain: "eBay Spain"
    case .switzerland: "eBay Switzerland"
    case .unitedStates: "eBay US"
    }
  }
}
