/// `/deal`: products of the catalogue whose price has fallen, 150 per page. 5 tokens per page, an
/// empty one included (fact sheet, sections 5 and 13).
struct DealCall: KeepaCall {
  let domain: Int
  let page: Int
  /// The history that has to have fallen.
  let type: HistoryType
  /// The date range, 0 to 3: a day, a week, a month, three months.
  let range: Int
  let sortType: Int
  let filter: FinderFilter
  /// Prices that have risen instead.
  let isRisers: Bool
  let deltas: ClosedRange<Int>?
  let percents: ClosedRange<Int>?
  let deltasLast: ClosedRange<Int>?
  let currents: ClosedRange<Int>?
  let ranks: ClosedRange<Int>?

  static let tokens = 5
  static let perPage = 150
  static let mostDeals = 10_000

  init(_ parameters: KeepaParameters) throws(KeepaRejection) {
    let selection = try KeepaSelection(parameters)
    domain = try Self.domain(selection, parameters)
    page = try selection.number("page", 0...Self.mostDeals / Self.perPage) ?? 0
    // One type; the Python client sends it without brackets (fact sheet, section 8).
    guard let types = try selection.numbers("priceTypes"), types.count == 1,
      let type = HistoryType(rawValue: types[0])
    else { throw KeepaRejection(details: "priceTypes of the selection must name one type") }
    self.type = type
    range = try selection.number("dateRange", 0...3) ?? 0
    sortType = try selection.number("sortType", -4...4) ?? 4
    isRisers = try selection.flag("isRisers")
    var filter = FinderFilter()
    let included = try selection.numbers("includeCategories") ?? []
    filter.categoriesIncluded = included.isEmpty ? nil : included
    filter.categoriesExcluded = try selection.numbers("excludeCategories") ?? []
    let brands = try selection.texts("brand") ?? []
    filter.brands = brands.isEmpty ? nil : brands
    filter.titleWords = selection.words("titleSearch")
    self.filter = filter
    let ranges = try selection.flag("isRangeEnabled")
    deltas = ranges ? try selection.range("deltaRange") : nil
    percents = ranges ? try selection.range("deltaPercentRange") : nil
    deltasLast = ranges ? try selection.range("deltaLastRange") : nil
    currents = ranges ? try selection.range("currentRange") : nil
    ranks = ranges ? try selection.range("salesRankRange") : nil
  }

  /// The selection names the shop; the Python client says it twice (fact sheet, section 8).
  private static func domain(
    _ selection: KeepaSelection, _ parameters: KeepaParameters
  ) throws(KeepaRejection) -> Int {
    guard let domain = try selection.number("domainId", 1...11) else {
      return try parameters.domain()
    }
    guard domain != 7 else { throw KeepaRejection(details: "domainId 7 is no shop") }
    return domain
  }

  /// A deal and what it is sorted by.
  private struct Match {
    let deal: KeepaDeal
    let change: KeepaDeal.Change
    let rank: Int
  }

  func work(in world: inout KeepaWorld, _ moment: KeepaMoment) -> KeepaWork {
    let matches = matches(in: &world, at: moment.minute)
    let first = min(page * Self.perPage, matches.count)
    let shown = matches[first..<min(first + Self.perPage, matches.count)].map(\.deal)
    var counts: [Int: Int] = [:]
    for match in matches { counts[match.deal.product.rootCategory, default: 0] += 1 }
    let roots = KeepaCategory.roots.filter { counts[$0.id] != nil }
    return KeepaWork(tokens: Self.tokens, capacity: 1024 + shown.count * 2048) {
      [counts] json in
      json.key("deals")
      json.object { json in
        json.member("categoryCount", roots.map { counts[$0.id] ?? 0 })
        json.member("categoryIds", roots.map(\.id))
        json.member("categoryNames", roots.map(\.name))
        json.key("dr")
        json.array { json in
          for deal in shown { deal.write(to: &json) }
        }
      }
    }
  }

  private func matches(in world: inout KeepaWorld, at minute: Int) -> [Match] {
    var matches: [Match] = []
    for product in world.catalogue.products(in: domain) where filter.passes(product) {
      let lastUpdate = world.copies.lastUpdate(asin: product.asin, domain: domain, at: minute)
      // Only what was updated within twelve hours can be a deal.
      guard minute - lastUpdate <= 720 else { continue }
      let history = ProductHistories(profile: product, lastUpdate: lastUpdate).history(type)
      guard let change = KeepaDeal.change(history, type, at: lastUpdate), isDeal(change) else {
        continue
      }
      let rank = world.held.value(.csv(.sales), of: product, at: lastUpdate)
      if let ranks, !ranks.contains(rank) { continue }
      let deal = KeepaDeal(product: product, lastUpdate: lastUpdate, creation: change.since)
      matches.append(Match(deal: deal, change: change, rank: rank))
    }
    return sorted(matches)
  }

  private func isDeal(_ change: KeepaDeal.Change) -> Bool {
    let delta = change.deltas[range]
    return change.current >= 0 && (isRisers ? delta < 0 : delta > 0)
      && deltas?.contains(abs(delta)) ?? true
      && percents?.contains(abs(change.percents[range])) ?? true
      && deltasLast?.contains(change.deltaLast) ?? true
      && currents?.contains(change.current) ?? true
  }

  /// 1 newest, 2 largest difference, 3 best rank, 4 largest percentage first; negative the other
  /// way round.
  private func sorted(_ matches: [Match]) -> [Match] {
    func key(_ match: Match) -> Int {
      switch abs(sortType) {
      case 1: -match.deal.creation
      case 2: -abs(match.change.deltas[range])
      case 3: match.rank < 0 ? Int.max : match.rank
      default: -abs(match.change.percents[range])
      }
    }
    let ascending = matches.map { (key($0), $0.deal.product.asin, $0) }
      .sorted { ($0.0, $0.1) < ($1.0, $1.1) }
      .map(\.2)
    return sortType < 0 ? ascending.reversed() : ascending
  }
}
