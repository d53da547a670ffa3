package import TollbookEvents
package import TollbookViews

/// One sort of work that goes on behind what is asked.
package struct JobKind: Hashable, Sendable {
  /// Such as `rebuild`; that of a system begins with its name.
  package let name: String
  /// How many run at once.
  package let atOnce: Int
  /// How many more may wait for their turn; what comes beyond is refused.
  package let mostWaiting: Int
  /// How many that have ended are remembered.
  package let remembered: Int

  package init(_ name: String, atOnce: Int = 1, mostWaiting: Int = 0, remembered: Int = 5) {
    self.name = name
    self.atOnce = atOnce
    self.mostWaiting = mostWaiting
    self.remembered = remembered
  }
}

/// Names a job: no other one of the log has its name, in whichever process.
package enum JobID: Hashable, Sendable, CustomStringConvertible {
  /// One that outlives the process: the position of its JobQueued.
  case recorded(Position)
  /// One that ends with the process: the position of the process's ServiceStarted, and a number from 1.
  case passing(start: Position, number: UInt64)

  /// `912` or `812.3`.
  package var description: String {
    switch self {
    case .recorded(let position): "\(position)"
    case .passing(let start, let number): "\(start).\(number)"
    }
  }

  /// Nil if it is no name of a job.
  package init?(_ text: some StringProtocol) {
    let numbers = text.split(separator: ".", omittingEmptySubsequences: false).map { UInt64($0) }
    switch numbers.count {
    case 1: if let position = numbers[0] { self = .recorded(position) } else { return nil }
    case 2:
      guard let start = numbers[0], let number = numbers[1] else { return nil }
      self = .passing(start: start, number: number)
    default: return nil
    }
    // No sign and no zero in front: each has one name.
    guard description == text else { return nil }
  }
}

/// A job as it stands.
package struct Job: Hashable, Sendable {
  /// The raw values are part of the HTTP API.
  package enum State: String, Sendable, CaseIterable {
    case queued
    case running
    case done
    case failed
    case cancelled

    package var isOpen: Bool { self == .queued || self == .running }
  }

  package var id: JobID
  package var kind: String
  package var state = State.queued
  package var queued: Timestamp
  package var started: Timestamp?
  package var ended: Timestamp?
  package var progress = JobProgress()
  /// What became of it, for a person.
  package var detail = ""
  /// Whether it was told to end, and has not yet.
  package var isEnding = false
  /// What the log tells of it besides; nil: it ends with the process, and the log does not know it.
  package var record: JobRow?
  /// Of an open one that buys: what it is still expected to cost; nil: nobody has looked yet.
  package var expectation: JobExpectation?

  package init(_ id: JobID, kind: String, queued: Timestamp) {
    self.id = id
    self.kind = kind
    self.queued = queued
  }
}

/// How far a job is.
package struct JobProgress: Hashable, Sendable {
  /// What it is at.
  package var step: String
  package var done: UInt64
  /// 0: not known.
  package var total: UInt64

  package init(_ step: String = "", done: UInt64 = 0, total: UInt64 = 0) {
    self.step = step
    self.done = done
    self.total = total
  }
}

/// How a job ended.
package enum JobEnding: Hashable, Sendable {
  case done(String = "")
  case failed(String)
  /// Because it was told to.
  case cancelled

  var state: Job.State {
    switch self {
    case .done: .done
    case .failed: .failed
    case .cancelled: .cancelled
    }
  }

  /// For a person.
  var detail: String {
    switch self {
    case .done(let detail), .failed(let detail): detail
    case .cancelled: ""
    }
  }
}

/// Why a job was not taken on.
package enum JobRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// As many wait as may.
  case full(kind: String, running: Int, waiting: Int)
  /// As many of one account are open as may.
  case accountFull(kind: String, open: Int)
  case stopping

  package var description: String {
    switch self {
    case .full(let kind, running: 1, waiting: 0): "another \(kind) is running"
    case .full(let kind, let running, let waiting):
      "\(running) jobs of kind \(kind) run and \(waiting) wait; more are not taken on"
    case .accountFull(let kind, let open):
      "\(open) jobs of kind \(kind) of this account are open; more are not taken on"
    case .stopping: "Tollbook is shutting down"
    }
  }
}
