import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Write down that an attempt failed, and reserve the next one if there shall be one.
struct FailCommand: Sendable {
  /// As it was bought from.
  let upstream: any Upstream
  var attempt: Attempt
  var failure: UpstreamFailure
  var end: AttemptEnd
  var readings: [MeterReading] = []
  /// As of the exchange.
  var closures: [MeterKey: Timestamp] = [:]
  var elsewhere: [MeterKey: Int64] = [:]
  /// Values of a tag that a budget counts each by itself.
  var mostBudgetValues = GatewaySettings().mostBudgetValues
  /// Whether another attempt is wanted.
  var wantsRetry: Bool
  /// Whether the demand's own limit and the storage allow one.
  var mayRetry: Bool
  var observed: Timestamp
  /// What its calls can be sent with; empty: only with what this one was sent with.
  var members: [CredentialMember] = []
  /// For a choice among them: from 0 up to, not including, 1.
  var draw: Double = 0

  /// - Returns: the next attempt, if it is reserved.
  func decide(
    _ books: PurchaseBooks, _ state: borrowing LogReading, _ context: DecisionContext
  ) throws(LogError) -> Decision<Attempt?> {
    let ledger = books.ledger
    var attempt = attempt
    var booking = Booking(upstream, books.rollups)
    try booking.begin(&attempt, at: context.next, ledger, state)
    try booking.end(attempt, end, ended: observed, ledger, state)
    if failure.reason == .keyRejected, upstream.takesKey {
      try booking.noteKey(attempt.credential, .rejected, detail: failure.detail, ledger, state)
    }
    try booking.observe(
      readings, asked: attempt.sent, known: attempt.pages, elsewhere: elsewhere, at: observed,
      fetch: attempt.fetch, ledger, state)
    if failure.reason == .insufficientTokens {
      if !closures.isEmpty {
        try close(attempt, &booking, books, state)
      } else if members.count > 1 {
        try cool(attempt, &booking, books, state)
      }
    }
    var next: Attempt?
    let isOfCredential = RetryPolicy.isOfCredential(failure.reason)
    if wantsRetry && mayRetry {
      next =
        isOfCredential
        ? try nextElsewhere(attempt, &booking, books, state)
        : try self.next(attempt, &booking, books, state)
    }
    booking.append(.fetchAttemptFailed(attemptFailed(attempt, next)))
    if next == nil {
      booking.append(
        .fetchFailed(fetchFailed(attempt, isRefused: wantsRetry && !isOfCredential)))
    }
    return Decision(events: booking.events, answer: next)
  }

  /// The next attempt, if it fits on all meters as they are now: in the windows of now, and with the budgets of now, which
  /// have room for its values.
  private func next(
    _ attempt: Attempt, _ booking: inout Booking, _ books: PurchaseBooks,
    _ state: borrowing LogReading
  ) throws(LogError) -> Attempt? {
    var next = attempt
    let budgets = try BudgetBook(
      attempt.demands, upstream: upstream.name, credential: attempt.credential, books, state)
    next.call.uses.removeAll { $0.budget != nil }
    var values = TagValues(most: mostBudgetValues)
    next.call.uses += try values.counted(
      budgets.uses(of: next.call, by: next.demandOf.map { next.demands[$0] }), books.ledger, state)
    guard try values.crowded(next.call.uses, books.ledger, state) == nil else { return nil }
    let standings = try booking.standings(
      of: next.call.uses, elsewhere, at: observed, books.ledger, state
    ).closed(by: books.credentials, state)
    let meters = standings.map(\.whole)
    guard !meters.contains(where: \.needsReading), Admission(on: meters).refusal == nil else {
      return nil
    }
    next.number += 1
    next.moves = meters.map { $0.reservation(of: 0..<1, isFirst: true) }
    return next
  }

  /// The next attempt with the first other credential on whose meters it fits.
  private func nextElsewhere(
    _ attempt: Attempt, _ booking: inout Booking, _ books: PurchaseBooks,
    _ state: borrowing LogReading
  ) throws(LogError) -> Attempt? {
    let group = upstream.meters.first?.key
    let others = members.filter { other in
      // What the upstream has too little of is too little for all of a quota group.
      other.id != attempt.credential
        && (failure.reason == .keyRejected || other.upstream.meters.first?.key != group)
    }
    let accounts = Set(attempt.demands.map(\.account))
    let book = try CredentialBook(
      others, upstream: upstream.name, accounts: accounts, books, at: observed, state)
    let orders = accounts.sorted().map { account in
      (try? book.order(for: account, draw: draw).get()) ?? []
    }
    guard let first = orders.first else { return nil }
    // One that may send the calls of all who share this one.
    for member in first where orders.allSatisfy({ $0.contains { $0.id == member.id } }) {
      let plan = member.upstream.plan(attempt.call.needs)
      guard plan.count == 1, plan[0].places == Array(attempt.call.needs.indices) else { continue }
      var other = attempt
      other.credential = member.id
      other.call.uses = plan[0].uses
      if let next = try next(other, &booking, books, state) { return next }
    }
    return nil
  }

