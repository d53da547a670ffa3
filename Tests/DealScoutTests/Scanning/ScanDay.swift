import DealScout
import TollbookEvents
import TollbookGateway
import TollbookTestSupport

/// A day of scans, in a clock of its own: a provider that counts calls, searches with listings that come by chance, somebody
/// else who uses the same calls, and the planner.
struct ScanDay {
  /// How somebody else spends.
  enum Spender: CaseIterable {
    case nobody, steady, bursts, early, late
  }

  struct Setting {
    var seed: UInt64 = 1
    var searches = 40
    var limit: Int64 = 5_000
    var reserve = ScanReserve.percent(34)
    var spender = Spender.nobody
    /// What somebody else wants in all, between two resets.
    var wanted: Int64 = 1_666
    var start = "2026-11-21T08:00:30Z"
    var hours: Int64 = 24
    /// After so many hours the clock is set by as many hours.
    var jump: (after: Int64, by: Int64)?
    /// Calls of a hundred that bring nothing.
    var failures = 1
    /// Whether the planner is told ages by a clock that nobody sets.
    var knowsAges = true
    /// How long one call takes, in milliseconds.
    var callTime: Int64 = 7_000
  }

  private struct Listing {
    let appeared: Int64
    let shown: Int64
    let ends: Int64
    let isPlanted: Bool
    /// In which scan after it appeared it was seen, from 1; nil: not yet.
    var seenInScan: Int?
    var seenAt: Int64?
  }

  private struct Search {
    let id: String
    let pages: Int64
    let perHour: Double
    var listings: [Listing]
    var lastScanned: Timestamp?
    var lastReal: Int64
    var rate = ListingRate()
    var usualCalls: Double
    /// When scans looked, in true time.
    var looks: [Int64] = []
    var longestGap: Int64 = 0

    /// Places of listings that an answer shows, the newest first.
    func shown(at now: Int64, atMost count: Int) -> [Int] {
      var found: [Int] = []
      var place = Self.first(listings.count) { listings[$0].appeared > now }
      while place > 0, found.count < count {
        place -= 1
        if listings[place].shown <= now, listings[place].ends > now { found.append(place) }
      }
      return found
    }

    /// How many scans have looked since an instant.
    func looks(since instant: Int64) -> Int {
      looks.count - Self.first(looks.count) { looks[$0] >= instant }
    }

    /// The first place of which something holds that holds of all after it.
    private static func first(_ count: Int, _ holds: (Int) -> Bool) -> Int {
      var (low, high) = (0, count)
      while low < high {
        let middle = (low + high) / 2
        if holds(middle) { high = middle } else { low = middle + 1 }
      }
      return low
    }
  }

  static let minute: Int64 = 60_000
  private static let hour: Int64 = 3_600_000
  private static let pageSize = 50

  private let setting: Setting
  private var chance: SeededGenerator
  /// True time, in milliseconds.
  private var now: Int64
  private let start: Int64
  private let end: Int64
  private var shift: Int64 = 0
  private var searches: [Search] = []
  private let planner: ScanPlanner
  private var quota: ScanQuota

  // The provider.
  private let midnight: ScheduleRule
  private var reset: Int64
  private var used: Int64 = 0
  /// Of this window.
  private var usedByOthers: Int64 = 0

  // What came of it.
  private(set) var mostUsed: Int64 = 0
  private(set) var refusedScans = 0
  private(set) var refusedOthers: Int64 = 0
  private(set) var scanCalls: Int64 = 0
  private(set) var otherCalls: Int64 = 0
  private(set) var resets = 0
  private(set) var resetsInTurns = 0
  private(set) var tooSoon = 0
  private(set) var reasons: [ScanReason: Int] = [:]
  private(set) var lastTurnWithScans: Int64 = 0
  private(set) var heldUntil: Timestamp?
  private(set) var short = 0

  init(_ setting: Setting) throws {
    self.setting = setting
    chance = SeededGenerator(seed: setting.seed)
    midnight = try ScheduleRule("daily 00:00 America/Los_Angeles")
    let first = Timestamp(rfc3339: setting.start) ?? .testStart
    start = first.milliseconds
    now = start
    end = start + setting.hours * Self.hour
    reset = midnight.next(after: first).milliseconds
    planner = ScanPlanner(reserve: setting.reserve)
    quota = ScanQuota(limit: setting.limit, used: 0, reset: Timestamp(milliseconds: reset))
    for number in 0..<setting.searches { searches.append(invented(number)) }
  }

