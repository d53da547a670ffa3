import DequeModule
import TollbookEvents

/// Which jobs wait, run and have ended: a pure state machine. It is told what happened, and answers with actions; it has no
/// clock and no task of its own.
///
/// 1. Of each kind at most as many run at once, and at most as many wait, as the kind allows.
/// 2. Of each kind those that came first begin first.
/// 3. A job begins at most once and ends once. One that waits and is cancelled never begins.
/// 4. Of those that have ended the last few of each kind are remembered.
/// 5. After `stop` none begins, and all that run are told to end.
struct JobQueue: Sendable {
  enum Action: Hashable, Sendable {
    /// Begin it, then tell ``ended(_:_:at:)``.
    case begin(JobID)
    /// Tell it that it is to end; it does, and says so as others do.
    case cancel(JobID)
    /// It has ended, or never begins.
    case forget(JobID)
  }

  /// What a wish to cancel meets.
  enum CancelAnswer: Hashable, Sendable {
    case unknown
    case hasEnded
    case cancelled([Action])
  }

  private struct Line {
    var kind: JobKind
    var waiting: Deque<JobID> = []
    var running: [JobID] = []
    var ended: Deque<JobID> = []
  }

  private(set) var jobs: [JobID: Job] = [:]
  private var lines: [String: Line] = [:]
  private(set) var isStopping = false

  /// Whether nothing waits or runs.
  var isIdle: Bool { lines.values.allSatisfy { $0.waiting.isEmpty && $0.running.isEmpty } }

  /// Takes a job on.
  mutating func submit(
    _ id: JobID, _ kind: JobKind, at now: Timestamp
  ) -> Result<[Action], JobRefusal> {
    guard !isStopping else { return .failure(.stopping) }
    let line = lines[kind.name, default: Line(kind: kind)]
    let hasRoom = line.running.count < kind.atOnce && line.waiting.isEmpty
    guard hasRoom || line.waiting.count < kind.mostWaiting else {
      return .failure(
        .full(kind: kind.name, running: line.running.count, waiting: line.waiting.count))
    }
    lines[kind.name, default: Line(kind: kind)].waiting.append(id)
    jobs[id] = Job(id, kind: kind.name, queued: now)
    return .success(begin(kind.name, at: now))
  }

  /// How far a job is. Of one that does not run it says nothing.
  mutating func progressed(_ id: JobID, _ progress: JobProgress) {
    guard jobs[id]?.state == .running else { return }
    jobs[id]?.progress = progress
  }

  /// A job that ran has ended.
  mutating func ended(_ id: JobID, _ ending: JobEnding, at now: Timestamp) -> [Action] {
    guard let job = jobs[id], job.state == .running else { return [] }
    lines[job.kind]?.running.removeAll { $0 == id }
    return end(id, ending, at: now) + begin(job.kind, at: now)
  }

  /// Ends a job that waits, and tells one that runs that it is to end.
  mutating func cancel(_ id: JobID, at now: Timestamp) -> CancelAnswer {
    guard let job = jobs[id] else { return .unknown }
    switch job.state {
    case .queued:
      lines[job.kind]?.waiting.removeAll { $0 == id }
      return .cancelled(end(id, .cancelled, at: now))
    case .running:
      guard !job.isEnding else { return .cancelled([]) }
      jobs[id]?.isEnding = true
      return .cancelled([.cancel(id)])
    case .done, .failed, .cancelled: return .hasEnded
    }
  }

  /// Remembers those that have failed no longer. What waits, runs or ended otherwise is left alone.
  mutating func forgetFailed() {
    for (name, line) in lines {
      let failed = line.ended.filter { jobs[$0]?.state == .failed }
      for id in failed { jobs[id] = nil }
      lines[name]?.ended.removeAll { failed.contains($0) }
    }
  }

  /// Begins no more.
  mutating func stop(at now: Timestamp) -> [Action] {
    isStopping = true
    var actions: [Action] = []
    for (name, line) in lines.sorted(by: { $0.key < $1.key }) {
      for id in line.waiting { actions += end(id, .cancelled, at: now) }
      lines[name]?.waiting = []
      for id in line.running where jobs[id]?.isEnding == false {
        jobs[id]?.isEnding = true
        actions.append(.cancel(id))
      }
    }
    return actions
  }

  private mutating func begin(_ name: String, at now: Timestamp) -> [Action] {
    var actions: [Action] = []
    while !isStopping, let line = lines[name], line.running.count < line.kind.atOnce,
      let id = line.waiting.first
    {
      lines[name]?.waiting.removeFirst()
      lines[name]?.running.append(id)
      jobs[id]?.state = .running
      jobs[id]?.started = now
      actions.append(.begin(id))
    }
    return actions
  }

  private mutating func end(_ id: JobID, _ ending: JobEnding, at now: Timestamp) -> [Action] {
    guard var job = jobs[id] else { return [] }
    let kind = job.kind
    job.ended = now
    job.isEnding = false
    job.state = ending.state
    job.detail = ending.detail
    jobs[id] = job
    lines[kind]?.ended.append(id)
    while let line = lines[kind], line.ended.count > line.kind.remembered {
      if let oldest = lines[kind]?.ended.removeFirst() { jobs[oldest] = nil }
    }
    return [.forget(id)]
  }
}
