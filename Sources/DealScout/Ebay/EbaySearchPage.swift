import JSONText

/// A page of a search: what `item_summary/search` answers.
package struct EbaySearchPage: Sendable {
  /// A listing with the JSON that it came as. That JSON names the seller: see ``EbaySellerNames`` before it is kept.
  package struct Row: Sendable {
    package let listing: EbayListing
    /// Byte for byte.
    package let raw: ArraySlice<UInt8>
  }

  /// A listing that could not be read.
  package struct Unreadable: Hashable, Sendable {
    /// Its place among the page's listings, counted from 0.
    package let index: Int
    /// Nil: it has none that is one.
    package let itemId: EbayItemID?
    package let error: EbayReadingError
  }

  /// The longest answer that is read, in bytes, and the most values in it.
  package static let mostBytes = 16 << 20
  package static let mostValues = 1 << 19

  /// How many listings there are, as eBay estimates.
  package let total: Int64
  /// How many listings stand before this page; nil: it is not told.
  package let offset: Int?
  /// How many listings the page may hold; nil: it is not told.
  package let limit: Int?
  /// Whether eBay names a page behind this one.
  package let hasNext: Bool
  /// Where the page behind this one begins, by its address; nil: there is none, or the address tells none.
  package let nextOffset: Int?
  /// In eBay's order. There may be fewer than the limit, also before the last page.
  package let rows: [Row]
  package let unreadable: [Unreadable]
  /// What eBay left out of the question.
  package let warnings: [EbayErrorEntry]

  package var listings: [EbayListing] { rows.map(\.listing) }

  /// Whether eBay took every part of the question. Otherwise the answer is that of another question.
  package var isAsAsked: Bool { warnings.isEmpty }

  /// Reads an answer with status 200. A listing that cannot be read is named in ``unreadable``; of an empty result
  /// `itemSummaries` is not there.
  ///
  /// - Parameter sellerDigest: makes of a seller's name what may be kept of it.
  /// - Throws: the page itself is no such answer.
  package init(
    _ bytes: [UInt8], sellerDigest: ((String) -> String)? = nil
  ) throws(EbayReadingError) {
    let page = try EbayReader.root(bytes, most: Self.mostBytes, values: Self.mostValues)
    if let first = try page.elements("errors", most: EbayErrorBody.mostEntries).first {
      throw EbayReadingError(.refused(EbayErrorEntry(first.value).text), at: "errors[0]")
    }
    total = try page.required(try page.integer("total", 0...1_000_000_000_000), "total")
    offset = try page.integer("offset", 0...10_000).map { Int($0) }
    limit = try page.integer("limit", 0...10_000).map { Int($0) }
    let next = try page.text("next", most: 8_192)
    hasNext = next != nil
    nextOffset = next.flatMap(Self.offset)
    warnings = try page.elements("warnings", most: EbayErrorBody.mostEntries)
      .map { EbayErrorEntry($0.value) }
    var rows: [Row] = []
    var unreadable: [Unreadable] = []
    let most = EbaySearch.limits.upperBound
    for (index, element) in try page.elements("itemSummaries", most: most).enumerated() {
      do throws(EbayReadingError) {
        let listing = try EbayListing(
          element.value, place: element.place, sellerDigest: sellerDigest)
        rows.append(Row(listing: listing, raw: element.value.bytes))
      } catch {
        let id = element.value["itemId"]?.string.flatMap { EbayItemID($0) }
        unreadable.append(Unreadable(index: index, itemId: id, error: error))
      }
    }
    self.rows = rows
    self.unreadable = unreadable
  }

  /// The offset in the query of an address.
  private static func offset(in address: String) -> Int? {
    guard let query = address.firstIndex(of: "?") else { return nil }
    for item in address[address.index(after: query)...].split(separator: "&") {
      guard item.hasPrefix("offset=") else { continue }
      let text = item.dropFirst("offset=".count)
      guard EbayText.isDigits(text, 1...5), let offset = Int(text),
        EbaySearch.offsets.contains(offset)
      else { return nil }
      return offset
    }
    return nil
  }
}
