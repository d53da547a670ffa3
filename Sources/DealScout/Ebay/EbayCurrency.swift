/// A currency by its three capitals (ISO 4217).
package struct EbayCurrency: Hashable, Sendable, CustomStringConvertible {
  package let code: String
  /// How many decimals its smallest unit has: 2 for cents, 0 for the yen.
  package let exponent: Int

  package static let australianDollar = EbayCurrency(known: "AUD")
  package static let canadianDollar = EbayCurrency(known: "CAD")
  package static let dollar = EbayCurrency(known: "USD")
  package static let euro = EbayCurrency(known: "EUR")
  package static let hongKongDollar = EbayCurrency(known: "HKD")
  package static let pound = EbayCurrency(known: "GBP")
  package static let singaporeDollar = EbayCurrency(known: "SGD")
  package static let swissFranc = EbayCurrency(known: "CHF")
  package static let zloty = EbayCurrency(known: "PLN")

  /// Nil if the text is not three capitals.
  package init?(_ code: String) {
    guard code.utf8.count == 3, code.utf8.allSatisfy({ 0x41...0x5A ~= $0 }) else { return nil }
    self.init(known: code)
  }

  private init(known code: String) {
    self.code = code
    exponent =
      Self.withoutDecimals.contains(code)
      ? 0 : Self.withThree.contains(code) ? 3 : Self.withFour.contains(code) ? 4 : 2
  }

  package var description: String { code }

  // ISO 4217, table A.1, column "minor unit". All others have two.
  private static let withoutDecimals: Set<String> = [
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND",
    "VUV", "XAF", "XOF", "XPF",
  ]
  private static let withThree: Set<String> = ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"]
  private static let withFour: Set<String> = ["CLF", "UYW"]
}
