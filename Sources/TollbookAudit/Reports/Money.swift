package import TollbookEvents

/// How sums of money are written, which are nano-units of a currency everywhere else.
package enum Money {
  package static let nanoUnitsPerUnit: Int64 = 1_000_000_000

  /// Exactly, with two decimals or as many as it takes: `1,234.5678`.
  package static func exact(nanoUnits: Int64) -> String {
    let (units, rest) = nanoUnits.magnitude.quotientAndRemainder(
      dividingBy: UInt64(nanoUnitsPerUnit))
    let sign = nanoUnits < 0 ? "-" : ""
    return "\(sign)\(grouped(units)).\(decimals(of: rest, atLeast: 2))"
  }

  /// Rounded to hundredths, halves away from zero.
  package static func rounded(nanoUnits: Int64) -> String {
    let hundredths = UInt64((UInt128(nanoUnits.magnitude) + 5_000_000) / 10_000_000)
    let (units, rest) = hundredths.quotientAndRemainder(dividingBy: 100)
    let sign = nanoUnits < 0 && hundredths > 0 ? "-" : ""
    return "\(sign)\(grouped(units)).\(rest < 10 ? "0" : "")\(rest)"
  }

  /// The nine decimals of a number of nano-units, without zeros at the end.
  static func decimals(of nanoUnits: UInt64, atLeast count: Int) -> String {
    var decimals = String(nanoUnits)
    decimals = String(repeating: "0", count: 9 - decimals.count) + decimals
    while decimals.count > count, decimals.last == "0" { decimals.removeLast() }
    return decimals
  }

  static func grouped(_ number: UInt64) -> String {
    var digits = String(number)
    var groups: [Substring] = []
    while digits.count > 3 {
      groups.insert(digits.suffix(3), at: 0)
      digits.removeLast(3)
    }
    return ([digits[...]] + groups).joined(separator: ",")
  }
}

extension Amount {
  /// For people: `1,234 tokens`, `1 token`, `2 daily requests`, and of money `1.2345 EUR`.
  package var text: String {
    guard !Self.isMoney(unit) else { return figure }
    var words = Self.words(for: unit).split(separator: " ")
    if count == 1, let plural = words.lastIndex(where: { $0.hasSuffix("s") }) {
      words[plural].removeLast()
    }
    return "\(number) \(words.joined(separator: " "))"
  }

  /// For people, where a heading names the unit: `1,234`, and of money still `1.2345 EUR`.
  package var figure: String { Self.isMoney(unit) ? "\(number) \(unit)" : number }

  /// For people, where its unit stands beside it: `1,234`, and of money `1.2345`.
  package var number: String {
    guard Self.isMoney(unit) else {
      return (count < 0 ? "-" : "") + Money.grouped(count.magnitude)
    }
    return Money.exact(nanoUnits: count)
  }

  /// What people call a unit: `daily requests` for `daily_requests`.
  package static func words(for unit: String) -> String { unit.replacing("_", with: " ") }
}
