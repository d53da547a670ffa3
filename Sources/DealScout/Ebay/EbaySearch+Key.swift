import TollbookEvents

// How a search is named: `EBAY_US?f.conditionIds=3000&q=widget`.

extension EbaySearch {
  /// The ``key`` without the page: the same for all pages of one search.
  package var keyOfAllPages: String {
    Self.key(
      marketplace,
      Self.items(words, category, gtin, epid, filters, sort, fieldGroups, nil, nil))
  }

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

  // MARK: - Reading

  /// The search that its own ``key`` is of; nil: the text is none's.
  package init?(key text: String) {
    guard text.utf8.count <= Self.mostKeyBytes, let mark = text.firstIndex(of: "?"),
      let marketplace = EbayMarketplace(rawValue: String(text[..<mark]))
    else { return nil }
    var values: [String: String] = [:]
    for item in text[text.index(after: mark)...].split(separator: "&") {
      let sides = item.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard sides.count == 2, let value = EbayText.percentDecoded(sides[1]) else { return nil }
      values[String(sides[0])] = value
    }
    let search = try? Self.search(marketplace, values)
    // What is written in another way, twice, or not known, makes another key.
    guard let search, search.key == text else { return nil }
    self = search
  }

  private static func search(
    _ marketplace: EbayMarketplace, _ values: [String: String]
  ) throws(EbayRequestFault) -> EbaySearch {
    func number(_ name: String, _ standard: Int) -> Int {
      values[name].map { Int($0) ?? -1 } ?? standard
    }
    return try EbaySearch(
      marketplace, words: values["q"], category: values["category"], gtin: values["gtin"],
      epid: values["epid"], filters: EbayFilters(keyed: values, marketplace),
      sort: values["sort"].flatMap { EbaySort(rawValue: $0) } ?? .bestMatch,
      limit: number("limit", standardLimit), offset: number("offset", 0),
      fieldGroups: list(values["groups"]).compactMap { EbayFieldGroup(rawValue: $0) })
  }

  fileprivate static func list(_ text: String?) -> [String] {
    text.map { $0.split(separator: "|").map { String($0) } } ?? []
  }
}

extension EbayFilters {
  /// Reads what a key says of filters. What it cannot read is left out, and so missed in the key of what was read.
  fileprivate init(
    keyed values: [String: String], _ marketplace: EbayMarketplace
  ) throws(EbayRequestFault) {
    func value(_ name: EbayFilterName) -> String? { values["f.\(name.rawValue)"] }
    func ends(_ name: EbayFilterName) -> (start: String, end: String)? {
      guard let text = value(name), let dots = text.firstRange(of: "..") else { return nil }
      return (String(text[..<dots.lowerBound]), String(text[dots.upperBound...]))
    }
    func dates(_ name: EbayFilterName) throws(EbayRequestFault) -> EbayDateRange? {
      guard let ends = ends(name) else { return nil }
      return try EbayDateRange(
        start: Timestamp(rfc3339: ends.start), end: Timestamp(rfc3339: ends.end),
        startField: name.rawValue, endField: name.rawValue)
    }
    var price: EbayPriceRange?
    if let ends = ends(.price), let currency = values["currency"].flatMap({ EbayCurrency($0) }) {
      price = try EbayPriceRange(
        minimum: EbayMoney(ends.start, currency), maximum: EbayMoney(ends.end, currency))
    }
    try self.init(
      price: price,
      conditions: EbaySearch.list(value(.conditionIds))
        .compactMap { Int($0).flatMap { EbayCondition(rawValue: $0) } },
      buyingOptions: EbaySearch.list(value(.buyingOptions))
        .compactMap { EbayBuyingOption(rawValue: $0) },
      itemLocationCountry: value(.itemLocationCountry),
      deliveryCountry: value(.deliveryCountry),
      maxDeliveryCost: value(.maxDeliveryCost)
        .flatMap { EbayMoney($0, marketplace.currency) },
      excludedCategories: EbaySearch.list(value(.excludeCategoryIds)),
      itemStart: try dates(.itemStartDate), itemEnd: try dates(.itemEndDate))
  }
}
