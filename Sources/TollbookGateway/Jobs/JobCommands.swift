import TollbookEvents
import TollbookLog
import TollbookViews

/// Take a job on that outlives the process.
struct QueueJobCommand: Sendable {
  var event: JobQueued
  /// How many of the kind may be open at once.
  var mostOpen: Int

  enum Answer: Sendable {
    case queued(Position)
    /// As many of the kind are open as may be.
    case full(open: Int)
  }

  func decide(
    _ jobs: JobsView, _ state: borrowing LogReading, next: Position
  ) throws(LogError) -> Decision<Answer> {
    var open = 0
    for number in try jobs.open(in: state) {
      if try jobs.job(number, in: state)?.kind == event.kind { open += 1 }
    }
    guard open < mostOpen else { return Decision(answer: .full(open: open)) }
    return Decision(events: [.jobQueued(event)], answer: .queued(next))
  }
}

/// Begin a job, or take it up again.
struct BeginJobCommand: Sendable {
  /// How often a job is begun that gets no further: each time the process ended over it.
  static let mostStarts: UInt32 = 5

  var number: Position

  enum Answer: Sendable {
    case begun(JobRow, request: [UInt8])
    /// There is nothing to do, for a reason if it did not end before.
    case over(String?)
  }

  func decide(
    _ jobs: JobsView, _ state: borrowing LogReading
  ) throws(LogError) -> Decision<Answer> {
    guard let row = try jobs.job(number, in: state), row.state.isOpen else {
      return Decision(answer: .over(nil))
    }
    guard row.starts < Self.mostStarts, let request = try jobs.request(of: number, in: state) else {
      let detail =
        row.starts < Self.mostStarts
        ? "its request is not there any more"
        : "the process ended \(row.starts) times while it ran, and it got no further"
      let end = row.finished(number, .failed, detail)
      return Decision(events: [end], answer: .over(detail))
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

  enum Answer: Sendable { case unknown, hasEnded, noted }

  func decide(
    _ jobs: JobsView, _ state: borrowing LogReading
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
      events: [row.finished(number, end.end, end.detail, end.actor)], answer: .noted)
  }
}

extension JobRow {
  /// Its end where it stands.
  fileprivate func finished(
    _ number: Position, _ end: JobEnd, _ detail: String, _ actor: String = ""
  ) -> Event {
    var finished = JobFinished()
    finished.job = number
    finished.end = end
    finished.done = done
    finished.failed = failed
    finished.detail = detail
    finished.actor = actor
    return .jobFinished(finished)
  }
}
