import LMDB
package import TollbookEvents
package import TollbookLog
import TollbookViews

/// Begin a run of the service: note a restore, put what the last run left under way in doubt, and name the credential.
struct StartCommand: Sendable {
  var version: String
  var isSimulated: Bool
  /// Those of which a credential is configured.
  var upstreams: [any Upstream]
  /// How the log came to be, if it was restored and that is not in it yet.
  var restored: LogOrigin?
  /// By the wall clock. Not the commit's time: that stays ahead after a clock was wrong, and a doubt would wait for it.
  var now: Timestamp

  func decide(
    _ ledger: LedgerView, _ state: borrowing ReadTransaction, _ context: DecisionContext
  ) throws(LMDBError) -> Decision<Void> {
    var started = ServiceStarted()
    started.version = version
    started.simulated = isSimulated
    started.format = UInt32(DataDirectory.format)
    var events = restored.map { [Event.logRestored(LogRestored(of: $0))] } ?? []
    events.append(.serviceStarted(started))
    var recovered = ServiceRecovered()
    var amounts: [Amount] = []
    let open = try ledger.holds(in: state).filter { $0.state == .reserved }
    for holds in open.byAttempt {
      recovered.fetches += 1
      for hold in holds where !hold.isLimitOnly { amounts.add(hold.amount, hold.meter.unit) }
      events += ended(holds)
    }
    recovered.inDoubt = amounts.map { Cost($0) }
    if recovered.fetches > 0 { events.append(.serviceRecovered(recovered)) }
    for upstream in upstreams {
      for id in upstream.credentials where try ledger.credential(id, in: state) == nil {
        var added = CredentialAdded()
        added.credential = id
        added.upstream = upstream.name
        added.quotaGroup = upstream.meters.first?.key.owner ?? id
        events.append(.credentialAdded(added))
      }
    }
    return Decision(events: events, answer: ())
  }

  /// A call that nobody waits for any more: it may have been sent at any time until now.
  private func ended(_ holds: [Hold]) -> [Event] {
    guard let first = holds.first else { return [] }
    var doubt = ChargeInDoubt()
    doubt.fetch = first.fetch
    doubt.attempt = first.attempt
    doubt.operation = first.operation
    doubt.payers = first.payers
    doubt.moves = holds.map { hold in
      var move = Move(hold.meter, hold.amount)
      move.limitOnly = hold.isLimitOnly
      return move
    }
    doubt.sentMs = now.milliseconds
    var failed = FetchFailed()
    failed.fetch = first.fetch
    failed.attempts = first.attempt
    failed.reason = .processEnded
    failed.detail = "Tollbook ended while the call was under way"
    return [.chargeInDoubt(doubt), .fetchFailed(failed)]
  }
}

extension [Hold] {
  /// The holds of each attempt together, in their order.
  fileprivate var byAttempt: [[Hold]] {
    reduce(into: []) { groups, hold in
      if let last = groups.last?.first, last.fetch == hold.fetch, last.attempt == hold.attempt {
        groups[groups.count - 1].append(hold)
      } else {
        groups.append([hold])
      }
    }
  }
}

extension LogRestored {
  fileprivate init(of origin: LogOrigin) {
    self.init()
    position = origin.position
    base = origin.base?.position ?? 0
    restoredMs = origin.restored.milliseconds
    withoutBodies = origin.isWithoutBodies
  }
}

/// Mark entries that stopped being fresh, and remove those whose time to be kept is over.
struct SweepCommand: Sendable {
  /// The most entries in one decision.
  static let batch = 1_000
  var now: Timestamp

  /// - Returns: how many entries it dealt with.
  func decide(
    _ cache: CacheView, _ state: borrowing ReadTransaction
  ) throws(LMDBError) -> Decision<Int> {
    var event = EntriesSwept()
    event.entries = try cache.dueEntries(at: now, limit: Self.batch, in: state).map { entry in
      let expires = !entry.isMarkedExpired && now >= entry.freshUntil
      var row = SweptEntry()
      row.resource = entry.resource.description
      row.contentSet = entry.contentSet
      row.written = entry.written
      row.untilMs = (expires ? entry.freshUntil : entry.keepUntil).milliseconds
      row.evicted = !expires
      return row
    }
    guard !event.entries.isEmpty else { return Decision(answer: 0) }
    return Decision(events: [.entriesSwept(event)], answer: event.entries.count)
  }
}

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
        "\(amount) \(unit) cannot be settled: the attempt holds \(held); name 0 to \(held)"
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
    _ ledger: LedgerView, _ state: borrowing ReadTransaction, at now: Timestamp
  ) throws(LMDBError) -> Decision<Result<ChargeResolved, Refusal>> {
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
    return try await log.decide { (state, _) throws(LMDBError) in
      try decide(ledger, state, at: now)
    }.answer.get()
  }
}
