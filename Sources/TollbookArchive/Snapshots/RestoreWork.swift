import Deflate
import Files
import Foundation
import TollbookEvents
import TollbookLog
import TollbookViews

/// The filling of a data directory that nobody sees yet.
struct RestoreWork {
  /// What it came to.
  struct Result {
    let base: DataDirectory.Base?
    let events: UInt64
    let rows: UInt64
    let bodies: UInt64
    let isWithoutBodies: Bool
    /// Whether the snapshot's views are those that this version keeps, so that they hold the same bytes.
    let hasSameViews: Bool
  }

  /// What is written in one transaction.
  private static let commitRecords = 20_000
  private static let commitBytes = 16 << 20
  private static let rowsAtOnce = 50_000
  private static let bodyBytes = 32 << 20
  private static let bodiesAtOnce = 2_000

  private let directory: DataDirectory
  private let reader: SnapshotReader?
  private let export: (any CommitStream)?
  private let time: TimeSource
  private let watch: Restore.Watch
  private let importer: LogImporter
  private var base: LogBase?
  private var rows: UInt64 = 0
  private var bodies: UInt64 = 0
  private var events: UInt64 = 0

  init(
    _ directory: DataDirectory, _ reader: SnapshotReader?, _ export: (any CommitStream)?,
    time: TimeSource, options: EventLog.Options, watch: @escaping Restore.Watch
  ) throws(RestoreProblem) {
    self.directory = directory
    self.reader = reader
    self.export = export
    self.time = time
    self.watch = watch
    importer = try Self.wrap { () throws(LogError) in try LogImporter(directory, options: options) }
  }

  /// Whether all events are there.
  var isComplete: Bool { export?.first == 1 }

  /// The fold that goes on from a view of a snapshot, and how.
  private struct Successor {
    let fold: Fold
    let source: Fold.Source
  }

  /// Whether the snapshot's views are those that this version keeps.
  private var hasSameViews: Bool {
    guard let reader else { return false }
    let successors = Self.successors(in: reader)
    return successors.count == allFolds.count && successors.allSatisfy { $0?.source.isOwn == true }
  }

  /// Whether the snapshot says how every view of this version begins, and holds nothing that this version does not know.
  private static func isEnough(_ reader: SnapshotReader) -> Bool {
    let known = successors(in: reader).compactMap { $0?.fold.id }
    let views = Set(reader.manifest.views.map(\.id))
    return known.count == views.count && Set(known).count == known.count
      && allFolds.allSatisfy { known.contains($0.id) || $0.isYounger(than: views) }
  }

  /// The fold that goes on from each of a snapshot's views; nil where there is none.
  private static func successors(in reader: SnapshotReader) -> [Successor?] {
    reader.manifest.views.map { view in
      for fold in allFolds {
        guard let source = fold.source(view.id), source.tables == view.tables.map(\.name) else {
          continue
        }
        return Successor(fold: fold, source: source)
      }
      return nil
    }
  }

  private var isWithoutBodies: Bool {
    if let export, !export.hasBodies { return true }
    if isComplete { return false }
    guard let bodies = reader?.manifest.bodies else { return true }
    return bodies.absent > 0
  }

  func finish() -> Result {
    Result(
      base: base.map { DataDirectory.Base(position: $0.position, snapshot: $0.snapshot) },
      events: events, rows: rows, bodies: bodies, isWithoutBodies: isWithoutBodies,
      hasSameViews: hasSameViews)
  }

  // MARK: Both ways

  /// All events, and views from the snapshot if there is one.
  mutating func buildComplete() throws(RestoreProblem) {
    try importCommits()
    if let reader, let export, importer.head < reader.manifest.position {
      throw .endsBefore(export.path, last: importer.head, snapshot: reader.manifest.position)
    }
    try note()
    if let reader { try load(reader) }
  }

