import LMDB
import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Asks the upstream for its balance when nothing else reads it: at most one question at a time and one an interval.
///
/// The question runs in a task of its own: who asked may hang up, and others wait for the answer too.
final class BalanceWatch: Sendable {
  /// What came of the wish to know the balance.
  enum Outcome: Sendable {
    /// A reading is young enough, or the last question was too short ago.
    case notAsked
    /// It is in the books.
    case read
    case failed(UpstreamFailure)
    /// The upstream answered, and the log did not take it.
    case notBooked(LogError)
  }

  private enum State {
    case idle(lastAsked: Timestamp?)
    case asking(Promise<Outcome>)
  }

  private enum Turn {
    case ask, tooSoon
    case wait(Promise<Outcome>)
  }

  /// The longest wait for an answer, in milliseconds: the question is cheap, and a shutdown waits for it.
  private static let longestWait: Int64 = 10_000

  private let state = Mutex(State.idle(lastAsked: nil))
  private let log: EventLog
  private let ledger: LedgerView
  private let meter: MeterKey
  private let keepa: any KeepaAPI
  private let statistics: GatewayStatistics
  private let interval: Int64
  private let timeout: Int64

  init(
    log: EventLog, meter: MeterKey, keepa: any KeepaAPI, statistics: GatewayStatistics,
    interval: Int64, timeout: Int64
  ) {
    self.log = log
    ledger = LedgerView(log)
    self.meter = meter
    self.keepa = keepa
    self.statistics = statistics
    self.interval = interval
    self.timeout = min(timeout, Self.longestWait)
  }

  /// Asks for the balance unless that was done within the interval.
  ///
  /// - Parameter evenIfRead: whether to ask although a call has told the balance within the interval.
  func refresh(evenIfRead: Bool) async -> Outcome {
    let now = log.time.now()
    do throws(LogError) {
      if !evenIfRead, let read = try readMeter().reading?.observed, isWithinInterval(now, of: read)
      {
        return .notAsked
      }
    } catch { return .notBooked(error) }
    let promise = Promise<Outcome>()
    let turn: Turn = state.withLock { state in
      switch state {
      case .asking(let promise): return .wait(promise)
      case .idle(let last):
        if let last, isWithinInterval(now, of: last) { return .tooSoon }
        state = .asking(promise)
        return .ask
      }
    }
    switch turn {
    case .tooSoon: return .notAsked
    case .wait(let promise): return await promise.value()
    case .ask:
      Task {
        let outcome = await ask()
        state.withLock { $0 = .idle(lastAsked: now) }
        promise.fulfil(outcome)
      }
      return await promise.value()
    }
  }

  /// An instant that lies in the future was noted before the clock was set back: it holds nobody up.
  private func isWithinInterval(_ now: Timestamp, of instant: Timestamp) -> Bool {
    now >= instant && now < instant.advanced(byMilliseconds: interval)
  }

  private func readMeter() throws(LogError) -> Meter {
    try log.read { (transaction) throws(LogError) in
      do throws(LMDBError) { return try ledger.meter(meter, in: transaction) } catch {
        throw .storage(error)
      }
    }
  }

  private func ask() async -> Outcome {
    let question: BalanceReconciliation.Question
    // Without it nobody could tell what the answer means.
    do throws(LogError) {
      question = BalanceReconciliation.Question(asked: log.time.now(), meter: try readMeter())
    } catch { return .notBooked(error) }
    let call = await keepa.balance(within: .milliseconds(timeout))
    statistics.record(call)
    let result = call.result.mapError(\.believable)
    let command = ObserveCommand(
      meter: meter, result: result, question: question, observed: log.time.now())
    let ledger = ledger
    do throws(LogError) {
      _ = try await log.decide { (state, context) throws(LMDBError) in
        try command.decide(ledger, state, context)
      }
    } catch { return .notBooked(error) }
    if case .failure(let failure) = result { return .failed(failure) }
    return .read
  }
}
