import Bytes
import Foundation
import LMDB
import TollbookEvents
import TollbookLog
import TollbookViews

/// What kind of snapshot is wanted.
package struct SnapshotRequest: Hashable, Sendable {
  /// Whether the bodies that entries of the cache need go with it.
  package var isPortable: Bool
  package var isAutomatic: Bool
  package var note: String

  package init(isPortable: Bool = false, isAutomatic: Bool = false, note: String = "") {
    self.isPortable = isPortable
    self.isAutomatic = isAutomatic
    self.note = note.inOneLine()
  }
}

/// How far a snapshot is, written or read.
package struct SnapshotProgress: Hashable, Sendable {
  package enum Stage: String, Sendable {
    case rows, bodies
  }

  package var stage: Stage
  package var done: UInt64
  package var total: UInt64
}

/// Told how far it is; throws `.stopped` to end it.
package typealias SnapshotWatch = (SnapshotProgress) throws(SnapshotProblem) -> Void

/// Writes all views as one read transaction sees them, in a few portions of memory.
///
/// The rows are read twice, first for the digests that stand before them in the manifest.
struct SnapshotWriter {
  /// What was written.
  struct Written {
    let manifest: SnapshotManifest
    /// SHA-256 of the file before its last section.
    let digest: [UInt8]
    let bytes: UInt64
  }

  let log: EventLog
  let request: SnapshotRequest
  let watch: SnapshotWatch

  func write(to path: String) throws(SnapshotProblem) -> Written {
    try log.environment.withReadTransaction { (transaction) throws(SnapshotProblem) in
      let manifest = try manifest(in: transaction)
      var output = try SnapshotOutput(path: path)
      try output.write(.manifest, manifest.json)
      try writeViews(of: manifest, to: &output, in: transaction)
      if let bodies = manifest.bodies {
        try writeBodies(bodies.stored, to: &output, in: transaction)
      }
      let digest = try output.finish()
      return Written(manifest: manifest, digest: digest, bytes: output.bytes)
    }
  }

  /// The tables of a view that are in force.
  private func tables(
    of fold: Fold, in transaction: borrowing ReadTransaction
  ) throws(SnapshotProblem) -> [Table] {
    do throws(LogError) { return try log.viewTables(of: fold).open(in: transaction) } catch {
      throw .log(error)
    }
  }

  // MARK: Manifest

  private func manifest(
    in transaction: borrowing ReadTransaction
  ) throws(SnapshotProblem) -> SnapshotManifest {
    let reader = log.reader
    let commit: CommitRow?
    let frontier: MerkleFrontier
    do throws(LogError) {
      commit = try reader.lastCommit(in: transaction)
      frontier = try reader.frontier(size: commit?.treeSize ?? 0, in: transaction)
    } catch { throw .log(error) }
    guard let commit else { throw .nothingToTake }
    var views: [SnapshotManifest.View] = []
    for fold in allFolds {
      views.append(try view(of: fold, at: commit.last, in: transaction))
    }
    return SnapshotManifest(
      mode: log.directory.mode, commit: commit, frontier: frontier, taken: log.time.now(),
      isAutomatic: request.isAutomatic, note: request.note, views: views,
      bodies: request.isPortable ? try countBodies(in: transaction) : nil)
  }

  private func view(
    of fold: Fold, at position: Position, in transaction: borrowing ReadTransaction
  ) throws(SnapshotProblem) -> SnapshotManifest.View {
    let tables = try tables(of: fold, in: transaction)
    var counts: [SnapshotManifest.View.TableCount] = []
    var parked: UInt64 = 0
    try SnapshotProblem.inTables { () throws(LMDBError) in
      let row = try ViewRow.of(fold, log.tables.views, in: transaction)
      guard row?.position == position else {
        throw LMDBError(.corrupted, .get, table: LogTables.viewsName)
      }
      for (name, table) in zip(fold.tables, tables) {
        counts.append(.init(name: name, rows: UInt64(try transaction.count(in: table))))
      }
      try transaction.scanParked(by: fold, in: log.tables) { (_, _) throws(LMDBError) in
        parked += 1
      }
    }
    do throws(LogError) {
      let digest = try ViewDigest(of: fold, tables, log: log.tables, in: transaction)
      return SnapshotManifest.View(tables: counts, parked: parked, digest: digest)
    } catch { throw .log(error) }
  }

  private func countBodies(
    in transaction: borrowing ReadTransaction
  ) throws(SnapshotProblem) -> SnapshotManifest.Bodies {
    var counts = SnapshotManifest.Bodies(stored: 0, absent: 0)
    try scanBodies(in: transaction) { (key) throws(SnapshotProblem) in
      let isStored = try SnapshotProblem.absorbing(
        try transaction.contains(key: key.span, in: log.tables.bodies))
      if isStored { counts.stored += 1 } else { counts.absent += 1 }
    }
    return counts
  }

