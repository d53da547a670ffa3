import TollbookEvents
import TollbookLog
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
    _ ledger: LedgerView, _ state: borrowing LogReading, _ context: DecisionContext
  ) throws(LogError) -> Decision<Void> {
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
    for upstream in upstreams where upstream.takesKey {
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
