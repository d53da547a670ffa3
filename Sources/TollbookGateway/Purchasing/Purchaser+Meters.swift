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
    for upstream in members.upstreams {
      let now = log.time.now()
      let keys = upstream.meters.compactMap {
        if case .refillBucket = $0.rule { $0.key } else { nil }
      }
      let pages = try? log.readPages(keys, ledger)
      if pages?.values.contains(where: { $0.needsReading(at: now) }) == true {
        note(await watch(of: upstream).refresh(evenIfRead: true))
      }
      await endDoubts(on: upstream, at: now)
    }
  }

  /// Asks for balances that nobody has read yet, so that a call can go on with another credential.
  ///
  /// - Parameter credential: the one that has just failed.
  func readUnread(but credential: String) async {
    let keys = members.all.filter { $0.id != credential }.upstreams
    for upstream in keys.filter({ isUnread($0) }).prefix(Self.mostReadAtOnce) {
      note(await watch(of: upstream).refresh(evenIfRead: false))
    }
  }

  /// Whoever waits for a call waits for so many questions at most.
  private static let mostReadAtOnce = 3

  private func isUnread(_ upstream: any Upstream) -> Bool {
    let buckets = upstream.meters.compactMap {
      if case .refillBucket = $0.rule { $0.key } else { nil }
    }
    let pages = try? log.readPages(buckets, ledger)
    return pages?.values.contains { $0.reading == nil || $0.awaitsRestoreGap } ?? false
  }

  private func endDoubts(on upstream: any Upstream, at now: Timestamp) async {
    let ledger = ledger
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

  /// What it said when it closed the meter on which all of its calls count; nil: one takes calls.
  private var closure: CoolingRow? {
    let now = log.time.now()
    let credentials = books.credentials
    let keys = members.upstreams.compactMap { $0.meters.first?.key }
    let rows = try? log.read { (transaction) throws(LogError) in
      var rows: [CoolingRow] = []
      for key in keys {
        let row = try credentials.cooling(of: key.closureName, in: transaction)
        if let row, now < row.until { rows.append(row) }
      }
      return rows
    }
    guard let rows, !keys.isEmpty, rows.count == keys.count else { return nil }
    return rows.min { $0.until < $1.until }
  }

  var status: UpstreamStatus {
    let ledger = ledger
    let all = members.all
    var status = UpstreamStatus(
      upstream.name, isConfigured: true, state: .unknown,
      credential: upstream.takesKey ? all.first?.id ?? "" : nil)
    let guards = members.upstreams.compactMap { $0 as? SimulatorGuard }
    status.isSimulated = guards.compactMap(\.isSimulated).last
    if let refusing = guards.first(where: \.isRefusing) {
      status.state = .simulator
      status.detail = refusing.refusal
      return status
    }
    let known = try? log.read { (transaction) throws(LogError) in
      var rejected: [String] = []
      var isRead = false
      for member in all {
        let credential = try ledger.credential(member.id, in: transaction)
        if credential?.status == .rejected { rejected.append(credential?.detail ?? "") }
        if let bucket = member.upstream.meters.first?.key {
          isRead = try ledger.meter(bucket, in: transaction).reading != nil || isRead
        }
      }
      return (rejected, isRead)
    }
    if let (rejected, isRead) = known {
      // One that is refused keeps nobody from buying with another.
      if rejected.count == all.count, let detail = rejected.first {
        status.state = .keyRejected
        status.detail = detail
        return status
      }
      if isRead || isHeard.withLock({ $0 }) { status.state = .ready }
    }
    if let failure = lastFailure.withLock({ $0 }), RetryPolicy.isFault(failure.reason) {
      status.state = .unreachable
      status.detail = failure.detail
    }
    if let closure {
      status.state = .limited
      status.detail = closure.detail
      status.pausedUntil = closure.until
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
