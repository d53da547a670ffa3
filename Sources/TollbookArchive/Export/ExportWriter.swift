import Bytes
import Deflate
import LMDB
import TollbookEvents
package import TollbookLog

/// Writes commits of a log as an export, a portion at a time: what is in memory does not grow with the log.
package struct ExportWriter {
  /// Events and bytes after which a portion ends, at the end of a commit.
  private static let portionEvents = 20_000
  private static let portionBytes = 8 << 20
  /// Digests to remember, so that a body is not written twice. After so many it may be, which is allowed.
  private static let rememberedBodies = 1_000_000

  package let plan: ExportPlan
  /// What was written so far.
  package private(set) var totals: ExportTotals
  private let source: LogSource
  private var written: Set<[UInt8]> = []

  /// - Parameter totals: what a former run has written already; nil: nothing, not even the opening.
  package init(_ plan: ExportPlan, of source: LogSource, continuing totals: ExportTotals? = nil) {
    self.plan = plan
    self.source = source
    self.totals = totals ?? ExportTotals(plan.header)
  }

  /// The bytes that an export begins with.
  package var opening: [UInt8] { ExportFormat.opening(plan.header) }

  /// The bytes of the next commits, with their bodies before them; nil if the plan is done.
  package mutating func next() throws(LogError) -> [UInt8]? {
    guard totals.last < plan.last else { return nil }
    let commits = try portion()
    var bytes: [UInt8] = []
    bytes.reserveCapacity(Self.portionBytes / 4)
    for commit in commits {
      for body in commit.bodies { bytes += ExportFormat.body(digest: body.digest, row: body.row) }
      bytes += ExportFormat.commit(commit.row, records: commit.records)
      totals.add(commit.row, bodies: commit.bodies.count)
    }
    return bytes
  }

  /// The bytes that an export ends with.
  package var end: [UInt8] { ExportFormat.end(totals) }

  private struct Portion {
    var commits: [SealedCommit] = []
    var row: CommitRow?
    var records: [[UInt8]] = []
    var bodies: [Body] = []
    var events = 0
    var bytes = 0
  }

  /// Reads the next commits, in one transaction.
  private mutating func portion() throws(LogError) -> [SealedCommit] {
    let reader = source.reader
    let start = totals.last
    let end = plan.last
    var written = written
    self.written = []
    let hasBodies = plan.header.hasBodies
    var portion = Portion()
    try source.read { (transaction) throws(LogError) in
      try reader.scanRecords(after: start, in: transaction) {
        (position, record) throws(LogError) in
        let row: CommitRow
        if let known = portion.row {
          row = known
        } else {
          row = try Self.commit(beginningAt: position, reader, in: transaction)
          portion.row = row
          portion.records.reserveCapacity(Int(clamping: row.last - row.first + 1))
        }
        portion.records.append([UInt8](copying: record))
        portion.bytes += record.byteCount
        if hasBodies {
          try Self.addBody(
            namedBy: record, at: position, to: &portion, &written, reader, in: transaction)
        }
        guard position == row.last else { return .next }
        portion.events += portion.records.count
        portion.commits.append(
          SealedCommit(row: row, records: portion.records, bodies: portion.bodies))
        portion.row = nil
        portion.records = []
        portion.bodies = []
        let isFull = portion.events >= Self.portionEvents || portion.bytes >= Self.portionBytes
        return isFull || position >= end ? .stop : .next
      }
    }
    self.written = written.count > Self.rememberedBodies ? [] : written
    guard portion.row == nil, !portion.commits.isEmpty else {
      let last = portion.commits.last?.row.last ?? start
      throw .damaged(
        Damage(
          table: LogTables.commitsName, position: last + 1,
          problem: "the log ends inside of a commit"))
    }
    return portion.commits
  }

  private static func commit(
    beginningAt position: Position, _ reader: LogReader,
    in transaction: borrowing ReadTransaction
  ) throws(LogError) -> CommitRow {
    guard let row = try reader.commit(holding: position, in: transaction), row.first == position
    else {
      throw .damaged(
        Damage(
          table: LogTables.commitsName, position: position,
          problem: "no commit begins with this event"))
    }
    return row
  }

  /// Adds the body that a record names, unless it is written already or was pruned.
  private static func addBody(
    namedBy record: RawSpan, at position: Position, to portion: inout Portion,
    _ written: inout Set<[UInt8]>, _ reader: LogReader,
    in transaction: borrowing ReadTransaction
  ) throws(LogError) {
    let digest: [UInt8]?
    do throws(Damage) { digest = try ExportReader.body(namedBy: record, at: position) } catch {
      throw .damaged(error)
    }
    guard let digest, !written.contains(digest),
      let body = try reader.body(digest: digest, in: transaction)
    else { return }
    written.insert(digest)
    portion.bodies.append(body)
    portion.bytes += body.fragment.bytes.count
  }
}
