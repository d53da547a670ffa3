package import TollbookEvents
package import TollbookViews

extension LogModel {
  /// A job that outlives the process.
  package struct Job: Hashable, Sendable {
    package var kind: Text
    package var account: Text
    package var actor: Text
    package var state = JobRow.State.queued
    package var queued: Timestamp
    package var started: Timestamp?
    package var ended: Timestamp?
    package var starts: UInt32 = 0
    package var done: UInt64 = 0
    package var failed: UInt64 = 0
    package var total: UInt64
    package var detail: Text = []
    /// By unit; what is nothing is left out.
    package var charged: [Text: Int64] = [:]
    package var held: [Text: Int64] = [:]
    /// Nil: it has ended.
    package var request: [UInt8]?
  }

  /// A job as the view must have it.
  package func job(_ number: Position) -> Job? {
    guard var job = jobs[number] else { return nil }
    for (key, hold) in ledger.holds where hold.state != .reserved && !hold.isLimitOnly {
      let parts = allot(hold.amount, over: hold.payers.map(\.weight))
      for (payer, part) in zip(hold.payers, parts) where payer.job == number {
        job.held[key.page.meter.unit, default: 0] &+= part
      }
    }
    job.charged = job.charged.filter { $0.value != 0 }
    job.held = job.held.filter { $0.value != 0 }
    return job
  }

  /// Payers are charged these parts of a cost.
  mutating func charge(_ payers: [Payer], _ parts: [Int64], of unit: Text) {
    for (payer, part) in zip(payers, parts) {
      guard let job = payer.job else { continue }
      jobs[job]?.charged[unit, default: 0] &+= part
    }
  }
}

extension LogModel.Payer {
  /// The job whose tag it bears.
  var job: Position? {
    tags.lazy.map { String(decoding: $0, as: UTF8.self) }.first { $0.hasPrefix("job:") }
      .flatMap { Position($0.dropFirst(4)) }
  }
}

extension LogModel.Job {
  package init(_ row: JobRow, request: [UInt8]?) {
    self.init(
      kind: Array(row.kind.utf8), account: Array(row.account.utf8), actor: Array(row.actor.utf8),
      state: row.state, queued: row.queued, started: row.started, ended: row.ended,
      starts: row.starts, done: row.done, failed: row.failed, total: row.total,
      detail: Array(row.detail.utf8),
      charged: LogModel.byUnit(row.charged).filter { $0.value != 0 },
      held: LogModel.byUnit(row.held).filter { $0.value != 0 }, request: request)
  }
}
