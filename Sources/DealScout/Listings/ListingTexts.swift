/// The texts of a listing in one piece of memory, each on a line of its own: readers of eBay's answers let no line end
/// through.
struct ListingTexts: Sendable {
  enum Text: Int, CaseIterable {
    case title, condition
    /// With blanks between them.
    case categories
    case image, page
    /// The title, as words are looked for in it; empty where that is done in the title itself, as it is ASCII.
    case searched
  }

  private static let lineEnd = UInt8(ascii: "\n")

  private let bytes: [UInt8]

  init(_ listing: EbayListing) {
    let isASCII = listing.title.utf8.allSatisfy { $0 < 0x80 }
    let lines = [
      listing.title, listing.condition ?? "", listing.categories.joined(separator: " "),
      listing.imageURL ?? "", listing.webURL ?? "",
      isASCII ? "" : SearchedText.composed(listing.title.lowercased()),
    ]
    bytes = Array(lines.joined(separator: "\n").utf8)
  }

  subscript(text: Text) -> String {
    let lines = bytes.split(
      separator: Self.lineEnd, maxSplits: Text.allCases.count - 1,
      omittingEmptySubsequences: false)
    return String(decoding: lines[text.rawValue], as: UTF8.self)
  }

  /// Nil: it has none.
  func address(_ text: Text) -> String? {
    let address = self[text]
    return address.isEmpty ? nil : address
  }

  var searchedTitle: SearchedText {
    guard bytes.last == Self.lineEnd else {
      let last = bytes.lastIndex(of: Self.lineEnd).map { $0 + 1 } ?? 0
      return SearchedText(bytes: bytes[last...], isASCII: false)
    }
    return SearchedText(bytes: bytes.prefix { $0 != Self.lineEnd }, isASCII: true)
  }
}
