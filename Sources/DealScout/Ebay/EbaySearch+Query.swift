// How a search is sent, and how it is named.

extension EbaySearch {
  /// The path with its query, percent-encoded, without a host. Names are in one order.
  package var pathAndQuery: String {
    var items: [(name: String, value: String)] = []
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { items.append((name, value)) }
    }
    add("q", words)
    add("category_ids", category)
    add("gtin", gtin)
    add("epid", epid)
    add("filter", filters.text)
    add("sort", sort.rawValue)
    add("fieldgroups", fieldGroups.map(\.rawValue).joined(separator: ","))
    add("limit", String(limit))
    add("offset", String(offset))
    return "\(Self.path)?\(EbayText.form(items))"
  }

  /// The headers of the request, beside its authorization. Where the delivery country is known it is told as the
  /// place of the buyer too, since without a place shipping costs mean little.
  package var headers: [(name: String, value: String)] {
    var headers = [(name: EbayMarketplace.header, value: marketplace.id)]
    if let country = filters.deliveryCountry {
      headers.append(("X-EBAY-C-ENDUSERCTX", "contextualLocation=country%3D\(country)"))
    }
    return headers
  }

  /// The ``key`` without the page: the same for all pages of one search.
  package var keyOfAllPages: String {
    Self.key(
      marketplace,
      Self.items(words, category, gtin, epid, filters, sort, fieldGroups, nil, nil))
  }

  // MARK: - Key

  /// In alphabetical order; what is as eBay takes it anyway is left out.
  static func items(
    _ words: String?, _ category: String?, _ gtin: String?, _ epid: String?,
    _ filters: EbayFilters, _ sort: EbaySort, _ groups: [EbayFieldGroup], _ limit: Int?,
    _ offset: Int?
  ) -> [(name: String, value: String)] {
    var items: [(name: String, value: String)] = []
    func add(_ name: String, _ value: String?) {
      if let value, !value.isEmpty { items.append((name, value)) }
    }
    add("category", category)
    add("currency", filters.currency?.code)
    add("epid", epid)
    for part in filters.parts {
      // A sign that stands around a list or range would only be encoded.
      add("f.\(part.name.rawValue)", part.value.filter { !"{}[]".contains($0) })
    }
    add("groups", groups.map(\.rawValue).joined(separator: "|"))
    add("gtin", gtin)
    add("limit", limit.flatMap { $0 == standardLimit ? nil : String($0) })
    add("offset", offset.flatMap { $0 == 0 ? nil : String($0) })
    add("q", words)
    add("sort", sort.rawValue)
    return items
  }

  static func key(
    _ marketplace: EbayMarketplace, _ items: [(name: String, value: String)]
  ) -> String {
    "\(marketplace.id)?\(EbayText.form(items))"
  }
}
