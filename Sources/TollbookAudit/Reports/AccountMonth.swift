package import TollbookArchive
package import TollbookEvents
package import TollbookLog

/// What an account has spent in a month of its time zone: the statement that a company is shown.
///
/// A charge counts when it was booked, and a correction when it was made; a doubt counts when it began, until it ends. Of a
/// past month it tells what is known at the head.
package struct AccountMonth: Sendable {
  package struct Row: Hashable, Sendable {
    package let operation: String
    /// Those of the demand, in their order.
    package let tags: [String]
    /// Empty: the calls of that row have cost nothing yet.
    package let unit: String
    /// Each retry is one too. A call that is paid in several units counts in the first of them; one that is shared with
    /// others counts with each.
    package internal(set) var calls: Int64 = 0
    package internal(set) var charged: Int64 = 0
    /// Added to charges that were found wrong; negative: taken off.
    package internal(set) var corrected: Int64 = 0
    package internal(set) var inDoubt: Int64 = 0
    package internal(set) var unprovable: Int64 = 0

    /// What is certain, and that with what may have been spent.
    package var spent: AmountInterval {
      let certain = charged &+ corrected
      return AmountInterval(low: certain, high: certain &+ inDoubt &+ unprovable)
    }

    fileprivate var isEmpty: Bool {
      [calls, charged, corrected, inDoubt, unprovable].allSatisfy { $0 == 0 }
    }
  }

  package let account: String
  package let month: CalendarMonth
  package let calendar: AuditCalendar
  /// By operation, tags and unit.
  package let rows: [Row]
  /// The last event that was read, and the root of the tree that seals it and all before it; nil: the log is empty.
  package let position: Position
  package let root: [UInt8]?
  /// The log goes on from a snapshot of that position: what the month saw before is not in it; nil: all of it is there.
  package let missingUntil: Position?

  /// Reads the events from the beginning of the month on.
  package init(
    of account: String, _ month: CalendarMonth, _ calendar: AuditCalendar, in source: LogSource
  ) throws(LogError) {
    self.account = account
    self.month = month
    self.calendar = calendar
    let start = calendar.start(of: month.first)
    var books = MonthBooks(account, start..<calendar.start(of: month.end))
    let base = try source.start()
    let head = try source.head()
    let before = try source.position(asOf: start.advanced(byMilliseconds: -1))
    try source.scan(after: max(base, before), through: head, kinds: MonthBooks.kinds) {
      (recorded) throws(LogError) in
      if let fetch = books.unnamedFetch(of: recorded.event) {
        let started = try source.read { (reading) throws(LogError) in
          fetch > base ? try source.reader.event(at: fetch, in: reading)?.event : nil
        }
        books.add(recorded, started: started)
      } else {
        books.add(recorded, started: nil)
      }
      return .next
    }
    rows = books.rows
    position = head
    root = try source.read { (reading) throws(LogError) in
      try source.reader.commit(holding: head, in: reading).map { Array($0.root) }
    }
    missingUntil = base > 0 && before <= base ? base : nil
  }
}

/// What the events of a month say of one account.
private struct MonthBooks {
  static let kinds: Set<EventKind> = [
    .fetchStarted, .fetchAttemptFailed, .tokensCharged, .chargeInDoubt, .chargeResolved,
    .chargeCorrected,
  ]

  private struct Slot: Hashable {
    var operation: String
    var tags: [String]
    var unit: String
  }

  private let account: [UInt8]
  private let month: Range<Timestamp>
  private var found: [Slot: AccountMonth.Row] = [:]

  init(_ account: String, _ month: Range<Timestamp>) {
    self.account = Array(account.utf8)
    self.month = month
  }

  /// The fetch whose start tells whose a doubt is, where the event itself does not.
  func unnamedFetch(of event: Event) -> Position? {
    guard case .chargeInDoubt(let doubt) = event, doubt.payers.isEmpty else { return nil }
    return doubt.fetch
  }

