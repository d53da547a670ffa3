import Foundation
import LMDB
import SwiftProtobuf
import TollbookArchive
import TollbookEvents
import TollbookLog
import TollbookTestSupport
import TollbookViews

/// Logs with generated histories, and exports of them.
struct ExportLab {
  let folder: TemporaryFolder
  let time = ManualTime()

  init() throws { folder = try TemporaryFolder() }

  func path(_ name: String) -> String { "\(folder.path)/\(name)" }

  /// A log that holds at least that many events, in commits of one decision each.
  func log(_ name: String, events: UInt64, seed: UInt64 = 1) async throws -> EventLog {
    let log = try folder.openLog(name, folds: allFolds, time: time.source)
    var generator = EventGenerator(seed: seed)
    try await grow(log, to: events, with: &generator)
    return log
  }

  func grow(
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
  func export(
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
  func imported(
    _ export: String, into name: String,
    progress: (LogImport.Progress) throws -> Void = { _ in }
  ) throws -> LogImport.Outcome {
    let importer = try LogImporter(folder.own(name), options: .scratch)
    return try LogImport.append(
      export, to: importer, mode: .simulated, now: .testStart, progress: progress)
  }

  func open(_ name: String) throws -> EventLog {
    try folder.openLog(name, folds: allFolds, time: time.source)
  }
}

/// Somebody who pressed Ctrl-C.
struct Interrupted: Error {}

extension LogSource {
  /// The seals of all commits that are there.
  func commits() throws -> [CommitRow] {
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
  func events() throws -> [RecordedEvent] {
    var found: [RecordedEvent] = []
    try scan(after: start()) { (event) throws(LogError) in
      found.append(event)
      return .next
    }
    return found
  }
}

/// The frames of an export, to be put together in other ways.
struct Frames {
  var opening: [UInt8]
  var rest: [[UInt8]]

  init(path: String) throws {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    var start = 16
    var frames: [[UInt8]] = []
    while start < bytes.count {
      var digits = 0
      var length = 0
      while true {
        let byte = Int(bytes[start + digits])
        length |= (byte & 0x7f) << (7 * digits)
        digits += 1
        if byte & 0x80 == 0 { break }
      }
      let end = start + digits + length + 4
      frames.append(Array(bytes[start..<end]))
      start = end
    }
    opening = Array(bytes[..<16]) + frames[0]
    rest = Array(frames[1...])
  }

  /// What one of them holds.
  func content(_ index: Int) throws -> ExportFrame.OneOf_Content? {
    let frame = rest[index]
    let digits = (frame.firstIndex { $0 & 0x80 == 0 } ?? 0) + 1
    return try ExportFrame(serializedBytes: Array(frame[digits..<(frame.count - 4)])).content
  }

  /// The places of commits.
  func commits() throws -> [Int] {
    try rest.indices.filter { if case .commit = try content($0) { true } else { false } }
  }

  func write(to path: String) throws {
    try Data(opening + rest.flatMap { $0 }).write(to: URL(fileURLWithPath: path))
  }
}
