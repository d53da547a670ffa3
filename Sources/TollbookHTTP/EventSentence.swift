import TollbookAudit
package import TollbookEvents

extension RecordedEvent {
  /// What happened, in a line for people: bounded, and one line whatever its texts hold.
  ///
  /// - Parameter systems: what knows the nouns of its kinds and the titles of its upstreams.
  package func sentence(_ systems: [HTTPSystem]) -> String {
    EventSentence(event: event, time: time, systems: systems).text
  }
}

extension Event {
  /// What happened, in a line for people: bounded, and one line whatever its texts hold.
  ///
  /// - Parameter systems: what knows the nouns of its kinds and the titles of its upstreams.
  package func sentence(_ systems: [HTTPSystem]) -> String {
    EventSentence(event: self, time: nil, systems: systems).text
  }
}

private struct EventSentence {
  /// What is told of the whole event, and of each text in it that came from outside, in Unicode scalars.
  private static let longestSentence = 500
  private static let longestText = 120

  let event: Event
  /// When it was written; nil: nobody knows.
  let time: Timestamp?
  let systems: [HTTPSystem]

  var text: String { words.inOneLine(atMost: Self.longestSentence) }

  private var words: String {
    switch event {
    case .fetchStarted(let event):
      "buys \(bought(event))\(event.isAhead ? " ahead" : ""), at most"
        + " \(postings.amounts { $0.reservedAmount }.text) reserved"
    case .fetchAttemptFailed(let event):
      "attempt \(event.attempt) of fetch \(event.fetch): \(failure(event.reason, event.detail))"
        + (event.nextAttempt > 0 ? "; tries again" : "")
    case .fetchSucceeded(let event): "fetch \(event.fetch) answered"
    case .fetchFailed(let event):
      "fetch \(event.fetch) given up after \(Int(event.attempts).of("attempt")):"
        + " \(failure(event.reason, event.detail))"
    case .cacheWritten(let event):
      event.presence == .present
        ? "\(name(event.resource)) kept\(origin(event)), fresh until \(end(event))"
        : "\(name(event.resource)) is unknown to \(title(event.resource)), believed until"
          + " \(end(event))"
    case .cacheExpired(let event): "\(name(event.resource)) is no longer fresh"
    case .cacheEvicted(let event): "\(name(event.resource)) removed, its time is over"
    case .entriesSwept(let event): swept(event)
    case .cachePurged(let event):
      "\(name(event.resource)) purged, \(event.amounts.text) had been paid for it"
        + (event.hard ? "" : "; kept for when \(title(event.resource)) fails")
        + (event.note.isEmpty ? "" : " (\(short(event.note)))")
    case .bodiesPruned(let event):
      "\(event.bodies.count.of("body", "bodies")) removed that no entry needs"
    case .readsTallied(let event): tallied(event)
    default: ledgerSentence
    }
  }

  private var ledgerSentence: String {
    switch event {
    case .tokensCharged(let event):
      "fetch \(event.fetch) cost \(postings.amounts { $0.chargedAmount }.text)"
    case .reservationReleased(let event):
      "\(postings.amounts { $0.releasedAmount }.text) of fetch \(event.fetch) given back, nothing"
        + " was spent"
    case .chargeInDoubt(let event):
      "\(postings.amounts { $0.doubtedAmount }.text) of fetch \(event.fetch) in doubt: sent, and"
        + " nobody told its cost"
    case .chargeResolved(let event): resolved(event)
    case .balanceObserved(let event): observed(event)
    case .windowObserved(let event): observed(event)
    case .spendRefused(let event): refused(event)
    case .credentialAdded(let event): "key \(short(event.credential)) of \(short(event.upstream))"
    case .credentialStatusChanged(let event):
      "key \(short(event.credential)) \(event.status == .rejected ? "rejected" : "accepted")"
        + (event.detail.isEmpty ? "" : ": \(short(event.detail))")
    case .serviceStarted(let event):
      "version \(short(event.version))\(event.simulated ? ", with simulated upstreams" : "")"
    case .serviceRecovered(let event):
      "\(Int(event.fetches).of("call")) cut off by the end of the process before:"
        + " \(event.amountsInDoubt.text) in doubt"
    case .snapshotTaken(let event):
      "\(short(event.file)) holds all up to position \(event.position)"
    case .logRestored(let event):
      "restored up to position \(event.position)"
        + (event.base > 0 ? ", from a snapshot of position \(event.base)" : "")
    case .jobQueued(let event):
      "job of kind \(short(event.kind)) taken on"
        + (event.actor.isEmpty ? "" : ", for \(short(event.actor))")
    case .jobStarted(let event): "job \(event.job) begun"
    case .jobProgressed(let event):
      "job \(event.job) has got to \(Int(clamping: event.done).grouped)"
    case .jobFinished(let event): finished(event)
    default: adminSentence
    }
  }

