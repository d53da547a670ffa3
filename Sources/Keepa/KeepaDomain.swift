/// An Amazon marketplace as Keepa numbers it (fact sheet, section 1). 7 was China and is reserved.
package enum KeepaDomain: Int, CaseIterable, Hashable, Sendable {
  case unitedStates = 1
  case unitedKingdom = 2
  case germany = 3
  case france = 4
  case japan = 5
  case canada = 6
  case italy = 8
  case spain = 9
  case india = 10
  case mexico = 11
  case brazil = 12

  /// The end of the marketplace's host name: `com`, `co.uk`.
  package var name: String {
    switch self {
    case .unitedStates: "com"
    case .unitedKingdom: "co.uk"
    case .germany: "de"
    case .france: "fr"
    case .japan: "co.jp"
    case .canada: "ca"
    case .italy: "it"
    case .spain: "es"
    case .india: "in"
    case .mexico: "com.mx"
    case .brazil: "com.br"
    }
  }

  /// The ISO 4217 code of the currency that prices are in.
  package var currency: String {
    switch self {
    case .unitedStates: "USD"
    case .unitedKingdom: "GBP"
    case .germany, .france, .italy, .spain: "EUR"
    case .japan: "JPY"
    case .canada: "CAD"
    case .india: "INR"
    case .mexico: "MXN"
    case .brazil: "BRL"
    }
  }

  /// How many decimals the currency has: prices are in its smallest unit, for Japan whole yen.
  package var currencyDigits: Int { self == .japan ? 0 : 2 }
}
