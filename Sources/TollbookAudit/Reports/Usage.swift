package import TollbookArchive
package import TollbookEvents
package import TollbookLog

/// How often people look at what a Tollbook did.
package enum UsagePeriod: String, CaseIterable, Sendable {
  case daily, weekly, monthly

  package var days: Int64 {
    switch self {
    case .daily: 1
    case .weekly: 7
    case .monthly: 30
    }
  }

  var milliseconds: Int64 { days * 86_400_000 }
}

/// How long calls took, in steps of a fifth or so: enough for “how long do nine of ten take at the most”.
package struct Durations: Hashable, Sendable {
  private var counts = [Int](repeating: 0, count: 33 * 4)
  package private(set) var count = 0

  package init() {}

  mutating func add(milliseconds: UInt32) {
    counts[Self.step(milliseconds)] += 1
    count += 1
  }

  /// Four steps between a power of two and the next.
  private static func step(_ milliseconds: UInt32) -> Int {
    guard milliseconds >= 4 else { return Int(milliseconds) }
    let power = 31 - milliseconds.leadingZeroBitCount
    return power * 4 + Int((milliseconds >> (power - 2)) & 3)
  }

  /// The largest number of milliseconds that falls into a step.
  private static func largest(in step: Int) -> Int64 {
    guard step >= 8 else { return Int64(step) }
    let power = Int64(step / 4)
    return (4 + Int64(step % 4) + 1) << (power - 2) - 1
  }

  /// So many milliseconds that this share of the calls took no longer, give or take a fifth; nil without calls.
  package func milliseconds(ofPercent percent: Int) -> Int64? {
    guard count > 0 else { return nil }
    let wanted = max(1, (count * percent + 99) / 100)
    var seen = 0
    for (step, number) in counts.enumerated() {
      seen += number
      if seen >= wanted { return Self.largest(in: step) }
    }
    return nil
  }
}

/// What happened in a stretch of time.
package struct UsageFigures: Sendable {
  package internal(set) var sums = AuditSums()
  package internal(set) var durations = Durations()
  package internal(set) var failedAttempts = 0
  package internal(set) var failedFetches = 0
  package internal(set) var expired = 0
  package internal(set) var evicted = 0
  package internal(set) var rejectedKeys = 0
  /// Entries that were bought before anybody asked, and those of them that were read since.
  package internal(set) var boughtAhead = 0
  package internal(set) var readAhead = 0
  /// Moved by nobody that the log knows.
  package internal(set) var unexplained = PerUnit<UnexplainedAmount>()
  package internal(set) var restarts = 0
  package internal(set) var cutOff = 0
}

/// What readings show that no call explains, in one unit.
package struct UnexplainedAmount: Hashable, Sendable {
  package internal(set) var amount: Int64 = 0
  /// How many readings show something.
  package internal(set) var readings = 0

  package static let none = UnexplainedAmount()
}

/// An attempt that ended badly.
package struct UsageFailure: Hashable, Sendable {
  package let time: Timestamp
  package let fetch: Position
  package let reason: FailureReason
  package let detail: String
}

