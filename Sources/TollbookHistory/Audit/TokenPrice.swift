/// What a token costs, in millionths of a currency unit. Whole numbers only: sums of money are exact, and only what is
/// shown to people is rounded.
package struct TokenPrice: Hashable, Sendable {
  /// Millionths of the currency unit.
  package let microUnits: Int64
  /// Such as `EUR`.
  package let currency: String

  package init(microUnits: Int64, currency: String) {
    self.microUnits = microUnits
    self.currency = currency
  }

  /// Reads `0.0412 EUR`: up to six decimals and a currency of three capitals. Nil for anything else.
  package init?(_ text: String) {
    let parts = text.split(separator: " ", omittingEmptySubsequences: true)
    guard parts.count == 2, parts[1].utf8.count == 3,
      parts[1].utf8.allSatisfy({ (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) })
    else { return nil }
    let number = parts[0].split(separator: ".", omittingEmptySubsequences: false)
    guard (1...2).contains(number.count),
      number.allSatisfy({ part in
        !part.isEmpty
          && part.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      }),
      number[0].count <= 9, let units = Int64(number[0])
    else { return nil }
    var micro: Int64 = 0
    if number.count == 2 {
      guard number[1].count <= 6, let digits = Int64(number[1]) else { return nil }
      micro = (number[1].count..<6).reduce(digits) { value, _ in value * 10 }
    }
    microUnits = units * 1_000_000 + micro
    currency = String(parts[1])
  }

  /// What so many tokens cost, exactly. Sums that no number holds end at the largest one.
  package func microUnits(of tokens: Int64) -> Int64 {
    Int64(clamping: Int128(tokens) * Int128(microUnits))
  }

  /// For people: rounded to hundredths of the currency unit, halves away from zero, such as `1,234.50 EUR`.
  package func amount(of tokens: Int64) -> String {
    let micro = Int128(microUnits(of: tokens))
    let hundredths = (micro.magnitude + 5_000) / 10_000
    let (units, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
    var digits = String(units)
    var groups: [Substring] = []
    while digits.count > 3 {
      groups.insert(digits.suffix(3), at: 0)
      digits.removeLast(3)
    }
    let whole = ([digits[...]] + groups).joined(separator: ",")
    let sign = micro < 0 && hundredths > 0 ? "-" : ""
    return "\(sign)\(whole).\(rest < 10 ? "0" : "")\(rest) \(currency)"
  }
}

extension TokenPrice: CustomStringConvertible {
  /// As it is written in the settings: `0.0412 EUR`.
  package var description: String {
    let (units, rest) = microUnits.quotientAndRemainder(dividingBy: 1_000_000)
    var decimals = String(rest)
    decimals = String(repeating: "0", count: 6 - decimals.count) + decimals
    while decimals.last == "0" { decimals.removeLast() }
    return "\(units)\(decimals.isEmpty ? "" : ".\(decimals)") \(currency)"
  }
}
