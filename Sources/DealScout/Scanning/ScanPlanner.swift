package import TollbookEvents

/// Says which searches are scanned in this turn, and with how many calls. Pure: the same question has the same answer.
///
/// 1. Scans leave people the reserve, and never take more than is left beside it.
/// 2. What is left is spread over the time until the calls begin anew; busier searches are scanned oftener, as
///    ``ScanIntervals`` says. A search that brings little counts as one that brings a quarter of the mean.
/// 3. No search is scanned before its last answer has expired and one more wait of up to a minute is over, which its
///    own seed draws: a scan at the very expiry would meet the cached answer or not by chance.
/// 4. Every search is scanned within the longest gap, while calls last for that. Those that would miss it come first;
///    then those that never were scanned; then those that wait longest in proportion to their interval.
/// 5. No turn takes more than three times its part of the calls, so that searches that are due together, after a stop
///    or a new day, are spread over some turns. What would miss the longest gap does not wait for that.
/// 6. If the calls are too few for all wanted pages, scans take one page each; if for that too, all wait longer, by the
///    same factor.
package struct ScanPlanner: Hashable, Sendable {
  /// For how long the answer of a search is fresh, in milliseconds.
  package let freshness: Int64
  /// No search goes unscanned for longer, in milliseconds.
  package let longestGap: Int64
  /// Between two turns, in milliseconds.
  package let turn: Int64
  package let reserve: ScanReserve

  /// The longest wait after an expiry, in milliseconds.
  private static let longestJitter: Int64 = 60_000
  /// New listings in an hour that a search counts as having at least.
  private static let leastRate = 0.05

  /// - Parameters: in milliseconds. A turn is 10 s to a tenth of the longest gap, which is at most 30 days.
  package init(
    freshness: Int64 = 300_000, longestGap: Int64 = 5_400_000, turn: Int64 = 300_000,
    reserve: ScanReserve
  ) {
    self.longestGap = min(max(longestGap, 600_000), 2_592_000_000)
    self.freshness = min(max(freshness, 0), self.longestGap / 2)
    self.turn = min(max(turn, 10_000), self.longestGap / 10)
    self.reserve = reserve
  }

  /// A search with what is reckoned for it.
  private struct Candidate {
    let search: ScanSearch
    /// Since its last scan, in milliseconds; nil: it was never scanned, or so says the clock.
    let age: Int64?
    /// When its answer has expired and the jitter is over.
    let earliest: Timestamp
    var calls: Int64 = 1
    var interval: Int64 = 0
    /// When its interval is over.
    var due: Timestamp
    var reason: ScanReason?
  }

  /// - Parameters:
  ///   - quota: as last read, with what scans have made since.
  ///   - searches: each once.
  package func plan(_ quota: ScanQuota, _ searches: [ScanSearch], now: Timestamp) -> ScanPlan {
    let quota = quota.at(now)
    let held = min(reserve.held(of: quota), quota.remaining)
    let budget = quota.remaining - held
    let perHour = Double(budget) * 3_600_000 / Double(max(quota.left, turn))
    var candidates = searches.map { candidate($0, now: now) }
    let isEnough = share(perHour, among: &candidates, now: now)
    let order = judge(&candidates, isEnough: isEnough, now: now)

    // A turn may take so many calls, and what must not wait comes on top.
    let part = max(1, Int64((perHour * Double(turn) / 1_200_000).rounded(.up)))
    var left = budget
    var scans: [ScanDecision] = []
    var others: [ScanDecision] = []
    for index in order {
      let candidate = candidates[index]
      guard budget > 0 else {
        let reason = quota.remaining == 0 ? ScanReason.spent : .reserve
        others.append(decision(candidate, reason, at: quota.reset))
        continue
      }
      guard let reason = candidate.reason else {
        let isFresh = candidate.earliest > now
        others.append(
          decision(candidate, isFresh ? .fresh : .waits, at: max(candidate.due, candidate.earliest))
        )
        continue
      }
      let taken = budget - left
      let calls = min(candidate.calls, left)
      if calls == 0 {
        others.append(decision(candidate, .reserve, at: quota.reset))
      } else if taken + calls > part, taken > 0, reason != .overdue {
        others.append(decision(candidate, .pace, at: now.advanced(byMilliseconds: turn)))
      } else {
        left -= calls
        let next = now.advanced(byMilliseconds: max(candidate.interval, freshness))
        scans.append(
          ScanDecision(search: candidate.search.id, reason: reason, calls: calls, next: next))
      }
    }
    others.sort { ($0.next, $0.search) < ($1.next, $1.search) }
    return ScanPlan(
      decisions: scans + others, budget: budget, held: held, reset: quota.reset,
      keepsLongestGap: isEnough)
  }

  private func decision(
    _ candidate: Candidate, _ reason: ScanReason, at next: Timestamp
  ) -> ScanDecision {
    ScanDecision(search: candidate.search.id, reason: reason, calls: 0, next: next)
  }

  private func candidate(_ search: ScanSearch, now: Timestamp) -> Candidate {
    guard let last = search.lastScanned, last <= now || search.age != nil else {
      return Candidate(search: search, age: nil, earliest: now, due: now)
    }
    let (shown, overflow) = now.milliseconds.subtractingReportingOverflow(last.milliseconds)
    // A clock that was set back shows too little; one that was set ahead too much, which does no harm.
    let age = max(search.age ?? 0, overflow ? .max : shown)
    let jitter = 1_000 + SearchSeed(search.id).below(Self.longestJitter - 1_000, at: last)
    let earliest = now.advanced(byMilliseconds: freshness + jitter - age)
    return Candidate(search: search, age: age, earliest: earliest, due: earliest)
  }

  /// Gives each its calls and its interval.
  ///
  /// - Returns: whether the calls are enough for the longest gap.
  private func share(
    _ perHour: Double, among candidates: inout [Candidate], now: Timestamp
  ) -> Bool {
    guard !candidates.isEmpty else { return true }
    // Two turns less: one that the clock of the turns adds, and one in which others come first.
    let shortest = freshness + Self.longestJitter
    let range = shortest...max(shortest, longestGap - 2 * turn)
    let known = candidates.compactMap(\.search.newPerHour)
    let mean = known.isEmpty ? 1 : known.reduce(0, +) / Double(known.count)
    let floor = max(Self.leastRate, mean / 4)
    let wanted = candidates.reduce(0) { $0 + $1.search.usualCalls }
    let takesAll = wanted * 3_600_000 / Double(range.upperBound) <= perHour
    for index in candidates.indices where takesAll {
      candidates[index].calls = candidates[index].search.pages
    }
    let intervals = ScanIntervals(
      candidates.map {
        .init(
          calls: takesAll ? $0.search.usualCalls : 1, rate: max(floor, $0.search.newPerHour ?? mean)
        )
      },
      in: range, callsPerHour: perHour)
    for (index, length) in intervals.lengths.enumerated() {
      candidates[index].interval = length
      guard let last = candidates[index].search.lastScanned, let age = candidates[index].age
      else { continue }
      // Up to a tenth sooner, drawn anew for each scan, so that searches do not keep step with each other.
      let sooner = SearchSeed(candidates[index].search.id + "/").below(length / 10 + 1, at: last)
      candidates[index].due = max(
        candidates[index].earliest, now.advanced(byMilliseconds: length - sooner - age))
    }
    return intervals.isEnough
  }

  /// Says of each why it is to be scanned now, if it is.
  ///
  /// - Returns: the order in which they are served.
  private func judge(
    _ candidates: inout [Candidate], isEnough: Bool, now: Timestamp
  ) -> [Int] {
    // A turn too late is as far off as half a turn too soon.
    let soon = now.advanced(byMilliseconds: turn / 2)
    for index in candidates.indices {
      let candidate = candidates[index]
      guard let age = candidate.age else {
        candidates[index].reason = candidate.search.lastScanned == nil ? .new : .clock
        continue
      }
      guard candidate.earliest <= now else { continue }
      if isEnough, age > longestGap - 2 * turn {
        candidates[index].reason = .overdue
      } else if candidate.due <= soon {
        candidates[index].reason = .due
      }
    }
    func rank(_ candidate: Candidate) -> (Int, Double) {
      switch candidate.reason {
      case .overdue: (0, -Double(candidate.age ?? 0))
      case .new, .clock: (1, 0)
      default: (2, -Double(candidate.age ?? 0) / Double(max(1, candidate.interval)))
      }
    }
    let ranks = candidates.map(rank)
    return candidates.indices.sorted {
      (ranks[$0].0, ranks[$0].1, candidates[$0].search.id)
        < (ranks[$1].0, ranks[$1].1, candidates[$1].search.id)
    }
  }
}