  private var adminSentence: String {
    switch event {
    case .accountOpened(let event):
      "account \(short(event.account)) opened\(by(event.actor))"
    case .accountClosed(let event):
      "account \(short(event.account)) closed\(by(event.actor))"
    case .accessKeyIssued(let event):
      "access key \(short(event.accessKey)) issued for \(short(event.account)), to"
        + " \(short(event.scopes.joined(separator: ", ")))"
        + (event.replaces.isEmpty ? "" : ", in the place of \(short(event.replaces))")
        + by(event.actor)
    case .accessKeyRevoked(let event):
      "access key \(short(event.accessKey)) opens nothing from"
        + " \(Timestamp(milliseconds: event.fromMs)) on\(by(event.actor))"
    case .budgetSet(let event):
      "budget \(short(event.budget)) limits to \(Amount(event.limit, event.unit).text)"
        + (event.paused ? ", paused" : event.soft ? ", refusing nothing" : "") + by(event.actor)
    case .budgetRemoved(let event): "budget \(short(event.budget)) removed\(by(event.actor))"
    default: alertSentence
    }
  }

  private var alertSentence: String {
    switch event {
    case .webhookSet(let event):
      "webhook \(short(event.webhook)) at \(short(event.place)) is told of"
        + " \(short(event.events.joined(separator: ", ")))\(by(event.actor))"
    case .webhookRemoved(let event): "webhook \(short(event.webhook)) removed\(by(event.actor))"
    case .alertRaised(let event): "alert: \(short(event.alert.sentence))"
    case .alertCleared(let event):
      "alert over: \(short(event.alert.sentence)); \(short(event.reason))"
    case .notificationSent(let event):
      "webhook \(short(event.webhook)) was told of \(Int(clamping: event.alert).grouped),"
        + " try \(event.attempt): \(short(event.end))"
    case .notificationRequeued(let event):
      "delivery \(short(event.delivery)) is sent again\(by(event.actor))"
    default: paymentSentence
    }
  }

  private var paymentSentence: String {
    switch event {
    case .credentialSet(let event):
      "credential \(short(event.credential)) set for"
        + " \(event.account.isEmpty ? "everybody" : short(event.account))"
        + (event.hasLimit ? ", up to \(Amount(event.limit, event.unit).text)" : "")
        + (event.status == .disabled ? ", disabled" : event.status == .expired ? ", expired" : "")
        + by(event.actor)
    case .credentialRemoved(let event):
      "credential \(short(event.credential)) removed\(by(event.actor))"
    case .credentialCooled(let event):
      (event.closedMeter.map { "\(short($0)) are closed" }
        ?? "credential \(short(event.credential)) sends nothing")
        + " until \(Timestamp(milliseconds: event.untilMs))"
        + (event.detail.isEmpty ? "" : ": \(short(event.detail))")
    case .poolSet(let event):
      "credentials of \(short(event.upstream)) for"
        + " \(event.account.isEmpty ? "everybody" : short(event.account)) are chosen by"
        + " \(event.selection.name)\(by(event.actor))"
    case .requestBegun: "request with an idempotency key taken on"
    case .requestAnswered(let event):
      event.status == 0
        ? "request with an idempotency key ended without an answer to repeat"
        : "request with an idempotency key answered with \(event.status)"
    case .requestsForgotten(let event):
      "\(event.keys.count.of("request", "requests")) with idempotency keys forgotten"
    case .chargeCorrected(let event):
      "charge \(event.charge) corrected by \(postings.amounts { $0.correctedAmount }.text)"
        + ": \(short(event.reason))\(by(event.actor))"
    case .invoicePosted(let event):
      "bill for \(short(event.day)): \(Amount(event.invoiced, event.meter.unit).text) where"
        + " \(Amount(event.booked, event.meter.unit).text) are booked;"
        + " \(Amount(event.unexplained, event.meter.unit).text) posted as unexplained"
        + by(event.actor)
    default: event.kind.name
    }
  }

