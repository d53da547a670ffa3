import Foundation
import LMDB
import Testing
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

@testable import TollbookArchive

/// A generated history in a log, and what can be taken from it.
final class SnapshotLab {
  let folder: TemporaryFolder
  let time = ManualTime()
  private var generator: EventGenerator
  private var random: SeededGenerator

  init(seed: UInt64) throws {
    folder = try TemporaryFolder()
    generator = EventGenerator(seed: seed)
    random = SeededGenerator(seed: ~seed)
  }

  func open(_ name: String = "data") throws -> EventLog {
    try folder.openLog(name, folds: allFolds, time: time.source)
  }

  func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  /// Appends at least that many events, in commits of one decision each.
  func append(_ count: UInt64, to log: EventLog) async throws {
    let end = generator.head + count
    while generator.head < end {
      time.advance(byMilliseconds: random.int64(0...1_200_000))
      let step = generator.next(at: time.now)
      try await log.append(step.events, bodies: step.bodies, prunedBodies: step.prunedBodies)
    }
  }

  /// Writes a snapshot without noting it in the log, whose positions the generator knows.
  @discardableResult
  func write(
    _ log: EventLog, bodies: Bool = false, to name: String = "a.snapshot"
  ) throws -> SnapshotManifest {
    let writer = SnapshotWriter(
      log: log, request: SnapshotRequest(isPortable: bodies),
      watch: { _ throws(SnapshotProblem) in })
    return try writer.write(to: path(name)).manifest
  }

  /// Writes an export of the log from a position on.
  func export(
    _ log: EventLog, from first: Position = 1, to last: Position? = nil, bodies: Bool = true,
    name: String = "log.export"
  ) throws {
    let source = LogSource(log)
    let plan = try ExportPlan(
      of: source, mode: .simulated, from: .position(first), to: last.map { .position($0) },
      bodies: bodies)
    _ = try ExportFile.write(plan, of: source, to: path(name), isResuming: false)
  }

  @discardableResult
  func restore(
    snapshot: String? = nil, export: String? = nil, to name: String = "restored"
  ) throws -> Restore.Outcome {
    try Restore(
      snapshot: snapshot.map(path), export: try export.map { try ExportedCommits(path: path($0)) },
      to: path(name), time: time.source, options: .scratch
    ).run()
  }

  /// All tables of a directory that nobody has open.
  func dump(_ name: String) throws -> [String: TableDump] {
    try Environment(directory: path(name), options: EnvironmentOptions(mapSize: 1 << 30)).dump()
  }
}

/// The tables of the views, with those in which rebuilds grow.
func isViewTable(_ name: String) -> Bool {
  allFolds.contains { name.hasPrefix($0.id) } || name == LogTables.parkedName
}
