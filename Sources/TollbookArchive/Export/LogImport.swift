import Deflate
package import TollbookEvents
package import TollbookLog

/// Why an export does not go into a data directory. Nothing was written.
package enum LogImportProblem: Error, Hashable, Sendable, CustomStringConvertible {
  case otherMode(export: LogMode, directory: LogMode)
  /// Commits are missing between the two.
  case gap(first: Position, head: Position)
  /// They are not of the same log: they differ from that position on.
  case fork(Position)

  package var description: String {
    switch self {
    case .otherMode(let export, let directory):
      "the export holds \(export.rawValue) data and the directory \(directory.rawValue) data; they"
        + " are never mixed"
    case .gap(let first, 0):
      "the export begins at position \(first) and the directory is empty. Export from position 1,"
        + " or restore a snapshot of position \(first - 1) first"
    case .gap(let first, let head):
      "the export begins at position \(first) and the directory ends at \(head): what lies between"
        + " is missing. Export from position \(head + 1)"
    case .fork(let position):
      "the export and the directory are not of one log: they differ from position \(position) on"
    }
  }
}

/// Lets a log grow by what an export holds, after comparing what both hold.
package enum LogImport {
  /// Events and bytes that are written in one transaction.
  private static let batchEvents = 5_000
  private static let batchBytes = 8 << 20

  /// What an import has done.
  package struct Outcome: Sendable {
    package let header: ExportHeader
    /// Where the log ended before.
    package let before: Position
    package var head: Position
    package var root: TreeHash
    /// Events and bodies that were written.
    package var events: UInt64 { head - before }
    package var bodies: UInt64 = 0
  }

  /// How far an import is, in bytes of the export.
  package struct Progress: Sendable {
    package enum Stage: String, Sendable { case checking, importing }

    package let stage: Stage
    package let bytes: UInt64
    package let total: UInt64
  }

  /// Reads the export once without writing anything: whether it is sound, and goes on where the log ends.
  ///
  /// - Throws: `ExportProblem`, `LogImportProblem` or `LogError`.
  package static func check(
    _ path: String, for importer: LogImporter, mode: LogMode,
    progress: (Progress) throws -> Void = { _ in }
  ) throws {
    _ = try walk(path, importer, mode, .checking, progress) { _ in }
  }

  /// Appends the commits that the log does not have yet. What was appended before a failure stays: importing again goes
  /// on from there.
  ///
  /// - Throws: `ExportProblem`, `LogImportProblem` or `LogError`.
  package static func append(
    _ path: String, to importer: LogImporter, mode: LogMode, now: Timestamp,
    progress: (Progress) throws -> Void = { _ in }
  ) throws -> Outcome {
    let before = importer.head
    let source = try LogSource(importer.environment)
    let known = try source.read { (transaction) throws(LogError) in
      try source.reader.origin(in: transaction)
    }
    var bodies: UInt64 = 0
    let header = try walk(path, importer, mode, .importing, progress) { batch in
      let isWithoutBodies = !batch.header.hasBodies || known?.isWithoutBodies == true
      let origin = LogOrigin(
        position: batch.last, restored: now, isWithoutBodies: isWithoutBodies, base: known?.base)
      try importer.append(batch.commits, origin: origin)
      bodies += UInt64(batch.commits.reduce(0) { $0 + $1.bodies.count })
    }
    var outcome = Outcome(
      header: header, before: before, head: importer.head, root: importer.root)
    outcome.bodies = bodies
    return outcome
  }

  private struct Batch {
    let header: ExportHeader
    var commits: [SealedCommit] = []
    var events = 0
    var bytes = 0
    var last: Position = 0

    mutating func add(_ commit: SealedCommit) {
      commits.append(commit)
      events += commit.records.count
      bytes += commit.records.reduce(0) { $0 + $1.count }
      bytes += commit.bodies.reduce(0) { $0 + $1.fragment.bytes.count }
      last = commit.row.last
    }

    var isFull: Bool { events >= LogImport.batchEvents || bytes >= LogImport.batchBytes }
  }

  /// Goes through an export, compares what the log has already, and gives the rest to `body`.
  private static func walk(
    _ path: String, _ importer: LogImporter, _ mode: LogMode, _ stage: Progress.Stage,
    _ progress: (Progress) throws -> Void, _ body: (Batch) throws -> Void
  ) throws -> ExportHeader {
    var reader = try ExportReader(path: path)
    let header = reader.header
    let before = importer.head
    guard header.mode == mode else {
      throw LogImportProblem.otherMode(export: header.mode, directory: mode)
    }
    guard header.first <= before + 1 else {
      throw LogImportProblem.gap(first: header.first, head: before)
    }
    if header.first == before + 1, header.frontier.root != importer.root {
      throw LogImportProblem.fork(before)
    }
    let source = try LogSource(importer.environment)
    let start = try source.start()
    var batch = Batch(header: header)
    while let commit = try reader.next() {
      if commit.row.first > before {
        batch.add(commit)
        if batch.isFull {
          try body(batch)
          batch = Batch(header: header)
        }
      } else {
        try compare(commit.row, source, from: start)
      }
      try progress(Progress(stage: stage, bytes: reader.soundBytes, total: reader.size))
    }
    if !batch.commits.isEmpty { try body(batch) }
    return header
  }

  /// Compares a commit with the one that the log has.
  private static func compare(
    _ row: CommitRow, _ source: LogSource, from start: Position
  ) throws {
    // What a snapshot stands for is known by its last commit alone.
    guard row.last >= start else { return }
    let known = try source.read { (transaction) throws(LogError) in
      try source.reader.commit(holding: row.last, in: transaction)
    }
    guard known == row else { throw LogImportProblem.fork(row.first) }
  }
}
