import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// Scans one search: has its pages bought as far as they are not fresh, and takes in what they show.
struct SearchScan: Sendable {
  /// What a scan has brought.
  struct Outcome: Sendable {
    /// Pages that were read, from the cache or bought.
    var pages = 0
    /// Calls that were made for it.
    var calls: Int64 = 0
    var isHit = true
    var seen = 0
    var new: [EbayItemID] = []
    var cheaper: [EbayItemID] = []
    /// Listings that no filter should have let through.
    var leftOut = 0
    /// How many listings there are, as eBay estimates; nil: nobody has said.
    var total: Int64?
    /// Why it did not read all that it wanted; nil: it did.
    var problem: PurchaseProblem?
    /// What the last page reflects.
    var position: Position = 0
  }

  let gateway: Gateway
  let index: ListingIndex
  /// What is known of eBay's limits.
  let state: EbayState
  let search: SavedSearch
  let principal: Principal
  /// Whether it leaves alone what is kept for those who wait for an answer.
  var isBackground = false

  /// Reads page after page until there are no more, or one shows nothing new and what stands behind it was read before.
  ///
  /// - Parameter most: pages.
  func scan(pages most: Int) async throws(LogError) -> Outcome {
    // In another order what is new can stand on any page.
    let isNewestFirst = search.page(0)?.sort == .newlyListed
    return try await read(most, mayEndEarly: isNewestFirst) { number in
      search.page(number).map { .search($0) }
    }
  }

  /// Reads what its listings are compared with.
  func readComparables(pages most: Int) async throws(LogError) -> Outcome {
    try await read(most, mayEndEarly: false) { number in
      search.comparables(number).map { .comparables($0) }
    }
  }

  private func read(
    _ most: Int, mayEndEarly: Bool, _ need: (Int) -> EbayNeed?
  ) async throws(LogError) -> Outcome {
    var outcome = Outcome()
    for number in 0..<max(0, most) {
      guard let asked = need(number) else { break }
      let known = outcome.new.count
      guard let page = try await read(asked, &outcome) else { break }
      let isLast = Int64((number + 1) * SavedSearch.pageSize) >= page.total || page.rows.isEmpty
      if isLast { break }
      if mayEndEarly, outcome.new.count == known, let next = need(number + 1),
        try gateway.kept(next.resource)?.isPresent == true
      {
        break
      }
    }
    return outcome
  }

  private func read(
    _ need: EbayNeed, _ outcome: inout Outcome
  ) async throws(LogError) -> EbaySearchPage? {
    var demand = need.demand()
    demand.principal = principal
    demand.isBackground = isBackground
    let answer = await EbayAsking(gateway: gateway, state: state).answer(demand)
    outcome.position = answer.position
    outcome.calls += answer.charge + answer.inDoubt
    guard let found = answer.outcomes.first else { return nil }
    if let problem = found.problem { outcome.problem = problem }
    if let write = found.handedOn, case .handOn(_, let detail) = write.disposition {
      // It is the answer to another question.
      outcome.problem = PurchaseProblem(.requestRejected, detail)
      return nil
    }
    guard let entry = found.entry, entry.isPresent, let content = try gateway.content(of: entry),
      let page = try? EbaySearchPage(content), let asked = need.search
    else {
      outcome.isHit = false
      return nil
    }
    if found.source != .cache { outcome.isHit = false }
    let change = index.add(page, of: asked, seen: entry.fetched)
    outcome.pages += 1
    outcome.seen += change.seen
    outcome.new += change.new
    outcome.cheaper += change.cheaper
    outcome.leftOut += change.leftOut
    outcome.total = page.total
    return page
  }
}