  /// Shows the digest of every body that the views name, each once, in order.
  private func scanBodies(
    in transaction: borrowing ReadTransaction,
    _ body: (_ digest: [UInt8]) throws(SnapshotProblem) -> Void
  ) throws(SnapshotProblem) {
    let requests = try tables(of: RequestsFold.fold, in: transaction)
    var answers: ArraySlice<[UInt8]> = []
    try SnapshotProblem.inTables { () throws(LMDBError) in
      answers = try RequestsFold.bodies(in: requests, of: transaction)[...]
    }
    let cache = try tables(of: CacheFold.fold, in: transaction)
    try CacheFold.scanBodies(in: cache, of: transaction) { (digest) throws(SnapshotProblem) in
      let key = [UInt8](copying: digest)
      while let answer = answers.first, answer.lexicographicallyPrecedes(key) {
        try body(answer)
        answers.removeFirst()
      }
      if answers.first == key { answers.removeFirst() }
      try body(key)
    }
    for answer in answers { try body(answer) }
  }

  // MARK: Rows

  private func writeViews(
    of manifest: SnapshotManifest, to output: inout SnapshotOutput,
    in transaction: borrowing ReadTransaction
  ) throws(SnapshotProblem) {
    var progress = SnapshotProgress(stage: .rows, done: 0, total: manifest.rows)
    for (number, fold) in allFolds.enumerated() {
      let tables = try tables(of: fold, in: transaction)
      for (index, table) in tables.enumerated() {
        var rows = RowPortion(view: number, table: index)
        try transaction.scan(table) { (key, value) throws(SnapshotProblem) in
          rows.add(key: key, value: value)
          progress.done += 1
          if rows.isFull {
            try output.write(.rows, rows.take())
            try watch(progress)
          }
          return .next
        }
        if !rows.isEmpty { try output.write(.rows, rows.take()) }
      }
      var parked = RowPortion(view: number, table: tables.count)
      try transaction.scanParked(by: fold, in: log.tables) {
        (position, reason) throws(SnapshotProblem) in
        parked.add(key: position, value: reason)
        if parked.isFull { try output.write(.rows, parked.take()) }
      }
      if !parked.isEmpty { try output.write(.rows, parked.take()) }
      try watch(progress)
    }
  }

  // MARK: Bodies

  private func writeBodies(
    _ count: UInt64, to output: inout SnapshotOutput, in transaction: borrowing ReadTransaction
  ) throws(SnapshotProblem) {
    var progress = SnapshotProgress(stage: .bodies, done: 0, total: count)
    var content: [UInt8] = []
    content.reserveCapacity(SnapshotFormat.bodyPortion + 1 << 16)
    try scanBodies(in: transaction) { (digest) throws(SnapshotProblem) in
      let isStored = try add(digest, to: &content, in: transaction)
      if isStored { progress.done += 1 }
      if content.count >= SnapshotFormat.bodyPortion {
        try output.write(.bodies, content)
        content.removeAll(keepingCapacity: true)
        try watch(progress)
      }
    }
    if !content.isEmpty { try output.write(.bodies, content) }
    try watch(progress)
  }

  /// Adds a body after checking that it is as it was stored; false if it is not there.
  private func add(
    _ digest: [UInt8], to content: inout [UInt8], in transaction: borrowing ReadTransaction
  ) throws(SnapshotProblem) -> Bool {
    let outcome: Result<Void, Damage>? = try SnapshotProblem.inTables { () throws(LMDBError) in
      try transaction.withValue(forKey: digest.span, in: log.tables.bodies) { row in
        content.append(contentsOf: digest)
        content.append(bigEndian: UInt32(row.byteCount))
        content.append(copying: row)
        return Result { () throws(Damage) in _ = try Body(digest: digest, row: row) }
      }
    }
    do throws(Damage) { try outcome?.get() } catch { throw .log(.damaged(error)) }
    return outcome != nil
  }
}

/// The rows of a section of rows.
private struct RowPortion {
  private let head: [UInt8]
  private var content: [UInt8]

  init(view: Int, table: Int) {
    head = [UInt8(view), UInt8(table)]
    content = head
    content.reserveCapacity(SnapshotFormat.rowPortion + 1 << 12)
  }

  var isEmpty: Bool { content.count == head.count }
  var isFull: Bool { content.count >= SnapshotFormat.rowPortion }

  mutating func add(key: RawSpan, value: RawSpan) {
    content.append(bigEndian: UInt32(key.byteCount))
    content.append(bigEndian: UInt32(value.byteCount))
    content.append(copying: key)
    content.append(copying: value)
  }

  /// The content of the section; the next one begins.
  mutating func take() -> [UInt8] {
    defer {
      content.removeAll(keepingCapacity: true)
      content += head
    }
    return content
  }
}

extension ReadTransaction {
  /// Shows the events that a view has parked, by position: the key as eight bytes, the reason as text.
  fileprivate borrowing func scanParked<E: StorageFailure>(
    by fold: Fold, in tables: LogTables,
    _ body: (_ position: RawSpan, _ reason: RawSpan) throws(E) -> Void
  ) throws(E) {
    let prefix = Array(fold.id.utf8) + [0]
    try scan(tables.parked, prefix: prefix.span) { (key, value) throws(E) in
      try body(key.extracting(prefix.count..<key.byteCount), value)
      return .next
    }
  }
}
