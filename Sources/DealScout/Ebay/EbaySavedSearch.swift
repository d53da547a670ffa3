package import JSONText
import TollbookEvents

/// A search that a user keeps under a name: `{"name", "q"|"category", "filters"?, "marketplace"}`. `gtin`, `epid` and
/// `sort` can be there too.
package struct EbaySavedSearch: Hashable, Sendable {
  /// Unicode scalars of a name.
  package static let mostName = 100
  /// The longest text, in bytes.
  package static let mostBytes = 64 << 10

  package static let fields = [
    "name", "q", "category", "gtin", "epid", "filters", "sort", "marketplace",
  ]
  package static let filterFields = [
    "min_price", "max_price", "currency", "condition_ids", "buying_options",
    "item_location_country", "delivery_country", "max_delivery_cost", "exclude_category_ids",
    "listed_after", "listed_before", "ends_after", "ends_before",
  ]

  package let name: String
  /// Its first page, with eBay's standard limit.
  package let search: EbaySearch

  package init(name: String, search: EbaySearch) throws(EbayRequestFault) {
    self.name = try Self.checked(name: name)
    self.search = search
  }

  /// Reads a JSON text.
  ///
  /// - Throws: the field that is wrong, such as `filters.min_price`, and why.
  package init(_ bytes: [UInt8]) throws(EbayRequestFault) {
    guard bytes.count <= Self.mostBytes else {
      throw EbayRequestFault(
        .tooLong(bytes.count, most: Self.mostBytes, of: "bytes"), of: "")
    }
    let root: JSONValue
    do throws(JSONError) {
      root = try JSONDocument(bytes, maximumDepth: 8, maximumValues: 1_000).root
    } catch { throw EbayRequestFault(.notJSON(error), of: "") }
    try self.init(root)
  }

  package init(_ value: JSONValue) throws(EbayRequestFault) {
    let fields = try EbayFields(value, "", names: Self.fields)
    guard let name = try fields.text("name") else {
      throw EbayRequestFault(.missing, of: "name")
    }
    // eBay would take EBAY_US for one that is missing.
    guard let id = try fields.text("marketplace") else {
      throw EbayRequestFault(.missing, of: "marketplace")
    }
    let marketplace = try EbayMarketplace(id: id)
    let filters = try Self.filters(fields.value("filters"), marketplace)
    try self.init(
      name: name,
      search: try EbaySearch(
        marketplace, words: try fields.text("q"), category: try fields.digits("category"),
        gtin: try fields.text("gtin"), epid: try fields.digits("epid"), filters: filters,
        sort: try Self.sort(fields)))
  }

  // MARK: - Parts

  private static func checked(name: String) throws(EbayRequestFault) -> String {
    guard name.utf8.count <= 16 * mostName else {
      throw EbayRequestFault(
        .tooLong(name.utf8.count, most: 16 * mostName, of: "bytes"), of: "name")
    }
    let isBlank: (Unicode.Scalar) -> Bool = { $0 == " " }
    var scalars = name.unicodeScalars[...]
    while let first = scalars.first, isBlank(first) { scalars.removeFirst() }
    while let last = scalars.last, isBlank(last) { scalars.removeLast() }
    guard !scalars.isEmpty else { throw EbayRequestFault(.empty, of: "name") }
    guard scalars.count <= mostName else {
      throw EbayRequestFault(
        .tooLong(scalars.count, most: mostName, of: "characters"), of: "name")
    }
    guard !scalars.contains(where: \.steersTerminal) else {
      throw EbayRequestFault(
        .form(String(scalars), expected: "a name without control characters"), of: "name")
    }
    return String(scalars)
  }

  private static func sort(_ fields: EbayFields) throws(EbayRequestFault) -> EbaySort {
    guard let text = try fields.text("sort") else { return .bestMatch }
    guard let sort = EbaySort(rawValue: text), sort != .bestMatch else {
      throw EbayRequestFault(
        .unknownWord(text, allowed: "price, -price, newlyListed or endingSoonest"),
        of: "sort")
    }
    return sort
  }

  private static func filters(
    _ value: JSONValue?, _ marketplace: EbayMarketplace
  ) throws(EbayRequestFault) -> EbayFilters {
    guard let value else { return .none }
    let fields = try EbayFields(value, "filters", names: filterFields)
    let currency = marketplace.currency
    if let code = try fields.text("currency") {
      // Listings are compared in one currency, which is the site's.
      guard code == currency.code else {
        throw EbayRequestFault(
          .currency(code, expected: "\(currency), in which \(marketplace.id) searches"),
          of: fields.at("currency"))
      }
    }
    let minimum = try fields.money("min_price", currency)
    let maximum = try fields.money("max_price", currency)
    let price =
      minimum == nil && maximum == nil
      ? nil : try EbayPriceRange(minimum: minimum, maximum: maximum)
    return try EbayFilters(
      price: price, conditions: try conditions(fields),
      buyingOptions: try buyingOptions(fields),
      itemLocationCountry: try fields.text("item_location_country"),
      deliveryCountry: try fields.text("delivery_country"),
      maxDeliveryCost: try fields.money("max_delivery_cost", marketplace.currency),
      excludedCategories: try fields.array(
        "exclude_category_ids", most: EbayFilters.mostExcludedCategories, EbayFields.digits),
      itemStart: try dates(fields, "listed_after", "listed_before"),
      itemEnd: try dates(fields, "ends_after", "ends_before"))
  }

  private static func conditions(
    _ fields: EbayFields
  ) throws(EbayRequestFault) -> [EbayCondition] {
    try fields.array("condition_ids", most: 50) { value, field throws(EbayRequestFault) in
      let text = try EbayFields.digits(value, field)
      guard EbayText.isDigits(text, 1...6), let id = Int(text),
        let condition = EbayCondition(rawValue: id)
      else {
        // eBay ignores a condition that it does not know, without a warning.
        let known = EbayCondition.allCases.map { String($0.rawValue) }
        throw EbayRequestFault(
          .unknownWord(text, allowed: known.joined(separator: ", ")), of: field)
      }
      return condition
    }
  }

  private static func buyingOptions(
    _ fields: EbayFields
  ) throws(EbayRequestFault) -> [EbayBuyingOption] {
    try fields.array("buying_options", most: 50) { value, field throws(EbayRequestFault) in
      let text = try EbayFields.text(value, field)
      guard let option = EbayBuyingOption(rawValue: text) else {
        let known = EbayBuyingOption.allCases.map(\.rawValue)
        throw EbayRequestFault(
          .unknownWord(text, allowed: known.joined(separator: ", ")), of: field)
      }
      return option
    }
  }

  private static func dates(
    _ fields: EbayFields, _ startField: String, _ endField: String
  ) throws(EbayRequestFault) -> EbayDateRange? {
    let start = try fields.instant(startField)
    let end = try fields.instant(endField)
    guard start != nil || end != nil else { return nil }
    return try EbayDateRange(
      start: start, end: end, startField: fields.at(startField), endField: fields.at(endField))
  }
}

