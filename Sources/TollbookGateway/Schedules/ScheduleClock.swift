package import TollbookEvents

/// Which schedules are to run: a pure state machine. It is told the time and what has ended, and answers with runs.
///
/// 1. Of a schedule at most one run is under way. What becomes due meanwhile, however often, is remembered as one run
///    after it.
/// 2. Runs that somebody asked for come first; then those that have been due for longest; then by name.
/// 3. A run that somebody asked for is the run of what is due at that moment as well.
/// 4. No more runs are under way at once than may be; the others stay due.
package struct ScheduleClock: Hashable, Sendable {
  /// There can be so many.
  package static let most = 64

  /// A schedule as it stands.
  package struct Entry: Hashable, Sendable {
    package fileprivate(set) var schedule: Schedule
    /// When the run that is under way began; nil: none is.
    package fileprivate(set) var running: Timestamp?
    /// Whether somebody asked for a run that has not begun.
    package fileprivate(set) var isAsked = false
    /// How the last run ended; nil: none has, since the process began.
    package fileprivate(set) var last: JobRunner.Ended?
  }

  /// How many may be under way at once.
  package let atOnce: Int
  private var named: [String: Entry] = [:]

  package init(atOnce: Int = 8) { self.atOnce = max(1, atOnce) }

  /// By name.
  package var entries: [Entry] {
    named.values.sorted { $0.schedule.name < $1.schedule.name }
  }

  package subscript(name: String) -> Entry? { named[name] }

  /// How many runs are under way.
  package var running: Int { named.values.count { $0.running != nil } }

  /// Takes a schedule on.
  package mutating func add(_ schedule: Schedule) throws(ScheduleProblem) {
    guard named[schedule.name] == nil else {
      throw ScheduleProblem("name", "there is a schedule \(schedule.name) already")
    }
    guard named.count < Self.most else {
      throw ScheduleProblem("name", "there are \(Self.most) schedules already")
    }
    named[schedule.name] = Entry(schedule: schedule)
  }

  /// Changes a schedule, or asks for a run.
  ///
  /// - Returns: the schedule as it is then.
  package mutating func change(
    _ name: String, _ change: ScheduleChange, at now: Timestamp
  ) throws(ScheduleProblem) -> Entry {
    guard var entry = named[name] else {
      let known = named.keys.sorted().joined(separator: ", ")
      throw ScheduleProblem(
        "name",
        "there is no schedule “\(name.inOneLine(atMost: 60))”; there are \(known)")
    }
    if let rule = change.rule { entry.schedule.move(to: rule, at: now) }
    if let isPaused = change.isPaused { entry.schedule.pause(isPaused, at: now) }
    if change.isAskedNow { entry.isAsked = true }
    named[name] = entry
    return entry
  }

  /// What is to begin now. Each of them is under way from here on, until it is told that it has ended.
  package mutating func look(at now: Timestamp) -> [ScheduledRun] {
    for name in named.keys { named[name]?.schedule.settle(at: now) }
    let waiting: [ScheduledRun] = named.values.compactMap { entry in
      guard entry.running == nil else { return nil }
      let due = entry.schedule.due(now: now)
      guard entry.isAsked || due != nil else { return nil }
      return ScheduledRun(of: entry.schedule, due: due, isAsked: entry.isAsked, at: now)
    }
    let runs = waiting.sorted { $0.isBefore($1) }.prefix(max(0, atOnce - running))
    for run in runs {
      named[run.name]?.schedule.began(run.occurrence, at: now)
      named[run.name]?.running = now
      named[run.name]?.isAsked = false
    }
    return Array(runs)
  }

  /// A run has ended, or could not begin. Of one that is not under way it says nothing.
  package mutating func ended(_ name: String, _ ending: JobEnding, at now: Timestamp) {
    guard named[name]?.running != nil else { return }
    named[name]?.running = nil
    named[name]?.last = JobRunner.Ended(state: ending.state, ended: now, detail: ending.detail)
  }

  /// When it is worth looking again, if nothing ends or changes before: at the instant itself, where something waits
  /// for nothing but room. Nil: never.
  package func next(now: Timestamp) -> Timestamp? {
    guard running < atOnce else { return nil }
    return named.values.compactMap { entry in
      guard entry.running == nil else { return nil }
      return entry.isAsked ? now : entry.schedule.next(now: now).map { max($0, now) }
    }.min()
  }
}

/// A run of a schedule that is to begin.
package struct ScheduledRun: Hashable, Sendable {
  /// Why it begins. The raw values are part of the HTTP API.
  package enum Cause: String, Hashable, Sendable, CaseIterable {
    /// It is due.
    case due
    /// It makes up for what was left out.
    case catchUp = "catch_up"
    /// Somebody asked for it.
    case asked
  }

  /// So late, in milliseconds, a run counts as one that makes up for what was left out.
  package static let late: Int64 = 60_000

  package let name: String
  /// Which occurrence; nil: none was due.
  package let occurrence: Timestamp?
  package let cause: Cause
  /// Of this schedule, from 1.
  package let number: UInt64

  fileprivate init(of schedule: Schedule, due: Timestamp?, isAsked: Bool, at now: Timestamp) {
    name = schedule.name
    occurrence = due
    number = schedule.runs &+ 1
    let isLate = due.map {
      $0.advanced(byMilliseconds: Self.late) < now || schedule.next(after: schedule.anchor) < $0
    }
    cause = isAsked ? .asked : isLate == true ? .catchUp : .due
  }

  fileprivate func isBefore(_ other: ScheduledRun) -> Bool {
    if (cause == .asked) != (other.cause == .asked) { return cause == .asked }
    let (own, others) = (occurrence?.milliseconds ?? .max, other.occurrence?.milliseconds ?? .max)
    return (own, name) < (others, other.name)
  }
}
