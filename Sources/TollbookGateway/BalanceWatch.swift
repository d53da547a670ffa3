import LMDB
import Synchronization
import TollbookEvents
import TollbookLog
import TollbookUpstreams
import TollbookViews

/// Asks the upstream for its balance when nothing else reads it: at most one question at a time and one an interval.
final class BalanceWatch: Sendable {
  private enum State {
    case idle(lastAsked: Timestamp?)
    case asking(Promise<UpstreamFailure?>)
  }

  private let state = Mutex(State.idle(lastAsked: nil))
  private let log: EventLog
  private let ledger: LedgerView
  private let meter: MeterKey
  private let keepa: any KeepaAPI
  private let interval: Int64
  private let timeout: Int64

  init(
    log: EventLog, meter: MeterKey, keepa: any KeepaAPI, interval: Int64, timeout: Int64
  ) {
    self.log = log
    ledger = LedgerView(log)
    self.meter = meter
    self.keepa = keepa
    self.interval = interval
    self.timeout = timeout
  }

  /// Asks for the balance unless that was done within the interval.
  ///
  /// - Parameter evenIfRead: whether to ask although a call has told the balance within the interval.
  /// - Returns: whether it was asked for, by this caller or another; the failure if that gave no answer.
  func refresh(evenIfRead: Bool) async -> (asked: Bool, failure: UpstreamFailure?) {
    let now = log.time.now()
    if !evenIfRead, let read = lastReading(), now < read.advanced(byMilliseconds: interval) {
      return (false, nil)
    }
    let promise = Promise<UpstreamFailure?>()
    let turn: Turn = state.withLock { state in
      switch state {
      case .asking(let promise): return .wait(promise)
      case .idle(let last):
        if let last, now < last.advanced(byMilliseconds: interval), now >= last { return .tooSoon }
        state = .asking(promise)
        return .ask
      }
    }
    switch turn {
    case .tooSoon: return (false, nil)
    case .wait(let promise): return (true, await promise.value())
    case .ask:
      let failure = await ask()
      state.withLock { $0 = .idle(lastAsked: now) }
      promise.fulfil(failure)
      return (true, failure)
    }
  }

  private enum Turn {
    case ask, tooSoon
    case wait(Promise<UpstreamFailure?>)
  }

  private func lastReading() -> Timestamp? {
    let reading = try? log.read { (transaction) throws(LogError) in
      do throws(LMDBError) {
        return try ledger.meter(meter, in: transaction).reading?.observed
      } catch { throw .storage(error) }
    }
    return reading ?? nil
  }

  private func ask() async -> UpstreamFailure? {
    let call = await keepa.balance(within: .milliseconds(timeout))
    let command = ObserveCommand(meter: meter, result: call.result, observed: log.time.now())
    let ledger = ledger
    do throws(LogError) {
      _ = try await log.decide { (state, context) throws(LMDBError) in
        try command.decide(ledger, state, context)
      }
    } catch {
      return UpstreamFailure(.notSent, detail: "\(error)", charge: .none)
    }
    if case .failure(let failure) = call.result { return failure }
    return nil
  }
}
