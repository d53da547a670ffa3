import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

extension Purchaser {
  func note(_ outcome: MeterWatch.Outcome) {
    switch outcome {
    case .read: note(nil)
    case .failed(let failure): note(failure)
    case .notAsked, .notBooked: break
    }
  }

  func note(_ failure: UpstreamFailure?) {
    lastFailure.withLock { $0 = failure }
    if failure.map({ $0.status > 0 }) ?? true { isHeard.withLock { $0 = true } }
  }

  /// Asks for balances that were never read or not since a restore, or where that would settle what is in doubt; and ends
  /// doubts that no reading can settle any more.
  func watchMeters() async {
    let now = log.time.now()
    let keys = upstream.meters.compactMap {
      if case .refillBucket = $0.rule { $0.key } else { nil }
    }
    let pages = try? log.readPages(keys, ledger)
    if pages?.values.contains(where: { $0.needsReading(at: now) }) == true {
      note(await watch.refresh(evenIfRead: true))
    }
    await endDoubts(at: now)
  }

  private func endDoubts(at now: Timestamp) async {
    let (ledger, upstream) = (ledger, upstream)
    guard upstream.meters.contains(where: { $0.rule.counts }) else { return }
    let ends = try? log.read { (state) throws(LogError) in
      var booking = Booking(upstream)
      try booking.endDoubts(ofWindowsBefore: now, ledger, state)
      return booking.events.count
    }
    guard let ends, ends > 0 else { return }
    _ = try? await log.decide { (state, _) throws(LogError) in
      var booking = Booking(upstream)
      try booking.endDoubts(ofWindowsBefore: now, ledger, state)
      return Decision(events: booking.events, answer: ())
    }
  }

  var status: UpstreamStatus {
    let ledger = ledger
    let id = upstream.credentials.first ?? ""
    let bucket = upstream.meters.first.map(\.key)
    let known = try? log.read { (transaction) throws(LogError) in
      (
        try ledger.credential(id, in: transaction),
        try bucket.map { key throws(LogError) in try ledger.meter(key, in: transaction) }?.reading
      )
    }
    var status = UpstreamStatus(
      upstream.name, isConfigured: true, state: .unknown, credential: id)
    status.isSimulated = upstream.isSimulated
    if upstream.isRefusing {
      status.state = .simulator
      status.detail = upstream.refusal
      return status
    }
    if let (credential, reading) = known {
      if credential?.status == .rejected {
        status.state = .keyRejected
        status.detail = credential?.detail ?? ""
        return status
      }
      if reading != nil || isHeard.withLock({ $0 }) { status.state = .ready }
    }
    if let failure = lastFailure.withLock({ $0 }), RetryPolicy.isFault(failure.reason) {
      status.state = .unreachable
      status.detail = failure.detail
    }
    let now = clock
    let breaker = state.withLock { state in
      status.waiting = state.queue.waiting
      return state.queue.breaker
    }
    if breaker.isOpen {
      status.state = .paused
      status.pausedUntil = breaker.pausedUntil.map {
        now.wall.advanced(byMilliseconds: max(0, $0 - now.monotonic))
      }
    }
    return status
  }
}

extension MeterRule {
  /// Whether it counts in windows.
  fileprivate var counts: Bool { window(at: Timestamp(milliseconds: 0)) != .none }
}