  private func by(_ actor: String) -> String { actor.isEmpty ? "" : ", by \(short(actor))" }

  private func finished(_ event: JobFinished) -> String {
    let end =
      switch event.end {
      case .done: "done"
      case .cancelled: "cancelled"
      case .failed, .unspecified, .UNRECOGNIZED: "failed"
      }
    return "job \(event.job) \(end)" + (event.detail.isEmpty ? "" : ": \(short(event.detail))")
  }

  private var postings: [Posting] { event.postings(at: 0) }

  private func swept(_ event: EntriesSwept) -> String {
    let expired = event.entries.filter { !$0.evicted }
    // What goes while it was still to be kept goes to make room.
    let removed = event.entries.filter(\.evicted)
    let evicted = removed.filter { row in time.map { row.untilMs <= $0.milliseconds } ?? true }
    var parts: [String] = []
    if let first = expired.first {
      parts.append(
        expired.count == 1
          ? "\(name(first.resource)) is no longer fresh"
          : "\(expired.count.of("entry", "entries")) no longer fresh")
    }
    if let first = evicted.first {
      parts.append(
        evicted.count == 1
          ? "\(name(first.resource)) removed, its time is over"
          : "\(evicted.count.of("entry", "entries")) removed, their time is over")
    }
    if removed.count > evicted.count {
      let crowded = removed.filter { row in time.map { row.untilMs > $0.milliseconds } ?? false }
      parts.append(
        crowded.count == 1
          ? "\(name(crowded[0].resource)) removed to make room"
          : "\(crowded.count.of("entry", "entries")) removed to make room")
    }
    return parts.joined(separator: "; ")
  }

  private func refused(_ event: SpendRefused) -> String {
    if event.reason == .storageReserve {
      return
        "\(wanted(event)) not bought: what storage is left is kept for calls"
        + " already paid"
    }
    let want = event.refusingWant
    let unit = want.meter.unit
    return "\(wanted(event)) not bought: \(Amount(want.wanted, unit).text)"
      + " wanted, \(want.available.grouped) there"
  }

  private func bought(_ event: FetchStarted) -> String {
    let kind = event.resources.first.map { ResourceKey(stored: $0).kind }
    guard let kind else { return "a call of \(short(event.operation))" }
    return event.resources.count.of(systems.noun(of: kind))
  }

  private func wanted(_ event: SpendRefused) -> String {
    let kind = event.payers.first?.kind ?? event.refused.first.map { ResourceKey(stored: $0).kind }
    return Int(event.resources).of(systems.noun(of: kind ?? ""))
  }

  /// What people call the upstream of a resource.
  private func title(_ resource: String) -> String {
    systems.title(of: ResourceKey(stored: resource).kind)
  }

  /// Where an entry comes from that no fetch brought.
  private func origin(_ event: CacheWritten) -> String {
    let isImported = event.fetch == 0 && systems.isBought(ResourceKey(stored: event.resource).kind)
    return isImported ? ", bought elsewhere" : ""
  }

  private func short(_ text: some StringProtocol) -> String {
    text.inOneLine(atMost: Self.longestText)
  }

  private func name(_ resource: String) -> String { short(ResourceKey(stored: resource).path) }

