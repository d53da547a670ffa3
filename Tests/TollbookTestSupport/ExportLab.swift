import LMDB
package import TollbookArchive
package import TollbookEvents
package import TollbookLog
import TollbookViews

/// Logs with generated histories, and exports of them.
package struct ExportLab {
  package let folder: TemporaryFolder
  package let time = ManualTime()

  package init() throws { folder = try TemporaryFolder() }

  package func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  /// A log that holds at least that many events, in commits of one decision each.
  package func log(_ name: String, events: UInt64, seed: UInt64 = 1) async throws -> EventLog {
    let log = try folder.openLog(name, folds: allFolds, time: time.source)
    var generator = EventGenerator(seed: seed)
    try await grow(log, to: events, with: &generator)
    return log
  }

  package func grow(
    _ log: EventLog, to events: UInt64, with generator: inout EventGenerator
  ) async throws {
    while log.head < events {
      time.advance(byMilliseconds: 60_000)
      let step = generator.next(at: time.now)
      try await log.append(step.events, bodies: step.bodies, prunedBodies: step.prunedBodies)
    }
  }

  /// Writes an export to a file and returns its path.
  @discardableResult
  package func export(
    _ source: LogSource, _ name: String, from start: Moment? = nil, to end: Moment? = nil,
    bodies: Bool = true, resuming: Bool = false,
    progress: (Position) throws -> Void = { _ in }
  ) throws -> String {
    let plan = try ExportPlan(
      of: source, mode: .simulated, from: start, to: end, bodies: bodies)
    _ = try ExportFile.write(
      plan, of: source, to: path(name), isResuming: resuming, progress: progress)
    return path(name)
  }

  /// Imports an export into a folder.
  @discardableResult
  package func imported(
    _ export: String, into name: String,
    progress: (LogImport.Progress) throws -> Void = { _ in }
  ) throws -> LogImport.Outcome {
    let importer = try LogImporter(folder.own(name), options: .scratch)
    return try LogImport.append(
      export, to: importer, mode: .simulated, now: .testStart, progress: progress)
  }

  package func open(_ name: String) throws -> EventLog {
    try folder.openLog(name, folds: allFolds, time: time.source)
  }
}

/// Somebody who pressed Ctrl-C.
package struct Interrupted: Error {
  package init() {}
}

extension LogSource {
  /// The seals of all commits that are there.
  package func commits() throws -> [CommitRow] {
    try environment.withReadTransaction { (transaction) throws(LogError) in
      var found: [CommitRow] = []
      var next = try (reader.base(in: transaction)?.position ?? 0) + 1
      while let row = try reader.commit(holding: next, in: transaction) {
        found.append(row)
        next = row.last + 1
      }
      return found
    }
  }

  /// Every event that is there.
  package func events() throws -> [RecordedEvent] {
    var found: [RecordedEvent] = []
    try scan(after: start()) { (event) throws(LogError) in
      found.append(event)
      return .next
    }
    return found
  }
}
