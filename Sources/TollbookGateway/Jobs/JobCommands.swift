import TollbookEvents
import TollbookLog
import TollbookViews

/// Take a job on that outlives the process.
struct QueueJobCommand: Sendable {
  var event: JobQueued
  /// How many of the kind may be open at once.
  var mostOpen: Int
  /// How many of them may be of one account.
  var mostOfAccount: Int

  enum Answer: Sendable {
    case queued(Position)
    /// As many of the kind are open as may be.
    case full(open: Int)
    /// As many of the kind and of the account are open as may be.
    case accountFull(open: Int)
  }

  func decide(
    _ jobs: JobsView, _ state: borrowing LogReading, next: Position
  ) throws(LogError) -> Decision<Answer> {
    var (open, own) = (0, 0)
    for number in try jobs.open(in: state) {
      guard let job = try jobs.job(number, in: state), job.kind == event.kind else { continue }
      open += 1
      if job.account == event.account { own += 1 }
    }
    guard open < mostOpen else { return Decision(answer: .full(open: open)) }
    guard own < mostOfAccount else { return Decision(answer: .accountFull(open: own)) }
    return Decision(events: [.jobQueued(event)], answer: .queued(next))
  }
}

/// Begin a job, or take it up again.
struct BeginJobCommand: Sendable {
  /// How often a job is begun that gets no further: each time the process ended over it.
  static let mostStarts: UInt32 = 5

  var number: Position
  var now: Timestamp

  enum Answer: Sendable {
    case begun(JobRow, request: [UInt8])
    /// There is nothing to do, for a reason if it did not end before.
    case over(String?)
  }

  func decide(
    _ jobs: JobsView, _ alerts: AlertsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Answer> {
    guard let row = try jobs.job(number, in: state), row.state.isOpen else {
      return Decision(answer: .over(nil))
    }
    guard row.starts < Self.mostStarts, let request = try jobs.request(of: number, in: state) else {
      let detail =
        row.starts < Self.mostStarts
        ? "its request is not there any more"
        : "the process ended \(row.starts) times while it ran, and it got no further"
      let end = NoteJobCommand.End(end: .failed, detail: detail)
      return Decision(
        events: try row.finished(number, end, at: now, alerts, state), answer: .over(detail))
    }
    var started = JobStarted()
    started.job = number
    return Decision(events: [.jobStarted(started)], answer: .begun(row, request: request))
  }
}

/// Write down how far a job has got, or that it has ended. One that has ended already stays as it is.
struct NoteJobCommand: Sendable {
  /// How far it got.
  struct Reached: Hashable, Sendable {
    /// Of its steps, those that came to nothing among them.
    var done: UInt64
    var failed: UInt64
  }

  struct End: Hashable, Sendable {
    var end: JobEnd
    var detail = ""
    /// Who cancelled it.
    var actor = ""
  }

  var number: Position
  /// Nil: as far as the log says.
  var reached: Reached?
  /// Nil: it goes on.
  var end: End?
  var now: Timestamp

  enum Answer: Sendable { case unknown, hasEnded, noted }

  func decide(
    _ jobs: JobsView, _ alerts: AlertsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Answer> {
    guard var row = try jobs.job(number, in: state) else { return Decision(answer: .unknown) }
    guard row.state.isOpen else { return Decision(answer: .hasEnded) }
    if let reached { (row.done, row.failed) = (reached.done, reached.failed) }
    guard let end else {
      var progressed = JobProgressed()
      progressed.job = number
      progressed.done = row.done
      progressed.failed = row.failed
      return Decision(events: [.jobProgressed(progressed)], answer: .noted)
    }
    return Decision(
      events: try row.finished(number, end, at: now, alerts, state), answer: .noted)
  }
}

extension JobRow {
  /// Its end where it stands, and what webhooks are told of it that asked for that.
  ///
  /// What is told is an alert that is over as soon as it is raised: so it is delivered as the others are, and is open at no
  /// time.
  fileprivate func finished(
    _ number: Position, _ end: NoteJobCommand.End, at now: Timestamp, _ alerts: AlertsView,
    _ state: borrowing LogReading
  ) throws(LogError) -> [Event] {
    var finished = JobFinished()
    finished.job = number
    finished.end = end.end
    finished.done = done
    finished.failed = failed
    finished.detail = end.detail
    finished.actor = end.actor
    var raised = AlertRaised()
    raised.alert = .finished(number, self, end, at: now)
    let isAsked = try alerts.webhooks(in: state).contains {
      $0.webhook.wants(raised.alert, isCleared: false)
    }
    guard isAsked else { return [.jobFinished(finished)] }
    var cleared = AlertCleared()
    cleared.alert = raised.alert
    cleared.reason = "it is told once"
    return [.jobFinished(finished), .alertRaised(raised), .alertCleared(cleared)]
  }
}

extension Alert {
  /// That a job has ended.
  fileprivate static func finished(
    _ number: Position, _ row: JobRow, _ end: NoteJobCommand.End, at now: Timestamp
  ) -> Alert {
    var alert = Alert()
    alert.name = AlertName.finished.rawValue
    alert.account = row.account
    alert.tag = JobsFold.tag(of: number)
    let state =
      switch end.end {
      case .done: "done"
      case .cancelled: "cancelled"
      case .failed, .unspecified, .UNRECOGNIZED: "failed"
      }
    alert.detail = "\(row.kind) \(state)" + (end.detail.isEmpty ? "" : ": \(end.detail)")
    alert.atMs = now.milliseconds
    return alert
  }
}
