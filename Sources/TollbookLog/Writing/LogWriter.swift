import Dispatch
import Foundation
import LMDB
import Synchronization
import TollbookEvents

/// The one thread that writes.
///
/// It takes everything that is queued, runs each decider against the state as the ones before it left it, commits once
/// and answers all. Nobody is answered before the commit that holds their decision is on the disk.
///
/// When space runs out the commit is undone, everybody in it is told, and the writer refuses until `reopen()` finds
/// room. Any other failure of a commit ends the process: after a failed flush nobody knows what the disk holds, and
/// the next start looks.
final class LogWriter: Sendable {
  struct Settings: Sendable {
    /// Decisions that may wait.
    var queueCapacity = 8_192
    /// A commit that has grown to this many bytes takes no more decisions.
    var commitBytes = 64 << 20
  }

  private struct Shared {
    var waiting: [any PendingDecision] = []
    var chores: [Chore] = []
    var state = WriterState.open
    var isReopenRequested = false
    /// Set once and for all: the thread ends when it has nothing left to do.
    var isClosing = false

    /// Goes to another state, unless the writer is closed.
    mutating func enter(_ next: WriterState) {
      if case .closed = state { return }
      state = next
    }
  }

  private let shared = Mutex(Shared())
  private let wakeUp = DispatchSemaphore(value: 0)
  private let finished = DispatchSemaphore(value: 0)
  private let store: LogStore
  private let settings: Settings
  private let time: TimeSource
  private let statistics: LogStatistics
  private let fail: @Sendable (LogError) -> Void

  /// - Parameter fail: called on the writer thread after a commit failed for another reason than space; must not return
  ///   to a process that goes on.
  init(
    store: LogStore, state: LogState, settings: Settings, time: TimeSource,
    statistics: LogStatistics, fail: @escaping @Sendable (LogError) -> Void
  ) {
    self.store = store
    self.settings = settings
    self.time = time
    self.statistics = statistics
    self.fail = fail
    // The thread lets go of the writer before it tells its end, so that after `close()` nothing keeps the environment
    // open but those who still use it.
    let running = Mutex<LogWriter?>(self)
    let finished = finished
    let thread = Thread {
      running.withLock { $0.take() }?.run(from: state)
      finished.signal()
    }
    thread.name = "tollbook-writer"
    thread.stackSize = 8 << 20
    thread.start()
  }

  var state: WriterState { shared.withLock { $0.state } }
  var queueDepth: Int { shared.withLock { $0.waiting.count } }

  /// Queues a decision and waits until it is on the disk, or refused. Once queued it is not taken back.
  func decide<Answer: Sendable>(
    _ decider: @escaping Decider<Answer>
  ) async throws(LogError) -> Decided<Answer> {
    try await withCheckedContinuation { continuation in
      enqueue(Submission(decider: decider, continuation: continuation))
    }.get()
  }

  private func enqueue(_ decision: any PendingDecision) {
    let refusal: LogError? = shared.withLock { shared in
      switch shared.state {
      case .closed: return .closed
      case .readOnly(let reason): return .readOnly(reason: reason)
      case .open: break
      }
      guard shared.waiting.count < settings.queueCapacity else {
        return .queueFull(capacity: settings.queueCapacity)
      }
      shared.waiting.append(decision)
      if shared.waiting.count == 1 { wakeUp.signal() }
      return nil
    }
    if let refusal { decision.refuse(refusal) }
  }

