import Synchronization
import TollbookEvents
import TollbookGateway
import TollbookLog
import TollbookViews

/// What Deal Scout has in memory: the listings that were seen, how often searches bring new ones, and its schedules.
///
/// All of it is made anew after a start: listings from the pages that are kept, rates from what is scanned from then on.
package final class Scout: Sendable {
  /// The schedules, each with the rule that it has unless somebody moves it.
  enum Chore: String, CaseIterable, Sendable {
    case scanAll = "scan_all"
    case refreshComparables = "refresh_comps"
    case reconcileSales = "reconcile_sales"
    case sendNotifications = "send_notifications"

    var standard: String {
      switch self {
      case .scanAll: "every 5m"
      case .refreshComparables: "daily 03:00 America/Los_Angeles"
      case .reconcileSales: "hourly :10"
      case .sendNotifications: "hourly :00"
      }
    }
  }

  static let scheduleKind = "ebay.schedule"
  /// Pages of comparables: four hundred listings say what a product costs.
  static let comparablePages = 2

  private struct Pace {
    var rate = ListingRate()
    /// Calls that its scans took on the average.
    var calls = 1.0
    /// By the clock that nobody sets, in milliseconds; nil: not since the start.
    var scanned: Int64?
  }

  let index = ListingIndex()
  let board = DealBoard()
  /// Whether prices may be judged by what eBay shows: it is simulated, or eBay has agreed.
  let judges: Bool
  /// How the seller's desk is set up; nil: there is none.
  let seller: SellerSettings?
  let schedules: ScheduleKeeper
  /// The consents of users.
  let consents: ConsentDesk
  /// What is known of the limits of the key of the settings.
  let state: EbayState
  private let pool: MeterKey
  private let planner: ScanPlanner
  private let paces = Mutex<[String: Pace]>([:])
  private let isFilled = Mutex(false)
  private let use = Mutex(false)

  /// - Parameters:
  ///   - upstream: the one that searches are bought from.
  ///   - judges: whether prices may be judged by what eBay shows: it is simulated, or eBay has agreed.
  ///   - reserve: what scans leave to people, in percent of a day's calls.
  ///   - seller: how the seller's desk is set up; nil: there is none.
  ///   - consent: whose consent users give, and where.
  package init(
    _ upstream: EbayUpstream, judges: Bool, reserve: Int64 = 34, seller: SellerSettings? = nil,
    consent: ConsentSettings = .none
  ) {
    consents = ConsentDesk(consent)
    self.judges = judges
    self.seller = seller
    state = upstream.state
    pool = upstream.meter(.browse)
    planner = ScanPlanner(freshness: upstream.freshness.search, reserve: .percent(reserve))
    let rules = Chore.allCases.compactMap { chore -> (name: String, rule: ScheduleRule)? in
      (try? ScheduleRule(chore.standard)).map { (chore.rawValue, $0) }
    }
    schedules = ScheduleKeeper(kind: Self.scheduleKind, rules)
  }

  /// Whether anybody has kept something that its schedules serve.
  var isUsed: Bool { use.withLock(\.self) }

  func noteUse() { use.withLock { $0 = true } }

  // MARK: Listings

  /// Fills the index from the pages that are kept, once.
  func fill(_ gateway: Gateway) async throws {
    guard
      !isFilled.withLock({ isFilled in
        defer { isFilled = true }
        return isFilled
      })
    else { return }
    for search in try SearchBook(gateway: gateway).all() {
      noteUse()
      for number in 0..<SavedSearch.mostPages {
        let pages = [
          search.page(number).map { EbayNeed.search($0) },
          search.comparables(number).map { EbayNeed.comparables($0) },
        ]
        var isAny = false
        for need in pages.compactMap(\.self) {
          guard let asked = need.search, let entry = try gateway.kept(need.resource),
            entry.isPresent, let content = try gateway.content(of: entry),
            let page = try? EbaySearchPage(content)
          else { continue }
          isAny = true
          _ = index.add(page, of: asked, seen: entry.fetched)
        }
        // Pages are read from the first on.
        guard isAny else { break }
        await Task.yield()
      }
    }
    index.expire(at: gateway.log.time.now())
  }

  /// The listings that searches show, and those that they are compared with.
  func listings(of searches: [SavedSearch]) -> Set<EbayItemID> {
    index.ids(
      of: searches.flatMap { search in
        [search.page(0), search.comparables(0)].compactMap { $0?.keyOfAllPages }
      })
  }

  // MARK: Scanning

  /// Scans a search, or reads what its listings are compared with.
  func scan(
    _ search: SavedSearch, _ purpose: ScanOrder.Purpose, pages: Int, _ gateway: Gateway,
    _ principal: Principal, isBackground: Bool = false
  ) async throws(LogError) -> SearchScan.Outcome {
    let scan = SearchScan(
      gateway: gateway, index: index, state: state, search: search, principal: principal,
      isBackground: isBackground)
    switch purpose {
    case .comparables: return try await scan.readComparables(pages: pages)
    case .scan:
      let outcome = try await scan.scan(pages: pages)
      if outcome.pages > 0, !outcome.isHit { note(outcome, of: search, gateway) }
      return outcome
    }
  }

  private func note(
    _ outcome: SearchScan.Outcome, of search: SavedSearch, _ gateway: Gateway
  ) {
    let now = gateway.log.time.monotonicMilliseconds
    paces.withLock { paces in
      var pace = paces[search.place, default: Pace()]
      if let before = pace.scanned {
        pace.rate.scanned(new: Int64(outcome.new.count), after: now - before)
      }
      pace.calls += (Double(max(1, outcome.calls)) - pace.calls) / 4
      pace.scanned = now
      paces[search.place] = pace
    }
  }

  /// What is to be scanned now, by the calls that are left.
  func planTurn(_ gateway: Gateway) throws(LogError) -> (plan: ScanPlan, searches: [SavedSearch]) {
    let searches = try SearchBook(gateway: gateway).all()
    let monotonic = gateway.log.time.monotonicMilliseconds
    let known = paces.withLock(\.self)
    var asked: [ScanSearch] = []
    for search in searches {
      let pace = known[search.place]
      let first = search.page(0).map { EbayNeed.search($0).resource }
      let entry = try first.map { (name) throws(LogError) in try gateway.kept(name) } ?? nil
      asked.append(
        ScanSearch(
          search.place, lastScanned: entry?.fetched,
          age: pace?.scanned.map { monotonic - $0 }, pages: 1,
          usualCalls: pace?.calls, newPerHour: pace?.rate.perHour))
    }
    let now = gateway.log.time.now()
    return (planner.plan(try quota(gateway, at: now), asked, now: now), searches)
  }

  /// The calls of the day, whoever made them, as the books have them.
  func quota(_ gateway: Gateway, at now: Timestamp) throws(LogError) -> ScanQuota {
    let rule = state.rule(of: .browse)
    let window = rule.window(at: now)
    let limit = rule.limit ?? 0
    let ledger = LedgerView(gateway.log)
    let key = pool.inWindow(window.name)
    let page = try gateway.log.read { (reading) throws(LogError) in
      try ledger.meter(key, in: reading)
    }
    let left = rule.available(on: [page], at: now)
    let reset = window.ends ?? now.advanced(byMilliseconds: 86_400_000)
    return ScanQuota(limit: limit, used: limit - left, reset: reset)
  }
}

extension SavedSearch {
  /// Names it among those of all accounts.
  var place: String { "\(account)/\(id)" }
}
