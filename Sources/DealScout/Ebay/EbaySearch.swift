import TollbookEvents

/// What eBay is asked to search for (`item_summary/search`), checked as far as eBay would check it, and in one form
/// however it was put: two searches are equal if they ask the same.
package struct EbaySearch: Sendable {
  package static let path = "/buy/browse/v1/item_summary/search"
  /// Unicode scalars of the words. More is often said to be refused; eBay's documents do not say so.
  package static let mostWords = 100
  package static let limits = 1...200
  /// Where a page may begin; nothing beyond is ever shown.
  package static let offsets = 0...9_999
  /// What eBay takes where no limit is sent.
  package static let standardLimit = 50

  package let marketplace: EbayMarketplace
  /// Keywords: a blank means "and", `(a, b)` means "or". No blank at the ends and never two in a row.
  package let words: String?
  /// eBay takes one category in a request.
  package let category: String?
  /// A product's number, 8 to 14 digits.
  package let gtin: String?
  /// eBay's own number of a product.
  package let epid: String?
  package let filters: EbayFilters
  package let sort: EbaySort
  /// How many listings a page holds.
  package let limit: Int
  /// How many listings stand before the page; a multiple of the limit.
  package let offset: Int
  /// Sorted, each once; empty: the listings alone.
  package let fieldGroups: [EbayFieldGroup]
  /// A text of ASCII that is the same for searches that ask the same, and another for others. What a user wrote is
  /// percent-encoded in it. At most ``mostKeyBytes`` bytes.
  package let key: String

  package static let mostKeyBytes = 2_400

  /// - Throws: the field that is wrong, by its name in a saved search, and why.
  package init(
    _ marketplace: EbayMarketplace, words: String? = nil, category: String? = nil,
    gtin: String? = nil, epid: String? = nil, filters: EbayFilters = .none,
    sort: EbaySort = .bestMatch, limit: Int = Self.standardLimit, offset: Int = 0,
    fieldGroups: [EbayFieldGroup] = []
  ) throws(EbayRequestFault) {
    self.marketplace = marketplace
    self.words = try Self.checked(words: words)
    self.category = try Self.digits(category, "category", 1...10, "a category id of digits")
    self.gtin = try Self.digits(gtin, "gtin", 8...14, "8 to 14 digits")
    self.epid = try Self.digits(epid, "epid", 1...20, "up to 20 digits")
    guard self.words != nil || category != nil || gtin != nil || epid != nil else {
      // eBay's error 12001.
      throw EbayRequestFault(.needsOne(of: "q, category, gtin, epid"), of: "")
    }
    guard Self.limits.contains(limit) else {
      throw EbayRequestFault(.outside(1...200, String(limit)), of: "limit")
    }
    guard Self.offsets.contains(offset) else {
      throw EbayRequestFault(.outside(0...9_999, String(offset)), of: "offset")
    }
    guard offset % limit == 0 else {
      throw EbayRequestFault(.notMultiple(of: limit), of: "offset")
    }
    if let currency = filters.maxDeliveryCost?.currency, currency != marketplace.currency {
      // The filter has no currency of its own: it is read in that of the site.
      throw EbayRequestFault(
        .currency(currency.code, expected: marketplace.currency.code),
        of: "filters.max_delivery_cost")
    }
    self.filters = filters
    self.sort = sort
    self.limit = limit
    self.offset = offset
    let groups = Set(fieldGroups)
    // The listings alone are what an answer holds anyway.
    self.fieldGroups =
      groups == [.matchingItems] ? [] : groups.sorted { $0.rawValue < $1.rawValue }
    key = Self.key(
      marketplace,
      Self.items(
        self.words, category, gtin, epid, filters, sort, self.fieldGroups, limit, offset))
  }

  // MARK: - Checks

  private static func checked(words: String?) throws(EbayRequestFault) -> String? {
    guard let words else { return nil }
    // Bytes first: the number of scalars of a long text is found by walking it.
    guard words.utf8.count <= 16 * mostWords else {
      throw EbayRequestFault(
        .tooLong(words.utf8.count, most: 16 * mostWords, of: "bytes"), of: "q")
    }
    var clean = String.UnicodeScalarView()
    var isBlankDue = false
    for scalar in words.unicodeScalars {
      if scalar == "\t" || (scalar.properties.isWhitespace && !scalar.steersTerminal) {
        isBlankDue = !clean.isEmpty
        continue
      }
      if scalar.steersTerminal || scalar.properties.isNoncharacterCodePoint {
        throw EbayRequestFault(.character("a control character"), of: "q")
      }
      if scalar == "*" { throw EbayRequestFault(.character("the wildcard *"), of: "q") }
      if isBlankDue { clean.append(" ") }
      isBlankDue = false
      clean.append(scalar)
    }
    guard !clean.isEmpty else { throw EbayRequestFault(.empty, of: "q") }
    guard clean.count <= mostWords else {
      throw EbayRequestFault(
        .tooLong(clean.count, most: mostWords, of: "characters"), of: "q")
    }
    return String(clean)
  }

  private static func digits(
    _ text: String?, _ field: String, _ counts: ClosedRange<Int>, _ expected: String
  ) throws(EbayRequestFault) -> String? {
    guard let text else { return nil }
    guard EbayText.isDigits(text, counts) else {
      throw EbayRequestFault(.form(text, expected: expected), of: field)
    }
    return text
  }

  static func isCategory(_ text: String) -> Bool { EbayText.isDigits(text, 1...10) }
}

// To Swift two texts are equal that look alike; eBay and the cache go by bytes.
extension EbaySearch: Hashable {
  package static func == (left: EbaySearch, right: EbaySearch) -> Bool { left.key == right.key }

  package func hash(into hasher: inout Hasher) { hasher.combine(key) }
}

// MARK: - Pages

extension EbaySearch {
  /// The same search from another place on.
  ///
  /// - Throws: the offset is no multiple of the limit, or too large.
  package func page(offset: Int) throws(EbayRequestFault) -> EbaySearch {
    try EbaySearch(
      marketplace, words: words, category: category, gtin: gtin, epid: epid, filters: filters,
      sort: sort, limit: limit, offset: offset, fieldGroups: fieldGroups)
  }

  /// The page behind this one; nil: eBay shows nothing there. The limit stays: with another one the offset would be no
  /// multiple of it.
  package var nextPage: EbaySearch? {
    offset + limit <= Self.offsets.upperBound ? try? page(offset: offset + limit) : nil
  }
}
