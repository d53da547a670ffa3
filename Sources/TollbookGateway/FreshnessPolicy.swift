package import TollbookEvents
package import TollbookViews

/// How long entries of a kind may answer, counted from when they were fetched. In milliseconds.
package struct FreshnessWindows: Sendable, Hashable {
  /// Answers.
  package var fresh: Int64
  /// After that: answers, and is refreshed behind.
  package var grace: Int64
  /// After `fresh`: answers only if the upstream or the balance says no, marked stale.
  package var errorGrace: Int64
  /// From the fetch: then the entry is removed.
  package var keep: Int64

  package init(fresh: Int64, grace: Int64, errorGrace: Int64, keep: Int64) {
    self.fresh = fresh
    self.grace = grace
    self.errorGrace = errorGrace
    self.keep = keep
  }
}

/// The windows of a kind, apart for what the upstream has and what it does not have.
package struct FreshnessPolicy: Sendable, Hashable {
  private static let day: Int64 = 86_400_000

  /// Seven days fresh, then usable for 23 more when nothing better can be had, kept for 90.
  package var present = FreshnessWindows(
    fresh: 7 * day, grace: 0, errorGrace: 23 * day, keep: 90 * day)
  /// An unknown product is asked for again after a day.
  package var absent = FreshnessWindows(fresh: day, grace: 0, errorGrace: 0, keep: 7 * day)

  package init() {}

  package func windows(isPresent: Bool) -> FreshnessWindows { isPresent ? present : absent }
}

/// Until when one entry is good for what.
package struct FreshnessInstants: Sendable, Hashable {
  package var freshUntil: Timestamp
  package var graceUntil: Timestamp
  package var errorGraceUntil: Timestamp
  package var keepUntil: Timestamp
}

extension FreshnessWindows {
  /// Writes the instants of an entry that is fetched now into its event.
  func stamp(_ event: inout CacheWritten, fetched: Timestamp) {
    let instants = instants(fetched: fetched)
    event.fetchedMs = fetched.milliseconds
    event.freshUntilMs = instants.freshUntil.milliseconds
    event.graceUntilMs = instants.graceUntil.milliseconds
    event.errorGraceUntilMs = instants.errorGraceUntil.milliseconds
    event.keepUntilMs = instants.keepUntil.milliseconds
  }

  /// The instants of an entry that is fetched then.
  package func instants(fetched: Timestamp) -> FreshnessInstants {
    FreshnessInstants(
      freshUntil: fetched.advanced(byMilliseconds: fresh),
      graceUntil: fetched.advanced(byMilliseconds: fresh + grace),
      errorGraceUntil: fetched.advanced(byMilliseconds: fresh + errorGrace),
      keepUntil: fetched.advanced(byMilliseconds: max(keep, fresh)))
  }
}

/// What an entry is good for, for one reader at one instant.
///
/// An entry that was fetched after that instant was fetched under a clock that was ahead, or the clock is behind now:
/// nobody knows how old it is. It is not fresh, whatever its windows say; it may answer if nothing better can be had.
package enum Usability: Sendable, Hashable {
  /// Answers.
  case fresh
  /// Answers, and should be fetched again behind the answer.
  case grace
  /// Answers only if nothing better can be had.
  case lastResort
  case none

  /// - Parameter limit: what the reader demands.
  package init(of entry: CacheEntry, at now: Timestamp, _ limit: AgeLimit) {
    let instants = FreshnessInstants(
      freshUntil: entry.freshUntil, graceUntil: entry.graceUntil,
      errorGraceUntil: entry.errorGraceUntil, keepUntil: entry.keepUntil)
    func within(_ maximumAge: Int64?) -> Usability {
      Usability(fetched: entry.fetched, instants, at: now, maximumAge: maximumAge)
    }
    switch limit {
    case .windows, .neverBuy: self = within(nil)
    case .fetched(let maximumAge): self = within(maximumAge)
    case .live:
      let usability = within(nil)
      self = usability == .none ? .none : .lastResort
    case .upstream(let maximumAge):
      // What the upstream gives no date for is as old as our fetch.
      let age = now.milliseconds &- (entry.upstreamUpdated ?? entry.fetched).milliseconds
      let isFresh =
        entry.fetched <= now && age <= maximumAge && !entry.isPurged && now < entry.keepUntil
      let usability = within(nil)
      self = isFresh ? .fresh : usability == .none ? .none : .lastResort
    }
  }

  /// The same of an entry that is known by its instants alone.
  package init(
    fetched: Timestamp, _ instants: FreshnessInstants, at now: Timestamp, maximumAge: Int64?
  ) {
    let (age, isFarOff) = now.milliseconds.subtractingReportingOverflow(fetched.milliseconds)
    let isAgeKnown = age >= 0 && !isFarOff
    let isYoungEnough = isAgeKnown && maximumAge.map { age <= $0 } ?? true
    if isYoungEnough && now < instants.freshUntil {
      self = .fresh
    } else if isYoungEnough && now < instants.graceUntil {
      self = .grace
    } else if now < max(instants.freshUntil, instants.graceUntil, instants.errorGraceUntil) {
      self = .lastResort
    } else {
      self = .none
    }
  }
}
