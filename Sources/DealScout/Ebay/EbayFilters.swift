/// The filters of a search, checked. eBay answers a filter that it does not take with 200, `warnings[]` and results
/// without that filter (Buy API field filters), so that none leaves here that it would drop.
package struct EbayFilters: Hashable, Sendable {
  package static let mostExcludedCategories = 20

  /// Always sent with its currency: without one eBay drops the range (warning 12012).
  package let price: EbayPriceRange?
  /// Sorted, each once.
  package let conditions: [EbayCondition]
  /// Sorted, each once. Empty: eBay takes what has a fixed price and leaves out plain auctions.
  package let buyingOptions: [EbayBuyingOption]
  /// Two capitals (ISO 3166-1).
  package let itemLocationCountry: String?
  /// Two capitals (ISO 3166-1).
  package let deliveryCountry: String?
  package let maxDeliveryCost: EbayMoney?
  /// Category ids, sorted by length and digits, each once.
  package let excludedCategories: [String]
  package let itemStart: EbayDateRange?
  package let itemEnd: EbayDateRange?

  package static let none = EbayFilters()

  private init() {
    price = nil
    conditions = []
    buyingOptions = []
    itemLocationCountry = nil
    deliveryCountry = nil
    maxDeliveryCost = nil
    excludedCategories = []
    itemStart = nil
    itemEnd = nil
  }

  /// - Parameter field: what a fault's field begins with.
  /// - Throws: the filter that is wrong, and why.
  package init(
    price: EbayPriceRange? = nil, conditions: [EbayCondition] = [],
    buyingOptions: [EbayBuyingOption] = [], itemLocationCountry: String? = nil,
    deliveryCountry: String? = nil, maxDeliveryCost: EbayMoney? = nil,
    excludedCategories: [String] = [], itemStart: EbayDateRange? = nil,
    itemEnd: EbayDateRange? = nil, field: String = "filters"
  ) throws(EbayRequestFault) {
    if let price, let maxDeliveryCost, maxDeliveryCost.currency != price.currency {
      throw EbayRequestFault(
        .currency(maxDeliveryCost.currency.code, expected: price.currency.code),
        of: "\(field).max_delivery_cost")
    }
    self.price = price
    self.conditions = Set(conditions).sorted { $0.rawValue < $1.rawValue }
    self.buyingOptions = Set(buyingOptions).sorted { $0.rawValue < $1.rawValue }
    self.itemLocationCountry = try Self.country(
      itemLocationCountry, "\(field).item_location_country")
    self.deliveryCountry = try Self.country(deliveryCountry, "\(field).delivery_country")
    self.maxDeliveryCost = maxDeliveryCost.flatMap {
      EbayMoney(minorUnits: $0.minorUnits, $0.currency)
    }
    self.excludedCategories = try Self.categories(
      excludedCategories, "\(field).exclude_category_ids")
    self.itemStart = itemStart
    self.itemEnd = itemEnd
  }

  private static func country(
    _ code: String?, _ field: String
  ) throws(EbayRequestFault) -> String? {
    guard let code else { return nil }
    guard code.utf8.count == 2, code.utf8.allSatisfy({ 0x41...0x5A ~= $0 }) else {
      throw EbayRequestFault(.form(code, expected: "two capitals such as US"), of: field)
    }
    return code
  }

  private static func categories(
    _ ids: [String], _ field: String
  ) throws(EbayRequestFault) -> [String] {
    guard ids.count <= mostExcludedCategories else {
      throw EbayRequestFault(.tooMany(ids.count, most: mostExcludedCategories), of: field)
    }
    for id in ids where !EbaySearch.isCategory(id) {
      throw EbayRequestFault(.form(id, expected: "a category id of digits"), of: field)
    }
    return Set(ids).sorted { left, right in
      left.utf8.count != right.utf8.count
        ? left.utf8.count < right.utf8.count : left.utf8.lexicographicallyPrecedes(right.utf8)
    }
  }

  // MARK: - As eBay reads them

  /// Each filter with its value, in the order in which they are sent.
  var parts: [(name: EbayFilterName, value: String)] {
    var parts: [(name: EbayFilterName, value: String)] = []
    func add(_ name: EbayFilterName, _ value: String?) {
      if let value { parts.append((name, value)) }
    }
    func set(_ name: EbayFilterName, _ values: [String]) {
      if !values.isEmpty { parts.append((name, "{\(values.joined(separator: "|"))}")) }
    }
    set(.buyingOptions, buyingOptions.map(\.rawValue))
    set(.conditionIds, conditions.map { String($0.rawValue) })
    add(.deliveryCountry, deliveryCountry)
    set(.excludeCategoryIds, excludedCategories)
    add(.itemEndDate, itemEnd?.text)
    add(.itemLocationCountry, itemLocationCountry)
    add(.itemStartDate, itemStart?.text)
    add(.maxDeliveryCost, maxDeliveryCost?.plainText)
    add(.price, price?.text)
    return parts
  }

  /// What `priceCurrency` says; nil: there is no range of prices.
  var currency: EbayCurrency? { price?.currency }

  /// The value of the parameter `filter`, not encoded yet; empty: there is none.
  package var text: String {
    var texts = parts.map { "\($0.name.rawValue):\($0.value)" }
    if let currency { texts.append("priceCurrency:\(currency)") }
    return texts.joined(separator: ",")
  }

  package var isEmpty: Bool { parts.isEmpty }
}

/// A filter by eBay's name.
package enum EbayFilterName: String, Hashable, Sendable, CaseIterable {
  case buyingOptions, conditionIds, deliveryCountry, excludeCategoryIds, itemEndDate
  case itemLocationCountry, itemStartDate, maxDeliveryCost, price

  /// Whether a listing shows that it was kept to. To which countries something is sent, no listing of a search says.
  package var isShownByListings: Bool { self != .deliveryCountry }
}
