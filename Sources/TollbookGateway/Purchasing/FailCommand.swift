import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Write down that an attempt failed, and reserve the next one if there shall be one.
struct FailCommand: Sendable {
  let upstream: any Upstream
  var attempt: Attempt
  var failure: UpstreamFailure
  var end: AttemptEnd
  var readings: [MeterReading] = []
  var elsewhere: [MeterKey: Int64] = [:]
  /// Whether another attempt is wanted.
  var wantsRetry: Bool
  /// Whether the demand's own limit and the storage allow one.
  var mayRetry: Bool
  var observed: Timestamp

  /// - Returns: the next attempt, if it is reserved.
  func decide(
    _ books: PurchaseBooks, _ state: borrowing LogReading, _ context: DecisionContext
  ) throws(LogError) -> Decision<Attempt?> {
    let ledger = books.ledger
    var attempt = attempt
    var booking = Booking(upstream, books.rollups)
    try booking.begin(&attempt, at: context.next, ledger, state)
    try booking.end(attempt, end, ended: observed, ledger, state)
    if failure.reason == .keyRejected {
      try booking.noteKey(attempt.credential, .rejected, detail: failure.detail, ledger, state)
    }
    try booking.observe(
      readings, asked: attempt.sent, known: attempt.pages, elsewhere: elsewhere, at: observed,
      fetch: attempt.fetch, ledger, state)
    var next: Attempt?
    if wantsRetry && mayRetry {
      // Budgets as they are now.
      let budgets = try BudgetBook(
        attempt.demands, upstream: upstream.name, credential: attempt.credential, books.accounts,
        state)
      attempt.call.uses.removeAll { $0.budget != nil }
      attempt.call.uses += budgets.uses(
        of: attempt.call, by: attempt.demandOf.map { attempt.demands[$0] })
      let standings = try booking.standings(
        of: attempt.call.uses, elsewhere, at: observed, ledger, state)
      next = Self.next(attempt, on: standings.map(\.whole))
    }
    booking.append(.fetchAttemptFailed(attemptFailed(attempt, next)))
    if next == nil {
      booking.append(.fetchFailed(fetchFailed(attempt, isRefused: wantsRetry)))
    }
    return Decision(events: booking.events, answer: next)
  }

  /// The next attempt, if it fits on all meters as they are now: in the windows of now.
  private static func next(_ attempt: Attempt, on meters: [MeterStanding]) -> Attempt? {
    guard Admission(on: meters).refusal == nil else { return nil }
    var next = attempt
    next.number += 1
    next.moves = meters.map { $0.reservation(of: 0..<1, isFirst: true) }
    return next
  }

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
