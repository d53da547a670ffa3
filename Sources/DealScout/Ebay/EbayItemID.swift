/// The name of an item in eBay's REST APIs: `v1|110000000001|0`. The first number is the listing's, the second that
/// of a variation of it, or 0 (Buy APIs, legacy API compatibility).
package struct EbayItemID: Hashable, Sendable, CustomStringConvertible {
  package let description: String
  /// The number of the listing, as in the address of its page.
  package let legacyItemId: String
  /// The number of the variation; nil: there is none.
  package let variationId: String?

  /// The longest text, in bytes.
  package static let mostBytes = 48

  /// Nil if the text is not `v1`, a bar, up to 20 digits, a bar and up to 20 digits.
  package init?(_ text: String) {
    guard text.utf8.count <= Self.mostBytes else { return nil }
    let parts = text.split(separator: "|", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "v1", EbayText.isDigits(parts[1], 1...20),
      EbayText.isDigits(parts[2], 1...20)
    else { return nil }
    description = text
    legacyItemId = String(parts[1])
    variationId = parts[2] == "0" ? nil : String(parts[2])
  }

  /// The text says all: the numbers are parts of it.
  package static func == (left: Self, right: Self) -> Bool {
    left.description == right.description
  }

  package func hash(into hasher: inout Hasher) { hasher.combine(description) }

  /// As one step of a path: `v1%7C110000000001%7C0`.
  package var pathStep: String { EbayText.percentEncoded(description) }
}
