/// What a finder query may filter and sort by: `current_SALES`, `avg90_NEW`, `monthlySold`.
enum FinderField: Hashable, Sendable {
  case current(HistoryType)
  /// The average of the last so many days.
  case average(HistoryType, days: Int)
  case monthlySold

  /// Keepa's names of the histories, by their place in `csv` (fact sheet, section 2).
  private static let names: [String: HistoryType] = Dictionary(
    uniqueKeysWithValues: zip(
      [
        "AMAZON", "NEW", "USED", "SALES", "LISTPRICE", "COLLECTIBLE", "REFURBISHED",
        "NEW_FBM_SHIPPING", "LIGHTNING_DEAL", "WAREHOUSE", "NEW_FBA", "COUNT_NEW", "COUNT_USED",
        "COUNT_REFURBISHED", "COUNT_COLLECTIBLE", "EXTRA_INFO_UPDATES", "RATING", "COUNT_REVIEWS",
        "BUY_BOX_SHIPPING", "USED_NEW_SHIPPING", "USED_VERY_GOOD_SHIPPING", "USED_GOOD_SHIPPING",
        "USED_ACCEPTABLE_SHIPPING", "COLLECTIBLE_NEW_SHIPPING",
        "COLLECTIBLE_VERY_GOOD_SHIPPING", "COLLECTIBLE_GOOD_SHIPPING",
        "COLLECTIBLE_ACCEPTABLE_SHIPPING", "REFURBISHED_SHIPPING", "EBAY_NEW_SHIPPING",
        "EBAY_USED_SHIPPING", "TRADE_IN", "RENT", "BUY_BOX_USED_SHIPPING", "PRIME_EXCL",
        "COUNT_NEW_FBA", "COUNT_NEW_FBM",
      ], HistoryType.allCases))

  /// The field with a name; nil for one that the simulator accepts and ignores.
  init?(name: String) {
    if name == "monthlySold" {
      self = .monthlySold
      return
    }
    let halves = name.split(separator: "_", maxSplits: 1)
    guard halves.count == 2, let type = Self.names[String(halves[1])] else { return nil }
    switch halves[0] {
    case "current": self = .current(type)
    case "avg30": self = .average(type, days: 30)
    case "avg90": self = .average(type, days: 90)
    case "avg180": self = .average(type, days: 180)
    case "avg365": self = .average(type, days: 365)
    default: return nil
    }
  }
}

/// The values that a field may have.
struct FinderBounds: Sendable, Equatable {
  var least: Int?
  var most: Int?

  /// Whether a value lies within. No value (-1) only does if a bound names it: what has no offer
  /// is not cheap.
  func contains(_ value: Int) -> Bool {
    if value < 0, (least ?? 0) >= 0, (most ?? 0) >= 0 { return false }
    return value >= least ?? Int.min && value <= most ?? Int.max
  }
}

/// The filters of a finder query.
struct FinderFilter: Sendable {
  var roots: [Int]?
  var categoriesIncluded: [Int]?
  var categoriesExcluded: [Int] = []
  var brands: [String]?
  /// In small letters; all must be in the title.
  var titleWords: [String] = []
  var productTypes: [Int]?
  var bounds: [FinderField: FinderBounds] = [:]

  /// Whether a product passes what needs no history.
  func passes(_ product: ProductProfile) -> Bool {
    guard roots?.contains(product.rootCategory) ?? true,
      categoriesIncluded?.contains(where: product.isListed(under:)) ?? true,
      !categoriesExcluded.contains(where: product.isListed(under:)),
      productTypes?.contains(0) ?? true
    else { return false }
    if let brands, !brands.contains(where: { $0.lowercased() == product.brand.lowercased() }) {
      return false
    }
    let title = titleWords.isEmpty ? "" : product.title.lowercased()
    return titleWords.allSatisfy { title.contains($0) }
  }
}

extension KeepaWorld {
  /// What a field of a product is now: in the copy that would be served now.
  mutating func value(of field: FinderField, _ product: ProductProfile, at minute: Int) -> Int {
    let served = copies.servedMinute(of: product, at: minute)
    switch field {
    case .current(let type): return held.value(.csv(type), of: product, at: served)
    case .average(let type, let days):
      let histories = ProductHistories(profile: product, lastUpdate: served)
      guard let flat = histories.history(type) else { return -1 }
      return ProductStats.summary(
        flat, stride: type.stride, from: max(flat[0], served - days * 1440), to: served
      ).average
    case .monthlySold:
      let histories = ProductHistories(profile: product, lastUpdate: served)
      return max(0, histories.monthlySold().last ?? 0)
    }
  }
}
