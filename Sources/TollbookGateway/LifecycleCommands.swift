import LMDB
package import TollbookEvents
package import TollbookLog
import TollbookViews

/// Begin a run of the service: note a restore, put what the last run left under way in doubt, and name the credential.
struct StartCommand: Sendable {
  var version: String
  var isSimulated: Bool
  /// Nil: no key is configured.
  var credential: (meter: MeterKey, upstream: String)?
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
    var events = restored.map { [Event.logRestored(LogRestored(of: $0))] } ?? []
    events.append(.serviceStarted(started))
    var recovered = ServiceRecovered()
    for hold in try ledger.holds(in: state) where hold.state == .reserved {
      recovered.fetches += 1
      recovered.tokensInDoubt += hold.tokens
      events += ended(hold)
    }
    if recovered.fetches > 0 { events.append(.serviceRecovered(recovered)) }
    if let credential, try ledger.credential(credential.meter.credential, in: state) == nil {
      var added = CredentialAdded()
      added.credential = credential.meter.credential
      added.upstream = credential.upstream
      added.unit = credential.meter.unit
      events.append(.credentialAdded(added))
    }
    return Decision(events: events, answer: ())
  }

  /// A call that nobody waits for any more: it may have been sent at any time until now.
  private func ended(_ hold: Hold) -> [Event] {
    var doubt = ChargeInDoubt()
    doubt.fetch = hold.fetch
    doubt.attempt = hold.attempt
    doubt.credential = hold.meter.credential
    doubt.unit = hold.meter.unit
    doubt.tokens = hold.tokens
    doubt.sentMs = now.milliseconds
    var failed = FetchFailed()
    failed.fetch = hold.fetch
    failed.attempts = hold.attempt
    failed.reason = .processEnded
    failed.detail = "Tollbook ended while the call was under way"
    return [.chargeInDoubt(doubt), .fetchFailed(failed)]
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
    let events = try cache.dueEntries(at: now, limit: Self.batch, in: state).map {
      entry -> Event in
      if !entry.isMarkedExpired && now >= entry.freshUntil {
        var event = CacheExpired()
        event.resource = entry.resource.description
        event.contentSet = UInt32(entry.contentSet)
        event.written = entry.written
        event.freshUntilMs = entry.freshUntil.milliseconds
        return .cacheExpired(event)
      }
      var event = CacheEvicted()
      event.resource = entry.resource.description
      event.contentSet = UInt32(entry.contentSet)
      event.written = entry.written
      event.keepUntilMs = entry.keepUntil.milliseconds
      return .cacheEvicted(event)
    }
    return Decision(events: events, answer: events.count)
  }
}

/// Close a doubt by hand.
package struct ResolveCommand: Sendable {
  /// Why a doubt cannot be closed that way. Nothing is written.
  package enum Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    case noSuchDoubt(fetch: Position, attempt: UInt32)
    case stillUnderWay(fetch: Position, attempt: UInt32)
    case moreThanHeld(tokens: Int64, held: Int64)

    package var description: String {
      switch self {
      case .noSuchDoubt(let fetch, let attempt):
        "attempt \(attempt) of fetch \(fetch) has nothing in doubt"
      case .stillUnderWay(let fetch, let attempt):
        "attempt \(attempt) of fetch \(fetch) is still under way"
      case .moreThanHeld(let tokens, let held):
        "\(tokens) tokens cannot be settled: the attempt holds \(held); name 0 to \(held)"
      }
    }
  }

  package var fetch: Position
  package var attempt: UInt32
  /// How much of it was spent; the rest is released.
  package var settled: Int64
  /// Why, for whoever reads the log.
  package var note: String

  package init(fetch: Position, attempt: UInt32, settled: Int64, note: String) {
    self.fetch = fetch
    self.attempt = attempt
    self.settled = settled
    self.note = note
  }

  func decide(
    _ ledger: LedgerView, _ state: borrowing ReadTransaction, _ context: DecisionContext
  ) throws(LMDBError) -> Decision<Result<ChargeResolved, Refusal>> {
    guard let hold = try ledger.hold(fetch: fetch, attempt: attempt, in: state) else {
      return Decision(answer: .failure(.noSuchDoubt(fetch: fetch, attempt: attempt)))
    }
    guard hold.state != .reserved else {
      return Decision(answer: .failure(.stillUnderWay(fetch: fetch, attempt: attempt)))
    }
    guard (0...hold.tokens).contains(settled) else {
      return Decision(answer: .failure(.moreThanHeld(tokens: settled, held: hold.tokens)))
    }
    var event = ChargeResolved()
    event.credential = hold.meter.credential
    event.unit = hold.meter.unit
    event.evidence = .operator
    event.difference = settled
    event.windows = [dayWindow(context.time)]
    event.note = note
    var doubt = ResolvedDoubt(closing: hold)
    doubt.settled = settled
    doubt.released = hold.tokens - settled
    event.doubts = [doubt]
    return Decision(events: [.chargeResolved(event)], answer: .success(event))
  }

  /// Closes it through a log that the caller has open.
  package func run(on log: EventLog) async throws -> ChargeResolved {
    let ledger = LedgerView(log)
    return try await log.decide { (state, context) throws(LMDBError) in
      try decide(ledger, state, context)
    }.answer.get()
  }
}