  /// Notes until when the upstream wants no more calls of the credential, by its own word as far as it gave one.
  private func cool(
    _ attempt: Attempt, _ booking: inout Booking, _ books: PurchaseBooks,
    _ state: borrowing LogReading
  ) throws(LogError) {
    let uses = attempt.call.uses.filter { $0.budget == nil }.map { $0.first(1) }
    let standings = try booking.standings(of: uses, at: observed, books.ledger, state)
    let until =
      standings.resumption ?? observed.advanced(byMilliseconds: Self.coolingWithoutWord)
    let group = upstream.meters.first?.key.owner ?? attempt.credential
    try note(group, until: until, attempt, &booking, books, state)
  }

  /// Notes until when the upstream takes no calls on single meters.
  private func close(
    _ attempt: Attempt, _ booking: inout Booking, _ books: PurchaseBooks,
    _ state: borrowing LogReading
  ) throws(LogError) {
    let latest = observed.advanced(byMilliseconds: Self.longestClosure)
    for (meter, until) in closures.sorted(by: { $0.key < $1.key })
    where upstream.meters.contains(where: { $0.key == meter }) {
      try note(meter.closureName, until: min(until, latest), attempt, &booking, books, state)
    }
  }

  /// Writes down until when a quota group, or a meter, takes no calls. Later failures only make it longer.
  private func note(
    _ name: String, until: Timestamp, _ attempt: Attempt, _ booking: inout Booking,
    _ books: PurchaseBooks, _ state: borrowing LogReading
  ) throws(LogError) {
    if let known = try books.credentials.cooling(of: name, in: state), known.until >= until {
      return
    }
    var event = CredentialCooled()
    event.credential = attempt.credential
    event.quotaGroup = name
    event.untilMs = until.milliseconds
    event.reason = failure.reason
    event.detail = failure.detail
    event.fetch = attempt.fetch
    booking.append(.credentialCooled(event))
  }

  /// No upstream is believed that closes a meter for longer, in milliseconds: four days. The longest ban that one is known
  /// to speak is of three.
  private static let longestClosure: Int64 = 4 * 86_400_000

  /// Where the upstream does not say when it takes calls again, in milliseconds.
  private static let coolingWithoutWord: Int64 = 60_000

  private func attemptFailed(_ attempt: Attempt, _ next: Attempt?) -> FetchAttemptFailed {
    var event = FetchAttemptFailed()
    event.fetch = attempt.fetch
    event.attempt = attempt.number
    event.reason = failure.reason
    event.status = UInt32(clamping: failure.status)
    event.detail = failure.detail
    guard let next else { return event }
    event.nextAttempt = next.number
    event.credential = next.credential
    event.operation = next.operation
    event.moves = next.moves
    event.payers = next.payers
    return event
  }

  private func fetchFailed(_ attempt: Attempt, isRefused: Bool) -> FetchFailed {
    var event = FetchFailed()
    event.fetch = attempt.fetch
    event.attempts = attempt.number
    event.reason = isRefused ? .retryRefused : failure.reason
    event.status = UInt32(clamping: failure.status)
    event.detail = failure.detail
    return event
  }
}

/// Take in how meters stand, which was asked for by itself.
struct ObserveCommand: Sendable {
  let upstream: any Upstream
  var credential: String
  var result: Result<[MeterReading], UpstreamFailure>
  var asked: Timestamp
  /// The pages as they stood then.
  var pages: [MeterKey: Meter]
  var observed: Timestamp

  func decide(
    _ ledger: LedgerView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Void> {
    var booking = Booking(upstream)
    switch result {
    case .success(let readings):
      try booking.noteKey(credential, .accepted, ledger, state)
      try booking.observe(
        readings, asked: asked, known: pages, at: observed, fetch: 0, ledger, state)
    case .failure(let failure) where failure.reason == .keyRejected:
      try booking.noteKey(credential, .rejected, detail: failure.detail, ledger, state)
    case .failure: break
    }
    return Decision(events: booking.events, answer: ())
  }
}
