package import TollbookEvents

/// A job that recurs, by its name.
///
/// 1. After a stop, however long, what was left out is made up for by one run at most: the last occurrence.
/// 2. An occurrence on the calendar is run at most once, also when the clock is set back. Where the clock was so wrong
///    that the last occurrence lies more than two days ahead, the schedule begins anew.
/// 3. Of an interval a clock that is set back begins a new one: it never stands still for longer than an interval, and
///    never runs sooner than it would have.
/// 4. What would have been due while it was paused, or before it was moved, is not made up for.
package struct Schedule: Hashable, Sendable {
  /// In milliseconds.
  private static let farthestAhead: Int64 = 2 * 86_400_000

  package let name: String
  /// The rule that it has unless somebody moves it.
  package let standard: ScheduleRule
  package private(set) var rule: ScheduleRule
  package private(set) var isPaused: Bool
  /// Nothing is due that is not after this instant: the last occurrence that was run, or when it was set, moved or
  /// resumed.
  package private(set) var anchor: Timestamp
  /// When the last run began.
  package private(set) var lastRun: Timestamp?
  /// How many runs have begun.
  package private(set) var runs: UInt64

  /// - Parameters:
  ///   - name: small letters, digits, dot, dash and underline; at most 64 bytes.
  ///   - standard: the rule that it has unless somebody moves it.
  ///   - anchor: of a new one, when it was set.
  package init(
    _ name: String, standard: ScheduleRule, rule: ScheduleRule? = nil, isPaused: Bool = false,
    anchor: Timestamp, lastRun: Timestamp? = nil, runs: UInt64 = 0
  ) throws(ScheduleProblem) {
    do throws(AccountRefusal) { try GivenName.check(name, "name") } catch {
      throw ScheduleProblem("name", error.description)
    }
    self.name = name
    self.standard = standard
    self.rule = rule ?? standard
    self.isPaused = isPaused
    self.anchor = anchor
    self.lastRun = lastRun
    self.runs = runs
  }

  /// Whether somebody changed its rule.
  package var isMoved: Bool { rule != standard }

  /// The first occurrence after an instant.
  package func next(after instant: Timestamp) -> Timestamp { rule.next(after: instant) }

  /// The occurrence that is to be run now.
  ///
  /// - Parameter lastRun: the last occurrence that was run.
  /// - Returns: nil if none is due.
  package func due(lastRun: Timestamp, now: Timestamp) -> Timestamp? {
    rule.latest(after: believable(lastRun, now: now), until: now)
  }

  /// The occurrence that is to be run now; nil if none is due, or it is paused.
  package func due(now: Timestamp) -> Timestamp? {
    isPaused ? nil : due(lastRun: anchor, now: now)
  }

  /// When it is to run next, which may be over already; nil: it is paused.
  package func next(now: Timestamp) -> Timestamp? {
    guard !isPaused else { return nil }
    return due(now: now) ?? next(after: believable(anchor, now: now))
  }

  /// What the last occurrence counts as on a clock that shows less.
  private func believable(_ last: Timestamp, now: Timestamp) -> Timestamp {
    let isWrong = last > now.advanced(byMilliseconds: Self.farthestAhead)
    return rule.isInterval || isWrong ? min(last, now) : last
  }
}

// MARK: Changes

extension Schedule {
  /// Brings the anchor into line with a clock that was set back. To be told each time somebody looks.
  mutating func settle(at now: Timestamp) { anchor = believable(anchor, now: now) }

  /// A run has begun.
  ///
  /// - Parameter occurrence: which one; nil: somebody asked for it while none was due.
  package mutating func began(_ occurrence: Timestamp?, at now: Timestamp) {
    if let occurrence { anchor = occurrence }
    lastRun = now
    runs &+= 1
  }

  /// Moves it to another rule. Occurrences of the rule before are not made up for.
  package mutating func move(to rule: ScheduleRule, at now: Timestamp) {
    guard rule != self.rule else { return }
    self.rule = rule
    restart(at: now)
  }

  /// Pauses or resumes it. Occurrences in a pause are not made up for.
  package mutating func pause(_ isPaused: Bool, at now: Timestamp) {
    if self.isPaused, !isPaused { restart(at: now) }
    self.isPaused = isPaused
  }

  /// What was due before is not made up for; and on a clock that was set back no place of the calendar comes twice.
  private mutating func restart(at now: Timestamp) {
    anchor = rule.isInterval ? now : max(anchor, now)
  }
}
