package import TollbookEvents
package import TollbookLog
import TollbookViews

/// Close a doubt by hand.
package struct ResolveCommand: Sendable {
  /// Why a doubt cannot be closed that way. Nothing is written.
  package enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    case noSuchDoubt(fetch: Position, attempt: UInt32)
    case stillUnderWay(fetch: Position, attempt: UInt32)
    case moreThanHeld(amount: Int64, held: Int64, unit: String)
    /// The attempt holds several units, and none was named.
    case whichUnit(fetch: Position, attempt: UInt32, units: [String])

    package var description: String {
      switch self {
      case .noSuchDoubt(let fetch, let attempt):
        "attempt \(attempt) of fetch \(fetch) has nothing in doubt"
      case .stillUnderWay(let fetch, let attempt):
        "attempt \(attempt) of fetch \(fetch) is still under way"
      case .moreThanHeld(let amount, let held, let unit):
        "\(Amount(amount, unit).inWords) cannot be settled: the attempt holds \(held); name 0 to"
          + " \(held)"
      case .whichUnit(let fetch, let attempt, let units):
        "attempt \(attempt) of fetch \(fetch) has more than one thing in doubt; name the unit:"
          + " \(units.joined(separator: ", "))"
      }
    }
  }

  package var fetch: Position
  package var attempt: UInt32
  /// What is counted; nil: the only thing in doubt.
  package var unit: String?
  /// How much of it was spent; the rest is released.
  package var settled: Int64
  /// Why, for whoever reads the log.
  package var note: String
  /// Who closes it.
  package var actor: String

  package init(
    fetch: Position, attempt: UInt32, unit: String? = nil, settled: Int64, note: String,
    actor: String = ""
  ) {
    self.fetch = fetch
    self.attempt = attempt
    self.unit = unit
    self.settled = settled
    self.note = note.inOneLine()
    self.actor = actor
  }

  /// - Parameter now: by the wall clock.
  /// - Returns: the event for the meter that tells the cost. Meters that only limit it follow in events of their own.
  func decide(
    _ ledger: LedgerView, _ state: borrowing LogReading, at now: Timestamp
  ) throws(LogError) -> Decision<Result<ChargeResolved, Refusal>> {
    let all = try ledger.holds(fetch: fetch, attempt: attempt, in: state)
    guard !all.isEmpty else {
      return Decision(answer: .failure(.noSuchDoubt(fetch: fetch, attempt: attempt)))
    }
    let open = all.filter { $0.state != .reserved }
    guard !open.isEmpty else {
      return Decision(answer: .failure(.stillUnderWay(fetch: fetch, attempt: attempt)))
    }
    let units = Set(open.map(\.meter.unit)).sorted()
    guard unit != nil || units.count == 1, let unit = unit ?? units.first else {
      return Decision(
        answer: .failure(.whichUnit(fetch: fetch, attempt: attempt, units: units)))
    }
    // First the meter that tells the cost.
    let holds = open.filter { $0.meter.unit == unit }
      .sorted { !$0.isLimitOnly && $1.isLimitOnly }
    guard let first = holds.first else {
      return Decision(answer: .failure(.noSuchDoubt(fetch: fetch, attempt: attempt)))
    }
    guard (0...first.amount).contains(settled) else {
      return Decision(
        answer: .failure(.moreThanHeld(amount: settled, held: first.amount, unit: unit)))
    }
    let events = holds.map { closing($0, isFollowing: $0 != first, at: now) }
    return Decision(events: events.map { .chargeResolved($0) }, answer: .success(events[0]))
  }

  private func closing(_ hold: Hold, isFollowing: Bool, at now: Timestamp) -> ChargeResolved {
    var doubt = ResolvedDoubt(closing: hold)
    doubt.settled = min(settled, hold.amount)
    doubt.released = hold.amount - doubt.settled
    var event = ChargeResolved()
    event.meter = hold.meter.name
    event.evidence = isFollowing ? .followed : .operator
    event.difference = doubt.settled
    event.windows = [dayWindow(now)]
    event.note = note
    event.actor = actor
    event.doubts = [doubt]
    return event
  }

  /// Closes it through a log that the caller has open.
  package func run(on log: EventLog) async throws -> ChargeResolved {
    let ledger = LedgerView(log)
    let now = log.time.now()
    return try await log.decide { (state, _) throws(LogError) in
      try decide(ledger, state, at: now)
    }.answer.get()
  }
}