  private mutating func invented(_ number: Int) -> Search {
    // From one new listing in five hours to sixty in an hour; one of three over all are quiet.
    let power = Double(chance.int(0...100)) / 100
    var perHour = 0.2
    for _ in 0..<Int(power * 57) { perHour *= 1.105 }
    var listings: [Listing] = []
    var at = start - 6 * Self.hour
    while at < end {
      at += Int64(-Self.log(Double(chance.int(1...1_000_000)) / 1_000_001) * 3_600_000 / perHour)
      let shown = at + chance.int64(0...4 * Self.minute)
      listings.append(
        Listing(
          appeared: at, shown: shown, ends: shown + chance.int64(30 * Self.minute...24 * Self.hour),
          isPlanted: at >= start && at < end - 3 * Self.hour && chance.chance(10)))
    }
    return Search(
      id: "search-\(number)", pages: Int64(chance.int(1...3)), perHour: perHour,
      listings: listings, lastReal: start, usualCalls: 2)
  }

  /// The natural logarithm of a number from 0 to 1, by halving and a series.
  private static func log(_ value: Double) -> Double {
    var (rest, halvings) = (max(value, 1e-12), 0.0)
    while rest < 0.5 {
      rest *= 2
      halvings += 1
    }
    let y = (rest - 1) / (rest + 1)
    let series = y + y * y * y / 3 + y * y * y * y * y / 5 + y * y * y * y * y * y * y / 7
    return 2 * series - halvings * 0.693147180559945
  }

  private var wall: Timestamp { Timestamp(milliseconds: now + shift) }

  // MARK: The day

  mutating func run() throws {
    var clock = ScheduleClock()
    try clock.add(
      Schedule(
        "scan_all", standard: ScheduleRule("every 5m"),
        anchor: wall.advanced(
          byMilliseconds: -5 * Self.minute)))
    var turns = 0
    var left = setting.jump
    var minute = start
    while minute < end {
      if let jump = left, minute >= start + jump.after * Self.hour {
        shift = jump.by * Self.hour
        left = nil
      }
      now = max(now, minute)
      spend()
      for run in clock.look(at: wall) {
        // Every third turn the provider is asked how it stands.
        if turns % 3 == 0 { read() }
        turns += 1
        turn()
        clock.ended(run.name, .done(), at: wall)
      }
      minute += Self.minute
    }
    for index in searches.indices {
      searches[index].longestGap = max(searches[index].longestGap, end - searches[index].lastReal)
    }
  }

  private mutating func read() {
    rollOver()
    quota.read(
      limit: setting.limit, used: used, reset: Timestamp(milliseconds: reset), at: wall)
  }

  private mutating func turn() {
    let plan = planner.plan(quota, searches.map(asked), now: wall)
    if !plan.keepsLongestGap { short += 1 }
    for decision in plan.decisions { reasons[decision.reason, default: 0] += 1 }
    if let until = plan.heldUntil { heldUntil = until }
    if !plan.scans.isEmpty { lastTurnWithScans = now }
    let resetsBefore = resets
    for decision in plan.scans {
      guard let index = searches.firstIndex(where: { $0.id == decision.search }) else { continue }
      if !searches[index].looks.isEmpty, now - searches[index].lastReal <= planner.freshness {
        tooSoon += 1
      }
      scan(index, atMost: decision.calls)
    }
    if resets > resetsBefore { resetsInTurns += 1 }
  }

  private func asked(_ search: Search) -> ScanSearch {
    let isKnown = !search.looks.isEmpty
    return ScanSearch(
      search.id, lastScanned: search.lastScanned,
      age: isKnown && setting.knowsAges ? now - search.lastReal : nil, pages: search.pages,
      usualCalls: search.usualCalls, newPerHour: isKnown ? search.rate.perHour : nil)
  }

