/// Reads the parameter `filter`. What is wrong is left out with a warning; results come without it.
struct EbayFilterReader {
  let site: EbaySite
  private(set) var sieve = EbaySieve()
  private(set) var warnings: [EbayNotice] = []
  /// Filters by their names; of one that is there twice the last one.
  private var values: [String: String] = [:]
  private var order: [String] = []

  /// The most filters that are looked at.
  private static let mostFilters = 64
  private static let pickup = [
    "pickupCountry", "pickupPostalCode", "pickupRadius", "pickupRadiusUnit",
  ]
  /// Filters that are taken and change nothing here.
  private static let idle: Set<String> = [
    "searchInDescription", "charityOnly", "guaranteedDeliveryInDays", "itemLocationRegion",
    "qualifiedPrograms", "priorityListing",
  ]

  /// Reads filters.
  ///
  /// - Throws: more sellers than can be named (12032).
  init(_ text: String?, _ site: EbaySite) throws(EbayRefusal) {
    self.site = site
    guard let text, !text.isEmpty else { return }
    for part in Self.split(text, at: ",").prefix(Self.mostFilters) {
      let halves = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
      let name = halves[0].trimmed
      guard halves.count == 2 else {
        warn(12002, "The filter '\(name)' has no value.", name, "")
        continue
      }
      if values.updateValue(String(halves[1].trimmed), forKey: String(name)) == nil {
        order.append(String(name))
      }
    }
    readPrice()
    readPickup()
    for name in order { try read(name, values[name] ?? "") }
  }

  /// Splits a text where a character stands outside of brackets.
  static func split(_ text: String, at separator: Character) -> [Substring] {
    var parts: [Substring] = []
    var depth = 0
    var start = text.startIndex
    for index in text.indices {
      switch text[index] {
      case "[", "{": depth += 1
      case "]", "}": depth = max(0, depth - 1)
      case separator where depth == 0:
        parts.append(text[start..<index])
        start = text.index(after: index)
      default: break
      }
    }
    parts.append(text[start...])
    return parts.filter { !$0.isEmpty }
  }

  private mutating func warn(
    _ id: Int, _ message: String, _ name: some StringProtocol, _ value: String
  ) {
    warnings.append(
      EbayNotice(id: id, message: message, parameters: [(String(name), value)]))
  }

  private mutating func wrong(_ name: String, _ value: String) {
    warn(12002, "The value of the filter '\(name)' is not valid.", name, value)
  }

  // MARK: Values

  /// The values of `{a|b}`, or of a single value without brackets; nil: there are none.
  private func set(_ value: String) -> [String]? {
    var inner = value[...]
    if inner.hasPrefix("{") {
      guard inner.hasSuffix("}"), inner.utf8.count > 2 else { return nil }
      inner = inner.dropFirst().dropLast()
    }
    let values = inner.split(separator: "|").map { String($0.trimmed) }
    return values.isEmpty || values.contains("") ? nil : values
  }

  /// The ends of `[a..b]`, `[a..]`, `[..b]` or `[a]`; nil: it is none of them.
  private func ends(_ value: String, _ read: (Substring) -> Int64?) -> EbaySieve.Ends? {
    guard value.hasPrefix("["), value.hasSuffix("]"), value.utf8.count > 2 else { return nil }
    let inner = value.dropFirst().dropLast()
    guard let dots = inner.firstRange(of: "..") else {
      return read(inner).map { EbaySieve.Ends(least: $0, most: $0) }
    }
    let (low, high) = (inner[..<dots.lowerBound].trimmed, inner[dots.upperBound...].trimmed)
    var ends = EbaySieve.Ends()
    if !low.isEmpty {
      guard let least = read(low) else { return nil }
      ends.least = least
    }
    if !high.isEmpty {
      guard let most = read(high) else { return nil }
      ends.most = most
    }
    guard ends.least != nil || ends.most != nil, ends.least ?? .min <= ends.most ?? .max else {
      return nil
    }
    return ends
  }

  private func country(_ value: String) -> String? {
    value.utf8.count == 2 && value.utf8.allSatisfy { 65...90 ~= $0 } ? value : nil
  }

  private func words(_ value: String, of known: Set<String>) -> Set<String>? {
    guard let words = set(value), known.isSuperset(of: words) else { return nil }
    return Set(words)
  }

  // MARK: Filters that need each other

  private mutating func readPrice() {
    let price = values.removeValue(forKey: "price")
    let currency = values.removeValue(forKey: "priceCurrency")
    order.removeAll { $0 == "price" || $0 == "priceCurrency" }
    guard price != nil || currency != nil else { return }
    guard let price, let currency, let coin = EbayCoin.known[currency] else {
      return warn(
        12012, "The filters 'price' and 'priceCurrency' must both be there and be valid.", "price",
        price ?? "")
    }
    guard var ends = ends(price, { EbayReadingText.hundredths($0) }) else {
      return wrong("price", price)
    }
    ends.least = ends.least.map { coin.hundredths($0, in: site.currency) }
    ends.most = ends.most.map { coin.hundredths($0, in: site.currency) }
    sieve.price = ends
  }

