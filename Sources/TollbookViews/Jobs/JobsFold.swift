import Bytes
import LMDB
package import TollbookEvents
package import TollbookLog

/// Keeps the jobs that outlive the process, with what each has cost.
///
/// | table | key | value |
/// |---|---|---|
/// | `jobs` | position of its JobQueued (8) | the job's row |
/// | `open` | position of its JobQueued (8) | its request, until it has ended |
///
/// What a job pays for bears its tag. So its cost is in its row in the commit that charges it, and a job that is taken
/// up again after a crash knows what it has spent.
package enum JobsFold {
  package static let fold = Fold(
    name: "jobs", version: 1, tables: ["jobs", "open"], cadence: .eachDecision, sinceFormat: 3
  ) { (events, tables, transaction) throws(LMDBError) in
    var changes = JobChanges(tables[0])
    var parked: [Fold.Parked] = []
    let events = events.span
    for index in events.indices where concerns(events[index].event.kind) {
      if let problem = try changes.apply(events[index], in: transaction.reading) {
        parked.append(Fold.Parked(position: events[index].position, reason: problem))
      }
    }
    try changes.write(tables, to: &transaction)
    return parked
  }
}

extension JobsFold {
  /// Whether it may have something to say of an event: of most it has not.
  private static func concerns(_ kind: EventKind) -> Bool {
    switch kind {
    case .jobQueued, .jobStarted, .jobProgressed, .jobFinished, .tokensCharged, .chargeInDoubt,
      .chargeResolved, .chargeCorrected:
      true
    default: false
    }
  }

  private static let tagPrefix = "job:"

  /// The tag of what a job pays for. No request may bear one that begins so.
  package static func tag(of job: Position) -> String { tagPrefix + "\(job)" }

  /// The job that a tag names.
  static func job(ofTag tag: String) -> Position? {
    guard tag.utf8.starts(with: tagPrefix.utf8) else { return nil }
    let number = Position(String(decoding: tag.utf8.dropFirst(tagPrefix.utf8.count), as: UTF8.self))
    // Written otherwise, such as with a zero in front, it is the tag of something else.
    return number.flatMap { Self.tag(of: $0) == tag ? $0 : nil }
  }
}

/// The rows that a run of events touches.
private struct JobChanges {
  private let table: Table
  /// Nil: there is no such job.
  private var rows = TouchedRows<JobRow?>()
  /// The requests of those that were queued.
  private var requests: [KeyBytes: [UInt8]] = [:]

  init(_ table: Table) { self.table = table }

  private static func key(_ job: Position) -> KeyBytes {
    var key: [UInt8] = []
    key.append(bigEndian: job)
    return KeyBytes(key)
  }

  private mutating func place(
    of job: Position, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> Int {
    let key = Self.key(job)
    let table = table
    return try rows.place(of: key) { () throws(LMDBError) in
      try transaction.row(forKey: key.bytes.span, in: table) { JobRow(row: $0) }
    }
  }

  /// Applies one event, or says why it cannot be and leaves everything as it was.
  mutating func apply(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) -> String? {
    switch recorded.event {
    case .jobQueued(let event):
      let place = try place(of: recorded.position, in: transaction)
      rows[place] = JobRow(
        kind: event.kind, account: event.account, actor: event.actor, queued: recorded.time,
        total: event.total)
      requests[Self.key(recorded.position)] = [UInt8](event.request)
    case .jobStarted(let event):
      return try change(event.job, in: transaction) { row in
        row.state = .running
        row.started = recorded.time
        row.starts &+= 1
      }
    case .jobProgressed(let event):
      return try change(event.job, in: transaction) { row in
        row.done = event.done
        row.failed = event.failed
        row.starts = 0
      }
    case .jobFinished(let event):
      return try change(event.job, in: transaction) { row in
        row.state =
          switch event.end {
          case .done: .done
          case .cancelled: .cancelled
          case .failed, .unspecified, .UNRECOGNIZED: .failed
          }
        row.done = event.done
        row.failed = event.failed
        row.detail = event.detail
        row.ended = recorded.time
      }
    case .tokensCharged(let event):
      if event.payers.contains(where: \.isJob) { try book(recorded, in: transaction) }
    case .chargeInDoubt(let event):
      if event.payers.contains(where: \.isJob) { try book(recorded, in: transaction) }
    case .chargeResolved(let event):
      if event.doubts.contains(where: { $0.payers.contains(where: \.isJob) }) {
        try book(recorded, in: transaction)
      }
    case .chargeCorrected(let event):
      if event.payers.contains(where: \.isJob) { try book(recorded, in: transaction) }
    default: break
    }
    return nil
  }

  private mutating func change(
    _ job: Position, in transaction: borrowing ReadTransaction, _ body: (inout JobRow) -> Void
  ) throws(LMDBError) -> String? {
    let place = try place(of: job, in: transaction)
    guard var row = rows[place] else { return "there is no job \(job)" }
    guard row.state.isOpen else { return "job \(job) has ended" }
    body(&row)
    rows[place] = row
    return nil
  }

  /// Adds what an event charges or doubts to the jobs that pay for it.
  private mutating func book(
    _ recorded: RecordedEvent, in transaction: borrowing ReadTransaction
  ) throws(LMDBError) {
    for posting in recorded.postings where !posting.isLimitOnly {
      let charged: [Int64]
      let held: [Int64]
      switch posting.change {
      case .charged, .corrected: (charged, held) = (posting.shares, [])
      case .doubted(let amount): (charged, held) = ([], posting.divided(amount))
      case .closed(let doubt):
        // What is unprovable stays spent. Both are divided by themselves: so it is always the parts of what is held.
        charged = posting.divided(doubt.settled)
        held = zip(posting.divided(doubt.unprovable), posting.divided(doubt.amount)).map {
          $0 &- $1
        }
      case .reserved, .released, .observed: continue
      }
      for (index, payer) in posting.payers.enumerated() {
        guard let job = payer.job else { continue }
        let place = try place(of: job, in: transaction)
        let unit = posting.page.unit
        if index < charged.count { rows[place]?.charged.add(charged[index], unit) }
        if index < held.count { rows[place]?.held.add(held[index], unit) }
      }
    }
  }

  func write(_ tables: [Table], to transaction: inout WriteTransaction) throws(LMDBError) {
    try rows.inKeyOrder { (key, row) throws(LMDBError) in
      guard let row else { return }
      try transaction.put(row.bytes.span, forKey: key.bytes.span, in: tables[0])
      if !row.state.isOpen {
        _ = try transaction.delete(key: key.bytes.span, in: tables[1])
      } else if let request = requests[key] {
        try transaction.put(request.span, forKey: key.bytes.span, in: tables[1])
      }
    }
  }
}

extension Payer {
  fileprivate var isJob: Bool { job != nil }

  /// The job that pays.
  fileprivate var job: Position? {
    for tag in tags {
      if let job = JobsFold.job(ofTag: tag) { return job }
    }
    return nil
  }
}
