/// `/search` with `type=product`: products whose titles have all words of a term, best rank first.
///
/// 10 tokens for every page of ten results; without a page the first forty come, as four pages
/// (fact sheet, section 5, where the price of those forty is unsure). Ratings cost 1 for every
/// product, at most 5.
struct ProductSearchCall: KeepaCall {
  /// How the products are shown.
  let query: ProductQuery
  /// In small letters.
  let words: [String]
  /// Nil: the first forty.
  let page: Int?
  let isShort: Bool

  static let perPage = 10
  static let tokensPerPage = 10
  static let pagesWithoutPage = 4

  init(_ parameters: KeepaParameters) throws(KeepaRejection) {
    var query = ProductQuery(domain: try parameters.domain(), asins: [])
    try query.readParts(parameters)
    self.query = query
    words = try parameters.text("term").lowercased().split(separator: " ").map(String.init)
    guard !words.isEmpty else { throw KeepaRejection(details: "term is missing") }
    page = try parameters.number("page", 0...9)
    isShort = try parameters.flag("asins-only")
  }

  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    let found = world.catalogue.products(in: query.domain)
      .filter { product in
        let title = product.title.lowercased()
        return words.allSatisfy { title.contains($0) }
      }
      .sorted { ($0.baseRank, $0.asin) < ($1.baseRank, $1.asin) }
      .map(\.asin)
    let first = min((page ?? 0) * Self.perPage, found.count)
    let most = (page == nil ? Self.pagesWithoutPage : 1) * Self.perPage
    let shown = Array(found[first..<min(first + most, found.count)])
    let pages = max(1, (shown.count + Self.perPage - 1) / Self.perPage)
    var tokens = pages * Self.tokensPerPage
    guard !isShort else {
      return KeepaWork(tokens: tokens) { $0.member("asinList", shown) }
    }
    if query.parts.rating { tokens += min(5, shown.count) }
    var items: [ProductCall.Item] = []
    for asin in shown { items.append(ProductCall.item(asin, query, in: &world, moment)) }
    if moment.leavesOutFirst, !items.isEmpty { items.removeFirst() }
    return KeepaWork(tokens: tokens, capacity: 512 + items.count * 80_000) { [items, query] json in
      ProductCall.write(items, query, moment.configuration, to: &json)
    }
  }
}