  /// Reads pages, the newest listings first, until one shows something that is known.
  private mutating func scan(_ index: Int, atMost calls: Int64) {
    var (search, looked, made) = (searches[index], now, Int64(0))
    let shown = search.shown(at: now, atMost: Int(calls) * Self.pageSize)
    var found: [Int] = []
    while made < calls {
      now += setting.callTime
      guard call() else { return }
      if chance.chance(setting.failures) { return }
      let page = shown.dropFirst(Int(made) * Self.pageSize).prefix(Self.pageSize)
      made += 1
      found += page
      if page.count < Self.pageSize || page.contains(where: { search.listings[$0].seenAt != nil }) {
        break
      }
    }
    search.looks.append(looked)
    looked = now
    var new: Int64 = 0
    for place in found where search.listings[place].seenAt == nil {
      // One of a hundred is missing from an answer.
      if chance.chance(1) { continue }
      new += 1
      search.listings[place].seenAt = looked
      search.listings[place].seenInScan = search.looks(since: search.listings[place].appeared)
    }
    if search.lastScanned != nil {
      search.rate.scanned(new: new, after: now - search.lastReal)
      search.usualCalls += (Double(made) - search.usualCalls) / 8
    }
    search.longestGap = max(search.longestGap, now - search.lastReal)
    search.lastReal = now
    search.lastScanned = wall
    searches[index] = search
  }

  // MARK: The provider

  private mutating func rollOver() {
    guard now >= reset else { return }
    reset = midnight.next(after: Timestamp(milliseconds: now)).milliseconds
    used = 0
    usedByOthers = 0
    resets += 1
  }

  private mutating func call() -> Bool {
    rollOver()
    quota.count(1, at: wall)
    guard used < setting.limit else {
      refusedScans += 1
      return false
    }
    used += 1
    scanCalls += 1
    mostUsed = max(mostUsed, used)
    return true
  }

  /// What somebody else does in a minute.
  private mutating func spend() {
    let hour = Int((now - start) / Self.hour)
    let perMinute = Double(setting.wanted) / 1_440
    let wish: Double =
      switch setting.spender {
      case .nobody: 0
      case .steady: perMinute
      case .bursts: chance.chance(4) ? perMinute * 25 : 0
      case .early: hour < 4 ? perMinute * 6 : 0
      case .late: hour >= 20 ? perMinute * 6 : 0
      }
    let calls = Int64(wish) + (chance.int(0...99) < Int(wish * 100) % 100 ? 1 : 0)
    rollOver()
    let wished = min(calls, setting.wanted - usedByOthers)
    let taken = min(wished, setting.limit - used)
    refusedOthers += wished - taken
    used += taken
    usedByOthers += taken
    otherCalls += taken
    mostUsed = max(mostUsed, used)
  }
}

// MARK: What came of it

extension ScanDay {
  struct Found {
    var planted = 0
    var inOneScan = 0
    var inTwoScans = 0
    /// Ended before anybody saw them.
    var lost = 0
    /// In milliseconds, sorted.
    var delays: [Int64] = []

    var percentInTwo: Double { planted == 0 ? 100 : 100 * Double(inTwoScans) / Double(planted) }
  }

  var found: Found {
    var found = Found()
    for listing in searches.flatMap(\.listings) where listing.isPlanted {
      found.planted += 1
      if listing.seenInScan == 1 { found.inOneScan += 1 }
      if let scan = listing.seenInScan, scan <= 2 { found.inTwoScans += 1 }
      if let seen = listing.seenAt {
        found.delays.append(seen - listing.appeared)
      } else {
        found.lost += 1
      }
    }
    found.delays.sort()
    return found
  }

  /// In milliseconds.
  var longestGap: Int64 { searches.map(\.longestGap).max() ?? 0 }

  var fewestScans: Int { searches.map(\.looks.count).min() ?? 0 }

  /// Scans of the busiest and of the quietest quarter of the searches, for each search.
  var scansOfBusyAndQuiet: (busy: Int, quiet: Int) {
    let sorted = searches.sorted { $0.perHour > $1.perHour }
    let quarter = max(1, sorted.count / 4)
    let sum: (ArraySlice<Search>) -> Int = { $0.reduce(0) { $0 + $1.looks.count } / quarter }
    return (sum(sorted.prefix(quarter)), sum(sorted.suffix(quarter)))
  }

  var summary: String {
    let found = found
    let (busy, quiet) = scansOfBusyAndQuiet
    let median = found.delays.isEmpty ? 0 : found.delays[found.delays.count / 2] / Self.minute
    return "seed \(setting.seed), \(setting.spender): calls \(scanCalls) + \(otherCalls),"
      + " at most \(mostUsed) of \(setting.limit); longest gap \(longestGap / Self.minute) min;"
      + " \(busy) scans of a busy search, \(quiet) of a quiet one; deals \(found.planted),"
      + " within one scan \(found.inOneScan), within two \(found.inTwoScans)"
      + " (\((found.percentInTwo * 10).rounded() / 10) %), unseen \(found.lost),"
      + " median delay \(median) min"
  }
}
