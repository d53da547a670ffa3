import JSONText

/// What `get_items` answers: items, and warnings about those that were not found.
package struct EbayItems: Sendable {
  package struct Row: Sendable {
    package let item: EbayItem
    /// Byte for byte. It names the seller: see ``EbaySellerNames`` before it is kept.
    package let raw: ArraySlice<UInt8>
  }

  package let rows: [Row]
  package let unreadable: [EbaySearchPage.Unreadable]
  package let warnings: [EbayErrorEntry]
  /// Those that were asked for and are not there, readable or not: gone, as a rule.
  package let absent: [EbayItemID]

  /// Reads an answer with status 200. Items that were not asked for are left out.
  ///
  /// - Throws: the answer itself is none of `get_items`.
  package init(
    _ bytes: [UInt8], asked: [EbayItemID], sellerDigest: ((String) -> String)? = nil
  ) throws(EbayReadingError) {
    let root = try EbayReader.root(
      bytes, most: EbaySearchPage.mostBytes, values: EbaySearchPage.mostValues)
    warnings =
      try
      (root.elements("warnings", most: EbayErrorBody.mostEntries)
      + root.elements("errors", most: EbayErrorBody.mostEntries))
      .map { EbayErrorEntry($0.value) }
    var rows: [Row] = []
    var unreadable: [EbaySearchPage.Unreadable] = []
    var missing = Set(asked)
    let most = EbayItemRequest.mostItems * 2
    for (index, element) in try root.elements("items", most: most).enumerated() {
      let id = element.value["itemId"]?.string.flatMap { EbayItemID($0) }
      do throws(EbayReadingError) {
        let item = try EbayItem(
          element.value, place: element.place, sellerDigest: sellerDigest)
        guard missing.remove(item.listing.itemId) != nil else { continue }
        rows.append(Row(item: item, raw: element.value.bytes))
      } catch {
        if let id { missing.remove(id) }
        unreadable.append(EbaySearchPage.Unreadable(index: index, itemId: id, error: error))
      }
    }
    self.rows = rows
    self.unreadable = unreadable
    absent = asked.filter { missing.contains($0) }
  }
}
