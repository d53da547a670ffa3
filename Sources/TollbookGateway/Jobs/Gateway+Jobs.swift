import Foundation
import Synchronization
package import TollbookEvents
package import TollbookLog
import TollbookViews

// MARK: Jobs that outlive the process

extension Gateway {
  /// Takes on a job that outlives the process, and begins it when its turn comes.
  ///
  /// - Parameters:
  ///   - kind: one that an upstream has registered.
  ///   - request: what is to be done, as the kind reads it.
  ///   - total: how many steps it has.
  ///   - principal: who wants it, and pays.
  ///   - expected: what it is expected to cost; nil: nobody has looked.
  /// - Returns: its number. It is on the disk.
  /// - Throws: `JobRefusal`, `LogError`, or `PurchaseProblem` where the principal may not have what it names; nothing is
  ///   written then.
  package func queueJob(
    _ kind: PurchaseJobKind, request: [UInt8], total: Int, by principal: Principal,
    expected: JobExpectation? = nil
  ) async throws -> JobID {
    guard !jobs.isStopping else { throw JobRefusal.stopping }
    if let problem = kind.problem(with: request, by: principal) { throw problem }
    var event = JobQueued()
    event.kind = kind.name
    event.account = principal.account
    event.request = Data(request)
    event.total = UInt64(total)
    event.actor = principal.actor
    event.tags = principal.tags
    event.accessKey = principal.accessKey
    let command = QueueJobCommand(
      event: event, mostOpen: kind.mostOpen, mostOfAccount: kind.mostOfAccount)
    let view = JobsView(log)
    let answer = try await log.decide { (state, context) throws(LogError) in
      try command.decide(view, state, next: context.next)
    }.answer
    switch answer {
    case .queued(let number):
      expectations.withLock { $0[number] = expected }
      begin(number, kind)
      return .recorded(number)
    case .full(let open):
      throw JobRefusal.full(
        kind: kind.name, running: min(open, kind.kind.atOnce),
        waiting: max(0, open - kind.kind.atOnce))
    case .accountFull(let open): throw JobRefusal.accountFull(kind: kind.name, open: open)
    }
  }

  /// A kind of jobs that outlive the process; nil: no upstream has registered it.
  package func jobKind(_ name: String) -> PurchaseJobKind? {
    jobKinds.first { $0.name == name }
  }

  /// Takes up again what the process before has left open. What nobody can do any more is ended, and says why.
  func resumeJobs() async throws(LogError) {
    let view = JobsView(log)
    let open = try log.read { (reading) throws(LogError) in
      var open: [(number: Position, kind: String)] = []
      for number in try view.open(in: reading) {
        open.append((number, try view.job(number, in: reading)?.kind ?? ""))
      }
      return open
    }
    for (number, name) in open {
      if let kind = jobKinds.first(where: { $0.name == name }) {
        begin(number, kind)
      } else {
        let detail = "no system of this Tollbook has jobs of kind \(name)"
        let end = NoteJobCommand.End(end: .failed, detail: detail)
        _ = try await note(NoteJobCommand(number: number, end: end, now: log.time.now()))
      }
    }
  }

  private func begin(_ number: Position, _ kind: PurchaseJobKind) {
    // One that the runner refuses, because the process ends, stays open: the next process takes it up.
    _ = try? jobs.submit(kind.kind, as: .recorded(number)) { [self] tell in
      await PurchaseJob(number: number, kind: kind, gateway: self, tell: tell).run()
    }
  }

  func note(_ command: NoteJobCommand) async throws(LogError) -> NoteJobCommand.Answer {
    let (view, alerts) = (JobsView(log), alerts)
    return try await log.decide { (state, _) throws(LogError) in
      try command.decide(view, alerts, state)
    }.answer
  }

  /// Ends a job that waits, and asks one that runs to end. One that outlives the process has ended in the log when this
  /// returns; a call of it that is out is still booked.
  package func cancelJob(
    _ id: JobID, actor: String
  ) async throws(LogError) -> JobRunner.CancelAnswer {
    guard case .recorded(let number) = id else { return jobs.cancel(id) }
    let end = NoteJobCommand.End(end: .cancelled, actor: actor)
    let answer = try await note(
      NoteJobCommand(number: number, end: end, now: log.time.now()))
    expectations.withLock { $0[number] = nil }
    jobs.cancel(id)
    await removeKept(of: number)
    return switch answer {
    case .unknown: .unknown
    case .hasEnded: .hasEnded
    case .noted: .cancelled
    }
  }

  // MARK: Looking

  /// A job by its name; nil if there is none, or it ended with the process or is not remembered any more.
  package func job(_ id: JobID) throws(LogError) -> Job? {
    guard case .recorded(let number) = id else { return jobs[id] }
    return try row(of: number).map { job(number, $0) }
  }

  private func job(_ number: Position, _ row: JobRow) -> Job {
    Job(
      number, row, running: jobs[.recorded(number)],
      expected: expectations.withLock { $0[number] })
  }

  /// What a job of the log is to do, as its kind reads it; nil if there is no such job.
  ///
  /// - Throws: `LogError.beforeBase` too: it has ended, and was taken on before the snapshot that the log goes on from.
  package func request(of number: Position) throws(LogError) -> [UInt8]? {
    let view = JobsView(log)
    let reader = log.reader
    return try log.read { (reading) throws(LogError) in
      if let request = try view.request(of: number, in: reading) { return request }
      guard try view.job(number, in: reading) != nil,
        case .jobQueued(let event)? = try reader.event(at: number, in: reading)?.event
      else { return nil }
      return [UInt8](event.request)
    }
  }

  /// Who pays for a job of the log: budgets count it as they count the request that it comes from.
  ///
  /// - Returns: no tags and no access key where the log goes on from a snapshot that was taken after it.
  func payer(of number: Position, _ row: JobRow) -> Principal {
    let reader = log.reader
    let event = try? log.read { (reading) throws(LogError) in
      try reader.event(at: number, in: reading)?.event
    }
    guard case .jobQueued(let queued)? = event else { return Principal(account: row.account) }
    return Principal(account: row.account, accessKey: queued.accessKey, tags: queued.tags)
  }

  /// Those that outlive the process, the newest first.
  ///
  /// - Parameters:
  ///   - number: only those before it; nil: from the newest on.
  ///   - limit: the most that are looked at.
  package func recordedJobs(
    before number: Position?, limit: Int
  ) throws(LogError) -> [(number: Position, job: Job)] {
    let view = JobsView(log)
    return try log.read { (reading) throws(LogError) in
      try view.jobs(before: number, limit: limit, in: reading)
    }.map { ($0.number, job($0.number, $0.job)) }
  }

  /// The log's row of a job.
  func row(of number: Position) throws(LogError) -> JobRow? {
    let view = JobsView(log)
    return try log.read { (reading) throws(LogError) in try view.job(number, in: reading) }
  }
}

extension Job {
  /// A job by its row in the log; what only the process knows comes from there.
  fileprivate init(
    _ number: Position, _ row: JobRow, running: Job?, expected: JobExpectation?
  ) {
    self.init(.recorded(number), kind: row.kind, queued: row.queued)
    state =
      switch row.state {
      case .queued: .queued
      case .running: .running
      case .done: .done
      case .failed: .failed
      case .cancelled: .cancelled
      }
    started = row.started
    ended = row.ended
    detail = row.detail
    progress = JobProgress(done: row.done, total: row.total)
    record = row
    if state.isOpen { expectation = expected }
    guard let running else { return }
    isEnding = running.isEnding || !state.isOpen
    if state.isOpen { progress.step = running.progress.step }
  }
}