/// What the reviews of a day, a week and a month are made from.
package struct Usage: Sendable {
  /// The last failures that are remembered.
  private static let failureLimit = 5

  package struct Review: Sendable {
    package let period: UsagePeriod
    /// Its first instant, and that of the stretch before.
    package internal(set) var start: Timestamp
    package internal(set) var startBefore: Timestamp
    package internal(set) var now = UsageFigures()
    /// The stretch of the same length before.
    package internal(set) var before = UsageFigures()
    /// Whether the log reaches back over both.
    package internal(set) var isWhole = false
  }

  /// Of what an account asked for: that account, and the calendar of its time zone.
  package struct Part: Sendable {
    package var account: String
    package var calendar: AuditCalendar

    package init(_ account: String, _ calendar: AuditCalendar) {
      self.account = account
      self.calendar = calendar
    }
  }

  /// Nil: of all that was asked for.
  package let part: Part?
  /// The first instant after the reviews.
  package let end: Timestamp
  package private(set) var reviews: [Review]
  /// When the log begins; nil: it is empty.
  package private(set) var first: Timestamp?
  package private(set) var total = AuditSums()
  /// The units that the log tells about, in the order of their bytes: at least one.
  package private(set) var units: [String] = []
  package private(set) var liveEntries = 0
  /// Entries that should have been noted as no longer fresh for over an hour.
  package private(set) var overdue = 0
  /// The youngest last.
  package private(set) var failures: [UsageFailure] = []
  /// Calls that were made ahead.
  private var fetchesAhead: Set<Position> = []
  /// Of an account, calls that it pays for.
  private var ownFetches: Set<Position> = []

  /// Reads the log once for the sums and once for the rest.
  ///
  /// - Parameters:
  ///   - now: the reviews are of the time before.
  ///   - part: the account that is meant. Its reviews are of whole days of its time zone, the last one yesterday.
  /// - Returns: nil if `progress` said stop.
  package init?(
    of source: LogSource, until now: Timestamp, of part: Part? = nil,
    progress: (_ done: Position, _ end: Position) -> ReadStep = { _, _ in .next }
  ) throws(LogError) {
    self.part = part
    let (end, starts) = Self.stretches(until: now, part?.calendar)
    self.end = end
    reviews = zip(UsagePeriod.allCases, starts).map { period, starts in
      Review(period: period, start: starts.now, startBefore: starts.before)
    }
    var query = AuditQuery()
    query.grouping = .hour
    query.account = part?.account
    query.calendar = part?.calendar ?? .utc
    query.withWaste = false
    guard let report = try Audit.run(query, in: source, progress: progress) else { return nil }
    // A clock may have been ahead when the log began: what it dated earlier was there by the end of that hour.
    let earliest = report.groups.lazy.compactMap(\.began).min()?.advanced(byMilliseconds: 3_599_999)
    first = report.first.map { min($0, earliest ?? $0) }
    total = report.total
    units = report.units
    liveEntries = report.liveEntries ?? 0
    overdue = report.overdueEntries ?? 0
    for group in report.groups {
      if let began = group.began { add(at: began) { $0.sums += group.sums } }
    }
    for index in reviews.indices {
      reviews[index].isWhole = first.map { $0 <= reviews[index].startBefore } ?? false
    }
    try readEvents(source)
    try readAhead(source)
  }

  /// Where the reviews end, and where each of them and the stretch before begin: so many times 24 hours, or days of a
  /// zone, of which some have 23 or 25.
  private static func stretches(
    until now: Timestamp, _ calendar: AuditCalendar?
  ) -> (end: Timestamp, starts: [(now: Timestamp, before: Timestamp)]) {
    guard var calendar else {
      let starts = UsagePeriod.allCases.map { period in
        (
          now: now.advanced(byMilliseconds: -period.milliseconds),
          before: now.advanced(byMilliseconds: -2 * period.milliseconds)
        )
      }
      return (now, starts)
    }
    let today = calendar.day(of: now)
    func start(_ daysAgo: Int64) -> Timestamp {
      calendar.start(of: CalendarDay(number: today - daysAgo))
    }
    return (
      start(0), UsagePeriod.allCases.map { (now: start($0.days), before: start(2 * $0.days)) }
    )
  }

  package subscript(period: UsagePeriod) -> Review? { reviews.first { $0.period == period } }

  /// Adds to the stretches that an instant belongs to.
  private mutating func add(at time: Timestamp, _ change: (inout UsageFigures) -> Void) {
    // What is dated later than now has happened by now: a clock was ahead when it was written, or before. What came after
    // the last whole day of a zone is in no review.
    guard part == nil || time < end else { return }
    for index in reviews.indices {
      if time >= reviews[index].start {
        change(&reviews[index].now)
      } else if time >= reviews[index].startBefore {
        change(&reviews[index].before)
      }
    }
  }

  private mutating func readEvents(_ source: LogSource) throws(LogError) {
    let start = reviews.map(\.startBefore).min() ?? end
    let after = max(try source.start(), try source.position(asOf: start))
    let kinds: Set<EventKind> = [
      .fetchSucceeded, .fetchAttemptFailed, .fetchFailed, .cacheExpired, .cacheEvicted,
      .entriesSwept, .credentialStatusChanged, .balanceObserved, .windowObserved, .serviceStarted,
      .serviceRecovered, .fetchStarted,
    ]
    try source.scan(after: after, kinds: kinds) { (recorded) throws(LogError) in
      if case .fetchStarted(let event) = recorded.event { note(event, at: recorded.position) }
      if isMeant(recorded.event) { read(recorded) }
      return .next
    }
  }

  private mutating func note(_ event: FetchStarted, at position: Position) {
    guard let part else {
      if event.isAhead { fetchesAhead.insert(position) }
      return
    }
    let own = event.allDemands.contains { $0.account.utf8.elementsEqual(part.account.utf8) }
    if own { ownFetches.insert(position) }
  }

  /// Whether an event is of the account that is meant, or of nobody.
  private func isMeant(_ event: Event) -> Bool {
    guard part != nil else { return true }
    return switch event {
    case .fetchSucceeded(let event): ownFetches.contains(event.fetch)
    case .fetchAttemptFailed(let event): ownFetches.contains(event.fetch)
    case .fetchFailed(let event): ownFetches.contains(event.fetch)
    default: true
    }
  }

  /// Looks which entries calls brought that were made ahead, and which of them were read.
  private mutating func readAhead(_ source: LogSource) throws(LogError) {
    guard let first = fetchesAhead.min() else { return }
    /// When entries were written that nobody has read yet.
    var unread: [Position: Timestamp] = [:]
    try source.scan(after: first, kinds: [.cacheWritten, .readsTallied]) {
      (recorded) throws(LogError) in
      switch recorded.event {
      case .cacheWritten(let event) where fetchesAhead.contains(event.fetch):
        unread[recorded.position] = recorded.wall
        add(at: recorded.wall) { $0.boughtAhead += 1 }
      case .readsTallied(let event):
        for row in event.rows where row.fresh > 0 || row.joined > 0 {
          guard let time = unread.removeValue(forKey: row.written) else { continue }
          add(at: time) { $0.readAhead += 1 }
        }
      default: break
      }
      return .next
    }
  }

  private mutating func read(_ recorded: RecordedEvent) {
    if case .fetchAttemptFailed(let event) = recorded.event, part == nil || recorded.wall < end {
      failures.append(
        UsageFailure(
          time: recorded.wall, fetch: event.fetch, reason: event.reason, detail: event.detail))
      if failures.count > Self.failureLimit { failures.removeFirst() }
    }
    add(at: recorded.wall) { figures in
      switch recorded.event {
      case .fetchSucceeded(let event): figures.durations.add(milliseconds: event.durationMs)
      case .fetchAttemptFailed: figures.failedAttempts += 1
      case .fetchFailed: figures.failedFetches += 1
      case .cacheExpired: figures.expired += 1
      case .cacheEvicted: figures.evicted += 1
      case .entriesSwept(let event):
        for entry in event.entries {
          if entry.evicted { figures.evicted += 1 } else { figures.expired += 1 }
        }
      case .credentialStatusChanged(let event):
        if event.status == .rejected { figures.rejectedKeys += 1 }
      case .balanceObserved(let event):
        if !event.restoreGap { figures.addUnexplained(recorded) }
      case .windowObserved: figures.addUnexplained(recorded)
      case .serviceStarted: figures.restarts += 1
      case .serviceRecovered(let event): figures.cutOff += Int(event.fetches)
      default: break
      }
    }
  }
}

extension UsageFigures {
  fileprivate mutating func addUnexplained(_ reading: RecordedEvent) {
    for posting in reading.postings {
      guard case .observed(let amount) = posting.change, amount != 0 else { continue }
      unexplained[posting.page.unit, default: .none].amount &+= amount
      unexplained[posting.page.unit, default: .none].readings += 1
    }
  }
}

extension Usage.Review {
  /// So much of a unit this stretch spent a day, at the most, in hundredths.
  package func dailyHundredths(of unit: String) -> Int64 {
    perDay(now.sums[unit].spent.high)
  }

  /// So much of a unit the cache avoided a day, in hundredths.
  package func dailySavingsHundredths(of unit: String) -> Int64 { perDay(now.sums[unit].saved) }

  private func perDay(_ amount: Int64) -> Int64 {
    Int64(clamping: Int128(amount) * 100 / Int128(period.days))
  }
}
