/// Amounts of money as decimal text: nano-units of a currency elsewhere.
package enum DecimalText {
  private static let places = 9

  /// Exactly, with two decimals or as many as it takes: `1234.5678`.
  package static func text(nanoUnits: Int64) -> String {
    let (units, rest) = nanoUnits.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    var decimals = String(rest)
    decimals = String(repeating: "0", count: places - decimals.utf8.count) + decimals
    while decimals.utf8.count > 2, decimals.hasSuffix("0") { decimals.removeLast() }
    return "\(nanoUnits < 0 ? "-" : "")\(units).\(decimals)"
  }

  /// Reads `12`, `12.5` or `0.000000001`; nil if it is no such number, has more decimals, or is more than 64 bits hold.
  package static func nanoUnits(_ text: String) -> Int64? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard !parts[0].isEmpty, parts.allSatisfy({ $0.utf8.allSatisfy { 48...57 ~= $0 } }),
      parts.count == 1 || 1...places ~= parts[1].utf8.count
    else { return nil }
    let decimals = parts.count == 1 ? "" : String(parts[1])
    let zeros = String(repeating: "0", count: places - decimals.utf8.count)
    return Int64(String(parts[0]) + decimals + zeros)
  }
}