  /// When an entry stops being fresh: the day, the minute if that is less than two days away, and the second if it is
  /// less than a minute.
  private func end(_ event: CacheWritten) -> String {
    let until = Timestamp(milliseconds: event.freshUntilMs)
    let window = event.freshUntilMs - event.fetchedMs
    guard window < 2 * 86_400_000 else { return until.day }
    return "\(until.description.prefix(window < 60_000 ? 19 : 16))Z"
  }

  private func tallied(_ event: ReadsTallied) -> String {
    let fresh = event.rows.reduce(0) { $0 + Int($1.fresh) }
    let stale = event.rows.reduce(0) { $0 + Int($1.stale) }
    let joined = event.rows.reduce(0) { $0 + Int($1.joined) }
    var parts: [String] = []
    if fresh > 0 { parts.append("\(fresh.of("read")) answered from the cache") }
    if stale > 0 { parts.append("\(stale.of("read")) answered stale") }
    if joined > 0 { parts.append("\(joined.of("read")) joined a purchase") }
    let unmet = (event.rows + event.unmet).reduce(0) { $0 + Int($1.unmet) }
    if unmet > 0 { parts.append("\(unmet.of("read")) not answered") }
    return parts.joined(separator: ", ")
  }

  private func observed(_ event: BalanceObserved) -> String {
    let owner = event.hasMeter ? event.meter.owner : event.credential
    var text = "\(systems.title(of: owner))'s balance is \(event.reading.balance.grouped)"
    if !event.hasPrevious { return text + ", the first reading" }
    if event.refill != 0 { text += ", \(event.refill.grouped) refilled" }
    if event.unexplained != 0 { text += ", \(event.unexplained.grouped) unexplained" }
    return text
  }

  private func observed(_ event: WindowObserved) -> String {
    let page = MeterKey(event.meter, window: event.window)
    var text = "\(Amount(event.used, page.unit).text) of \(page) are used"
    if event.limit > 0 { text += ", of \(event.limit.grouped)" }
    if event.unexplained != 0 { text += "; \(event.unexplained.grouped) unexplained" }
    return text
  }

  private func resolved(_ event: ChargeResolved) -> String {
    let settled = event.doubts.reduce(0) { $0 + $1.settled }
    let released = event.doubts.reduce(0) { $0 + $1.released }
    let unprovable = event.doubts.reduce(0) { $0 + $1.unprovable }
    var text =
      "\(event.doubts.count.of("doubt")) closed: \(settled.grouped) spent,"
      + " \(released.grouped) given back"
    if unprovable > 0 { text += ", \(unprovable.grouped) unprovable" }
    if event.evidence == .operator { text += ", by hand" }
    return event.note.isEmpty ? text : "\(text) (\(short(event.note)))"
  }

  private func failure(_ reason: FailureReason, _ detail: String) -> String {
    let words =
      switch reason {
      case .notSent: "not sent"
      case .timedOut: "no answer in time"
      case .connectionLost: "the connection was lost"
      case .unreadable: "the answer cannot be read"
      case .upstreamError: "the upstream says that it failed"
      case .insufficientTokens: "the upstream says that nothing is left"
      case .keyRejected: "the upstream rejects the key"
      case .requestRejected: "the upstream rejects the request"
      case .processEnded: "Tollbook ended meanwhile"
      case .retryRefused: "another attempt would not fit the balance"
      case .unspecified, .UNRECOGNIZED: "no reason given"
      }
    return detail.isEmpty ? words : "\(words) (\(short(detail)))"
  }
}

extension Posting.Change {
  fileprivate var reservedAmount: Int64? {
    if case .reserved(let amount) = self { return amount }
    return nil
  }

  fileprivate var chargedAmount: Int64? {
    if case .charged(let amount, _) = self { return amount }
    return nil
  }

  fileprivate var correctedAmount: Int64? {
    if case .corrected(let difference) = self { return difference }
    return nil
  }

  fileprivate var releasedAmount: Int64? {
    if case .released(let amount) = self { return amount }
    return nil
  }

  fileprivate var doubtedAmount: Int64? {
    if case .doubted(let amount) = self { return amount }
    return nil
  }
}
