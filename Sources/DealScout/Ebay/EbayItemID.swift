/// The name of an item in eBay's REST APIs: `v1|110000000001|0`. The first number is the listing's, the second that
/// of a variation of it, or 0 (Buy APIs, legacy API compatibility).
package struct EbayItemID: Hashable, Sendable, CustomStringConvertible {
  /// What is behind `v1|`. Most are of 14 bytes: Swift holds up to 15 in a string itself, without memory beside it.
  private let numbers: String

  /// The longest text, in bytes.
  package static let mostBytes = 48

  /// Nil if the text is not `v1`, a bar, up to 20 digits, a bar and up to 20 digits.
  package init?(_ text: String) {
    guard text.utf8.count <= Self.mostBytes else { return nil }
    let parts = text.split(separator: "|", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "v1", EbayText.isDigits(parts[1], 1...20),
      EbayText.isDigits(parts[2], 1...20)
    else { return nil }
    numbers = String(text[parts[1].startIndex...])
  }

  package var description: String { "v1|\(numbers)" }

  /// The number of the listing, as in the address of its page.
  package var legacyItemId: String { String(numbers.prefix { $0 != "|" }) }

  /// The number of the variation; nil: there is none.
  package var variationId: String? {
    let variation = numbers.drop { $0 != "|" }.dropFirst()
    return variation == "0" ? nil : String(variation)
  }

  /// As one step of a path: `v1%7C110000000001%7C0`.
  package var pathStep: String { EbayText.percentEncoded(description) }
}

/// By their texts.
extension EbayItemID: Comparable {
  package static func < (left: Self, right: Self) -> Bool { left.numbers < right.numbers }
}