// MARK: - Writing

extension EbaySavedSearch: JSONWritable {
  /// Writes what ``init(_:)-bytes`` reads back as the same search.
  package func write(to json: inout JSONWriter) { json.object(writeMembers) }

  /// The members of the same.
  package func writeMembers(to json: inout JSONWriter) {
    json.field("name", name)
    json.fieldIfPresent("q", search.words)
    json.fieldIfPresent("category", search.category)
    json.fieldIfPresent("gtin", search.gtin)
    json.fieldIfPresent("epid", search.epid)
    if !search.filters.isEmpty { json.field("filters", search.filters) }
    if search.sort != .bestMatch { json.field("sort", search.sort.rawValue) }
    json.field("marketplace", search.marketplace.id)
  }
}

extension EbayFilters: JSONWritable {
  /// Writes the fields of a saved search's `filters`.
  package func write(to json: inout JSONWriter) {
    json.object { json in
      json.fieldIfPresent("min_price", price?.minimum?.plainText)
      json.fieldIfPresent("max_price", price?.maximum?.plainText)
      json.fieldIfPresent("currency", price?.currency.code)
      if !conditions.isEmpty { json.array("condition_ids", conditions.map(\.rawValue)) }
      if !buyingOptions.isEmpty {
        json.array("buying_options", buyingOptions.map(\.rawValue))
      }
      json.fieldIfPresent("item_location_country", itemLocationCountry)
      json.fieldIfPresent("delivery_country", deliveryCountry)
      json.fieldIfPresent("max_delivery_cost", maxDeliveryCost?.plainText)
      if !excludedCategories.isEmpty {
        json.array("exclude_category_ids", excludedCategories)
      }
      json.fieldIfPresent("listed_after", itemStart?.start?.description)
      json.fieldIfPresent("listed_before", itemStart?.end?.description)
      json.fieldIfPresent("ends_after", itemEnd?.start?.description)
      json.fieldIfPresent("ends_before", itemEnd?.end?.description)
    }
  }
}