  /// Runs work of the log's own between two commits, on the writer thread, and waits for it: not to be called there, nor
  /// from async code. After a failure of the storage other than a lack of space the process must not go on, as with
  /// commits.
  ///
  /// - Parameter work: gets where the log stands.
  func perform<R: Sendable>(
    _ work: @escaping @Sendable (LogState) throws(LogError) -> R
  ) throws(LogError) -> R {
    let done = DispatchSemaphore(value: 0)
    let result = Mutex<Result<R, LogError>>(.failure(.closed))
    let chore = Chore(
      run: { state in
        let outcome = Result { () throws(LogError) in try work(state) }
        result.withLock { $0 = outcome }
        done.signal()
        if case .failure(let error) = outcome { return error }
        return nil
      },
      refuse: { error in
        result.withLock { $0 = .failure(error) }
        done.signal()
      })
    let refusal: LogError? = shared.withLock { shared in
      switch shared.state {
      case .closed: return .closed
      case .readOnly(let reason): return .readOnly(reason: reason)
      case .open:
        shared.chores.append(chore)
        wakeUp.signal()
        return nil
      }
    }
    if let refusal { throw refusal }
    done.wait()
    return try result.withLock { $0 }.get()
  }

  /// Work between two commits.
  private struct Chore: Sendable {
    /// - Returns: what went wrong.
    let run: @Sendable (LogState) -> LogError?
    let refuse: @Sendable (LogError) -> Void
  }

  /// - Returns: a failure after which the process must not go on.
  private func run(_ chores: [Chore], at state: LogState) -> LogError? {
    for (index, chore) in chores.enumerated() {
      guard let error = chore.run(state), case .storage(let cause) = error, !cause.isOutOfSpace
      else { continue }
      for other in chores[(index + 1)...] { other.refuse(.closed) }
      return error
    }
    return nil
  }

  /// Asks a writer that ran out of space to check its tail and go on. Does nothing if it is open.
  func reopen() {
    shared.withLock { shared in
      guard case .readOnly = shared.state else { return }
      shared.isReopenRequested = true
      wakeUp.signal()
    }
  }

  /// Has the thread write what is queued and end. Later decisions are refused.
  func end() {
    shared.withLock { shared in
      shared.isClosing = true
      shared.state = .closed
      wakeUp.signal()
    }
  }

  /// The same, and waits for it: not to be called on the thread itself.
  func close() {
    end()
    finished.wait()
    // For the next one who waits.
    finished.signal()
  }

  private func run(from start: LogState) {
    var state = start
    var backlog: ArraySlice<any PendingDecision> = []
    while true {
      if backlog.isEmpty { wakeUp.wait() }
      let taken = shared.withLock { shared in
        defer {
          shared.waiting.removeAll(keepingCapacity: true)
          shared.chores = []
          shared.isReopenRequested = false
        }
        return shared
      }
      backlog.append(contentsOf: taken.waiting)
      if taken.isReopenRequested, let problem = reopen(at: state) {
        stop(because: problem, refusing: backlog, taken.chores)
        return
      }
      if case .readOnly(let reason) = taken.state {
        for decision in backlog { decision.refuse(.readOnly(reason: reason)) }
        backlog = []
      }
      if !backlog.isEmpty {
        switch commit(backlog, onto: &state) {
        case .success(let rest): backlog = rest
        case .failure(let error):
          guard case .readOnly = error else {
            stop(because: error, refusing: backlog, taken.chores)
            return
          }
          for decision in backlog { decision.refuse(error) }
          backlog = []
        }
      }
      if let problem = run(taken.chores, at: state) {
        stop(because: problem, refusing: backlog, [])
        return
      }
      if taken.isClosing, backlog.isEmpty { return }
    }
  }

  /// Takes no more, answers whoever still waits, and says that the process must not go on.
  private func stop(
    because error: LogError, refusing backlog: ArraySlice<any PendingDecision>, _ chores: [Chore]
  ) {
    let rest = shared.withLock { shared in
      defer {
        shared.waiting = []
        shared.chores = []
      }
      shared.state = .closed
      return shared
    }
    for decision in backlog + rest.waiting { decision.refuse(error) }
    for chore in chores + rest.chores { chore.refuse(error) }
    fail(error)
  }