  /// The snapshot, and the events after it.
  mutating func buildOnBase() throws(RestoreProblem) {
    guard let reader else {
      throw .beginsLater(export?.path ?? "", first: export?.first ?? 0)
    }
    let manifest = reader.manifest
    if let export, export.first > manifest.position + 1 {
      throw .gap(export.path, first: export.first, last: manifest.position)
    }
    if let export, export.first == manifest.position + 1,
      export.rootBefore != manifest.commit.root
    {
      throw .otherLog(reader.path, export.path, position: manifest.position)
    }
    guard Self.isEnough(reader) else {
      throw .snapshot(
        .otherViews(
          reader.path, theirs: manifest.views.map(\.id), ours: allFolds.map(\.id)))
    }
    do throws(Damage) {
      base = try LogBase(
        commit: manifest.commit, frontier: manifest.frontier,
        snapshot: SnapshotShelf.name(of: manifest.position))
    } catch { throw .log(.damaged(error)) }
    try note()
    try load(reader)
    try importCommits()
    try note()
    try keep(reader.path)
  }

  /// Notes in the log how it came to be.
  private func note() throws(RestoreProblem) {
    let origin = LogOrigin(
      position: max(importer.head, base?.position ?? 0), restored: time.now(),
      isWithoutBodies: isWithoutBodies, base: base)
    try Self.wrap { () throws(LogError) in try importer.begin(origin) }
  }

  /// Puts the snapshot that the log rests on beside it.
  private func keep(_ path: String) throws(RestoreProblem) {
    guard let base else { return }
    let folder = DataDirectory.snapshots(of: directory.path)
    let copy = "\(folder)/\(base.snapshot)"
    do {
      try FileManager.default.createDirectory(
        atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      try FileManager.default.copyItem(atPath: path, toPath: copy)
      try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: copy)
    } catch { throw .unwritable(copy, reason: error.reason) }
    for name in [copy, folder] {
      if let problem = DurableNames.synchronize(name) { throw .unwritable(name, reason: problem) }
    }
    do throws(DataDirectoryError) {
      try directory.rest(
        on: DataDirectory.Base(position: base.position, snapshot: base.snapshot))
    } catch { throw .directory(error) }
  }

  // MARK: Events

  private mutating func importCommits() throws(RestoreProblem) {
    guard let export else { return }
    var batch: [SealedCommit] = []
    var records = 0
    var bytes = 0
    var olderBodies: [Body] = []
    while let commit = try export.next() {
      try compare(commit, of: export)
      // What the snapshot contains already, but its bodies are welcome.
      if let base, commit.row.last <= base.position {
        olderBodies += commit.bodies
        if olderBodies.count >= Self.bodiesAtOnce {
          try add(olderBodies)
          olderBodies = []
        }
        continue
      }
      batch.append(commit)
      records += commit.records.count
      bytes += commit.records.reduce(0) { $0 + $1.count }
      bytes += commit.bodies.reduce(0) { $0 + $1.fragment.bytes.count }
      guard records >= Self.commitRecords || bytes >= Self.commitBytes else { continue }
      try append(batch)
      batch = []
      records = 0
      bytes = 0
    }
    try add(olderBodies)
    try append(batch)
  }

  private mutating func append(_ commits: [SealedCommit]) throws(RestoreProblem) {
    guard !commits.isEmpty else { return }
    try Self.wrap { () throws(LogError) in try importer.append(commits) }
    for commit in commits { events += UInt64(commit.records.count) }
    try watch(.init(stage: .events, done: importer.head, total: 0))
  }

  /// A commit that ends where the snapshot was taken must have its root.
  private func compare(
    _ commit: SealedCommit, of export: any CommitStream
  ) throws(RestoreProblem) {
    guard let reader else { return }
    let sealed = reader.manifest.commit
    let isSame = commit.row.last == sealed.last && commit.row.root == sealed.root
    let reaches = commit.row.first <= sealed.last && commit.row.last >= sealed.last
    if reaches && !isSame { throw .otherLog(reader.path, export.path, position: sealed.last) }
  }

