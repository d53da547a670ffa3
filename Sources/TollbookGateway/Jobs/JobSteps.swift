package import TollbookEvents
package import TollbookLog
import TollbookViews

/// What a job does that is no list of resources which one demand buys: one step after the other.
package struct JobSteps: Sendable {
  /// How many.
  package var count: Int
  /// What the names of entries begin with that are kept for the job alone: they are removed when it has ended.
  package var kept: String
  /// Does one, from 0. It is done again if the process ends over it.
  package var take: @Sendable (_ index: Int, _ run: JobRun) async -> JobStep

  package init(
    count: Int, kept: String,
    take: @escaping @Sendable (_ index: Int, _ run: JobRun) async -> JobStep
  ) {
    self.count = count
    self.kept = kept
    self.take = take
  }
}

/// What a step knows of the job that it is one of.
package struct JobRun: Sendable {
  package let gateway: Gateway
  /// Position of its JobQueued.
  package let number: Position
  /// When it was taken on.
  package let queued: Timestamp
  /// Who pays. What is bought for it bears the job's tag.
  package let principal: Principal
  /// In which the job's cost counts.
  let unit: String
  /// Tries of this step that were of no use and took nothing but a call, in this process.
  package internal(set) var freeFailures = 0
  /// Tries of this step that were of no use and have cost something, or may have, in this process.
  package internal(set) var costlyFailures = 0

  /// What the job has cost so far, or may have.
  package func spent() throws(LogError) -> Int64 {
    try gateway.row(of: number)?.spent(unit) ?? 0
  }

  /// The tag of what is bought for it.
  package var tag: String { JobsFold.tag(of: number) }
}

/// What became of a step.
package enum JobStep: Sendable {
  /// How a try was of no use.
  package enum Failure: Sendable {
    /// Nobody was asked: what is wanted does not fit now.
    case notAsked
    case free
    /// It has cost something, or may have.
    case costly
  }

  /// It is over.
  ///
  /// - Parameters:
  ///   - isFailed: whether it came to nothing.
  ///   - writes: what is kept of it, in the commit that says so.
  ///   - removed: whose entries are removed in the same commit.
  case over(isFailed: Bool, writes: [Write], removed: [ResourceKey])
  /// It is tried again.
  case later(PurchaseProblem, Failure)
}

extension PurchaseJob {
  /// Does step after step. Where one waits, those behind it do too.
  ///
  /// - Returns: how far it got, and how it ended; nil: it was told to end before.
  func take(
    _ steps: JobSteps, from row: JobRow
  ) async -> (NoteJobCommand.Reached, NoteJobCommand.End?) {
    var principal = gateway.payer(of: number, row)
    principal.tags.append(JobsFold.tag(of: number))
    let total = UInt64(steps.count)
    var reached = NoteJobCommand.Reached(done: row.done, failed: row.failed)
    while reached.done < total {
      let run = JobRun(
        gateway: gateway, number: number, queued: row.queued, principal: principal, unit: kind.unit)
      guard let end = await take(Int(reached.done), of: steps, run) else { return (reached, nil) }
      var next = reached
      next.done += 1
      if end.isFailed { next.failed += 1 }
      let writing = next
      // What is not written down yet is not done again: it may have cost something.
      let isNoted = await insist { () throws(LogError) in
        guard let command = await gateway.noting(writing, of: number, end.writes, end.removed)
        else { throw .readOnly(reason: "nothing can be sealed for \(row.account)") }
        return try await gateway.note(command)
      }
      // It has ended meanwhile, or the process ends.
      guard isNoted == true else { return (reached, nil) }
      reached = next
    }
    let detail =
      reached.failed == 0 ? "" : "\(reached.failed) of \(steps.count) came to nothing"
    return (reached, NoteJobCommand.End(end: .done, detail: detail))
  }

  /// Does one step, for as long as it takes.
  ///
  /// - Returns: nil: it was told to end before.
  private func take(
    _ index: Int, of steps: JobSteps, _ given: JobRun
  ) async -> (isFailed: Bool, writes: [Write], removed: [ResourceKey])? {
    var run = given
    func say(_ step: String) {
      tell(JobProgress(step, done: UInt64(index), total: UInt64(steps.count)))
    }
    while !Task.isCancelled {
      say("works")
      switch await steps.take(index, run) {
      case .over(let isFailed, let writes, let removed): return (isFailed, writes, removed)
      case .later(let problem, let failure):
        switch failure {
        case .notAsked: break
        case .free: run.freeFailures += 1
        case .costly: run.costlyFailures += 1
        }
        say("waits: \(problem.detail)")
        await sleep(until: problem.retryAt)
      }
    }
    return nil
  }
}
