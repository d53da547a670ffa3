/// A site of the simulated marketplace. Each one has a market of its own.
struct EbaySite: Sendable, Hashable {
  /// Its place in `EbaySite.all`, which item ids tell.
  let index: Int
  /// Such as `EBAY_US`.
  let id: String
  let currency: EbayCoin

  /// Two capitals (ISO 3166-1).
  var country: String { String(id.suffix(2)) }

  /// Whether `sellerAccountTypes` filters here: in Europe. Elsewhere it is warning 12014 (which sites take the filter
  /// is an assumption).
  var takesAccountTypes: Bool {
    !["EBAY_US", "EBAY_CA", "EBAY_AU", "EBAY_HK", "EBAY_SG"].contains(id)
  }

  /// Sites that can be told apart in an item id.
  static let mostSites = 16

  /// All sites, the American one first.
  static let all: [EbaySite] = [
    ("EBAY_US", "USD"), ("EBAY_GB", "GBP"), ("EBAY_DE", "EUR"), ("EBAY_AU", "AUD"),
    ("EBAY_CA", "CAD"), ("EBAY_FR", "EUR"), ("EBAY_IT", "EUR"), ("EBAY_ES", "EUR"),
    ("EBAY_AT", "EUR"), ("EBAY_BE", "EUR"), ("EBAY_NL", "EUR"), ("EBAY_IE", "EUR"),
    ("EBAY_PL", "PLN"), ("EBAY_CH", "CHF"), ("EBAY_HK", "HKD"), ("EBAY_SG", "SGD"),
  ].enumerated().map { index, row in
    EbaySite(index: index, id: row.0, currency: EbayCoin.known[row.1] ?? .dollar)
  }

  /// The American site: where searches go that name none, or one that is not known.
  static let usual = EbaySite(index: 0, id: "EBAY_US", currency: .dollar)

  /// The site that a header names. A missing or an unknown name is silently the American site.
  static func named(_ header: String?) -> EbaySite {
    all.first { $0.id == header } ?? usual
  }
}

/// A currency with an invented, fixed rate.
struct EbayCoin: Sendable, Hashable {
  /// Three capitals (ISO 4217).
  let code: String
  /// How many thousandths of it a dollar buys.
  let perDollar: Int64
  /// How many decimals an amount is written with.
  let decimals: Int

  static let dollar = EbayCoin(code: "USD", perDollar: 1_000, decimals: 2)

  /// Currencies by their code.
  static let known: [String: EbayCoin] = Dictionary(
    uniqueKeysWithValues: [
      EbayCoin(code: "USD", perDollar: 1_000, decimals: 2),
      EbayCoin(code: "GBP", perDollar: 780, decimals: 2),
      EbayCoin(code: "EUR", perDollar: 920, decimals: 2),
      EbayCoin(code: "AUD", perDollar: 1_520, decimals: 2),
      EbayCoin(code: "CAD", perDollar: 1_380, decimals: 2),
      EbayCoin(code: "PLN", perDollar: 3_950, decimals: 2),
      EbayCoin(code: "CHF", perDollar: 880, decimals: 2),
      EbayCoin(code: "HKD", perDollar: 7_800, decimals: 2),
      EbayCoin(code: "SGD", perDollar: 1_340, decimals: 2),
      EbayCoin(code: "JPY", perDollar: 151_000, decimals: 0),
    ].map { ($0.code, $0) })

  /// An amount in hundredths as JSON's money has it: `31.99`; of a currency without decimals the whole part.
  func text(hundredths: Int64) -> String {
    let (whole, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
    guard decimals > 0 else { return String(whole) }
    return rest < 10 ? "\(whole).0\(rest)" : "\(whole).\(rest)"
  }

  /// Hundredths of this currency in hundredths of another one.
  func hundredths(_ amount: Int64, in other: EbayCoin) -> Int64 {
    guard code != other.code else { return amount }
    let (high, low) = amount.multipliedFullWidth(by: other.perDollar)
    guard high == 0, let product = Int64(exactly: low) else { return amount }
    return product / max(1, perDollar)
  }
}