  // MARK: Views

  /// Reads the snapshot to its end and loads those of its views that this version keeps, or goes on from. What is younger
  /// than the snapshot begins empty at its position.
  private mutating func load(_ reader: SnapshotReader) throws(RestoreProblem) {
    let successors = Self.successors(in: reader)
    // Where all events are there, they tell more than the rows of a version that read them otherwise.
    let isComplete = isComplete
    let wanted = successors.map { successor in
      successor.flatMap { $0.source.exactness != .always && isComplete ? nil : $0 }
    }
    var parked = successors.map { _ in [Fold.Parked]() }
    var waiting: (view: Int, table: Int, rows: [(key: [UInt8], value: [UInt8])]) = (0, 0, [])
    var waitingBodies: [Body] = []
    while let portion = try next(of: reader) {
      switch portion {
      case .rows(let view, let table, let found):
        guard let successor = successors[view] else { break }
        if table == successor.source.tables.count {
          parked[view] += found.map { row in
            Fold.Parked(
              position: row.key.reduce(0) { $0 << 8 | Position($1) },
              reason: String(decoding: row.value, as: UTF8.self))
          }
          break
        }
        if waiting.view != view || waiting.table != table || waiting.rows.count >= Self.rowsAtOnce {
          try flush(waiting, wanted)
          waiting = (view, table, [])
        }
        waiting.rows += found.map { ($0.key, $0.value) }
        rows += UInt64(found.count)
      case .bodies(let found):
        waitingBodies += found
        bodies += UInt64(found.count)
        guard waitingBodies.reduce(0, { $0 + $1.fragment.bytes.count }) >= Self.bodyBytes else {
          break
        }
        try add(waitingBodies)
        waitingBodies = []
      }
      let progress = reader.progress(after: portion)
      try watch(
        .init(
          stage: progress.stage == .rows ? .rows : .bodies, done: progress.done,
          total: progress.total))
    }
    try flush(waiting, wanted)
    try add(waitingBodies)
    for (successor, parked) in zip(wanted, parked) {
      if let fold = successor?.fold { try finish(fold, of: reader, parked: parked) }
    }
    let views = Set(reader.manifest.views.map(\.id))
    for fold in allFolds where fold.isYounger(than: views) {
      try finish(fold, of: reader, parked: [])
    }
  }

  private func finish(
    _ fold: Fold, of reader: SnapshotReader, parked: [Fold.Parked]
  ) throws(RestoreProblem) {
    try Self.wrap { () throws(LogError) in
      try importer.finish(fold, at: reader.manifest.position, parked: parked)
    }
  }

  private func next(of reader: SnapshotReader) throws(RestoreProblem) -> SnapshotPortion? {
    do throws(SnapshotProblem) { return try reader.next() } catch { throw .snapshot(error) }
  }

  private func flush(
    _ waiting: (view: Int, table: Int, rows: [(key: [UInt8], value: [UInt8])]),
    _ successors: [Successor?]
  ) throws(RestoreProblem) {
    guard !waiting.rows.isEmpty, let successor = successors[waiting.view] else { return }
    for case .rows(let table, let rows) in successor.source.carried(
      .rows(table: waiting.table, waiting.rows))
    {
      try Self.wrap { () throws(LogError) in
        try importer.load(rows, table: table, of: successor.fold)
      }
    }
  }

  private func add(_ bodies: [Body]) throws(RestoreProblem) {
    guard !bodies.isEmpty else { return }
    try Self.wrap { () throws(LogError) in try importer.add(bodies) }
  }

  private static func wrap<Value>(
    _ body: () throws(LogError) -> Value
  ) throws(RestoreProblem) -> Value {
    do throws(LogError) { return try body() } catch { throw .log(error) }
  }
}
