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

  /// Writes the instants of an entry that is fetched now into its event.
  func stamp(_ event: inout CacheWritten, fetched: Timestamp) {
    let windows = event.presence == .present ? present : absent
    event.fetchedMs = fetched.milliseconds
    event.freshUntilMs = fetched.advanced(byMilliseconds: windows.fresh).milliseconds
    event.graceUntilMs =
      fetched.advanced(byMilliseconds: windows.fresh + windows.grace).milliseconds
    event.errorGraceUntilMs =
      fetched.advanced(byMilliseconds: windows.fresh + windows.errorGrace).milliseconds
    event.keepUntilMs =
      fetched.advanced(byMilliseconds: max(windows.keep, windows.fresh)).milliseconds
  }
}

/// What an entry is good for, for one reader at one instant.
package enum Usability: Sendable, Hashable {
  /// Answers.
  case fresh
  /// Answers, and should be fetched again behind the answer.
  case grace
  /// Answers only if nothing better can be had.
  case lastResort
  case none

  /// - Parameter maximumAge: what the reader demands, in milliseconds; nil: what the kind's windows say.
  package init(of entry: CacheEntry, at now: Timestamp, maximumAge: Int64?) {
    let age = now.milliseconds - entry.fetched.milliseconds
    let isYoungEnough = maximumAge.map { age <= $0 } ?? true
    if isYoungEnough && now < entry.freshUntil {
      self = .fresh
    } else if isYoungEnough && now < entry.graceUntil {
      self = .grace
    } else if now < max(entry.freshUntil, entry.graceUntil, entry.errorGraceUntil) {
      self = .lastResort
    } else {
      self = .none
    }
  }
}