  /// - Parameter started: the start of the fetch, where the event itself does not tell who pays.
  mutating func add(_ recorded: RecordedEvent, started: Event?) {
    let isInMonth = month.contains(recorded.wall)
    switch recorded.event {
    case .fetchStarted(let event): if isInMonth { start(event) }
    case .fetchAttemptFailed(let event): if isInMonth { retry(event) }
    default: book(recorded, isInMonth: isInMonth, started)
    }
  }

  private func isOwn(_ account: String) -> Bool { account.utf8.elementsEqual(self.account) }

  private mutating func change(
    _ operation: String, _ tags: [String], _ unit: String = "",
    _ body: (inout AccountMonth.Row) -> Void
  ) {
    let slot = Slot(operation: operation, tags: tags, unit: unit)
    body(&found[slot, default: .init(operation: operation, tags: tags, unit: unit)])
  }

  // MARK: Calls

  private mutating func start(_ event: FetchStarted) {
    let demands = event.allDemands
    let buyers =
      event.resources.isEmpty ? [0] : event.resources.indices.map(event.demand(ofResource:))
    let own = buyers.first { demands.indices.contains($0) && isOwn(demands[$0].account) }
    guard let own else { return }
    change(event.operation, demands[own].tags) { $0.calls += 1 }
  }

  private mutating func retry(_ event: FetchAttemptFailed) {
    guard event.nextAttempt > 0 else { return }
    let payers = event.payers.isEmpty ? [Payer(account: event.account)] : event.payers
    guard let own = payers.first(where: { isOwn($0.account) }) else { return }
    change(event.operation, own.tags) { $0.calls += 1 }
  }

  // MARK: Amounts

  private mutating func book(_ recorded: RecordedEvent, isInMonth: Bool, _ started: Event?) {
    for posting in recorded.postings where !posting.isLimitOnly {
      var posting = posting
      if posting.payers.isEmpty, case .fetchStarted(let event)? = started {
        posting.payers = [Payer(account: event.allDemands.first?.account ?? "")]
        posting.operation = event.operation
      }
      switch posting.change {
      case .charged:
        if isInMonth { add(posting.shares, of: posting) { $0.charged &+= $1 } }
      case .corrected:
        if isInMonth { add(posting.shares, of: posting) { $0.corrected &+= $1 } }
      case .doubted(let amount):
        if isInMonth { add(posting.divided(amount), of: posting) { $0.inDoubt &+= $1 } }
      case .closed(let doubt):
        if isInMonth {
          add(posting.divided(doubt.settled), of: posting) { $0.charged &+= $1 }
        }
        guard month.contains(doubt.since ?? recorded.wall) else { continue }
        add(posting.divided(0 &- doubt.amount), of: posting) { row, part in
          if doubt.wasUnprovable { row.unprovable &+= part } else { row.inDoubt &+= part }
        }
        add(posting.divided(doubt.unprovable), of: posting) { $0.unprovable &+= $1 }
      default: continue
      }
    }
  }

  private mutating func add(
    _ parts: [Int64], of posting: Posting, _ change: (inout AccountMonth.Row, Int64) -> Void
  ) {
    for (payer, part) in zip(posting.payers, parts) where isOwn(payer.account) && part != 0 {
      self.change(posting.operation, payer.tags, posting.page.unit) { change(&$0, part) }
    }
  }

  // MARK: Rows

  /// Calls stand beside the first unit that their operation and tags have.
  var rows: [AccountMonth.Row] {
    var sorted = found.values.filter { !$0.isEmpty }.sorted { left, right in
      (left.operation, left.tags.joined(separator: "\u{1}"), left.unit)
        < (right.operation, right.tags.joined(separator: "\u{1}"), right.unit)
    }
    for index in sorted.indices.dropFirst() where sorted[index - 1].unit.isEmpty {
      let calls = sorted[index - 1]
      guard calls.operation == sorted[index].operation, calls.tags == sorted[index].tags else {
        continue
      }
      sorted[index].calls = calls.calls
      sorted[index - 1].calls = 0
    }
    return sorted.filter { !$0.isEmpty }
  }
}
