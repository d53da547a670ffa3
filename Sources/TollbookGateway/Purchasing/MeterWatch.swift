import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Asks an upstream how its meters stand when nothing else tells it: at most one question at a time and one an interval.
///
/// The question runs in a task of its own: who asked may hang up, and others wait for the answer too.
final class MeterWatch: Sendable {
  /// What came of the wish to know.
  enum Outcome: Sendable {
    /// A reading is young enough, the last question was too short ago, or it cannot be asked.
    case notAsked
    /// It is in the books.
    case read
    case failed(UpstreamFailure)
    /// The upstream answered, and the log did not take it.
    case notBooked(LogError)
  }

  private enum State {
    case idle(lastAsked: Timestamp?)
    case asking([CheckedContinuation<Outcome, Never>])
  }

  /// The longest wait for an answer, in milliseconds: the question is cheap, and a shutdown waits for it.
  private static let longestWait: Int64 = 10_000

  private let state = Mutex(State.idle(lastAsked: nil))
  private let log: EventLog
  private let ledger: LedgerView
  private let upstream: any Upstream
  private let statistics: GatewayStatistics
  private let interval: Int64
  private let timeout: Int64

  init(
    log: EventLog, _ upstream: any Upstream, statistics: GatewayStatistics, interval: Int64,
    timeout: Int64
  ) {
    self.log = log
    ledger = LedgerView(log)
    self.upstream = upstream
    self.statistics = statistics
    self.interval = interval
    self.timeout = min(timeout, Self.longestWait)
  }

  /// The buckets, whose balance can be asked for.
  private var buckets: [MeterKey] {
    upstream.meters.compactMap { if case .refillBucket = $0.rule { $0.key } else { nil } }
  }

  /// Asks how the meters stand unless that was done within the interval.
  ///
  /// - Parameter evenIfRead: whether to ask although a call has told it within the interval.
  func refresh(evenIfRead: Bool) async -> Outcome {
    let now = log.time.now()
    do throws(LogError) {
      let pages = try log.readPages(buckets, ledger)
      let isRead = pages.values.allSatisfy { page in
        page.reading.map { isWithinInterval(now, of: $0.observed) } ?? false
      }
      if !evenIfRead, isRead { return .notAsked }
    } catch { return .notBooked(error) }
    return await withCheckedContinuation { continuation in
      let (isTooSoon, asks) = state.withLock { state in
        switch state {
        case .asking(let waiters):
          state = .asking(waiters + [continuation])
          return (false, false)
        case .idle(let last):
          if let last, isWithinInterval(now, of: last) { return (true, false) }
          state = .asking([continuation])
          return (false, true)
        }
      }
      if isTooSoon { continuation.resume(returning: .notAsked) }
      if asks { Task { await ask(at: now) } }
    }
  }

  /// An instant that lies in the future was noted before the clock was set back: it holds nobody up.
  private func isWithinInterval(_ now: Timestamp, of instant: Timestamp) -> Bool {
    now >= instant && now < instant.advanced(byMilliseconds: interval)
  }

  private func ask(at now: Timestamp) async {
    let outcome = await answer()
    let waiters = state.withLock { state in
      defer { state = .idle(lastAsked: now) }
      if case .asking(let waiters) = state { return waiters }
      return []
    }
    for waiter in waiters { waiter.resume(returning: outcome) }
  }

  private func answer() async -> Outcome {
    let asked = log.time.now()
    let pages: [MeterKey: Meter]
    // Without it nobody could tell what the answer means.
    do throws(LogError) { pages = try log.readPages(buckets, ledger) } catch {
      return .notBooked(error)
    }
    guard let exchange = await upstream.readMeters(within: .milliseconds(timeout)) else {
      return .notAsked
    }
    statistics.record(exchange, of: upstream.name)
    let result = exchange.result.map { _ in exchange.readings }.mapError(\.believable)
    let command = ObserveCommand(
      upstream: upstream, credential: upstream.credentials.first ?? "", result: result,
      asked: asked, pages: pages, observed: log.time.now())
    let ledger = ledger
    do throws(LogError) {
      _ = try await log.decide { (state, _) throws(LogError) in
        try command.decide(ledger, state)
      }
    } catch { return .notBooked(error) }
    if case .failure(let failure) = result { return .failed(failure) }
    return .read
  }
}

extension EventLog {
  /// Pages of the books as they stand.
  func readPages(
    _ keys: [MeterKey], _ ledger: LedgerView
  ) throws(LogError) -> [MeterKey: Meter] {
    try read { (transaction) throws(LogError) in
      var pages: [MeterKey: Meter] = [:]
      for key in keys { pages[key] = try ledger.meter(key, in: transaction) }
      return pages
    }
  }
}

extension Meter {
  /// Whether a question for the balance would tell something: the first of all or since a restore, or one that is young
  /// enough to settle what is in doubt. Calls under way read it themselves.
  func needsReading(at now: Timestamp) -> Bool {
    guard reading != nil, !awaitsRestoreGap else { return true }
    guard self[.inDoubt] > 0, self[.reserved] == 0 else { return false }
    guard let sent = lastDoubtSent else { return true }
    return now >= sent.advanced(byMilliseconds: DoubtRule.settlesAfter)
  }
}