  private mutating func readPickup() {
    let told = Self.pickup.compactMap { values.removeValue(forKey: $0) }
    order.removeAll { Self.pickup.contains($0) }
    guard !told.isEmpty else { return }
    guard told.count == Self.pickup.count, let country = country(told[0]) else {
      return warn(
        12010, "The filters of a pickup must all be there: \(Self.pickup.joined(separator: ", ")).",
        "pickupCountry", told[0])
    }
    sieve.pickupCountry = country
  }

  // MARK: Filters by themselves

  private mutating func read(_ name: String, _ value: String) throws(EbayRefusal) {
    switch name {
    case "conditionIds": readGrades(value)
    case "conditions":
      let known: Set<String> = ["NEW", "USED", "UNSPECIFIED"]
      keep(words(value, of: known), name, value) { $0.conditionWords = $1 }
    case "buyingOptions":
      let known: Set<String> = ["AUCTION", "FIXED_PRICE", "BEST_OFFER", "CLASSIFIED_AD"]
      keep(words(value, of: known), name, value) { $0.options = $1 }
    case "itemLocationCountry":
      keep(country(value), name, value) { $0.locationCountry = $1 }
    case "deliveryCountry":
      keep(country(value), name, value) { $0.deliveryCountry = $1 }
    case "deliveryPostalCode": readPostalCode(value)
    case "maxDeliveryCost":
      keep(EbayReadingText.hundredths(value), name, value) { $0.maxDelivery = $1 }
    case "sellers", "excludeSellers": try readSellers(name, value)
    case "excludeCategoryIds":
      let ids = set(value).flatMap { ids in
        ids.allSatisfy { EbayReadingText.isDigits($0, 1...10) } ? Set(ids) : nil
      }
      keep(ids, name, value) { $0.otherCategories = $1 }
    case "sellerAccountTypes": readAccountTypes(value)
    case "returnsAccepted":
      let known = ["true": true, "false": false]
      keep(known[value], name, value) { $0.returns = $1 }
    case "itemStartDate":
      keep(ends(value, { EbayReadingText.milliseconds($0) }), name, value) { $0.start = $1 }
    case "itemEndDate":
      keep(ends(value, { EbayReadingText.milliseconds($0) }), name, value) { $0.end = $1 }
    case "lastSoldDate":
      keep(ends(value, { EbayReadingText.milliseconds($0) }), name, value) { $0.sold = $1 }
    case "bidCount":
      let count = ends(value) { EbayReadingText.isDigits($0, 1...6) ? Int64($0) : nil }
      keep(count, name, value) { $0.bidCount = $1 }
    default:
      if !Self.idle.contains(name) { wrong(name, value) }
    }
  }

  /// Keeps a value, or warns that there is none.
  private mutating func keep<Value>(
    _ read: Value?, _ name: String, _ value: String,
    _ keep: (inout EbaySieve, Value) -> Void
  ) {
    if let read { keep(&sieve, read) } else { wrong(name, value) }
  }

  /// Ids that are not known are silently left out; if none is left, so is the filter.
  private mutating func readGrades(_ value: String) {
    guard let ids = set(value), ids.allSatisfy({ EbayReadingText.isDigits($0, 1...6) }) else {
      return wrong("conditionIds", value)
    }
    let known = ids.compactMap { Int($0).flatMap(EbayGrade.init) }.map(\.rawValue)
    if !known.isEmpty { sieve.grades = Set(known) }
  }

  private mutating func readPostalCode(_ value: String) {
    guard values["deliveryCountry"] != nil else {
      return warn(
        12011, "The filter 'deliveryPostalCode' needs 'deliveryCountry'.", "deliveryCountry", "")
    }
    let isCode = value.utf8.allSatisfy {
      48...57 ~= $0 || 65...90 ~= $0 || 97...122 ~= $0 || $0 == 32
    }
    if !(3...10 ~= value.utf8.count && isCode) {
      warn(12015, "The postal code is not valid.", "deliveryPostalCode", value)
    }
  }

  private mutating func readSellers(_ name: String, _ value: String) throws(EbayRefusal) {
    guard let names = set(value) else { return wrong(name, value) }
    guard names.count <= 250 else {
      throw EbayRefusal(12032, "The number of sellers must not exceed 250.", name, "\(names.count)")
    }
    let isName: (String) -> Bool = { name in
      1...64 ~= name.utf8.count && name.utf8.allSatisfy { $0 > 32 && $0 < 127 }
    }
    if let bad = names.first(where: { !isName($0) }) {
      return warn(12003, "The name of a seller is not valid.", name, bad)
    }
    if name == "sellers" { sieve.sellers = Set(names) } else { sieve.otherSellers = Set(names) }
  }

  private mutating func readAccountTypes(_ value: String) {
    guard site.takesAccountTypes else {
      return warn(
        12014, "The filter 'sellerAccountTypes' is not supported by \(site.id).",
        "sellerAccountTypes", value)
    }
    keep(words(value, of: ["INDIVIDUAL", "BUSINESS"]), "sellerAccountTypes", value) {
      $0.accountTypes = $1
    }
  }
}

extension StringProtocol {
  /// The text without blanks at its ends.
  fileprivate var trimmed: SubSequence {
    guard let first = firstIndex(where: { $0 != " " }),
      let last = lastIndex(where: { $0 != " " })
    else { return self[endIndex..<endIndex] }
    return self[first...last]
  }
}