  /// Commits a prefix of the queue, answers it and returns the rest; after a failure nothing is written and nobody
  /// answered.
  private func commit(
    _ queue: ArraySlice<any PendingDecision>, onto state: inout LogState
  ) -> Result<ArraySlice<any PendingDecision>, LogError> {
    let began = time.monotonicNanoseconds()
    var taken = queue.startIndex
    var bodySpace = 0
    do throws(LMDBError) {
      let sealed = try store.commit(after: state, wall: time.now()) {
        (assembly, transaction) throws(LMDBError) in
        while taken < queue.endIndex, assembly.bytes < settings.commitBytes {
          let decision = queue[taken]
          taken += 1
          try decision.run(in: &assembly, transaction: &transaction)
        }
        bodySpace = assembly.bodySpace
      }
      if let sealed {
        statistics.recordCommit(
          events: Int(sealed.head - state.head), decisions: taken - queue.startIndex,
          bodySpace: bodySpace, nanoseconds: time.monotonicNanoseconds() - began)
        state = sealed
        store.publish(sealed)
      }
      for decision in queue[..<taken] {
        decision.finish(position: state.head, time: state.time)
      }
    } catch {
      guard error.isOutOfSpace else { return .failure(.storage(error)) }
      let reason = "\(error)"
      shared.withLock { $0.enter(.readOnly(reason: reason)) }
      return .failure(.readOnly(reason: reason))
    }
    return .success(queue[taken...])
  }

  /// Opens a writer that ran out of space, if the disk ends where the last answer said; else says what is wrong.
  private func reopen(at state: LogState) -> LogError? {
    do throws(LogError) {
      let tail = try store.checkedState()
      guard tail.head == state.head, tail.root == state.root else {
        return .damaged(
          Damage(
            table: LogTables.commitsName, position: tail.head,
            problem: "the log's end is not the one that was last acknowledged"))
      }
    } catch { return error }
    shared.withLock { $0.enter(.open) }
    return nil
  }
}

/// Whether the log takes decisions.
package enum WriterState: Sendable, Hashable {
  case open
  /// Space ran out; reads go on.
  case readOnly(reason: String)
  case closed
}

/// A queued decision whose answer has a type that the queue need not know.
private protocol PendingDecision: Sendable {
  func run(
    in assembly: inout CommitAssembly, transaction: inout WriteTransaction
  ) throws(LMDBError)
  func finish(position: Position, time: Timestamp)
  func refuse(_ error: LogError)
}

private final class Submission<Answer: Sendable>: PendingDecision {
  private let decider: Decider<Answer>
  private let continuation: CheckedContinuation<Result<Decided<Answer>, LogError>, Never>
  private let answer = Mutex<Result<Answer, LogError>?>(nil)

  init(
    decider: @escaping Decider<Answer>,
    continuation: CheckedContinuation<Result<Decided<Answer>, LogError>, Never>
  ) {
    self.decider = decider
    self.continuation = continuation
  }

  func run(
    in assembly: inout CommitAssembly, transaction: inout WriteTransaction
  ) throws(LMDBError) {
    let context = DecisionContext(next: assembly.next, time: assembly.time)
    let decision: Decision<Answer>
    do throws(LogError) { decision = try decider(transaction.reading, context) } catch {
      if case .storage(let cause) = error, cause.kind != .undecodable { throw cause }
      // Nothing was written for it: the others of the commit are not harmed.
      answer.withLock { $0 = .failure(error) }
      return
    }
    try assembly.append(
      decision.events, bodies: decision.bodies, prunedBodies: decision.prunedBodies,
      to: &transaction)
    answer.withLock { $0 = .success(decision.answer) }
  }

  func finish(position: Position, time: Timestamp) {
    guard let answer = answer.withLock({ $0 }) else {
      preconditionFailure("a decision is finished only after it ran")
    }
    continuation.resume(
      returning: answer.map { Decided(answer: $0, position: position, time: time) })
  }

  func refuse(_ error: LogError) { continuation.resume(returning: .failure(error)) }
}
