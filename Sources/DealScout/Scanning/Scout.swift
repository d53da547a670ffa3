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
    case recheckListings = "recheck_listings"

    var standard: String {
      switch self {
      case .scanAll: "every 5m"
      case .refreshComparables: "daily 03:00 America/Los_Angeles"
      case .reconcileSales: "hourly :10"
      case .sendNotifications: "hourly :00"
      case .recheckListings: "every 6h"
      }
    }
  }

  static let scheduleKind = "ebay.schedule"
  /// Pages of comparables: four hundred listings say what a product costs.
  static let comparablePages = 2
  /// Pages of a scan by the clock, at most: what is new is among the thousand that were listed last.
  static let scanPages = 5

  private struct Pace {
    var rate = ListingRate()
    /// Calls that its scans took on the average.
    var calls = 1.0
    /// Pages that its listings take.
    var pages: Int64 = 1
    /// By the clock that nobody sets, in milliseconds; nil: not since the start.
    var scanned: Int64?
  }

  package let index = ListingIndex()
  package let board = DealBoard()
  /// Whether prices may be judged by what eBay shows: it is simulated, or eBay has agreed.
  let judges: Bool
  /// Tells accounts what their rules ask for.
  let notices: NotificationDesk
  /// How the seller's desk is set up; nil: there is none.
  let seller: SellerSettings?
  let schedules: ScheduleKeeper
  /// The consents of users.
  let consents: ConsentDesk
  /// What is known of the limits of the key of the settings.
  let state: EbayState
  private let meters: [EbayPool: MeterKey]
  /// What is left to people, in percent of a day's calls.
  let reserve: Int64
  private let planner: ScanPlanner
  private let paces = Mutex<[String: Pace]>([:])
  /// Calls of scans by the clock since the start, in the window that is named.
  private let scanned = Mutex((window: "", calls: Int64(0)))
  private let filling = Once<Void>()
  private let use = Mutex(false)
  /// Up to where replaced bodies were looked for.
  let replacedThrough = Mutex<Position>(0)

  /// - Parameters:
  ///   - upstream: the one that searches are bought from.
  ///   - judges: whether prices may be judged by what eBay shows: it is simulated, or eBay has agreed.
  ///   - reserve: what scans leave to people, in percent of a day's calls.
  ///   - seller: how the seller's desk is set up; nil: there is none.
  ///   - consent: whose consent users give, and where.
  ///   - notices: tells accounts what their rules ask for.
  package init(
    _ upstream: EbayUpstream, judges: Bool, reserve: Int64 = 34, seller: SellerSettings? = nil,
    consent: ConsentSettings = .none, notices: NotificationDesk = NotificationDesk()
  ) {
    consents = ConsentDesk(consent)
    self.judges = judges
    self.notices = notices
    self.seller = seller
    state = upstream.state
    self.reserve = reserve
    meters = Dictionary(
      uniqueKeysWithValues: EbayPool.allCases.map { ($0, upstream.meter($0)) })
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
    try await filling.value { try await self.readPages(gateway) }
  }

  private func readPages(_ gateway: Gateway) async throws {
    if try WatchBook(gateway: gateway).isUsed() { noteUse() }
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

  /// By which keys a table finds the listings that searches show, and those that they are compared with.
  func keys(of searches: [SavedSearch]) -> [String] {
    searches.flatMap { search in
      [search.page(0), search.comparables(0)].compactMap { $0?.keyOfAllPages }
    }
  }

  /// The rows of a table that searches show, without what eBay shows no more though the table has it.
  func rows(of searches: [SavedSearch], in table: DealTable) -> RowSet {
    rows(of: keys(of: searches), in: table)
  }

  /// The same by the keys of searches, without the page.
  func rows(of keys: [String], in table: DealTable) -> RowSet {
    var shown = table.rows(of: keys)
    for id in index.gone(since: table.made) {
      if let row = table.number(of: id) { shown.remove(row) }
    }
    return shown
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
    let outcome: SearchScan.Outcome
    switch purpose {
    case .comparables: outcome = try await scan.readComparables(pages: pages)
    case .scan:
      outcome = try await scan.scan(pages: pages)
      if outcome.pages > 0, !outcome.isHit { note(outcome, of: search, gateway) }
      if outcome.pages > 0 { notices.note(search, outcome, version: index.version) }
    }
    if isBackground {
      let window = state.rule(of: .browse).window(at: gateway.log.time.now()).name
      scanned.withLock { scanned in
        scanned = (window, outcome.calls + (scanned.window == window ? scanned.calls : 0))
      }
    }
    return outcome
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
      let size = Int64(SavedSearch.pageSize)
      let wanted = outcome.total.map { ($0 - 1) / size + 1 } ?? pace.pages
      pace.pages = min(max(1, wanted), Int64(Self.scanPages))
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
          age: pace?.scanned.map { monotonic - $0 }, pages: pace?.pages ?? 1,
          usualCalls: pace?.calls, newPerHour: pace?.rate.perHour))
    }
    let now = gateway.log.time.now()
    return (planner.plan(try quota(gateway, at: now), asked, now: now), searches)
  }

  /// The calls of the day, of all who made some, as the books have them. Those that scans made before the last start count
  /// as those of people.
  func quota(
    _ gateway: Gateway, of pool: EbayPool = .browse, at now: Timestamp
  ) throws(LogError) -> ScanQuota {
    let rule = state.rule(of: pool)
    let window = rule.window(at: now)
    let limit = rule.limit ?? 0
    let ledger = LedgerView(gateway.log)
    let key = meters[pool]?.inWindow(window.name)
    let page = try key.map { (key) throws(LogError) in
      try gateway.log.read { (reading) throws(LogError) in try ledger.meter(key, in: reading) }
    }
    let left = page.map { rule.available(on: [$0], at: now) } ?? 0
    let reset = window.ends ?? now.advanced(byMilliseconds: 86_400_000)
    let scanned = scanned.withLock { $0.window == window.name ? $0.calls : 0 }
    return ScanQuota(limit: limit, used: limit - left, scanned: scanned, reset: reset)
  }
}

extension SavedSearch {
  /// Names it among those of all accounts.
  var place: String { "\(account)/\(id)" }
}
