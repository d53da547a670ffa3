import TollbookEvents

/// An amount of money as eBay writes it: decimal digits in a string and a currency. Never negative, never a `Double`.
package struct EbayMoney: Hashable, Sendable, CustomStringConvertible {
  /// What an amount was before eBay converted it into the currency of the site.
  package struct Original: Hashable, Sendable {
    package let minorUnits: Int64
    package let currency: EbayCurrency
    package let text: String
  }

  /// The longest text that is read, in bytes.
  package static let mostBytes = 32
  /// The largest amount that is believed, in minor units: two of them never overflow.
  package static let mostMinorUnits: Int64 = 1_000_000_000_000_000

  /// In the currency's smallest unit, such as cents.
  package let minorUnits: Int64
  package let currency: EbayCurrency
  /// As it was written, such as `31.9`.
  package let text: String
  /// Nil: eBay converted nothing.
  package let convertedFrom: Original?

  /// Reads digits with at most one point. No sign, no exponent, no blank; more decimals than the currency has must
  /// be zeros. Nil for anything else and above ``mostMinorUnits``.
  package init?(_ text: String, _ currency: EbayCurrency, convertedFrom: Original? = nil) {
    guard let units = Self.minorUnits(text, exponent: currency.exponent) else { return nil }
    minorUnits = units
    self.currency = currency
    self.text = text
    self.convertedFrom = convertedFrom
  }

  /// An amount that is not negative and not above ``mostMinorUnits``; nil otherwise.
  package init?(minorUnits: Int64, _ currency: EbayCurrency) {
    guard 0...Self.mostMinorUnits ~= minorUnits else { return nil }
    self.minorUnits = minorUnits
    self.currency = currency
    text = Self.text(minorUnits, exponent: currency.exponent)
    convertedFrom = nil
  }

  /// With all of the currency's decimals: `31.90 USD`.
  package var description: String { "\(plainText) \(currency)" }

  /// The digits with all of the currency's decimals, the same for the same amount: `31.90`.
  package var plainText: String { Self.text(minorUnits, exponent: currency.exponent) }

  package var isZero: Bool { minorUnits == 0 }

  /// In nano-units of the currency; nil if 64 bits do not hold them.
  package var nanoUnits: Int64? {
    var units = minorUnits
    for _ in currency.exponent..<9 {
      let (product, overflow) = units.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      units = product
    }
    return units
  }

  /// Of nano-units of a currency; nil: it is no money, or finer than the currency's smallest unit.
  init?(_ amount: Amount) {
    guard let currency = EbayCurrency(amount.unit), currency.exponent <= 9 else { return nil }
    var scale: Int64 = 1
    for _ in currency.exponent..<9 { scale *= 10 }
    guard amount.count % scale == 0 else { return nil }
    self.init(minorUnits: amount.count / scale, currency)
  }

  /// The amount in a currency: this one, or what it was converted from; nil: it is of neither.
  package func minorUnits(in currency: EbayCurrency) -> Int64? {
    if currency == self.currency { return minorUnits }
    return convertedFrom.flatMap { $0.currency == currency ? $0.minorUnits : nil }
  }

  /// The sum; nil for two currencies and above ``mostMinorUnits``.
  package func adding(_ other: EbayMoney) -> EbayMoney? {
    guard currency == other.currency else { return nil }
    return EbayMoney(minorUnits: minorUnits + other.minorUnits, currency)
  }

  // MARK: - Digits

  /// Nil if the text is no such amount.
  static func minorUnits(_ text: String, exponent: Int) -> Int64? {
    let bytes = text.utf8
    guard bytes.count <= mostBytes else { return nil }
    var units: Int64 = 0
    var digits = 0
    var decimals: Int?
    for byte in bytes {
      if byte == UInt8(ascii: ".") {
        guard decimals == nil, digits > 0 else { return nil }
        decimals = 0
        continue
      }
      guard 0x30...0x39 ~= byte else { return nil }
      digits += 1
      if let count = decimals {
        decimals = count + 1
        // Digits beyond the smallest unit would be lost.
        if count >= exponent {
          guard byte == 0x30 else { return nil }
          continue
        }
      }
      units = units * 10 + Int64(byte - 0x30)
      guard units <= mostMinorUnits else { return nil }
    }
    guard digits > 0, decimals != 0 else { return nil }
    for _ in min(decimals ?? 0, exponent)..<exponent {
      units *= 10
      guard units <= mostMinorUnits else { return nil }
    }
    return units
  }

  private static func text(_ units: Int64, exponent: Int) -> String {
    let digits = String(units)
    guard exponent > 0 else { return digits }
    let zeros = String(repeating: "0", count: max(0, exponent + 1 - digits.utf8.count))
    let all = zeros + digits
    return "\(all.dropLast(exponent)).\(all.suffix(exponent))"
  }
}
