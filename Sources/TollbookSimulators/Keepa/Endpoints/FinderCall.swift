import JSONText

/// `/query`, the product finder: ASINs of the catalogue that pass filters, sorted.
///
/// 10 tokens and 1 for every 100 ASINs returned; statistics of the matches cost 30 more and 1 for
/// every million matches (fact sheet, section 5). Of Keepa's several hundred filters those of
/// ``FinderFilter`` are applied; all others are accepted and change nothing.
struct FinderCall: KeepaCall {
  /// One of up to three things to sort by.
  struct Order: Sendable, Equatable {
    let field: FinderField
    let isDescending: Bool
  }

  let domain: Int
  let filter: FinderFilter
  let sort: [Order]
  let page: Int
  let perPage: Int
  let addsInsights: Bool

  static let mostPerPage = 10_000

  init(_ parameters: KeepaParameters) throws(KeepaRejection) {
    domain = try parameters.domain(most: 12)
    addsInsights = try parameters.flag("stats")
    let selection = try KeepaSelection(parameters)
    page = try selection.number("page", 0...Self.mostPerPage) ?? 0
    perPage = try selection.number("perPage", 50...Self.mostPerPage) ?? 50
    guard page * perPage <= Self.mostPerPage else {
      throw KeepaRejection(details: "page times perPage is more than \(Self.mostPerPage)")
    }
    filter = try Self.filter(selection)
    sort = try Self.sort(selection)
  }

  private static func filter(_ selection: KeepaSelection) throws(KeepaRejection) -> FinderFilter {
    var filter = FinderFilter()
    filter.roots = try selection.numbers("rootCategory")
    filter.categoriesIncluded = try selection.numbers("categories_include")
    filter.categoriesExcluded = try selection.numbers("categories_exclude") ?? []
    filter.brands = try selection.texts("brand")
    filter.productTypes = try selection.numbers("productType")
    filter.titleWords = selection.words("title")
    for (name, _) in selection.members {
      let isLeast = name.hasSuffix("_gte")
      guard isLeast || name.hasSuffix("_lte"),
        let field = FinderField(name: String(name.dropLast(4))),
        let bound = try selection.number(name)
      else { continue }
      if isLeast {
        filter.bounds[field, default: FinderBounds()].least = bound
      } else {
        filter.bounds[field, default: FinderBounds()].most = bound
      }
    }
    return filter
  }

  /// Reads `[["current_SALES", "asc"], …]`, or one such pair.
  private static func sort(_ selection: KeepaSelection) throws(KeepaRejection) -> [Order] {
    let standard = [Order(field: .current(.sales), isDescending: false)]
    guard let value = selection["sort"] else { return standard }
    guard let parts = value.array.map(Array.init) else {
      throw KeepaRejection(details: "sort of the selection is no array")
    }
    let pairs =
      parts.first?.kind == .string ? [parts] : parts.map { $0.array.map(Array.init) ?? [] }
    guard pairs.count <= 3 else {
      throw KeepaRejection(details: "more than three things to sort by")
    }
    var orders: [Order] = []
    for pair in pairs {
      guard pair.count == 2, let name = pair[0].string, let direction = pair[1].string,
        ["asc", "desc"].contains(direction)
      else { throw KeepaRejection(details: "sort of the selection is not valid") }
      if let field = FinderField(name: name) {
        orders.append(Order(field: field, isDescending: direction == "desc"))
      }
    }
    return orders.isEmpty ? standard : orders
  }

  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    let found = matches(in: &world, at: moment.minute)
    let start = min(page * perPage, found.count)
    let returned = found[start..<min(start + perPage, found.count)].map(\.asin)
    var tokens = 10 + (returned.count + 99) / 100
    if addsInsights { tokens += 30 + found.count / 1_000_000 }
    return KeepaWork(tokens: tokens, capacity: 2048 + returned.count * 14) {
      [addsInsights] json in
      json.member("asinList", returned)
      if addsInsights { Self.writeInsights(found, to: &json) }
      json.member("totalResults", found.count)
    }
  }

  /// Everything that passes, in order.
  func matches(in world: inout KeepaWorld, at minute: Int) -> [ProductProfile] {
    var found: [(keys: [Int], product: ProductProfile)] = []
    candidates: for product in world.catalogue.products(in: domain)
    where filter.passes(product) {
      for (field, bounds) in filter.bounds
      where !bounds.contains(world.value(of: field, product, at: minute)) {
        continue candidates
      }
      let keys = sort.map { order in
        let value = world.value(of: order.field, product, at: minute)
        // What has no value comes last either way.
        return value < 0 ? Int.max : order.isDescending ? -value : value
      }
      found.append((keys, product))
    }
    found.sort { left, right in
      for (first, second) in zip(left.keys, right.keys) where first != second {
        return first < second
      }
      return left.product.asin < right.product.asin
    }
    return found.map(\.product)
  }

  /// Statistics of all matches.
  private static func writeInsights(_ found: [ProductProfile], to json: inout JSONBytes) {
    func percent(_ counts: (ProductProfile) -> Bool) -> Int {
      found.isEmpty ? 0 : 100 * found.count(where: counts) / found.count
    }
    json.key("searchInsights")
    json.object { json in
      json.member(
        "avgBuyBox", found.isEmpty ? -1 : found.map(\.basePrice).reduce(0, +) / found.count)
      json.member(
        "avgOfferCountNew", found.isEmpty ? -1 : found.map(\.offerCount).reduce(0, +) / found.count)
      json.member("brandCount", Set(found.map(\.brand)).count)
      json.member("hasCouponPercent", percent { $0.hasCoupon })
      json.member("soldByAmazonPercent", percent { $0.soldByAmazon })
    }
  }
}
