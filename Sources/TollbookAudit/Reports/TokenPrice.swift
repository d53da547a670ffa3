import TollbookEvents

/// What a token costs, in nano-units of a currency. Whole numbers only: sums of money are exact, and only what is shown
/// to people is rounded. It is the price of one unit; other units get no money from it.
package struct TokenPrice: Hashable, Sendable {
  /// Billionths of the currency unit.
  package let nanoUnits: Int64
  /// Such as `EUR`.
  package let currency: String

  package init(nanoUnits: Int64, currency: String) {
    self.nanoUnits = nanoUnits
    self.currency = currency
  }

  /// Reads `0.0412 EUR`: up to nine decimals and a currency of three capitals. Nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: " ", omittingEmptySubsequences: true)
    guard parts.count == 2, Amount.isMoney(String(parts[1])) else { return nil }
    let number = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(number.count),
      number.allSatisfy({ part in
        !part.isEmpty
          && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      }),
      number[0].count <= 9, let units = Int64(number[0])
    else { return nil }
    var nano: Int64 = 0
    if number.count == 2 {
      guard number[1].count <= 9, let digits = Int64(number[1]) else { return nil }
      nano = (number[1].count..<9).reduce(digits) { value, _ in value * 10 }
    }
    nanoUnits = units * Money.nanoUnitsPerUnit + nano
    currency = String(parts[1])
  }

  /// Whether it is the price of a unit.
  package func isOf(_ unit: String) -> Bool { unit == Amount.firstUnit }

  /// What so many tokens cost, exactly. Sums that no number holds end at the largest one.
  package func nanoUnits(of tokens: Int64) -> Int64 {
    Int64(clamping: Int128(tokens) * Int128(nanoUnits))
  }

  /// For people: rounded to hundredths of the currency unit, halves away from zero, such as `1,234.50 EUR`.
  package func amount(of tokens: Int64) -> String {
    "\(Money.rounded(nanoUnits: nanoUnits(of: tokens))) \(currency)"
  }
}

extension TokenPrice: CustomStringConvertible {
  /// As it is written in the settings: `0.0412 EUR`.
  package var description: String {
    let (units, rest) = nanoUnits.quotientAndRemainder(dividingBy: Money.nanoUnitsPerUnit)
    let decimals = Money.decimals(of: UInt64(rest), atLeast: 0)
    return "\(units)\(decimals.isEmpty ? "" : ".\(decimals)") \(currency)"
  }
}
