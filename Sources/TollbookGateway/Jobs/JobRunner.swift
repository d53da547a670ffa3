import Synchronization
package import TollbookEvents
package import TollbookLog

/// Runs all that goes on behind what is asked: carries out what its ``JobQueue`` says, and tells it what came of that.
package final class JobRunner: Sendable {
  /// What a job does. It looks at `Task.isCancelled`, and ends soon when it is told to.
  package typealias Work =
    @Sendable (_ tell: @escaping @Sendable (JobProgress) -> Void) async -> JobEnding

  private enum Body {
    case work(Work)
    /// Something else is at it, and tells when it has ended.
    case elsewhere(cancel: @Sendable () -> Void)
  }

  private struct State {
    var queue = JobQueue()
    var bodies: [JobID: Body] = [:]
    var tasks: [JobID: Task<Void, Never>] = [:]
    /// Told when a job ends that has not begun.
    var dropped: [JobID: @Sendable () -> Void] = [:]
    var idle: [CheckedContinuation<Void, Never>] = []
    var start: Position = 0
    var last: UInt64 = 0
    var recurring: [String: Recurring] = [:]
  }

  /// When work that recurs is done.
  package struct Recurring: Hashable, Sendable {
    /// In milliseconds.
    package let interval: Int64
    /// Nil: it is being done.
    package var next: Timestamp?
    /// How it ended last; nil: it has not yet.
    package var last: Ended?

    init(_ interval: Int64, next: Timestamp? = nil) {
      self.interval = interval
      self.next = next
    }
  }

  /// An end of work that recurs, which is not remembered as a job.
  package struct Ended: Hashable, Sendable {
    package var state: Job.State
    package var ended: Timestamp
    package var detail: String
  }

  private let time: TimeSource
  private let state = Mutex(State())

  package init(time: TimeSource) { self.time = time }

  /// Names the process by the position of its ServiceStarted: jobs of different processes never share a name.
  func begin(at start: Position) { state.withLock { $0.start = start } }

  // MARK: Looking

  /// Those that end with the process and wait, run or are remembered, the newest first.
  package var passing: [Job] {
    let jobs = state.withLock { $0.queue.jobs.values.map { (number($0.id), $0) } }
    return jobs.filter { $0.0 != nil }.sorted { $0.0 ?? 0 > $1.0 ?? 0 }.map(\.1)
  }

  private func number(_ id: JobID) -> UInt64? {
    if case .passing(_, let number) = id { number } else { nil }
  }

  package subscript(id: JobID) -> Job? { state.withLock { $0.queue.jobs[id] } }

  /// What recurs, by the names of the kinds.
  package var recurring: [String: Recurring] { state.withLock { $0.recurring } }

  package var isIdle: Bool { state.withLock { $0.queue.isIdle } }

  /// Whether none begins any more, and those that run are told to end.
  package var isStopping: Bool { state.withLock { $0.queue.isStopping } }

  // MARK: Doing

  /// Takes a job on.
  ///
  /// - Parameters:
  ///   - id: its name, if it has one; nil: it gets the next of this process.
  ///   - dropped: told if it ends and has not begun.
  @discardableResult
  package func submit(
    _ kind: JobKind, as id: JobID? = nil, dropped: (@Sendable () -> Void)? = nil,
    _ work: @escaping Work
  ) throws(JobRefusal) -> JobID {
    try submit(kind, as: id, .work(work), dropped)
  }

  /// Notes a job that something else is at. It runs at once.
  ///
  /// - Parameter cancel: asks for its end.
  /// - Returns: nil if no more of its kind may run.
  func open(_ kind: JobKind, cancel: @escaping @Sendable () -> Void) -> JobID? {
    try? submit(kind, .elsewhere(cancel: cancel), nil)
  }

  /// A job that something else was at has ended.
  func close(_ id: JobID, _ ending: JobEnding) { feed { $0.ended(id, ending, at: $1) } }

  private func submit(
    _ kind: JobKind, as name: JobID? = nil, _ body: Body, _ dropped: (@Sendable () -> Void)?
  ) throws(JobRefusal) -> JobID {
    let now = time.now()
    let (id, answer) = state.withLock { state in
      if name == nil { state.last += 1 }
      let id = name ?? .passing(start: state.start, number: state.last)
      let answer = state.queue.submit(id, kind, at: now)
      if case .success = answer {
        state.bodies[id] = body
        state.dropped[id] = dropped
      }
      return (id, answer)
    }
    carryOut(try answer.get())
    return id
  }

  /// Does something as a job, and waits for what it brings. Whoever does not wait any longer ends it.
  ///
  /// - Throws: `JobRefusal` if it is not taken on, `CancellationError` if it was cancelled before it began, or what `work`
  ///   throws.
  package func run<Value: Sendable>(
    _ kind: JobKind,
    _ work:
      @escaping @Sendable (_ tell: @escaping @Sendable (JobProgress) -> Void) async throws ->
      Value
  ) async throws -> Value {
    let name = Mutex<JobID?>(nil)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        do throws(JobRefusal) {
          let id = try submit(
            kind, dropped: { continuation.resume(throwing: CancellationError()) }
          ) { tell in
            let result = await Result.of { try await work(tell) }
            continuation.resume(with: result)
            switch result {
            case .success: return .done()
            case .failure(is CancellationError): return .cancelled
            case .failure(let error): return .failed("\(error)")
            }
          }
          name.withLock { $0 = id }
          if Task.isCancelled { cancel(id) }
        } catch { continuation.resume(throwing: error) }
      }
    } onCancel: {
      if let id = name.withLock({ $0 }) { cancel(id) }
    }
  }

  /// Does something again and again until the task is cancelled, each time as a job. A time at which one still runs is
  /// left out.
  ///
  /// - Parameters:
  ///   - interval: between the end of one and the beginning of the next, in milliseconds.
  ///   - isFirstAtOnce: whether the first begins at once; else after the interval.
  package func `repeat`(
    _ kind: JobKind, every interval: Int64, isFirstAtOnce: Bool = true,
    _ work: @escaping Work
  ) async {
    var waits = !isFirstAtOnce
    while !Task.isCancelled {
      if waits {
        let next = time.now().advanced(byMilliseconds: interval)
        state.withLock { $0.recurring[kind.name, default: Recurring(interval)].next = next }
        guard (try? await time.sleep(interval)) != nil else { return }
      }
      waits = true
      state.withLock { $0.recurring[kind.name, default: Recurring(interval)].next = nil }
      let ended = Latch()
      do throws(JobRefusal) {
        let id = try submit(kind, dropped: { ended.open() }) { tell in
          defer { ended.open() }
          let ending = await work(tell)
          self.note(ending, of: kind)
          return ending
        }
        await withTaskCancellationHandler {
          await ended.wait()
        } onCancel: {
          cancel(id)
        }
      } catch { continue }
    }
  }

  private func note(_ ending: JobEnding, of kind: JobKind) {
    let ended = Ended(state: ending.state, ended: time.now(), detail: ending.detail)
    state.withLock { $0.recurring[kind.name]?.last = ended }
  }

  /// Ends a job that waits, and asks one that runs to end.
  ///
  /// - Returns: whether it is known, and had not ended.
  @discardableResult
  package func cancel(_ id: JobID) -> CancelAnswer {
    let answer = state.withLock { $0.queue.cancel(id, at: time.now()) }
    switch answer {
    case .unknown: return .unknown
    case .hasEnded: return .hasEnded
    case .cancelled(let actions):
      carryOut(actions)
      return .cancelled
    }
  }

  /// Remembers those that have failed no longer.
  func forgetFailed() { state.withLock { $0.queue.forgetFailed() } }

  package enum CancelAnswer: Hashable, Sendable { case unknown, hasEnded, cancelled }

  /// Begins no more, asks all to end, and waits until they have.
  package func stop() async {
    feed { $0.stop(at: $1) }
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if !state.queue.isIdle { state.idle.append(continuation) }
        return state.queue.isIdle
      }
      if isIdle { continuation.resume() }
    }
  }

  // MARK: What the queue says

  private func feed(_ step: (inout JobQueue, Timestamp) -> [JobQueue.Action]) {
    let now = time.now()
    carryOut(state.withLock { step(&$0.queue, now) })
    let waiters = state.withLock { state in
      guard state.queue.isIdle else { return [] as [CheckedContinuation<Void, Never>] }
      defer { state.idle = [] }
      return state.idle
    }
    for waiter in waiters { waiter.resume() }
  }

  private func carryOut(_ actions: [JobQueue.Action]) {
    for action in actions {
      switch action {
      case .begin(let id): begin(id)
      case .cancel(let id):
        let (task, body) = state.withLock { ($0.tasks[id], $0.bodies[id]) }
        task?.cancel()
        if case .elsewhere(let cancel) = body { cancel() }
      case .forget(let id):
        let dropped = state.withLock { state in
          state.bodies[id] = nil
          state.tasks[id] = nil
          return state.dropped.removeValue(forKey: id)
        }
        dropped?()
      }
    }
  }

  private func begin(_ id: JobID) {
    state.withLock { state in
      state.dropped[id] = nil
      guard case .work(let work)? = state.bodies[id] else { return }
      // In one step with the look at the body: who cancels it finds the task.
      state.tasks[id] = Task { [self] in
        // It does not end with the client whose request has ordered it.
        let ending = await ClientPresence.$current.withValue(nil) {
          await work { progress in
            self.state.withLock { $0.queue.progressed(id, progress) }
          }
        }
        feed { $0.ended(id, ending, at: $1) }
      }
      if state.queue.jobs[id]?.isEnding == true { state.tasks[id]?.cancel() }
    }
  }
}

extension Result where Failure == any Error {
  fileprivate static func of(_ body: () async throws -> Success) async -> Self {
    do { return .success(try await body()) } catch { return .failure(error) }
  }
}

/// Lets one wait until something has happened.
private final class Latch: Sendable {
  private enum State {
    case closed
    case waited(CheckedContinuation<Void, Never>)
    case opened
  }

  private let state = Mutex(State.closed)

  func open() {
    let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
      defer { state = .opened }
      if case .waited(let continuation) = state { return continuation }
      return nil
    }
    waiter?.resume()
  }

  func wait() async {
    await withCheckedContinuation { continuation in
      let isOpen = state.withLock { state in
        if case .opened = state { return true }
        state = .waited(continuation)
        return false
      }
      if isOpen { continuation.resume() }
    }
  }
}
