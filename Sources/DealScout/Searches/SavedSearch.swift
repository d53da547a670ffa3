import JSONText
import TollbookEvents

/// A search that an account keeps, and that is scanned for it.
struct SavedSearch: Hashable, Sendable {
  /// Listings of a page: as many as eBay shows in one call.
  static let pageSize = 200
  /// Pages of a scan that eBay shows at all.
  static let mostPages = (EbaySearch.offsets.upperBound + 1) / pageSize

  /// Names it in addresses: made of its name.
  let id: String
  let account: String
  let saved: EbaySavedSearch
  let created: Timestamp

  var name: String { saved.name }
  var search: EbaySearch { saved.search }

  init(_ saved: EbaySavedSearch, of account: String, created: Timestamp) {
    self.saved = saved
    self.account = account
    self.created = created
    id = Self.id(of: saved.name)
  }

  /// Small letters and digits, and a dash for whatever stands between; `search` if there are none.
  static func id(of name: String) -> String {
    var id = ""
    for scalar in name.lowercased().unicodeScalars {
      if scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
        id.unicodeScalars.append(scalar)
      } else if !id.isEmpty, !id.hasSuffix("-") {
        id += "-"
      }
    }
    while id.hasSuffix("-") { id.removeLast() }
    return id.isEmpty ? "search" : String(id.prefix(64))
  }

  // MARK: What is asked

  /// A page of a scan: what was listed last comes first, unless the search has an order of its own.
  ///
  /// - Parameter number: from 0.
  /// - Returns: nil: eBay shows nothing there.
  func page(_ number: Int) -> EbaySearch? {
    page(number, search.filters, search.sort == .bestMatch ? .newlyListed : search.sort)
  }

  /// A page of what its listings are compared with: the same at any price, in eBay's own order.
  func comparables(_ number: Int) -> EbaySearch? {
    page(number, search.filters.withoutPrice, .bestMatch)
  }

  private func page(_ number: Int, _ filters: EbayFilters, _ sort: EbaySort) -> EbaySearch? {
    guard 0..<Self.mostPages ~= number else { return nil }
    return try? EbaySearch(
      search.marketplace, words: search.words, category: search.category, gtin: search.gtin,
      epid: search.epid, filters: filters, sort: sort, limit: Self.pageSize,
      offset: number * Self.pageSize)
  }

  // MARK: As it is kept

  var bytes: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.field("created_at_ms", created.milliseconds)
      json.field("search", saved)
    }
    return json.bytes
  }

  /// Nil: it cannot be read.
  init?(_ bytes: [UInt8], of account: String) {
    guard let root = try? JSONDocument(bytes, maximumDepth: 12, maximumValues: 2_000).root,
      let created = root["created_at_ms"]?.int64, let value = root["search"],
      let saved = try? EbaySavedSearch(value)
    else { return nil }
    self.init(saved, of: account, created: Timestamp(milliseconds: created))
  }
}

extension EbayFilters {
  /// The same at any price and any cost of delivery.
  var withoutPrice: EbayFilters {
    let same = try? EbayFilters(
      conditions: conditions, buyingOptions: buyingOptions,
      itemLocationCountry: itemLocationCountry, deliveryCountry: deliveryCountry,
      excludedCategories: excludedCategories)
    return same ?? .none
  }
}
