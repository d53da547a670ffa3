// How a search is sent.

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
}
